"""What the doctors together say of each item, weighed by how each of them errs: Dawid and Skene's model.

    found = consensus(judged)
    found.of("i3f2a…")              # {"left": 0.93, "right": 0.05, "neither": 0.02}
    found.bounds(seed=1).accuracy   # each doctor's share of right outcomes, with intervals

Classes are outcomes as the doctors saw them, left or right or neither: seats are drawn at random and models hidden, so
a doctor can lean to a side but not to a model, and left is truly better as often as right. Gold items enter with their
class known; duplicates are left out. Intervals are those of the model's own draws (`dawid_skene.sample`).

Not covered: the grade's strength, which is averaged apart (`pairs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.alpha import TAIL
from annotation.dawid_skene import SMOOTHING, Fitted, fit, sample
from annotation.judged import OUTCOMES, Judged, Outcome, judges, outcome
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
    known: dict[int, int]
    fitted: Fitted

    def of(self, item: str) -> dict[Outcome, float]:
        """The posterior of one item. Raises KeyError for an item without a graded verdict."""
        try:
            row = self.fitted.posterior[self.items.index(item)]
        except ValueError:
            raise KeyError(item) from None
        return dict(zip(OUTCOMES, map(float, row), strict=True))

    def all(self) -> dict[str, dict[Outcome, float]]:
        """The posterior of every item."""
        rows = self.fitted.posterior.tolist()
        return {item: dict(zip(OUTCOMES, row, strict=True)) for item, row in zip(self.items, rows, strict=True)}

    def bounds(self, *, seed: int) -> Bounds:
        """Intervals of accuracy and confusion."""
        priors, confusions = sample(self.counts, self.fitted, seed=seed, known=self.known, alike=SIDES)
        accuracies = np.einsum("dk,djkk->dj", priors, confusions)
        low, high = np.quantile(confusions, [TAIL, 1 - TAIL], axis=0)
        lows, highs = np.quantile(accuracies, [TAIL, 1 - TAIL], axis=0)
        estimates = self.fitted.accuracy()
        found = tuple(Interval(*map(float, row)) for row in zip(estimates, lows, highs, strict=True))
        return Bounds(found, low, high)


def consensus(rows: Sequence[Judged]) -> Consensus | None:
    """The model fitted to the graded verdicts; None where there is none."""
    used = [row for row in rows if row.grade and row.item.kind != "duplicate"]
    if not used:
        return None
    items = {item: place for place, item in enumerate(sorted({row.item.id for row in used}))}
    doctors = {judge: place for place, judge in enumerate(judges(used))}
    counts = np.zeros((len(items), len(doctors), len(OUTCOMES)))
    known: dict[int, int] = {}
    for row in used:
        assert row.grade
        counts[items[row.item.id], doctors[row.judge], OUTCOMES.index(outcome(row.grade))] += 1
        if row.item.gold:
            known[items[row.item.id]] = OUTCOMES.index(outcome(row.item.gold))
    return Consensus(
        tuple(items), tuple(doctors), counts, known, fit(counts, smoothing=SMOOTHING, known=known, alike=SIDES)
    )
