"""Pairs for training from what doctors said: the better answer over the worse, and a doctor's own over both.

    made = preferences(judged, Rules())
    made.pairs[0]["weight"]          # how sure the doctors together are
    made.dropped                     # {"tie": 12, "low_posterior": 3, …}

Preferences: one pair an item. Its weight is Dawid and Skene's posterior that the chosen side is better, fitted to the
usable verdicts (gold items anchor it); its margin the mean strength (1 better, 2 much better) among the doctors who
chose that side, for the posterior already counts those who did not. The prompt is the one the chosen answer's kind is
asked with: with a chain of thought if it has one.

Corrections: a doctor writes one where neither answer is good, so it stands over each of the two, with half the weight
each and the margin of one grade, under the straight prompt. It is scrubbed of identifiers, wherever it was written.
Every row follows DESIGN.md, with `margin` besides.

Not covered: which verdicts are usable (`usable`), step labels (`steps`), files (`export`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal

from annotation.consensus import consensus
from annotation.items import Item, Shown
from annotation.judged import Judged, Outcome, by_item, outcome
from annotation.usable import Rules, failed, sort_out
from gaokerena.bidi import strip
from gaokerena.comparisons import SIDES, Side
from gaokerena.expert_verdicts import MARGIN
from gaokerena.prompts import VERSION, user_text
from gaokerena.questions import Prompting
from gaokerena.scrub import scrub

CORRECTION_WEIGHT, CORRECTION_MARGIN = 0.5, 1.0
_OTHER: dict[Side, Side] = {"left": "right", "right": "left"}


@dataclass
class Made:
    """What came of `candidates`: that many are in `pairs`, the others in `dropped` by reason."""

    candidates: int = 0
    pairs: list[dict[str, Any]] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    scrubbed: Counter[str] = field(default_factory=Counter)
    """Identifiers taken out of the candidates' own texts, by kind."""


def name_of(kind: str, *parts: str) -> str:
    """An id that follows from what the row was made of."""
    return "e" + hashlib.sha256("\x1e".join((kind, *parts)).encode()).hexdigest()[:24]


def prompting_of(shown: Shown) -> Prompting:
    """How the model was asked: only an answer asked for with a chain of thought has its reasoning split off."""
    return "cot" if shown.reasoning.strip() or shown.steps else "straight"


def preferences(rows: Sequence[Judged], rules: Rules, marked: Collection[str] = ()) -> Made:
    """One candidate for each item that was judged."""
    kept, refused = sort_out(rows, rules, marked)
    out = failed(rows, rules)
    anchors = [row for row, reason in refused if reason == "gold" and row.judge not in out]
    found = consensus([*kept, *anchors])
    posteriors = found.all() if found else {}
    used = by_item([row for row in kept if row.grade])
    why = by_item([row for row, _ in refused])
    reasons = {(row.judge, row.item.id): reason for row, reason in refused}
    made = Made()
    for name in by_item(rows):
        made.candidates += 1
        if name in used:
            _prefer(made, used[name], posteriors[name], rules)
        elif name in why:
            often = Counter(reasons[row.judge, name] for row in why[name])
            made.dropped[min(often, key=lambda reason: (-often[reason], reason))] += 1
        else:
            made.dropped["no_grade"] += 1
    return made


def _prefer(made: Made, rows: list[Judged], posterior: dict[Outcome, float], rules: Rules) -> None:
    """The pair of one item, or why there is none."""
    item, best = rows[0].item, max(posterior, key=lambda each: posterior[each])
    grades = [row.grade for row in rows if row.grade]
    strengths = [abs(MARGIN[grade]) for grade in grades if outcome(grade) == best]
    if best == "neither":
        made.dropped["both_bad" if grades.count("both_bad") > grades.count("equal") else "tie"] += 1
    elif posterior[best] < rules.min_posterior:
        made.dropped["low_posterior"] += 1
    elif not strengths:
        made.dropped["nobody_chose_it"] += 1
    elif item.sides["left"].text.strip() == item.sides["right"].text.strip():
        made.dropped["same_text"] += 1
    else:
        made.pairs.append(_preference(rows, best, posterior, fmean(strengths)))


