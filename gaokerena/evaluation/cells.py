"""Cells: how one model, asked one way and decided by one rule, did in one subject or a whole suite.

    cells = cells_of(decisions, seed=1)

`all` is the micro average: every question of the suite weighs the same. Percent throughout. A question without a choice
counts as wrong in `accuracy` (as published) and as 0 in `negative_marking`, where each wrong choice costs a third.
`ci95`: Wilson's interval where every choice is whole, a bootstrap over questions where it is a mean or a tie is split
(where all questions score alike, the exact bound for what was never seen).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation.answers import NOT_ASKED, Group
from gaokerena.evaluation.passk import corrected, pass_at_k
from gaokerena.evaluation.resampling import intervals_of
from gaokerena.evaluation.rules import ABSTAINED, Decided, right
from gaokerena.statistics import wilson

ALL = "all"
PENALTY = 1 / 3
"""What a wrong choice costs, in right ones: a guesser among four options expects 0. The papers say -0.33, their
figures follow from -1/3 (reference: Gaokerena-R, table of negative marking)."""


@dataclass(frozen=True)
class Decision:
    """What a rule decided on a set of questions. `numbers` are the aligned questions, `own` the model's own runs.

    `model` and `prompting` name who was asked; several models are joined with `+`, several promptings are `mixed`.
    """

    suite: str
    model: str
    prompting: str
    rule: str
    subjects: tuple[str, ...]
    numbers: NDArray[np.int64]
    gold: NDArray[np.int8]
    decided: Decided
    samples: int
    own: Group | None = None

    @property
    def whole(self) -> bool:
        """Whether every question has one choice or none, no fractions."""
        return bool(np.isin(self.decided, (0.0, 1.0)).all())

    @property
    def scores(self) -> NDArray[np.float64]:
        """The share of each question's choice that is right: [entries]."""
        return right(self.decided, self.gold)


def cells_of(decisions: Sequence[Decision], *, seed: int) -> list[dict[str, Any]]:
    """Every decision's cells, subject by subject and for the suite."""
    found: list[tuple[dict[str, Any], NDArray[np.float64] | None]] = []
    for decision in decisions:
        for subject, rows in _parts(decision):
            found.append(_cell(decision, subject, rows))
    fractions = [scores for _, scores in found if scores is not None and not constant(scores, 0.0, 1.0)]
    bounds = iter(intervals_of(fractions, seed=seed))
    for cell, scores in found:
        if scores is not None:
            low, high = constant(scores, 0.0, 1.0) or next(bounds)
            cell["ci95"] = [_percent(low), _percent(high)]
    return [cell for cell, _ in found]


def _parts(decision: Decision) -> Iterator[tuple[str, NDArray[np.intp]]]:
    subjects = np.array(decision.subjects)
    for subject in dict.fromkeys(decision.subjects):
        yield subject, np.flatnonzero(subjects == subject)
    yield ALL, np.arange(len(subjects))


def _cell(
    decision: Decision, subject: str, rows: NDArray[np.intp]
) -> tuple[dict[str, Any], NDArray[np.float64] | None]:
    """A cell, and the scores whose interval is still to be drawn, if its choices are fractions."""
    n, scores = len(rows), decision.scores[rows]
    correct, abstained = float(scores.sum()), float(decision.decided[rows, ABSTAINED].sum())
    wrong = n - correct - abstained
    cell: dict[str, Any] = {
        "suite": decision.suite,
        "subject": subject,
        "model": decision.model,
        "prompting": decision.prompting,
        "rule": decision.rule,
        "samples": decision.samples,
        "n": n,
        "correct": _count(correct),
        "wrong": _count(wrong),
        "abstained": _count(abstained),
        "accuracy": _percent(correct / n),
        "ci95": None,
        "negative_marking": _percent((correct - PENALTY * wrong) / n),
        "pass_at_k": None,
        "pass_at_k_corrected": None,
    }
    if decision.own is not None:
        cell |= _passes(decision.own, rows)
    if decision.whole:
        interval = wilson(round(correct), n)
        cell["ci95"] = [_percent(interval.low), _percent(interval.high)]
        return cell, None
    return cell, scores


def _passes(group: Group, rows: NDArray[np.intp]) -> dict[str, Any]:
    """pass@k for every k up to the most runs of a question, over the questions that have so many."""
    choices = group.choices[rows]
    asked = (choices != NOT_ASKED).sum(axis=1)
    correct = (choices == group.gold[rows, None]).sum(axis=1)
    plain = {k: pass_at_k(correct[asked >= k], asked[asked >= k], k) for k in range(1, int(asked.max(initial=0)) + 1)}
    return {
        "pass_at_k": {str(k): _percent(value) for k, value in plain.items()},
        "pass_at_k_corrected": {str(k): _percent(corrected(value, k)) for k, value in plain.items()},
    }


def constant(scores: NDArray[np.float64], least: float, most: float) -> tuple[float, float] | None:
    """The interval of a mean whose values are all equal, which a bootstrap would give no width; None if they are not.

    Up to a share of 1 - 0.025^(1/n) of the questions could be otherwise without one being seen (Clopper and Pearson
    1934, no event in n); the mean moves by that share of the way to `least` or `most`.
    """
    if scores.size == 0 or np.ptp(scores) > 1e-9:
        return None
    value, unseen = float(scores[0]), 1 - 0.025 ** (1 / scores.size)
    return value + unseen * (least - value), value + unseen * (most - value)


def _percent(share: float) -> float:
    return round(100 * float(share), 6)


def _count(value: float) -> int | float:
    """Whole counts as whole numbers; a mean over runs or a split tie leaves fractions."""
    near = round(value)
    return near if abs(value - near) < 1e-9 else round(value, 6)
