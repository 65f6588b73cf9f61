"""Cascades: one group of answers after another, until one letter leads by enough.

    orders, left_out = orders_of(members, choices)
    decided, taken = cascade(orders, gold, seed=1)       # [questions, 5], [questions]
    Cascade(stages, (0.4, 0.0)).decide()                 # one of them, with given margins

A stage settles a question when its best letter leads the second by more than a margin, else the next stage's votes are
added, and the last stage always settles. The other folds choose the order of the models, whether straight answers come
first, and the margins; of equals the one that takes fewer answers.

There are n! orders of n groups, and 5 to the power of the stages margins: a cascade has at most three sampled stages,
and no more than 2,000 candidates are tried; `left_out` says what was not.

Not covered: stages that ask for single runs of a group.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation.answers import NOT_ASKED, Group
from gaokerena.evaluation.learned import Columns, Gold, Numbers, best_of, nested, twelfths
from gaokerena.evaluation.rules import Choices, Decided, split_best, votes

MARGINS = (0.0, 0.2, 0.4, 0.6, 0.8)
"""Leads of the best letter over the second, as shares of the answers heard so far; 0 settles at once unless tied."""
STAGES = 3
MOST = 2_000
"""Most candidates of one family."""


@dataclass(frozen=True)
class Stage:
    """A group of answers that is asked only where the stages before have not settled."""

    name: str
    choices: Choices


Order = tuple[Stage, ...]


@dataclass(frozen=True)
class Cascade:
    """Stages with a margin for each but the last."""

    stages: Order
    margins: tuple[float, ...]

    @property
    def name(self) -> str:
        return f"{' → '.join(stage.name for stage in self.stages)}, margins {self.margins}"

    def decide(self) -> tuple[Decided, Numbers]:
        """What it decides, and how many answers each question takes: ([questions, 5], [questions])."""
        heard = _heard(self.stages)
        settled = heard.settled(self.margins)
        return heard.decided[settled], heard.asked[settled]


def orders_of(members: Sequence[Group], choices: Sequence[Choices]) -> tuple[list[Order], list[str]]:
    """The orders tried of these groups, and what was left out, in words.

    All groups with several runs where that is not too much, else those asked for a chain of thought, else the first
    three by name.
    """
    pairs = list(zip(members, choices, strict=True))
    names = Counter(group.model for group in members if group.samples > 1)
    short = [Stage(group.model, chosen) for group, chosen in pairs if group.samples == 1]
    sampled = sorted((pair for pair in pairs if pair[0].samples > 1), key=lambda pair: pair[0].name)
    kept = sampled
    for fewer in (sampled, [pair for pair in sampled if pair[0].prompting == "cot"], sampled[:STAGES]):
        kept = fewer
        if kept and _count(len(kept), bool(short)) <= MOST:
            break
    stages = [Stage(g.model if names[g.model] == 1 else ":".join(g.name), chosen) for g, chosen in kept]
    return stagings(short, stages), _left_out([group for group, _ in sampled], [group for group, _ in kept])


def _count(groups: int, short: bool) -> int:
    stages = min(STAGES, groups)
    margins: int = len(MARGINS) ** (stages - 1)
    return math.perm(groups, stages) * margins * (1 + len(MARGINS) * short)


def _left_out(sampled: Sequence[Group], kept: Sequence[Group]) -> list[str]:
    found = []
    if len(kept) > STAGES:
        found.append(f"cascades of more than {STAGES} of the {len(kept)} groups with several runs")
    if len(kept) < len(sampled):
        names = {group.name for group in kept}
        missing = ", ".join(":".join(group.name) for group in sampled if group.name not in names)
        found.append(f"cascades with {missing}: over {MOST:,} candidates")
    return found


def stagings(short: Sequence[Stage], sampled: Sequence[Stage]) -> list[Order]:
    """Every order of (at most three of) the sampled models, after all straight answers (one stage) and without them."""
    first = [Stage("straight", np.concatenate([stage.choices for stage in short], axis=1))] if short else []
    heads = [first, []] if first else [[]]
    found = itertools.permutations(sampled, min(STAGES, len(sampled)))
    return [(*head, *order) for order in found for head in heads]


def columns(orders: Sequence[Order], gold: Gold) -> Columns[Cascade]:
    """Every order with every margin."""
    rules = [
        Cascade(stages, margins)
        for stages in orders
        for margins in itertools.product(MARGINS, repeat=len(stages) - 1)
    ]  # fmt: skip
    scores, costs = (np.empty((len(gold), len(rules)), np.float32) for _ in range(2))
    place = 0
    for stages in orders:
        heard = _heard(stages)
        right = np.stack([twelfths(decided, gold) for decided in heard.decided])
        for margins in itertools.product(MARGINS, repeat=len(stages) - 1):
            settled = heard.settled(margins)
            scores[:, place], costs[:, place] = right[settled], heard.asked[settled]
            place += 1
    return Columns("cascade", rules, scores, costs)


def cascade(orders: Sequence[Order], gold: Gold, *, seed: int, outer: int | None = None) -> tuple[Decided, Numbers]:
    """What the cascade decides, and how many answers each question took: ([questions, 5], [questions])."""
    found = columns(orders, gold)
    taken = np.zeros(len(gold))

    def fit(learn: NDArray[np.intp], score: NDArray[np.intp]) -> Decided:
        decided, cost = found.rules[best_of(*found.sums(learn))].decide()
        taken[score] = cost[score]
        return decided[score]

    return nested(gold, fit, seed=seed, outer=outer), taken


@dataclass(frozen=True)
class _Heard:
    """After each stage: the lead of the best letter [stages, questions], its choice, the answers so far."""

    lead: Numbers
    decided: Decided
    asked: Numbers

    def settled(self, margins: Sequence[float]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where each question is settled, to index by: the first stage that leads by its margin, or the last."""
        least = np.array([*(max(margin, 1e-9) for margin in margins), -1.0])
        return (self.lead > least[:, None]).argmax(axis=0), np.arange(self.lead.shape[1])


def _heard(stages: Sequence[Stage]) -> _Heard:
    counts = np.cumsum([votes(stage.choices) for stage in stages], axis=0)
    asked = np.cumsum([(stage.choices != NOT_ASKED).sum(axis=1) for stage in stages], axis=0)
    ordered = np.sort(counts, axis=2)
    lead = (ordered[:, :, -1] - ordered[:, :, -2]) / np.maximum(asked, 1)
    decided = np.stack([split_best(count.astype(float)) for count in counts])
    return _Heard(lead, decided, asked.astype(float))
