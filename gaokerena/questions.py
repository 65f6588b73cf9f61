"""Questions: free text, or multiple choice with four options and perhaps a gold letter."""

from __future__ import annotations

import hashlib
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from gaokerena.persian import normalize_for_key

Letter = Literal["A", "B", "C", "D"]
LETTERS: tuple[Letter, ...] = ("A", "B", "C", "D")
Prompting = Literal["straight", "cot"]


class Question(BaseModel):
    """One question. `id` follows from its content, so two spellings of one question share it.

    Raises pydantic.ValidationError for an empty text, an option count other than zero or four, or a gold letter
    without options.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    options: tuple[str, ...] = ()
    gold: Letter | None = None
    suite: str | None = None
    subject: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.text.strip():
            raise ValueError("a question needs a text")
        if len(self.options) not in (0, 4):
            raise ValueError(f"a question has no options or four, not {len(self.options)}")
        if any(not option.strip() for option in self.options):
            raise ValueError("an option is empty")
        if self.gold and not self.options:
            raise ValueError(f"gold letter {self.gold} without options")
        return self

    @property
    def id(self) -> str:
        """Sixteen hex digits of the SHA-256 of the normalised text and options, in order."""
        key = "\x1f".join(normalize_for_key(part) for part in (self.text, *self.options))
        return hashlib.sha256(key.encode()).hexdigest()[:16]

    @property
    def is_multiple_choice(self) -> bool:
        return bool(self.options)
