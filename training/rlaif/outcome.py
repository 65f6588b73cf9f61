"""How a question ends without a pair. In every run accepted + dropped + failed = asked (`books`)."""

from __future__ import annotations

from typing import Any

from gaokerena.persian import normalize_for_key
from gaokerena.questions import Question


class DroppedError(Exception):
    """Raised where a question ends without a pair: the reason, and what else is worth keeping (faults, turns)."""

    def __init__(self, reason: str, **told: Any) -> None:
        super().__init__(reason)
        self.reason, self.told = reason, told


def same_options(question: Question) -> bool:
    """Whether two options read alike, so that no letter could be the key's alone."""
    return len({normalize_for_key(option) for option in question.options}) < len(question.options)
