"""Verdicts beside the items they are about: what stands, which way a grade points, and what counts as the same.

    rows = join(read(Path("verdicts.jsonl")), ledger.items)
    outcome("left_much")             # "left"
    mirror("left_much")              # "right_much": what the grade would be with the sides exchanged

`outcome` has three values, not four: for the question which answer is better, «equal» and «both bad» both say that
neither is. How bad both are is told apart elsewhere (`agreement`).

Not covered: how far to trust a verdict (`checks`, `consensus`), which of them make pairs (`usable`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from annotation.items import Item
from gaokerena.expert_verdicts import ExpertVerdict, Grade, latest

Outcome = Literal["left", "right", "neither"]
OUTCOMES: tuple[Outcome, Outcome, Outcome] = ("left", "right", "neither")
_MIRROR: dict[Grade, Grade] = {
    "left_much": "right_much", "left": "right", "equal": "equal", "right": "left", "right_much": "left_much",
    "both_bad": "both_bad",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """One doctor's standing verdict on one item."""

    item: Item
    verdict: ExpertVerdict

    @property
    def judge(self) -> str:
        return self.verdict.judge

    @property
    def grade(self) -> Grade | None:
        """The grade, unless the doctor said that it cannot be judged."""
        return None if self.verdict.cannot_judge else self.verdict.grade


def outcome(grade: Grade) -> Outcome:
    """Which side is better, whatever the strength."""
    return "neither" if grade in ("equal", "both_bad") else "left" if grade.startswith("left") else "right"


def mirror(grade: Grade) -> Grade:
    """The grade of the same answers with their sides exchanged."""
    return _MIRROR[grade]


def standing(verdicts: Iterable[ExpertVerdict]) -> list[ExpertVerdict]:
    """Submitted verdicts that nothing replaced; of a doctor's several verdicts on one item the newest.

    Sorted by item and judge, so that the order of a file changes nothing.
    """
    newest: dict[tuple[str, str], ExpertVerdict] = {}
    for verdict in sorted(latest(verdicts), key=lambda verdict: (verdict.at, verdict.id)):
        if verdict.status == "submitted":
            newest[verdict.item_id, verdict.judge] = verdict
    return [newest[key] for key in sorted(newest)]


def join(verdicts: Iterable[ExpertVerdict], items: Mapping[str, Item]) -> tuple[list[Judged], list[ExpertVerdict]]:
    """(verdicts with their items, verdicts on items that are not in the ledger), of those that stand."""
    known: list[Judged] = []
    unknown: list[ExpertVerdict] = []
    for verdict in standing(verdicts):
        item = items.get(verdict.item_id)
        if item is None:
            unknown.append(verdict)
        else:
            known.append(Judged(item, verdict))
    return known, unknown


def judges(rows: Iterable[Judged]) -> list[str]:
    """The doctors, in order of their pseudonyms."""
    return sorted({row.judge for row in rows})


def compared(rows: Iterable[Judged]) -> list[Judged]:
    """Verdicts on items of their own: no gold, no duplicate. Gold is easy by design and a duplicate counts once."""
    return [row for row in rows if row.item.kind == "comparison"]


def by_item(rows: Sequence[Judged]) -> dict[str, list[Judged]]:
    """The verdicts on each item, in the order given."""
    found: defaultdict[str, list[Judged]] = defaultdict(list)
    for row in rows:
        found[row.item.id].append(row)
    return dict(found)
