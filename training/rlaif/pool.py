"""Many questions side by side: a thread each, so that servers are asked concurrently and a local engine in batches.

    ends = drive(caller, [partial(correct, caller, task, …) for task in tasks], at_once=8)

Every question runs, also after the budget or the servers gave out: one whose calls are all in the log comes to its end
without asking. Not covered: processes; the work is waiting, and torch has a thread of its own.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeAlias, TypeVar

from training.rlaif.budget import BudgetError
from training.rlaif.caller import Caller, CallFailedError, HaltedError
from training.rlaif.outcome import DroppedError

log = logging.getLogger("training")
EVERY = 10.0
"""Seconds between two lines of progress."""

Value = TypeVar("Value")
End: TypeAlias = Value | DroppedError | CallFailedError | None
"""What came of one question; None: it was not reached, or not to its end."""


def drive(caller: Caller, makes: Sequence[Callable[[], Value]], at_once: int) -> list[End[Value]]:
    """The end of each, in order. Ctrl-C ends the calls under way and is raised again."""
    ends: dict[int, End[Value]] = {}
    shown = time.monotonic()
    with ThreadPoolExecutor(at_once, thread_name_prefix="rlaif") as pool:
        futures = {pool.submit(_end, make): place for place, make in enumerate(makes)}
        try:
            for future in as_completed(futures):
                ends[futures[future]] = future.result()
                if time.monotonic() - shown >= EVERY:
                    shown = time.monotonic()
                    log.info("%s", progress(caller, list(ends.values()), len(makes)))
        except BaseException:
            caller.halt()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    log.info("%s", progress(caller, list(ends.values()), len(makes)))
    return [ends[place] for place in range(len(makes))]


def _end(make: Callable[[], Value]) -> End[Value]:
    try:
        return make()
    except (BudgetError, HaltedError):
        return None
    except CallFailedError as error:
        return DroppedError("conversation too long for a model") if error.too_long else error
    except DroppedError as error:
        return error


def progress(caller: Caller, ends: Sequence[object], total: int) -> str:
    """How it stands, in one line."""
    kinds = Counter(
        "dropped"
        if isinstance(end, DroppedError)
        else "failed"
        if isinstance(end, CallFailedError)
        else "not reached"
        if end is None
        else "made"
        for end in ends
    )
    spent = caller.purse.spent
    parts = [f"{len(ends):,}/{total:,} questions", *(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))]
    parts += [f"{caller.fresh:,} calls asked, {caller.cached:,} found", f"{spent.tokens:,} tokens"]
    return " · ".join([*parts, f"cost {spent.money:,.4f}"] if spent.money else parts)
