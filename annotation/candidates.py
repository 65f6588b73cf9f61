"""Candidates: two answers to one question that doctors might be asked to compare, and what was left out and why.

    found = Found()
    found.candidates.append(candidate("store", question, one, other, comparison_id="c1", reasons={"contested": 1.0}))
    found.refuse("no_consent")

The two answers stand in an order that follows from their content, never from which is better or where it sat before:
the seats are drawn later (`mixing`). Not covered: where candidates come from (`sources_*`), which are sent (`queue`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from annotation.items import Item, Origin, Shown, identify
from gaokerena.comparisons import SIDES
from gaokerena.questions import Question

Reason = Literal["disagreement", "inconsistent", "contested", "red_flag", "uncertain", "random"]
REASONS: tuple[Reason, ...] = ("disagreement", "inconsistent", "contested", "red_flag", "uncertain", "random")
"""Why a comparison is sent: the models chose different letters; a model's own runs did; the public disagreed; the
question names a danger; the reward cannot tell the two apart; drawn from all of them alike."""


@dataclass(frozen=True)
class Candidate:
    """`reasons` gives each reason that holds its strength, above 0 and at most 1."""

    origin: Origin
    question: Question
    first: Shown
    second: Shown
    reasons: Mapping[Reason, float] = field(default_factory=dict)
    comparison_id: str | None = None
    pair_id: str | None = None
    red_flags: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[Shown, Shown]:
        return self.first, self.second

    @property
    def subject(self) -> str:
        return self.question.subject or ""

    def because(self, **strengths: float) -> Candidate:
        """The candidate with further reasons; those of strength 0 do not hold."""
        added = {reason: strengths[reason] for reason in REASONS if strengths.get(reason, 0.0) > 0}
        return replace(self, reasons={**self.reasons, **added})

    def key(self, key: bytes) -> str:
        """What is compared, whoever sits where: the same for a candidate and for the item made of it."""
        return unordered(key, self.origin, self.question, self.first, self.second)


@dataclass
class Found:
    """What a source held: candidates, and a count of what was left out by reason."""

    candidates: list[Candidate] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def refuse(self, reason: str) -> None:
        self.refused[reason] += 1

    def extend(self, other: Found) -> None:
        self.candidates += other.candidates
        self.refused += other.refused


def candidate(
    origin: Origin,
    question: Question,
    one: Shown,
    other: Shown,
    *,
    reasons: Mapping[Reason, float] | None = None,
    comparison_id: str | None = None,
    pair_id: str | None = None,
) -> Candidate:
    """A candidate whose two answers stand in the order that their content gives."""
    first, second = sorted((one, other), key=_content)
    return Candidate(origin, question, first, second, dict(reasons or {}), comparison_id, pair_id)


def item_key(key: bytes, item: Item) -> str:
    """`Candidate.key` of what an item was made of."""
    one, other = sorted((item.sides[side] for side in SIDES), key=_content)
    return unordered(key, item.origin, item.question, one, other)


def unordered(key: bytes, origin: Origin, question: Question, first: Shown, second: Shown) -> str:
    return identify(key, origin, question, first, second, "whoever sits where")


def _content(shown: Shown) -> tuple[str, str, str]:
    return shown.model, shown.revision, shown.text
