"""Which pairs a round may train on, and which it is judged by: the shortcut audit, and the held-out questions.

    told = audited(work / "build" / "pairs.jsonl", "the wish is a phrase", suites=False)
    watched, judged = held_out(plan)

Not covered: how questions are held out (`pairing.build`).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from training.audit_gate import LIMIT, SEED, audit_code, audit_path, check, sha256
from training.errors import TrainingError
from training.manifest import NAME, fingerprint, read_json
from training.pair_rows import read_pairs, write_pairs
from training.pairing.audit_files import audit_file
from training.pairing.stage import HELD_OUT, PAIRS
from training.round_ancestors import learned
from training.round_plan import Plan

LEAST = 10
"""Held-out questions below which old and new cannot be told apart: nine to one are needed for p < 0.05."""


WAYS_OUT = {
    False: "or give --balance-people, which leaves verdicts out until no counted cue tells (length, marks; not words)",
    True: "counted cues were balanced already",
}
"""Besides a reason, by whether verdicts were balanced."""


def audited(pairs: Path, override: str | None, *, suites: bool, balanced: bool = False) -> dict[str, Any]:
    """What the gate says; `suites`: whether they were at hand, so that pairs nobody compared with them are refused.

    The audit is made here where there is none of this very file by today's code.

    Raises TrainingError where the gate is shut and no reason is given to train all the same.
    """
    if not _is_current(pairs):
        audit_file(pairs)
    try:
        told = check(pairs, override, uncompared="refused" if suites else "told")
    except TrainingError as error:
        failed = override is None and not read_json(audit_path(pairs))["passed"]
        more = f"; {WAYS_OUT[balanced]}; or gather more verdicts, on answers that differ less in this" if failed else ""
        raise TrainingError(f"{error}{more}{_left_out(pairs)}") from None
    found = told["found"] and str(told["found"]).replace(f"{pairs.parent}/", "")  # a card names no place of a machine
    return told | {"found": found}


def _left_out(pairs: Path) -> str:
    """What became of most pairs, where building left out more than it kept: no audit mends that."""
    if not pairs.with_name(NAME).exists():
        return ""
    told = read_json(pairs.with_name(NAME))
    dropped, kept = Counter(told["dropped"]), sum(told["counts_out"].values())
    if dropped.total() <= kept:
        return ""
    (reason, count), *_ = dropped.most_common(1)
    return f"; building left out {dropped.total()} pairs and kept {kept}, most often for this: {reason} ({count})"


def _is_current(pairs: Path) -> bool:
    """Whether the audit beside the pairs is one the gate would read; whether it passed is the gate's to say."""
    try:
        told = read_json(audit_path(pairs))
    except (FileNotFoundError, ValueError):
        return False
    wanted = {"pairs_sha256": sha256(pairs), "code": audit_code(), "seed": SEED, "limit": LIMIT}
    return all(told.get(name) == value for name, value in wanted.items())


def held_out(plan: Plan) -> tuple[Path, Path]:
    """(what training watches, what the gate judges by): apart where early stopping chooses by what it watches.

    Raises TrainingError where too few questions are left to judge by.
    """
    away = plan.work / "build" / HELD_OUT
    rows, stops = read_pairs(away), plan.recipe.early_stop is not None
    seen = [row for row in rows if int(fingerprint(row.question_id), 16) % 2 == 0] if stops else rows
    left = [row for row in rows if row not in seen] if stops else rows
    questions, watching = (len({row.question_id for row in some}) for some in (left, seen))
    if questions < LEAST or not watching:
        raise TrainingError(
            f"{questions} questions are held out to judge by, {LEAST} are needed"
            f"{f' (and early stopping watches {watching} others, 1 is needed)' if stops else ''}{_before(plan)}; "
            "gather more verdicts, or raise --held-out"
        )
    if not stops:
        return away, away
    watched, judged = plan.work / "build" / "watched.jsonl", plan.work / "build" / "judged.jsonl"
    write_pairs(watched, seen)
    write_pairs(judged, left)
    return watched, judged


def _before(plan: Plan) -> str:
    """How many questions of this round cannot be held out, as rounds before have learned from them."""
    known = learned(plan.ancestors)
    again = {row.question_id for row in read_pairs(plan.work / "build" / PAIRS)} & known if known else set()
    if not again:
        return ""
    names = ", ".join(one.name for one in plan.ancestors)
    return (
        f"; {len(again)} others have been trained on before ({names}) and are never held out: new questions are needed"
    )
