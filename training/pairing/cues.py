"""Every rule of some pairs with its accuracy, its interval and what it looks like.

    found = cues(contrasts_of(rows), seed=1)
    [cue for cue in found if cue.low > 0.60]

Accuracy is the share of the pairs' weight whose chosen side a rule names, a pair it says nothing about counting half;
its interval is a bootstrap over questions. Where pairs are asked with prompts of several kinds, each rule is tried a
second time, learned for each kind by itself; its name then says "by the prompt's form".

Not covered: what accuracy is too much (`audit`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gaokerena.evaluation.resampling import intervals
from training.pairing.classify import Scores, folds
from training.pairing.contrasts import Contrasts, Family
from training.pairing.examples import examples
from training.pairing.rules import Rules, Singles, learned
from training.pairing.weighing import share

RESAMPLES = 2000
CONFIDENCE = 0.95
"""Of the intervals."""
SHOWN = 12
"""Cues of a family that the report names, at most."""
BY_PROMPT = ", by the prompt's form"


@dataclass(frozen=True, slots=True)
class Cue:
    """One rule and how often it names the chosen side."""

    name: str
    family: str
    kind: str
    """`feature`: one feature; `family`: all of a family; `all`: all families together."""
    accuracy: float
    low: float
    high: float
    by_prompt: bool = False
    """Learned for each kind of prompt by itself."""
    more_in: str = ""
    """Of a single feature: the side that has more of it, for each kind of prompt where it was asked by kind."""
    wins: float = 0.0
    """Of a single feature: the share of pairs in which that side has more."""
    ties: float = 0.0
    examples: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name with its family."""
        return f"{self.family}: {self.name}" if self.kind == "feature" else self.name

    @property
    def plain(self) -> str:
        """The label of the same rule learned of all prompts at once."""
        return self.label.removesuffix(BY_PROMPT)


class _Told:
    """Accuracies and intervals of columns of scores, dealt out in order."""

    def __init__(self, scores: Scores, of: Contrasts, seed: int, confidence: float) -> None:
        names = {name: place for place, name in enumerate(dict.fromkeys(of.questions))}
        index = np.array([names[name] for name in of.questions])
        sums = np.zeros((len(names), scores.shape[1]))
        np.add.at(sums, index, scores * of.weights[:, None])
        weight = np.bincount(index, of.weights).astype(np.float64)
        sizes = np.repeat(weight[:, None], scores.shape[1], axis=1)
        low, high = intervals(sums, seed=seed, sizes=sizes, confidence=confidence, resamples=RESAMPLES)
        means = (scores * of.weights[:, None]).sum(axis=0) / of.weights.sum()
        self._columns = iter(zip(means.tolist(), low.tolist(), high.tolist(), strict=True))

    def next(self) -> tuple[float, float, float]:
        """Accuracy, low and high of the next column."""
        mean, low, high = next(self._columns)
        return round(mean, 4), round(low, 4), round(high, 4)


def cues(of: Contrasts, seed: int, confidence: float = CONFIDENCE) -> list[Cue]:
    """All together, the families, their single features; the same by the prompt's form, where prompts differ."""
    fold, families, groups = folds(of.questions, seed), of.families(), of.groups
    views = [learned(families, {"": np.arange(len(of.rows))}, fold, of.weights)]
    if len(groups) > 1:
        views.append(learned(families, groups, fold, of.weights))
    columns = [scores for rules in views for scores in (rules.wholes, *(one.scores for one in rules.singles))]
    told = _Told(np.hstack(columns), of, seed, confidence)
    found = [cue for rules in views for cue in _of(rules, families, told, of)]
    return sorted(found, key=lambda cue: cue.kind == "feature")


def _of(rules: Rules, families: Sequence[Family], told: _Told, of: Contrasts) -> Iterator[Cue]:
    """The cues of one view; takes as many columns of `told` as the view has."""
    by_prompt = len(rules.groups) > 1
    tail = BY_PROMPT if by_prompt else ""
    yield Cue(f"all together{tail}", "all", "all", *told.next(), by_prompt)
    for family in families:
        yield Cue(f"{family.name}{tail}", family.name, "family", *told.next(), by_prompt)
    for singles in rules.singles:
        yield from _best(singles, rules, told, of)


def _best(singles: Singles, rules: Rules, told: _Told, of: Contrasts) -> Iterator[Cue]:
    """The family's single features that tell most, with what they look like."""
    accuracies = [told.next() for _ in singles.names]
    best = sorted(range(len(accuracies)), key=lambda place: -accuracies[place][1])[:SHOWN]
    by_prompt = len(rules.groups) > 1
    for place in best:
        signs = np.sign(singles.apart[:, place])
        ways = _ways(signs, rules, of.weights)
        expected = np.zeros(len(signs))
        for kind, way in ways.items():
            expected[rules.groups[kind]] = way
        yield Cue(
            singles.names[place] + (BY_PROMPT if by_prompt else ""),
            singles.family.name,
            "feature",
            *accuracies[place],
            by_prompt,
            ", ".join(f"{_side(way)}{f' where {kind}' if kind else ''}" for kind, way in ways.items()),
            round(share((signs != 0) & (signs == expected), of.weights), 4),
            round(share(signs == 0, of.weights), 4),
            examples(singles, place, expected, of.rows),
        )


def _ways(signs: Scores, rules: Rules, weights: Scores) -> dict[str, int]:
    """For each group, 1 where the chosen side has more, by weight, -1 where the rejected has."""
    return {
        kind: 1 if weights[places] @ (signs[places] > 0) >= weights[places] @ (signs[places] < 0) else -1
        for kind, places in rules.groups.items()
    }


def _side(way: int) -> str:
    return "chosen" if way > 0 else "rejected"
