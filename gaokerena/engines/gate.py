"""A gate in front of one server: at most so many requests inside, first come first served, each told its place.

    async with gate.enter(lambda place: emit(Queued(place))):
        ...

For one event loop; not safe across threads. Not covered: priorities.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

Tell = Callable[[int], None]


class Gate:
    """Lets `limit` tasks in. Those waiting hear how many come first (1 for the next one), and 0 when they enter."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"a gate of {limit} lets nobody in; give a limit of 1 or more")
        self._free = limit
        self._waiting: dict[asyncio.Future[None], Tell] = {}

    @asynccontextmanager
    async def enter(self, tell: Tell) -> AsyncIterator[None]:
        """Wait for a place, hold it for the body, give it back whatever happens."""
        await self._take(tell)
        try:
            yield
        finally:
            self._give_back()

    async def _take(self, tell: Tell) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting[turn] = tell
        tell(len(self._waiting))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back()  # our turn came in the same moment
            elif self._waiting.pop(turn, None):
                self._tell_places()
            raise
        tell(0)

    def _give_back(self) -> None:
        while self._waiting:
            turn = next(iter(self._waiting))
            del self._waiting[turn]
            if not turn.cancelled():  # one who has left but not yet heard of it is passed over
                turn.set_result(None)
                self._tell_places()
                return
        self._free += 1

    def _tell_places(self) -> None:
        for place, tell in enumerate(self._waiting.values(), start=1):
            tell(place)
