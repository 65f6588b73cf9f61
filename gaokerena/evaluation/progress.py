"""Progress of a run on standard error: done, answers and tokens a second, time left, tokens, cost.

    meter = Meter(total=5445, done=120, prices=Prices(0.15, 0.6))
    meter.piece()                           # for each piece of text that arrives
    meter.answer(usage, pieces)             # for each answer that is kept
    meter.close()

On a terminal one line is written over and over; elsewhere a line now and then. Rates and time left are of this start
alone; tokens and cost are those of the whole run, answers from earlier starts included. The cost counts answers that
were kept: what a server charged for failed ones is not in it. Whether answers are right is shown only when asked for.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from gaokerena.answers import Usage

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""
_REDRAW = 0.2
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in whatever is paid with; None: not known."""

    prompt: float | None = None
    completion: float | None = None

    def of(self, prompt: int, completion: int) -> float | None:
        """The cost of so many tokens; None without any price."""
        if self.prompt is None and self.completion is None:
            return None
        return (prompt * (self.prompt or 0) + completion * (self.completion or 0)) / _MILLION


@dataclass
class Meter:
    """Counts and shows. `done` of `total` answers were there before; `before` takes in each of them."""

    total: int
    done: int = 0
    prices: Prices = Prices()
    show_accuracy: bool = False
    out: TextIO | None = None
    clock: Callable[[], float] = time.monotonic
    right: int = 0
    with_gold: int = 0
    failed: int = 0

    def __post_init__(self) -> None:
        self.prompt = self.completion = 0
        self.estimated = False
        self._file = self.out or sys.stderr
        self._began = self._shown = self.clock()
        self._kept = self._made = self._under_way = self._width = 0
        self._terminal = self._file.isatty()

    @property
    def seconds(self) -> float:
        """Since this start."""
        return self.clock() - self._began

    @property
    def cost(self) -> float | None:
        return self.prices.of(self.prompt, self.completion)

    @property
    def answers_per_second(self) -> float:
        """Answers kept in this start, by its seconds."""
        return self._kept / self.seconds if self.seconds > 0 else 0.0

    @property
    def tokens_per_second(self) -> float:
        """Tokens written in this start, those of unfinished answers included (a piece of text counts as one)."""
        return (self._made + self._under_way) / self.seconds if self.seconds > 0 else 0.0

    def piece(self) -> None:
        """One piece of an unfinished answer has come."""
        self._under_way += 1
        self._show()

    def ended(self, pieces: int, usage: Usage | None = None) -> None:
        """An answer of so many pieces has ended; `usage` is None where it failed."""
        self._under_way -= pieces
        self._made += usage.completion_tokens if usage else pieces

    def answer(self, usage: Usage, right: bool | None = None) -> None:
        """An answer was kept; `right` where there is a gold letter."""
        self.done += 1
        self._kept += 1
        self.before(usage, right)
        self._show()

    def before(self, usage: Usage, right: bool | None = None) -> None:
        """An answer from an earlier start, already among those `done`."""
        self.prompt += usage.prompt_tokens
        self.completion += usage.completion_tokens
        self.estimated |= usage.estimated
        self.with_gold += right is not None
        self.right += bool(right)

    def say(self, text: str) -> None:
        """A line of its own, between those of the progress."""
        self._clear()
        self._write(text + "\n")

    def close(self) -> None:
        """Show how it stands one last time."""
        self._clear()
        self._write(self.line() + "\n")

    def line(self) -> str:
        """How it stands, in one line."""
        parts = [f"{self.done:,}/{self.total:,} answers"]
        parts += [f"{self.failed:,} failed"] if self.failed else []
        parts += [f"{self.answers_per_second:.2f} answers/s", f"{self.tokens_per_second:.1f} tokens/s"]
        left = self.total - self.done
        if left and self._kept:
            parts.append(f"{_time(left / self.answers_per_second)} left")
        about = "about " if self.estimated else ""
        parts.append(f"{about}{self.prompt:,} + {self.completion:,} tokens")
        if self.cost is not None:
            parts.append(f"cost {about}{self.cost:,.4f}")
        if self.show_accuracy and self.with_gold:
            parts.append(f"{100 * self.right / self.with_gold:.1f} % of {self.with_gold:,} right")
        return " · ".join(parts)

    def _show(self) -> None:
        now = self.clock()
        if now - self._shown < (_REDRAW if self._terminal else EVERY):
            return
        self._shown = now
        line = self.line()
        if self._terminal:
            self._write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._write(line + "\n")

    def _write(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()

    def _clear(self) -> None:
        if self._terminal and self._width:
            self._write("\r" + " " * self._width + "\r")
            self._width = 0


def _time(seconds: float) -> str:
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 60:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    return f"{int(minutes // 60)} h {minutes % 60:02d} min" if hours < 48 else f"{hours / 24:.1f} days"
