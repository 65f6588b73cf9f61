"""Each doctor against himself and against gold: consistency on swapped duplicates, accuracy, side bias, speed.

    for doctor in checks(judged): print(doctor.judge, doctor.consistency)

A duplicate shows the same two answers with their sides exchanged, so its grade should be the mirror of the twin's.
Shares count the outcome (which side is better); `exact` counts the grade itself. Intervals: Wilson's, 95 %. Seats are
drawn at random, so a doctor without a bias for a side prefers left as often as right: an exact sign test.

Speed: Argilla does not store how long a doctor looked at an item. Where a verdict carries no seconds, the time since
the same doctor's submission before it is taken, gaps over GAP left out; such a figure is called estimated. It is too
short for a doctor who fills many pages before sending them.

Not covered: error rates without gold (`consensus`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from annotation.judged import Judged, judges, mirror, outcome
from gaokerena.statistics import Interval, mcnemar_exact, wilson

GAP = 1800.0
"""Seconds; a longer time between two submissions is a break."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with interval; `exact` of them to the very grade."""

    right: int
    exact: int
    of: int

    @property
    def interval(self) -> Interval | None:
        return wilson(self.right, self.of) if self.of else None


@dataclass(frozen=True, slots=True)
class SideBias:
    """How often left and right were called better; `p` of the exact sign test that both are as likely."""

    left: int
    right: int

    @property
    def interval(self) -> Interval | None:
        """Share of left."""
        return wilson(self.left, self.left + self.right) if self.left + self.right else None

    @property
    def p(self) -> float:
        return mcnemar_exact(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Speed:
    """Median seconds a verdict over `of` verdicts; `estimated` where any was taken from the gaps."""

    seconds: float | None
    of: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks say of one doctor."""

    judge: str
    verdicts: int
    consistency: Share
    gold: Share
    side: SideBias
    speed: Speed


def checks(rows: Sequence[Judged]) -> list[Checked]:
    """Every doctor's checks, sorted by pseudonym."""
    return [_checked(judge, [row for row in rows if row.judge == judge]) for judge in judges(rows)]


def _checked(judge: str, rows: list[Judged]) -> Checked:
    return Checked(judge, len(rows), _consistency(rows), _gold(rows), _side(rows), _speed(rows))


def twins(rows: Sequence[Judged]) -> Iterator[tuple[Judged, Judged]]:
    """(verdict on a duplicate, the same doctor's verdict on its twin), where both have a grade."""
    graded = {(row.judge, row.item.id): row for row in rows if row.grade}
    for row in graded.values():
        if row.item.twin and (twin := graded.get((row.judge, row.item.twin))):
            yield row, twin


def contradicts(duplicate: Judged, twin: Judged) -> bool:
    """Whether a doctor called another side better when the sides were exchanged."""
    assert duplicate.grade
    assert twin.grade
    return outcome(mirror(duplicate.grade)) != outcome(twin.grade)


def _consistency(rows: Sequence[Judged]) -> Share:
    pairs = list(twins(rows))
    right = sum(not contradicts(*pair) for pair in pairs)
    exact = sum(duplicate.grade is not None and mirror(duplicate.grade) == twin.grade for duplicate, twin in pairs)
    return Share(right, exact, len(pairs))


def _gold(rows: Sequence[Judged]) -> Share:
    graded = [(row.grade, row.item.gold) for row in rows if row.item.kind == "gold"]
    pairs = [(said, gold) for said, gold in graded if said and gold]
    right = sum(outcome(said) == outcome(gold) for said, gold in pairs)
    return Share(right, sum(said == gold for said, gold in pairs), len(pairs))


def _side(rows: Sequence[Judged]) -> SideBias:
    outcomes = [outcome(row.grade) for row in rows if row.grade]
    return SideBias(outcomes.count("left"), outcomes.count("right"))


def _speed(rows: Sequence[Judged]) -> Speed:
    known = [row.verdict.seconds for row in rows if row.verdict.seconds is not None]
    moments = sorted(datetime.fromisoformat(row.verdict.at) for row in rows if row.verdict.seconds is None)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    taken = known + [gap for gap in gaps if 0 < gap <= GAP]
    return Speed(median(taken) if taken else None, len(taken), len(taken) > len(known))
