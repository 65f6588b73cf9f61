"""One turn of a conversation, as every engine and training stage passes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: who spoke and what was said."""

    role: Role
    content: str
