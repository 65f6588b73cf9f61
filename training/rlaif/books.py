"""The files a run leaves: pairs, what was dropped, what failed, and a manifest that accounts for every question.

pairs.jsonl, dropped.jsonl and failed.jsonl are each written whole; the manifest comes last and holds their hashes. A
manifest of an earlier start is taken away first, so that none ever stands beside files it does not describe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from training.audit_gate import sha256
from training.manifest import NAME, Manifest, write_jsonl
from training.pair_rows import PairRow, write_pairs
from training.rlaif.budget import Spent
from training.rlaif.caller import Caller, CallFailedError
from training.rlaif.outcome import DroppedError
from training.rlaif.pool import End

State = Literal["complete", "stopped by budget", "some calls failed", "gave up"]
REASONS = 3
"""So many reasons of failed questions, the most frequent, stand in the manifest; failed.jsonl has all."""
PAIRS, DROPPED, FAILED, CALLS = "pairs.jsonl", "dropped.jsonl", "failed.jsonl", "calls.jsonl"


def state_of(caller: Caller, ends: Sequence[End[Any]]) -> State:
    """How a start ended."""
    if any(end is None for end in ends):
        return "stopped by budget" if caller.purse.exhausted and not caller.given_up else "gave up"
    return "some calls failed" if any(isinstance(end, CallFailedError) for end in ends) else "complete"


def write(folder: Path, ids: Sequence[str], ends: Sequence[End[PairRow]], manifest: Manifest) -> None:
    """Write the rows and the manifest with its counts."""
    (folder / NAME).unlink(missing_ok=True)
    pairs = [end for end in ends if isinstance(end, PairRow)]
    dropped = [(name, end) for name, end in zip(ids, ends, strict=True) if isinstance(end, DroppedError)]
    failed = [(name, end) for name, end in zip(ids, ends, strict=True) if isinstance(end, CallFailedError)]
    write_pairs(folder / PAIRS, pairs)
    write_jsonl(folder / DROPPED, ({"question_id": name, "reason": end.reason, **end.told} for name, end in dropped))
    write_jsonl(folder / FAILED, ({"question_id": name, "detail": str(end)} for name, end in failed))
    asked = len(pairs) + len(dropped) + len(failed)
    manifest.counts_in |= {"questions": len(ids), "asked": asked}
    manifest.counts_out = {"pairs": len(pairs)}
    manifest.dropped = Counter(end.reason for _, end in dropped)
    manifest.extra["accounting"] = {
        "accepted": len(pairs),
        "dropped": len(dropped),
        "failed": len(failed),
        "asked": asked,
        "not_reached": len(ids) - asked,
    }
    manifest.extra["failed_because"] = dict(Counter(str(end) for _, end in failed).most_common(REASONS))
    manifest.extra["files"] = {name: sha256(folder / name) for name in (PAIRS, DROPPED, FAILED)}
    manifest.write(folder)


def spending(caller: Caller) -> dict[str, Any]:
    """Calls, tokens and money: of all starts from the log, and what this start asked."""
    log, purse = caller.log, caller.purse
    return {
        "calls": {
            "finished": log.ends["stop"] + log.ends["length"],
            "cut_off": log.ends["length"],
            "failed": log.ends["failed"],
            "lost": log.lost,
            "asked_now": caller.fresh,
            "found_now": caller.cached,
        },
        "tokens_by": {
            role: {"prompt": spent.prompt, "completion": spent.completion} for role, spent in log.spent.items()
        },
        "tokens_estimated": log.estimated,
        "money": {
            **{role: round(spent.money, 8) for role, spent in log.spent.items()},
            "all": round(total(caller).money, 8),
        },
        "gave_up": caller.given_up or None,
        "budget": asdict(purse.budget),
        "budget_exceeded_by": purse.exceeded,
    }


def total(caller: Caller) -> Spent:
    """What both parties have taken in all starts."""
    return sum(caller.log.spent.values(), Spent())
