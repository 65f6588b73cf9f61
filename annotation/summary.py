"""The report's figures as one JSON object: progress, agreement, doctors, models, posteriors, disputes.

    summary = summarise(read_workspace(Path("runs/annotation")), Rules(), overlap=2, seed=1)

Same verdicts, same rules, same seed, same figures. Shares and alphas are from -1 or 0 to 1; every `ci95` is
[low, high], or null where there is none. Doctors are their pseudonyms.

Not covered: pairs (`export`), the page (`report.page`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from annotation.agreement import Agreement, by_question, by_subject, pairwise
from annotation.checks import Checked, Share, checks
from annotation.consensus import Bounds, Consensus, consensus
from annotation.disputes import REASONS, Dispute, disputes
from annotation.judged import OUTCOMES, Judged, by_item
from annotation.usable import Rules, failed
from annotation.winners import duels
from annotation.workspace import Workspace
from gaokerena.statistics import Interval

SCHEMA = 1
Row = dict[str, Any]


def summarise(found: Workspace, rules: Rules, *, overlap: int, seed: int) -> Row:
    """See the module. `overlap` is how many verdicts each item is to get."""
    rows = found.judged
    together = consensus(rows)
    return {
        "schema": SCHEMA,
        "rules": rules.model_dump(),
        "seed": seed,
        "progress": _progress(found, overlap),
        "agreement": [_agreement(each) for each in by_question(rows, seed=seed)],
        "subjects": [_agreement(each) for each in by_subject(rows, seed=seed)],
        "kappa": [
            {
                "question": each.question, "a": each.one, "b": each.other, "items": each.items,
                "same": _round(each.same), **_interval("kappa", each.kappa),
            }
            for each in pairwise(rows, seed=seed)
        ],
        "doctors": _doctors(found, rules, together, seed),
        "models": _models(rows, together, seed),
        "items": _items(rows, together),
        "disputes": [_dispute(each) for each in disputes(rows, rules, found.marked)],
    }  # fmt: skip


def _progress(found: Workspace, overlap: int) -> Row:
    verdicts = Counter(len(judged) for judged in by_item(found.judged).values())
    verdicts[0] = len(found.items) - sum(verdicts.values())
    return {
        "items": dict(sorted(Counter(item.kind for item in found.items.values()).items())),
        "overlap": overlap,
        "complete": sum(count for often, count in verdicts.items() if often >= overlap),
        "items_by_verdicts": {str(often): verdicts[often] for often in range(max(verdicts, default=0) + 1)},
        "verdicts": len(found.judged),
        "drafts": found.apart.get("draft", Counter()).total(),
        "discarded": found.apart.get("discarded", Counter()).total(),
        "unknown_items": len(found.unknown),
        "guidelines": dict(sorted(Counter(row.verdict.guideline_version for row in found.judged).items())),
    }


def _agreement(each: Agreement) -> Row:
    subject = {} if each.subject is None else {"subject": each.subject}
    counts = {"items": each.items, "units": each.units, "doctors": each.doctors}
    return {**subject, "question": each.question, "level": each.level, **counts, **_interval("alpha", each.alpha)}


def _doctors(found: Workspace, rules: Rules, together: Consensus | None, seed: int) -> list[Row]:
    out = failed(found.judged, rules)
    bounds = together.bounds(seed=seed) if together else None
    made = []
    for doctor in checks(found.judged):
        apart = {
            f"{status}s".replace("discardeds", "discarded"): found.apart[status][doctor.judge] for status in found.apart
        }
        made.append(
            _checked(doctor) | apart | {"failed": out.get(doctor.judge)} | _rates(together, bounds, doctor.judge)
        )
    return made


def _checked(doctor: Checked) -> Row:
    side = doctor.side
    return {
        "judge": doctor.judge,
        "verdicts": doctor.verdicts,
        "consistency": _share(doctor.consistency),
        "gold": _share(doctor.gold),
        "side": {"left": side.left, "right": side.right, **_interval("share", side.interval), "p": _round(side.p)},
        "seconds": {
            "median": None if doctor.speed.seconds is None else round(doctor.speed.seconds, 1),
            "verdicts": doctor.speed.of,
            "estimated": doctor.speed.estimated,
        },
    }


def _share(share: Share) -> Row:
    return {"right": share.right, "exact": share.exact, "of": share.of, **_interval("share", share.interval)}


def _rates(together: Consensus | None, bounds: Bounds | None, judge: str) -> Row:
    """A doctor's error rates: the share of each outcome said, by what is true, in the order of OUTCOMES."""
    if together is None or bounds is None or judge not in together.judges:
        return {"error_rates": None}
    place = together.judges.index(judge)
    shown = {
        "outcomes": list(OUTCOMES),
        "confusion": together.fitted.confusion[place].round(6).tolist(),
        "low": bounds.low[place].round(6).tolist(),
        "high": bounds.high[place].round(6).tolist(),
    }
    return {"error_rates": {**_interval("accuracy", bounds.accuracy[place]), **shown}}


def _models(rows: Sequence[Judged], together: Consensus | None, seed: int) -> list[Row]:
    """For each two models how many items each wins (expected), and the first one's share, «neither» counted half."""
    items = {row.item.id: row.item for row in rows}
    made = []
    for duel in duels(together, items, seed=seed) if together else ():
        counts = dict(zip(("a_wins", "b_wins", "neither"), map(_round, duel.wins), strict=True))
        made.append(
            {"a": duel.first, "b": duel.second, "items": duel.items, **counts, **_interval("a_share", duel.share)}
        )
    return made


def _items(rows: Sequence[Judged], together: Consensus | None) -> list[Row]:
    verdicts = by_item(rows)
    return [
        {"item": name, "verdicts": len(verdicts[name]), **{each: _round(share) for each, share in posterior.items()}}
        for name, posterior in (together.all() if together else {}).items()
    ]


def _dispute(each: Dispute) -> Row:
    return {
        "item": each.item.id,
        "subject": each.item.question.subject,
        "reasons": list(each.reasons),
        "open": each.open,
        "grades": {row.judge: "cannot_judge" if row.verdict.cannot_judge else row.grade for row in each.rows},
        "posterior": each.posterior and {name: _round(share) for name, share in each.posterior.items()},
    }


def open_by_reason(summary: Row) -> dict[str, int]:
    """How many open disputes have each reason as their worst."""
    counts = Counter(each["reasons"][0] for each in summary["disputes"] if each["open"])
    return {reason: counts[reason] for reason in REASONS}


def _interval(name: str, interval: Interval | None) -> Row:
    if interval is None:
        return {name: None, "ci95": None}
    return {name: _round(interval.estimate), "ci95": [_round(interval.low), _round(interval.high)]}


def _round(number: float) -> float:
    return round(number, 6)
