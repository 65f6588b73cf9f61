"""What tests of the local engine ask, and how."""

from __future__ import annotations

from typing import Any

from gaokerena.engines.base import Request, Sampling
from gaokerena.messages import Message

SHORT = (Message("user", "سلام، تب دارم"),)
LONG = (Message("user", "از دیشب تب و سرفه دارم و شب‌ها بهتر نمی‌خوابم. فشار خون هم دارم. چه کار کنم؟"),)


def ask(model: str, messages: tuple[Message, ...] = SHORT, tokens: int = 24, **sampling: Any) -> Request:
    seed = sampling.pop("seed", 0)
    return Request(model, messages, sampling=Sampling(max_new_tokens=tokens, **sampling), seed=seed)
