"""Run short SQL statements where they are asked for, and let one writer at a time come to SQLite.

aiosqlite hands each step of each statement (cursor, execute, fetch, close) to a thread and waits for the answer: four
changes of thread for a look-up of 50 µs, about eighty in one answer of an annotator, and each may have to wait for the
interpreter. Here a statement that was quick the last time runs at once in the loop's own thread. A slow or unknown one
still goes to the thread, so that a long search delays nobody; so do commits, while the disk is slow.

A transaction that writes waits for its turn first, in order of arrival: otherwise writers meet at SQLite's own lock,
where each sleeps, tries again and may be overtaken for seconds. Not covered: another program that holds the lock of
the database (everybody waits for it, up to the busy timeout).
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import aiosqlite

QUICK_SECONDS = 0.005
"""A statement that took more processor time than this the last time goes to the thread."""

TURN_SECONDS = 30.0
"""How long a writer waits for its turn before it gets the error SQLite would give."""

REMEMBERED = 2_000
"""How many statements' times are remembered."""

_WRITES = re.compile(r"\s*(insert|update|delete|replace|begin|savepoint|create|drop|alter)\b", re.IGNORECASE)
_STEPS = ("execute", "executemany", "fetchall", "fetchmany", "fetchone")


class Shared:
    """What the connections of one database have in common: whose turn it is, and how long statements take."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self._seconds: dict[str, float] = {}

    def is_quick(self, statement: str) -> bool:
        """Whether it may hold up the loop."""
        return self.seconds(statement) < QUICK_SECONDS

    def seconds(self, statement: str) -> float:
        """What it took the last time; an unknown one counts as slow."""
        return self._seconds.get(statement, QUICK_SECONDS)

    def remember(self, statement: str, seconds: float) -> None:
        """Note what it took."""
        if len(self._seconds) >= REMEMBERED:
            self._seconds.clear()
        self._seconds[statement] = seconds

    async def take_turn(self) -> None:
        """Wait to be the one that writes."""
        try:
            await asyncio.wait_for(self.turn.acquire(), TURN_SECONDS)
        except TimeoutError:
            raise sqlite3.OperationalError("database is locked") from None


class AtOnce(aiosqlite.Connection):  # type: ignore[misc]
    """An aiosqlite connection that executes as this module says."""

    shared: Shared
    _has_turn = False
    _statement = ""
    _spent = 0.0

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Every call of the underlying connection comes through here."""
        if self._connection is None or not self._running:
            raise ValueError("Connection closed")
        step = getattr(fn, "__name__", "")
        if step in ("execute", "executemany"):
            self._statement, self._spent = args[0], 0.0
            if not self._has_turn and _WRITES.match(self._statement):
                await self.shared.take_turn()
                self._has_turn = True
        try:
            if step == "commit" and self._connection.in_transaction:
                return await self._commit(fn)
            if self._has_turn or step not in _STEPS:
                return fn(*args, **kwargs)
            return await self._read(fn, *args, **kwargs)
        finally:
            if self._has_turn and not self._writes():
                self._has_turn = False
                self.shared.turn.release()

    async def _commit(self, fn: Callable[..., Any]) -> Any:
        """A commit waits for the disk: at once if the last one was quick; after a slow one, some go to the thread."""
        if self.shared.is_quick("commit"):
            start = time.perf_counter()
            result = fn()
            self.shared.remember("commit", time.perf_counter() - start)
            return result
        self.shared.remember("commit", self.shared.seconds("commit") / 2)
        return await super()._execute(fn)

    def _writes(self) -> bool:
        """Whether its transaction goes on; a connection that was just closed has none."""
        try:
            return bool(self._connection.in_transaction)
        except sqlite3.ProgrammingError:
            return False

    async def _read(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A step of a statement that only reads: at once if the whole statement was quick the last time."""

        def timed() -> Any:
            start = time.thread_time()  # waiting for the interpreter does not count
            try:
                return fn(*args, **kwargs)
            finally:
                self._spent += time.thread_time() - start

        quick = self.shared.is_quick(self._statement)
        result = timed() if quick else await super()._execute(timed)
        self.shared.remember(self._statement, self._spent)
        return result


def install() -> None:
    """Have every asynchronous connection that is opened from now on work that way."""
    shared = Shared()

    def connect(database: Any, *, iter_chunk_size: int = 64, **kwargs: Any) -> AtOnce:
        connection = AtOnce(lambda: sqlite3.connect(database, **kwargs), iter_chunk_size)
        connection.shared = shared
        return connection

    aiosqlite.connect = connect
