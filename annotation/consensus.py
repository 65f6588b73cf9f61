"""What the doctors together say of each item, weighed by how each of them errs: Dawid and Skene's model.

    found = consensus(judged)
    found.all()["i3f2a…"]           # {"left": 0.93, "right": 0.05, "neither": 0.02}
    found.bounds(seed=1).accuracy   # each doctor's share of right outcomes, with intervals

Classes are outcomes as the doctors saw them, left or right or neither: seats are drawn at random and models hidden, so
a doctor can lean to a side but not to a model, and left is truly better as often as right. Gold items are easy by
design, so they tell nothing of how often a doctor errs on the others: they only choose where the fit begins, which says
who is right where doctors contradict each other throughout. Duplicates are left out. Intervals are those of the model's
own draws (`dawid_skene.sample`).

Not covered: the grade's strength, which is averaged apart (`pairs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.alpha import TAIL
from annotation.dawid_skene import SMOOTHING, Fitted, fit, sample
from annotation.judged import OUTCOMES, Judged, Outcome, compared, judges, outcome
from gaokerena.statistics import Interval

SIDES = (0, 1)
"""Places of left and right among the outcomes."""
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Each doctor's accuracy [judges] and confusion [judges, true, said] with their intervals."""

    accuracy: tuple[Interval, ...]
    low: Array
    high: Array


@dataclass(frozen=True, slots=True)
class Consensus:
    """The fitted model; `items` and `judges` name its rows."""

    items: tuple[str, ...]
    judges: tuple[str, ...]
    counts: Array
    fitted: Fitted

    def all(self) -> dict[str, dict[Outcome, float]]:
        """The posterior of every item."""
        rows = self.fitted.posterior.tolist()
        return {item: dict(zip(OUTCOMES, row, strict=True)) for item, row in zip(self.items, rows, strict=True)}

    def bounds(self, *, seed: int) -> Bounds:
        """Intervals of accuracy and confusion."""
        priors, confusions = sample(self.counts, self.fitted, seed=seed, alike=SIDES)
        accuracies = np.einsum("dk,djkk->dj", priors, confusions)
        low, high = np.quantile(confusions, [TAIL, 1 - TAIL], axis=0)
        lows, highs = np.quantile(accuracies, [TAIL, 1 - TAIL], axis=0)
        estimates = self.fitted.accuracy()
        found = tuple(Interval(*map(float, row)) for row in zip(estimates, lows, highs, strict=True))
        return Bounds(found, low, high)


def consensus(rows: Sequence[Judged]) -> Consensus | None:
    """The model fitted to the graded verdicts on comparisons; None where there is none."""
    used = [row for row in compared(rows) if row.grade]
    if not used:
        return None
    names, doctors = sorted({row.item.id for row in used}), judges(used)
    counts, start = _counts(used, names, doctors), None
    gold = [row for row in rows if row.grade and row.item.gold and row.judge in doctors]
    if gold:
        truths = {row.item.id: OUTCOMES.index(outcome(row.item.gold)) for row in gold if row.item.gold}
        both = np.concatenate([counts, _counts(gold, list(truths), doctors)])
        known = dict(enumerate(truths.values(), len(names)))
        start = fit(both, smoothing=SMOOTHING, known=known, alike=SIDES).posterior[: len(names)]
    fitted = fit(counts, smoothing=SMOOTHING, alike=SIDES, start=start)
    return Consensus(tuple(names), tuple(doctors), counts, fitted)


def _counts(rows: Sequence[Judged], names: Sequence[str], doctors: Sequence[str]) -> Array:
    """How often each doctor said each outcome of each item: [items, doctors, outcomes]."""
    place = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(names), len(doctors), len(OUTCOMES)))
    for row in rows:
        if row.grade:
            counts[place[row.item.id], doctors.index(row.judge), OUTCOMES.index(outcome(row.grade))] += 1
    return counts
