"""What the rows of `store` mean: values read back from them, texts made clean before they go in, counts.

Not covered: the file (`store_file`) and its transactions (`store`).
"""

from __future__ import annotations

import ipaddress
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from gaokerena.answers import Answer
from gaokerena.bidi import strip
from gaokerena.comparisons import SIDES, Choice, Side, now
from gaokerena.questions import Question
from gaokerena.scrub import scrub

WORDS = {"text", "reasoning", "steps", "conclusion", "choice_reason", "error"}
"""Fields of an answer that hold what was said; the others are facts about it."""


class Attempt(BaseModel):
    """One stored answer. Its texts are empty where `words_kept` is false: no consent, or purged."""

    model_config = ConfigDict(frozen=True)

    stored_at: str
    words_kept: bool
    answer: Answer


class Kept(BaseModel):
    """One comparison as the store has it; `question` is None without consent or once purged."""

    model_config = ConfigDict(frozen=True)

    id: str
    at: str
    question_id: str
    suite: str | None
    subject: str | None
    question: Question | None
    left: str
    right: str
    seed: int
    follows: str | None
    blind: bool
    consent: bool
    session: str
    preset: str
    attempts: dict[Side, tuple[Attempt, ...]]
    """Answers of each side, oldest first."""

    def judged(self, side: Side, at: str) -> Attempt | None:
        """The attempt a verdict stored at `at` was about: the last one there then, or the first that came after."""
        before = [attempt for attempt in self.attempts[side] if attempt.stored_at <= at]
        return before[-1] if before else next(iter(self.attempts[side]), None)


@dataclass(frozen=True, slots=True)
class Vote:
    """What one session said of one comparison; `changed` when it said something else later."""

    session: str
    choice: Choice
    left: str
    right: str
    blind: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class ModelTally:
    """How one model fared in the comparisons it sat in."""

    wins: int = 0
    losses: int = 0
    ties: int = 0
    both_bad: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """Blind verdicts by model, each session's newest on a comparison.

    `not_blind` counts sessions left out because they knew the seating from the start; `changed` those counted that
    said something else once they knew it.
    """

    models: dict[str, ModelTally]
    verdicts: int
    not_blind: int
    changed: int


def kept(db: sqlite3.Connection, row: sqlite3.Row) -> Kept:
    """The comparison of one row of `comparisons`, with its answers."""
    attempts: dict[Side, list[Attempt]] = {side: [] for side in SIDES}
    for found in db.execute("SELECT * FROM answers WHERE comparison_id = ? ORDER BY number", (row["id"],)):
        words = json.loads(found["words"]) if found["words"] else {"text": ""}
        answer = Answer.model_validate({**json.loads(found["facts"]), **words})
        attempt = Attempt(stored_at=found["stored_at"], words_kept=found["words"] is not None, answer=answer)
        attempts[found["side"]].append(attempt)
    fields = dict(row)
    question = Question.model_validate_json(fields["question"]) if fields["question"] else None
    seats = {"left": fields.pop("left_model"), "right": fields.pop("right_model")}
    return Kept.model_validate({**fields, **seats, "question": question, "attempts": attempts})


def exported(db: sqlite3.Connection, row: sqlite3.Row, current: bool) -> dict[str, Any]:
    """The line of one row of `verdicts`, with the comparison and the answers it was about."""
    about = kept(db, db.execute("SELECT * FROM comparisons WHERE id = ?", (row["comparison_id"],)).fetchone())
    judged = {side: about.judged(side, row["stored_at"]) for side in SIDES}
    answers = {side: attempt.answer.model_dump(mode="json") if attempt else None for side, attempt in judged.items()}
    comparison = {**about.model_dump(mode="json", exclude={"attempts"}), "answers": answers}
    return {**json.loads(row["body"]), "number": row["number"], "current": current, "comparison": comparison}


def vote(row: sqlite3.Row) -> Vote:
    """The vote of a row that has its fields."""
    return Vote(row["session"], row["choice"], row["left"], row["right"], bool(row["blind"]), bool(row["changed"]))


def tally(votes: Iterable[Vote]) -> Tally:
    """The tally of votes: those that were not blind are counted apart."""
    counts: dict[str, Counter[str]] = {}
    verdicts = not_blind = changed = 0
    for each in votes:
        if not each.blind:
            not_blind += 1
            continue
        verdicts += 1
        changed += each.changed
        for side, model, other in (("left", each.left, "right"), ("right", each.right, "left")):
            outcome = {side: "wins", other: "losses", "tie": "ties", "both_bad": "both_bad"}[each.choice]
            counts.setdefault(model, Counter())[outcome] += 1
    return Tally({model: ModelTally(**found) for model, found in sorted(counts.items())}, verdicts, not_blind, changed)


def scrubbed(fields: dict[str, Any]) -> str:
    """`fields` as JSON, every text in them clean of personal identifiers and bidi marks."""
    return json.dumps({name: _clean(value) for name, value in fields.items()}, ensure_ascii=False)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(strip(value)).text
    return [_clean(item) for item in value] if isinstance(value, list) else value


def as_utc(moment: str) -> str:
    """`moment` as ISO 8601, UTC, milliseconds, so that texts sort by time. Raises ValueError."""
    parsed = datetime.fromisoformat(moment)
    if parsed.tzinfo is None:
        raise ValueError(f"time {moment!r} has no zone; write it as {now()!r}")
    return parsed.astimezone(UTC).isoformat(timespec="milliseconds")


def refuse_address(session: str) -> None:
    """Raises ValueError where `session` is an IP address."""
    try:
        ipaddress.ip_address(session.strip("[] "))
    except ValueError:
        return
    raise ValueError("session is a network address; give a salted hash of it, addresses are never stored")
