"""Comparisons and verdicts: one question, two answers, who sat where, and what a person said of them."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from gaokerena.answers import Answer
from gaokerena.questions import Question

SCHEMA_VERSION = 1
"""Version of the exported verdict rows; raised when a field changes its meaning."""

Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")
Choice = Literal["left", "right", "tie", "both_bad"]
CHOICES: tuple[Choice, ...] = ("left", "right", "tie", "both_bad")
Reason = Literal["wrong", "unsafe", "missed_emergency", "incomplete", "wrong_reasoning", "unclear", "bad_persian"]
REASONS: tuple[Reason, ...] = (
    "wrong", "unsafe", "missed_emergency", "incomplete", "wrong_reasoning", "unclear", "bad_persian",
)  # fmt: skip
Judge = Literal["public", "expert", "ai"]


def new_id() -> str:
    return uuid.uuid4().hex


def now() -> str:
    """The present moment, ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def seat(models: tuple[str, str], seed: int, comparison: str) -> tuple[str, str]:
    """(left, right): a fair draw fixed by `seed` and the comparison's id, so a log can be replayed."""
    return models if random.Random(f"{seed}:{comparison}").random() < 0.5 else (models[1], models[0])


class Comparison(BaseModel):
    """One question answered by two models; `left` and `right` name the models, hidden from people until judged.

    `blind` is false when the seating was known before this comparison was judged (a conversation that went on
    after its reveal); such a verdict must not be counted with blind ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default_factory=new_id)
    at: str = Field(default_factory=now)
    question: Question
    left: str
    right: str
    seed: int
    answers: dict[Side, Answer] = {}
    follows: str | None = None
    blind: bool = True
    consent: bool = False
    session: str = ""
    preset: str = ""

    def model_at(self, side: Side) -> str:
        return self.left if side == "left" else self.right


class Verdict(BaseModel):
    """What one judge said of one comparison. Rows are never changed: a second verdict replaces the first by `at`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    id: str = Field(default_factory=new_id)
    comparison_id: str
    at: str = Field(default_factory=now)
    choice: Choice
    strength: int = Field(default=1, ge=1, le=3)
    reasons: tuple[Reason, ...] = ()
    judge: Judge = "public"
    session: str
    guideline_version: str = ""
    blind: bool = True