def _preference(rows: list[Judged], best: Side, posterior: dict[Outcome, float], margin: float) -> dict[str, Any]:
    item = rows[0].item
    chosen, rejected = item.sides[best], item.sides[_OTHER[best]]
    asked = prompting_of(chosen)
    more = {
        "posterior": {each: round(share, 6) for each, share in posterior.items()},
        "grades": {row.judge: row.grade for row in rows},
        "chosen_model": chosen.model,
        "chosen_revision": chosen.revision,
        "prompting": {"prompt": asked, "chosen": asked, "rejected": prompting_of(rejected)},
    }
    weight = round(posterior[best], 6)
    return row_of(
        name_of("preference", item.id), item, asked, chosen.text, rejected,
        weight=weight, margin=round(margin, 6), provenance=told("preference", rows, rejected) | more,
    )  # fmt: skip


def corrections(rows: Sequence[Judged], rules: Rules, marked: Collection[str] = ()) -> Made:
    """Two candidates for each verdict with a doctor's own answer: over the left one and over the right one."""
    _, refused = sort_out(rows, rules, marked)
    reasons = {(row.judge, row.item.id): reason for row, reason in refused}
    made = Made()
    for row in rows:
        text = clean(row.verdict.corrected, made.scrubbed)
        for side in SIDES if text else ():
            made.candidates += 1
            reason: str | None = reasons.get((row.judge, row.item.id))
            if not reason and text == row.item.sides[side].text.strip():
                reason = "same_text"
            if reason:
                made.dropped[reason] += 1
            else:
                made.pairs.append(_correction(row, side, text))
    return made


def clean(text: str, counted: Counter[str]) -> str:
    """A doctor's text as training may have it, without identifiers and direction marks; `counted` says what went."""
    scrubbed = scrub(strip(text).strip())
    counted.update(scrubbed.found)
    return scrubbed.text


def _correction(row: Judged, side: Side, text: str) -> dict[str, Any]:
    rejected = row.item.sides[side]
    more = {
        "grades": {row.judge: row.grade},
        "prompting": {"prompt": "straight", "chosen": None, "rejected": prompting_of(rejected)},
    }
    return row_of(
        name_of("correction", row.verdict.id, side), row.item, "straight", text, rejected,
        weight=CORRECTION_WEIGHT, margin=CORRECTION_MARGIN, provenance=told("correction", [row], rejected) | more,
    )  # fmt: skip


def row_of(
    name: str, item: Item, asked: Prompting, chosen: str, rejected: Shown, *,
    weight: float, margin: float, provenance: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """One pair as DESIGN.md has it."""
    return {
        "id": name,
        "prompt": [{"role": "user", "content": user_text(item.question, asked)}],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected.text}],
        "source": "expert",
        "question_id": item.question.id,
        "weight": weight,
        "margin": margin,
        "provenance": provenance,
    }


def told(kind: Literal["preference", "correction", "steps"], rows: Sequence[Judged], other: Shown) -> dict[str, Any]:
    """Where a row came from: the item, the verdicts, the model of the answer that was judged (or rejected)."""
    item = rows[0].item
    return {
        "kind": kind,
        "item_id": item.id,
        "origin": item.origin,
        "comparison_id": item.comparison_id,
        "pair_id": item.pair_id,
        "suite": item.question.suite,
        "subject": item.question.subject,
        "judges": [row.judge for row in rows],
        "verdict_ids": [row.verdict.id for row in rows],
        "guidelines": sorted({row.verdict.guideline_version for row in rows}),
        "judged_model" if kind == "steps" else "rejected_model": other.model,
        "judged_revision" if kind == "steps" else "rejected_revision": other.revision,
        "prompts": VERSION,
    }
