"""A budget in tokens and in money: what a call may cost at most is set aside before it begins.

    purse = Purse(Budget(tokens=2_000_000, money=5.0))
    with purse.set_aside(most) as paid:           # waits while others' calls hold what is missing
        paid.spend(Spent(prompt, completion, money))

What is set aside for a call is an upper bound: a token a byte of its prompt, and every token it may write. When the
call has ended, what it really took counts instead. A call that does not fit, with none under way that might give
something back, closes the purse: nobody begins another call, those under way end in peace.

Calls that a kill cut off are charged at that bound (`calls`).

Not covered: a server that counts more than it was sent or told to write. `Caller` asks each party once alone and adds
the difference to what it sets aside from then on; what goes beyond the budget all the same, `exceeded` says.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from gaokerena.engines.base import Request
from gaokerena.evaluation.progress import Prices

TEMPLATE = 64
"""Tokens a chat template may add, at most, for each turn and for the conversation."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent in all; None: no limit. Money is in whatever the prices are in."""

    tokens: int | None = None
    money: float | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens read and written, and what they cost."""

    prompt: int = 0
    completion: int = 0
    money: float = 0.0

    @property
    def tokens(self) -> int:
        return self.prompt + self.completion

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.prompt + other.prompt, self.completion + other.completion, self.money + other.money)

    def __mul__(self, times: int) -> Spent:
        return Spent(self.prompt * times, self.completion * times, self.money * times)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.prompt - other.prompt, self.completion - other.completion, self.money - other.money)


class BudgetError(Exception):
    """The next call would exceed the budget; nothing was asked."""


def priced(prompt: int, completion: int, prices: Prices) -> Spent:
    """So many tokens at those prices (none: they cost nothing)."""
    return Spent(prompt, completion, prices.of(prompt, completion) or 0.0)


def at_most(requests: Sequence[Request], prices: Prices) -> Spent:
    """The most `requests` can take: no tokenizer makes more tokens of a text than it has bytes."""
    turns = [turn for request in requests for turn in request.messages]
    prompt = sum(len(turn.content.encode()) for turn in turns) + TEMPLATE * (len(turns) + len(requests))
    return priced(prompt, sum(request.sampling.max_new_tokens for request in requests), prices)


@dataclass
class Paying:
    """What one call has really taken so far."""

    spent: Spent = Spent()

    def spend(self, more: Spent) -> None:
        self.spent += more


class Purse:
    """Keeps the account; safe to use from several threads."""

    def __init__(self, budget: Budget, spent: Spent | None = None) -> None:
        self.budget = budget
        self.spent = spent or Spent()
        self.exhausted = False
        self._aside = Spent()
        self._under_way = 0
        self._changed = threading.Condition()

    @property
    def limited(self) -> bool:
        """Whether there is a budget at all."""
        return self.budget.tokens is not None or self.budget.money is not None

    @property
    def exceeded(self) -> dict[str, float] | None:
        """By how many tokens and how much money more was spent than allowed; None where nothing was."""
        tokens, money = self.budget.tokens, self.budget.money
        more = {
            "tokens": 0 if tokens is None else max(0, self.spent.tokens - tokens),
            "money": 0.0 if money is None else max(0.0, round(self.spent.money - money, 8)),
        }
        return more if any(more.values()) else None

    @contextmanager
    def set_aside(self, most: Spent) -> Iterator[Paying]:
        """Hold `most` while the block runs, then count what it spent. Raises BudgetError before it when it cannot."""
        self._take(most)
        paying = Paying()
        try:
            yield paying
        finally:
            with self._changed:
                self._aside -= most
                self.spent += paying.spent
                self._under_way -= 1
                self._changed.notify_all()

    def _take(self, most: Spent) -> None:
        with self._changed:
            while not self._fits(most):
                if not self._under_way or self.exhausted:
                    self.exhausted = True
                    self._changed.notify_all()
                    raise BudgetError
                self._changed.wait()
            if self.exhausted:
                raise BudgetError
            self._aside += most
            self._under_way += 1

    def _fits(self, most: Spent) -> bool:
        wanted = self.spent + self._aside + most
        tokens, money = self.budget.tokens, self.budget.money
        return (tokens is None or wanted.tokens <= tokens) and (money is None or wanted.money <= money + 1e-12)
