"""What came of one question: a pair, a reason why there is none, or a call that failed.

In every run accepted + dropped + failed = asked; questions that were not reached are counted apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gaokerena.persian import normalize_for_key
from gaokerena.questions import Question
from training.pair_rows import PairRow


@dataclass(frozen=True, slots=True)
class Accepted:
    """A pair to train on."""

    pair: PairRow


@dataclass(frozen=True, slots=True)
class Dropped:
    """No pair, and why. `told` holds what else is worth keeping (how many tries, which faults)."""

    question_id: str
    reason: str
    told: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """A call got no reply; the next run asks again."""

    question_id: str
    detail: str


Outcome = Accepted | Dropped | Failed


class DroppedError(Exception):
    """Raised deep inside a method where a question ends without a pair."""

    def __init__(self, reason: str, **told: Any) -> None:
        super().__init__(reason)
        self.reason, self.told = reason, told


def same_options(question: Question) -> bool:
    """Whether two options read alike, so that no letter could be the key's alone."""
    return len({normalize_for_key(option) for option in question.options}) < len(question.options)
