"""How far the doctors agree: alpha for every question, alpha by subject, kappa for every pair of doctors.

    for row in by_question(judged, seed=1): print(row.question, row.alpha)

Ordinal for the grade and the scales, nominal for faults and marks. The grade's five steps have an order, «both bad» has
no place in it: it is left out of `grade` and counted in `choice` (left, right, equal, both bad; nominal). What is asked
of each answer has two units an item; the interval draws whole items. Gold and duplicates are left out.

Not covered: who is right (`consensus`), and a doctor against himself (`checks`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from annotation.alpha import Level, alpha_with_interval
from annotation.judged import Judged, compared, judges
from annotation.kappa import kappa_with_interval
from gaokerena.comparisons import SIDES
from gaokerena.expert_verdicts import FAULTS, GRADES, SCALE_HIGH, SCALE_LOW, SCALES, STEPS, Fault, Scale, SideVerdict
from gaokerena.statistics import Interval

ORDERED = GRADES[:5]
CHOICES = ("left", "right", "equal", "both_bad")
OTHER = ""
"""The subject of items that have none."""

Said = Mapping[str, int]
"""What a doctor said of an item's units: "" for the item as a whole, or left and right."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question put to the doctors: its values are 0 … `values` - 1, `read` finds them in a verdict."""

    name: str
    level: Level
    values: int
    read: Callable[[Judged], Said]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Alpha of one question: over how many items and units that two doctors or more spoke of, by how many doctors."""

    question: str
    level: Level
    items: int
    units: int
    doctors: int
    alpha: Interval | None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Pairwise:
    """Kappa of two doctors over the items both judged, and the share of items on which they say the same."""

    question: str
    one: str
    other: str
    items: int
    same: float
    kappa: Interval | None


def _grade(row: Judged) -> Said:
    return {"": ORDERED.index(row.grade)} if row.grade and row.grade != "both_bad" else {}


def _choice(row: Judged) -> Said:
    return {"": CHOICES.index(row.grade.removesuffix("_much"))} if row.grade else {}


def _of_sides(read: Callable[[SideVerdict], int | None]) -> Callable[[Judged], Said]:
    def said(row: Judged) -> Said:
        if row.verdict.cannot_judge:
            return {}
        found = {side: read(row.verdict.sides[side]) for side in SIDES if side in row.verdict.sides}
        return {side: value for side, value in found.items() if value is not None}

    return said


def _scale(name: Scale) -> Callable[[Judged], Said]:
    return _of_sides(lambda said: said.scales[name] - SCALE_LOW if name in said.scales else None)


def _fault(name: Fault) -> Callable[[Judged], Said]:
    return _of_sides(lambda said: int(name in said.faults))


def _any_wrong(said: SideVerdict) -> int | None:
    return None if said.first_wrong_step is None else int(said.first_wrong_step > 0)


QUESTIONS: tuple[Question, ...] = (
    Question("grade", "ordinal", len(ORDERED), _grade),
    Question("choice", "nominal", len(CHOICES), _choice),
    *(Question(name, "ordinal", SCALE_HIGH - SCALE_LOW + 1, _scale(name)) for name in SCALES),
    *(Question(name, "nominal", 2, _fault(name)) for name in FAULTS),
    Question("first_wrong_step", "nominal", STEPS + 2, _of_sides(lambda said: said.first_wrong_step)),
    Question("any_wrong_step", "nominal", 2, _of_sides(_any_wrong)),
    Question("cannot_judge", "nominal", 2, lambda row: {"": int(row.verdict.cannot_judge)}),
    Question("personal_data", "nominal", 2, lambda row: {"": int(row.verdict.personal_data)}),
)
GRADE, CHOICE = QUESTIONS[:2]


def by_question(rows: Sequence[Judged], *, seed: int) -> list[Agreement]:
    """Alpha of each question, in the order of QUESTIONS."""
    own = compared(rows)
    return [_agreement(question, own, seed) for question in QUESTIONS]


def by_subject(rows: Sequence[Judged], *, seed: int) -> list[Agreement]:
    """Alpha of the grade and of the choice in each subject, sorted by subject; items without one come first."""
    subjects: defaultdict[str, list[Judged]] = defaultdict(list)
    for row in compared(rows):
        subjects[row.item.question.subject or OTHER].append(row)
    return [
        _agreement(question, subjects[name], seed, name) for name in sorted(subjects) for question in (GRADE, CHOICE)
    ]


def pairwise(rows: Sequence[Judged], *, seed: int) -> list[Pairwise]:
    """Kappa of each two doctors who judged an item both: weighted for the grade, plain for the choice."""
    own = compared(rows)
    made = []
    for question in (GRADE, CHOICE):
        said: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in own:
            for value in question.read(row).values():
                said[row.judge][row.item.id] = value
        for one, other in combinations(judges(own), 2):
            common = sorted(said[one].keys() & said[other].keys())
            if common:
                made.append(_pair(question, one, other, [(said[one][i], said[other][i]) for i in common], seed))
    return made


def _pair(question: Question, one: str, other: str, values: list[tuple[int, int]], seed: int) -> Pairwise:
    first, second = [a for a, _ in values], [b for _, b in values]
    found = kappa_with_interval(first, second, values=question.values, weighted=question.level == "ordinal", seed=seed)
    same = sum(a == b for a, b in values) / len(values)
    return Pairwise(question.name, one, other, len(values), same, found)


def _agreement(question: Question, rows: Sequence[Judged], seed: int, subject: str | None = None) -> Agreement:
    counts, items, doctors = table(question, rows)
    found = alpha_with_interval(counts, items, question.level, seed=seed) if items else None
    return Agreement(question.name, question.level, len(set(items)), len(items), doctors, found, subject)


def table(question: Question, rows: Sequence[Judged]) -> tuple[NDArray[np.float64], list[str], int]:
    """(counts [units, values], the item of each unit, how many doctors), of units two doctors or more spoke of."""
    units: defaultdict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for row in rows:
        for unit, value in question.read(row).items():
            units[row.item.id, unit].append((row.judge, value))
    kept = {unit: said for unit, said in sorted(units.items()) if len(said) > 1}
    counts = np.zeros((len(kept), question.values))
    for place, said in enumerate(kept.values()):
        for _, value in said:
            counts[place, value] += 1
    return counts, [item for item, _ in kept], len({judge for said in kept.values() for judge, _ in said})
