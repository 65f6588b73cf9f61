"""How often and how soon a failed request is tried again: exponential back-off with jitter, `Retry-After` obeyed.

    policy = RetryPolicy(attempts=4)
    pause = policy.pause(failures=1, retry_after=None)      # seconds, or None to give up

Which failures may be tried again at all is decided by `engines.faults`. Not covered: a retry budget shared between
requests.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` tries in all; pauses grow from `first` to `longest` seconds, each shortened at random by up to half.

    A server that asks for more than `patience` seconds is not waited for. `sleep` and `draw` (0 to 1) are seams.
    """

    attempts: int = 4
    first: float = 0.5
    longest: float = 8.0
    patience: float = 30.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[], float] = random.random

    def pause(self, failures: int, retry_after: float | None = None) -> float | None:
        """Seconds to wait after the `failures`-th failure, at least `retry_after`; None when it is time to give up."""
        if failures >= self.attempts or (retry_after or 0.0) > self.patience:
            return None
        grown = min(self.longest, self.first * 2.0 ** (failures - 1))
        return max(retry_after or 0.0, grown * (1.0 - 0.5 * self.draw()))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds a response asks its client to wait (RFC 9110, 10.2.3: seconds or a date); None when it does not say."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000.0
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None or not value:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
