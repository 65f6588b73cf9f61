"""Calls of the local engine's `stream` while they wait and run: who is next, what fits, what each row has become;
and what its thread has to do besides.

No torch work here. `local` owns the one thread that uses this.
"""

from __future__ import annotations

import itertools
import queue
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from gaokerena.engines.base import Event, Queued, Request, Stop
from gaokerena.engines.decoding import Row
from gaokerena.engines.writer import Writer


@dataclass(eq=False)
class Job:
    """One call of `stream`: its requests, its stop, where its events go, and its rows once they are encoded."""

    requests: Sequence[Request]
    stop: Stop
    events: queue.Queue[tuple[int, Event]] = field(default_factory=queue.Queue)
    rows: dict[Row, tuple[int, Writer]] = field(default_factory=dict)
    pending: list[Row] = field(default_factory=list)
    encoded: bool = False
    position: int = -1

    @property
    def visitor(self) -> str:
        return self.requests[0].visitor or f"call-{id(self)}"

    def send(self, row: int, event: Event) -> None:
        self.events.put((row, event))

    def tell(self, position: int) -> None:
        """Say the place in the queue to every row that still waits, when it has changed."""
        if self.position != position:
            self.position = position
            for row in self.pending:
                self.send(self.rows[row][0], Queued(position))

    def end_stopped(self) -> list[Row]:
        """End the rows a person has stopped; returns them."""
        gone = [row for row, (number, writer) in self.rows.items() if self.stop.stopped(number) and not writer.ended]
        for row in gone:
            self.rows[row][1].finish("stopped")
        self.forget()
        return gone

    def forget(self) -> None:
        """Drop the rows that have ended."""
        self.rows = {row: pair for row, pair in self.rows.items() if not pair[1].ended}
        self.pending = [row for row in self.pending if row in self.rows]


class Limits:
    """What one batch may hold: rows, and cache positions (rows times the longest of them; 0: not known yet)."""

    def __init__(self, rows: int, positions: int) -> None:
        self.rows = rows
        self.positions = positions

    def fits(self, running: Sequence[Row], more: Sequence[Row]) -> bool:
        """Whether `more` rows may join `running`; an empty batch takes anything that is not too many rows."""
        together = [*running, *more]
        if not running:
            return len(more) <= self.rows
        longest = max(len(row.prompt) + row.limit for row in together)
        return len(together) <= self.rows and len(together) * longest <= self.positions


class Turns:
    """Visitors take turns: everybody's first call before anybody's second, the one served longest ago first."""

    def __init__(self) -> None:
        self._served: dict[str, int] = {}
        self._tick = itertools.count(1)

    def order(self, waiting: Sequence[Job], running: Sequence[Job]) -> list[Job]:
        """The waiting calls, next one first."""
        count: Counter[str] = Counter(job.visitor for job in running if job not in waiting)
        turns = {}
        for job in waiting:
            turns[job] = count[job.visitor]
            count[job.visitor] += 1
        return sorted(waiting, key=lambda job: (turns[job], self._served.get(job.visitor, 0)))

    def take(self, job: Job) -> None:
        """Remember that this call's visitor has been served."""
        self._served[job.visitor] = next(self._tick)

    def forget(self) -> None:
        """Nobody waits, so nobody is owed a turn."""
        self._served.clear()


@dataclass(eq=False)
class Errand:
    """Work for the engine's thread that is no answer; whoever asked for it waits on `done`."""

    work: Callable[[], None]
    done: Future[None] = field(default_factory=Future)

    def run(self) -> None:
        """Do it and tell how it went."""
        try:
            self.work()
        except Exception as error:
            self.done.set_exception(error)
        else:
            self.done.set_result(None)


class Errands:
    """Errands that wait; their owner holds its lock around every call."""

    def __init__(self) -> None:
        self._waiting: list[Errand] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, work: Callable[[], None]) -> Future[None]:
        self._waiting.append(Errand(work))
        return self._waiting[-1].done

    def take(self) -> list[Errand]:
        taken, self._waiting = self._waiting, []
        return taken
