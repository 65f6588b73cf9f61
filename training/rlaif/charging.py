"""What one call counts for, and how it is written down, whichever way it ended.

    call = call_of(party, asked, said, end, most)       # a row of calls.jsonl

The server's own count is charged where there is one. Without it: nothing for a call that never reached a model (it was
refused, no connection came about, it was stopped in the line), and for every other the most it can have taken.

Not covered: a server that charges for what it answers with an HTTP error.
"""

from __future__ import annotations

from dataclasses import dataclass

from gaokerena.bidi import strip
from gaokerena.comparisons import now
from gaokerena.engines.base import Failed, Finished, Request
from gaokerena.scrub import scrub
from training.rlaif.budget import Spent, priced
from training.rlaif.calls import Call, Role
from training.rlaif.parties import Party

STOPPED = "stopped before its end"
_TOO_LONG = ("prompt longer than the context", "shorten the conversation")
"""What the local engine and a served one say of a conversation that does not fit into the model."""


@dataclass(slots=True)
class Row:
    """One row of a stream as it goes: its key and request, what came of it; `waiting`: it stands in the line."""

    role: Role
    name: str
    request: Request
    said: str = ""
    waiting: bool = False


def call_of(party: Party, row: Row, end: Finished | Failed, most: Spent) -> Call:
    """The call as it is written down; a stopped one has failed. `most` is the most it can have taken."""
    charged = _charged(row, party, end, most)
    stopped = isinstance(end, Finished) and end.finish_reason == "stopped"
    failed = stopped or isinstance(end, Failed)
    return Call(
        key=row.name,
        role=row.role,
        question_id=row.request.question_id,
        seed=row.request.seed,
        reply="" if failed else scrub(strip(row.said)).text,
        end="failed" if failed else "length" if isinstance(end, Finished) and end.finish_reason == "length" else "stop",
        prompt_tokens=charged.prompt,
        completion_tokens=charged.completion,
        estimated=isinstance(end, Failed) or end.usage.estimated,
        money=charged.money,
        revision=party.revision if isinstance(end, Failed) else end.revision or party.revision,
        detail=(end.detail or end.english or end.message) if isinstance(end, Failed) else STOPPED if stopped else "",
        at=now(),
    )


def _charged(row: Row, party: Party, end: Finished | Failed, most: Spent) -> Spent:
    if isinstance(end, Failed):
        return Spent() if _refused(end.detail) and not row.said else most
    if end.finish_reason == "stopped" and row.waiting:
        return Spent()
    if end.usage.estimated:
        return most
    return priced(end.usage.prompt_tokens, end.usage.completion_tokens, party.prices)


def _refused(detail: str) -> bool:
    """Whether the server never began: it said so by its HTTP status, or nobody was there to be asked."""
    by_status = "HTTP " in detail and "inside the stream" not in detail
    no_model = "text/html" in detail  # a page, not a reply
    return by_status or no_model or "no connection: Connect" in detail or too_long(detail)


def too_long(detail: str) -> bool:
    """Whether a failure says that the conversation does not fit into the model."""
    return any(sign in detail for sign in _TOO_LONG)
