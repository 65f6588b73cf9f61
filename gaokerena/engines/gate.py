"""A gate in front of one server: at most so many requests inside, visitors in turn, each told its place in the line.

    async with gate.enter(lambda place: emit(Queued(place)), visitor="session-7"):
        ...

Start-time fair queuing: every request gets a round, one later than the same visitor's request before it and no earlier
than the round now served; the lowest round goes first, within a round who came first. So a visitor with a hundred
requests waits behind another's first one, and nobody saves up turns by staying away. Requests without a visitor belong
to nobody else's turn and go as they come.

For one event loop; not safe across threads. Not covered: priorities, taking back a place already given.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass

Tell = Callable[[int], None]


@dataclass(eq=False, slots=True)
class _Waiting:
    """One request in the line: the round in which it came, and the place it was last told."""

    turn: asyncio.Future[None]
    tell: Tell
    visitor: Hashable
    came: int
    place: int = 0


class Gate:
    """Lets `limit` tasks in. Those waiting hear their place in the line (1 for the next one), and 0 when they enter."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"a gate of {limit} lets nobody in; give a limit of 1 or more")
        self._free = limit
        self._line: list[_Waiting] = []
        self._round = 0
        self._last: dict[Hashable, int] = {}  # visitors whose last round is not over

    @asynccontextmanager
    async def enter(self, tell: Tell, visitor: str = "") -> AsyncIterator[None]:
        """Wait for a place, hold it for the body, give it back whatever happens."""
        await self._take(tell, visitor or object())
        try:
            yield
        finally:
            self._give_back()

    async def _take(self, tell: Tell, visitor: Hashable) -> None:
        mine = _Waiting(asyncio.get_running_loop().create_future(), tell, visitor, self._round)
        self._line.append(mine)
        if self._free:
            self._free -= 1
            self._admit_next()
        self._tell_places()
        try:
            await mine.turn
        except asyncio.CancelledError:
            if mine.turn.done() and not mine.turn.cancelled():
                self._give_back()  # our turn came in the same moment
            elif mine in self._line:
                self._line.remove(mine)
                self._tell_places()
            raise
        if mine.place:
            tell(0)

    def _give_back(self) -> None:
        self._line = [waiting for waiting in self._line if not waiting.turn.cancelled()]  # left, not yet heard of it
        if self._line:
            self._admit_next()
            self._tell_places()
        else:
            self._free += 1

    def _admit_next(self) -> None:
        turn, chosen = self._order()[0]
        self._line.remove(chosen)
        self._round = max(self._round, turn)
        self._last[chosen.visitor] = turn
        self._last = {visitor: last for visitor, last in self._last.items() if last >= self._round}
        chosen.turn.set_result(None)

    def _order(self) -> list[tuple[int, _Waiting]]:
        """Who is in the line with their rounds, in the order in which they go in."""
        last = dict(self._last)
        rounds = []
        for waiting in self._line:
            turn = last[waiting.visitor] = max(waiting.came, last.get(waiting.visitor, -1) + 1)
            rounds.append((turn, waiting))
        return sorted(rounds, key=lambda pair: pair[0])

    def _tell_places(self) -> None:
        """Tell those whose place has changed."""
        for place, (_, waiting) in enumerate(self._order(), start=1):
            if waiting.place != place:
                waiting.place = place
                waiting.tell(place)
