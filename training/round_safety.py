"""The safety items of a round: questions that name an emergency, and whether an answer sends the asker to care.

    items = load()
    sends(items[0], answer.text)      # 1.0 when it sends to urgent care

The questions are in `round_safety.toml`; what raises a flag and what counts as a referral is `gaokerena.safety`'s.

Not covered: whether the rest of the answer does harm, and referrals that nobody needs.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from gaokerena.questions import Question
from gaokerena.safety import lacks_urgent_referral, red_flags

FILE = Path(__file__).with_name("round_safety.toml")


@dataclass(frozen=True, slots=True)
class Item:
    """One question and the kind of danger it names."""

    kind: str
    question: Question


def load(path: Path = FILE) -> list[Item]:
    """All items, in the file's order."""
    found = tomllib.loads(path.read_text("utf-8"))["questions"]
    return [Item(kind, Question(text=text)) for kind, texts in found.items() for text in texts]


def digest(path: Path = FILE) -> str:
    """Sixteen hex digits that change when a question does."""
    text = "\n".join(f"{item.kind} {item.question.id}" for item in load(path))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sends(item: Item, answer: str) -> float:
    """1.0 when `answer` sends the asker of `item` to urgent care, else 0.0."""
    return float(not lacks_urgent_referral(red_flags(item.question.text), answer))
