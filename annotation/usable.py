"""Which verdicts training may learn from, and why the others may not.

    kept, refused = sort_out(judged, Rules(min_confidence=2))
    refused                          # [(row, "low_confidence"), …]

What one doctor marks as personal data nobody's verdict takes into training, whatever the others marked, be it in a
draft, in a discarded answer or on the item's swapped twin. A doctor who failed his duplicates or the gold items gives
nothing: he has met `min_checks` of them, and even the upper end of his share's 95 % interval is under the rule's, so
that ill luck with a few items costs nobody his work. A single verdict is refused when the same doctor said otherwise of
the swapped duplicate. A confidence that was not given is not under any.

Not covered: ties and doctors who disagree, which are about items (`pairs`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from annotation.checks import Share, checks, contradicts, twins
from annotation.judged import Judged

Refusal = Literal[
    "gold", "duplicate", "personal_data", "cannot_judge", "doctor_failed_gold", "doctor_failed_duplicates",
    "contradicted_by_duplicate", "low_confidence",
]  # fmt: skip


class Rules(BaseModel):
    """What a verdict, a doctor and a pair must reach. Shares are of outcomes, 0 to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_confidence: int = Field(default=2, ge=1, le=3)
    min_posterior: float = Field(default=0.7, ge=0, le=1)
    min_consistency: float = Field(default=0.6, ge=0, le=1)
    min_gold: float = Field(default=0.7, ge=0, le=1)
    min_checks: int = Field(default=5, ge=1)


def failed(rows: Sequence[Judged], rules: Rules) -> dict[str, Refusal]:
    """The doctors whose verdicts are not used, and why; gold weighs before duplicates."""
    found: dict[str, Refusal] = {}
    for doctor in checks(rows):
        if _under(doctor.consistency, rules.min_consistency, rules.min_checks):
            found[doctor.judge] = "doctor_failed_duplicates"
        if _under(doctor.gold, rules.min_gold, rules.min_checks):
            found[doctor.judge] = "doctor_failed_gold"
    return found


def _under(share: Share, least: float, checks_met: int) -> bool:
    interval = share.interval
    return interval is not None and share.of >= checks_met and interval.high < least


def personal(rows: Sequence[Judged], marked: Collection[str] = ()) -> set[str]:
    """Items that bear personal data by anybody's word, and their twins; `marked` are known of beforehand."""
    said = {row.item.id for row in rows if row.verdict.personal_data} | set(marked)
    return said | {row.item.twin for row in rows if row.item.twin and row.item.id in said}


def sort_out(
    rows: Sequence[Judged], rules: Rules, marked: Collection[str] = ()
) -> tuple[list[Judged], list[tuple[Judged, Refusal]]]:
    """(verdicts to use, verdicts refused and why); together they are `rows`.

    `marked` are items that a draft or a discard says to bear personal data (`Workspace.marked`).
    """
    doctors, private = failed(rows, rules), personal(rows, marked)
    doubted = {(twin.judge, twin.item.id) for duplicate, twin in twins(rows) if contradicts(duplicate, twin)}
    kept: list[Judged] = []
    refused: list[tuple[Judged, Refusal]] = []
    for row in rows:
        reason: Refusal | None = "personal_data" if row.item.id in private else None
        reason = _kind(row) or reason or _refusal(row, rules, doctors, doubted)
        if reason:
            refused.append((row, reason))
        else:
            kept.append(row)
    return kept, refused


def _kind(row: Judged) -> Refusal | None:
    return None if row.item.kind == "comparison" else row.item.kind


def _refusal(row: Judged, rules: Rules, doctors: dict[str, Refusal], doubted: set[tuple[str, str]]) -> Refusal | None:
    """Why this verdict is not used; the first reason of several."""
    verdict = row.verdict
    if verdict.cannot_judge:
        return "cannot_judge"
    if row.judge in doctors:
        return doctors[row.judge]
    if (row.judge, row.item.id) in doubted:
        return "contradicted_by_duplicate"
    if verdict.confidence is not None and verdict.confidence < rules.min_confidence:
        return "low_confidence"
    return None
