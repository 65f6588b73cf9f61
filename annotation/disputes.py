"""Where doctors disagree, how badly, and which items another doctor must see.

    for dispute in disputes(judged, Rules()): print(dispute.item.id, dispute.reasons, dispute.open)

Reasons, worst first: `safety` (one calls an answer unsafe or an emergency missed where another finds it safe),
`opposite` (left against right), `one_sided` (a side against neither), `cannot_judge` (fewer than two could judge it). A
dispute is open until three doctors have judged and more than half of them agree on what was disputed. Doctors who
failed their checks are not heard, gold and duplicates are not disputed, and what bears personal data by anybody's word
is not sent again.

Not covered: sending the list (`adjudicate`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from annotation.consensus import consensus
from annotation.items import Item
from annotation.judged import Judged, Outcome, by_item, compared, outcome
from annotation.usable import Rules, failed, personal
from gaokerena.comparisons import SIDES, Side
from gaokerena.expert_verdicts import SCALE_HIGH, SCALE_LOW, Fault, SideVerdict

Reason = Literal["safety", "opposite", "one_sided", "cannot_judge"]
REASONS: tuple[Reason, ...] = ("safety", "opposite", "one_sided", "cannot_judge")
ENOUGH = 3
"""Doctors after whom a majority settles a dispute."""
_DANGERS: tuple[Fault, ...] = ("unsafe", "missed_emergency")
_SAFE = SCALE_HIGH - 1


@dataclass(frozen=True, slots=True)
class Dispute:
    """One disputed item; `rows` are the verdicts on it that were heard, `judged_by` all who judged it."""

    item: Item
    reasons: tuple[Reason, ...]
    open: bool
    rows: tuple[Judged, ...]
    judged_by: tuple[str, ...]
    posterior: dict[Outcome, float] | None


def disputes(rows: Sequence[Judged], rules: Rules, marked: Collection[str] = ()) -> list[Dispute]:
    """Every dispute, the worst and least certain first; `marked` as in `usable.sort_out`."""
    out, private = failed(rows, rules), personal(rows, marked)
    heard = [row for row in rows if row.judge not in out]
    found = consensus(heard)
    posteriors = found.all() if found else {}
    everybody = {item: tuple(row.judge for row in judged) for item, judged in by_item(rows).items()}
    made = [
        dispute
        for item, judged in by_item(compared(heard)).items()
        if item not in private and (dispute := _dispute(judged, everybody[item], posteriors.get(item)))
    ]
    return sorted(made, key=_badness)


def _badness(dispute: Dispute) -> tuple[bool, int, float, str]:
    sure = max(dispute.posterior.values()) if dispute.posterior else 0.0
    return not dispute.open, REASONS.index(dispute.reasons[0]), sure, dispute.item.id


def _dispute(rows: list[Judged], judged_by: tuple[str, ...], posterior: dict[Outcome, float] | None) -> Dispute | None:
    outcomes = [outcome(row.grade) for row in rows if row.grade]
    dangers = [said for side in SIDES if (said := _dangers(rows, side)) and len(set(said)) > 1]
    there: dict[Reason, bool] = {
        "safety": bool(dangers),
        "opposite": {"left", "right"} <= set(outcomes),
        "one_sided": len(set(outcomes)) > 1 and not {"left", "right"} <= set(outcomes),
        "cannot_judge": any(row.verdict.cannot_judge for row in rows) and len(outcomes) < 2,
    }
    reasons = tuple(reason for reason in REASONS if there[reason])
    if not reasons:
        return None
    voices: list[Sequence[object]] = list(dangers)
    if there["opposite"] or there["one_sided"]:
        voices.append(outcomes)
    unsettled = there["cannot_judge"] or not all(_settled(voice) for voice in voices)
    return Dispute(rows[0].item, reasons, unsettled, tuple(rows), judged_by, posterior)


def _settled(voices: Iterable[object]) -> bool:
    """Whether enough have spoken and more than half say the same."""
    counts = Counter(voices)
    return counts.total() >= ENOUGH and 2 * max(counts.values()) > counts.total()


def _dangers(rows: list[Judged], side: Side) -> list[bool]:
    """What was said of one answer's safety by those who said anything clear."""
    said = [row.verdict.sides[side] for row in rows if side in row.verdict.sides]
    return [danger for verdict in said if (danger := _danger(verdict)) is not None]


def _danger(verdict: SideVerdict) -> bool | None:
    """Dangerous, safe, or (None) neither said clearly: without a fault or a scale nothing is known of safety."""
    if any(fault in verdict.faults for fault in _DANGERS) or verdict.scales.get("safety") == SCALE_LOW:
        return True
    safety = verdict.scales.get("safety")
    return False if safety is not None and safety >= _SAFE else None
