"""The gate: its limit, its order, the places it tells, and those who leave the line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gaokerena.engines.gate import Gate


class Line:
    """Visitors named by number who stay inside until told to leave, and what each of them heard."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.heard: dict[int, list[int]] = {}
        self.inside: list[int] = []
        self.entered: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.leave: list[asyncio.Event] = []

    async def come(self, count: int, visitor: str = "") -> None:
        for _ in range(count):
            self.leave.append(asyncio.Event())
            self.tasks.append(asyncio.create_task(self._visit(len(self.tasks), visitor)))
        await settle()

    async def _visit(self, number: int, visitor: str) -> None:
        async with self.gate.enter(self.heard.setdefault(number, []).append, visitor):
            self.inside.append(number)
            self.entered.append(number)
            await self.leave[number].wait()
            self.inside.remove(number)

    async def all_leave(self) -> None:
        while self.inside:
            self.leave[self.inside[0]].set()
            await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def run(test: Callable[[Line], Awaitable[None]], limit: int) -> None:
    async def whole() -> None:
        line = Line(Gate(limit))
        try:
            await test(line)
        finally:
            for task in line.tasks:
                task.cancel()
            await asyncio.gather(*line.tasks, return_exceptions=True)

    asyncio.run(whole())


def test_first_come_first_served_and_everyone_hears_the_place() -> None:
    async def test(line: Line) -> None:
        await line.come(4)
        assert line.inside == [0]
        line.leave[0].set()
        await settle()
        assert line.inside == [1]
        assert line.heard == {0: [], 1: [1, 0], 2: [2, 1], 3: [3, 2]}

    run(test, 1)


def test_a_place_given_back_is_there_for_a_later_visitor() -> None:
    async def test(line: Line) -> None:
        await line.come(2)
        line.leave[0].set()
        line.leave[1].set()
        await settle()
        await line.come(3)
        assert line.inside == [2, 3]
        assert line.heard[4] == [1]

    run(test, 2)


def test_one_who_leaves_the_line_is_passed_over() -> None:
    async def test(line: Line) -> None:
        await line.come(3)
        line.leave[0].set()
        line.tasks[1].cancel()  # 0 goes out before 1 hears of it: the place must not go to one who has left
        await settle()
        assert line.inside == [2]
        line.leave[2].set()
        await settle()
        await line.come(1)
        assert line.inside == [3]

    run(test, 1)


def test_a_turn_that_comes_in_the_moment_of_leaving_is_handed_on() -> None:
    async def test(line: Line) -> None:
        await line.come(3)
        line.leave[0].set()
        await asyncio.sleep(0)  # visitor 0 has gone out and handed its place to 1, who has not woken up yet
        line.tasks[1].cancel()
        await settle()
        assert line.inside == [2]

    run(test, 1)


def test_visitors_take_turns_however_many_requests_each_has() -> None:
    async def test(line: Line) -> None:
        await line.come(5, "a")
        await line.come(2, "b")
        await line.come(1, "c")
        assert line.heard[5] == [1], "b's first goes before a's second"
        assert line.heard[1] == [1, 2, 3]
        await line.all_leave()
        assert line.entered == [0, 5, 7, 1, 6, 2, 3, 4]
        assert all(heard[-1:] == [0] for heard in list(line.heard.values())[1:])

    run(test, 1)


def test_one_who_comes_again_after_each_answer_takes_every_second_turn() -> None:
    async def test(line: Line) -> None:
        await line.come(4, "a")
        for _ in range(3):
            await line.come(1, "b")
            line.leave[line.inside[0]].set()
            await settle()
            line.leave[line.inside[0]].set()
            await settle()
        assert line.entered == [0, 4, 1, 5, 2, 6, 3]

    run(test, 1)


def test_staying_away_saves_up_no_turns_and_leaving_the_line_costs_none() -> None:
    async def test(line: Line) -> None:
        for number in range(3):
            await line.come(1, "a")
            line.leave[number].set()
            await settle()
        await line.come(3, "a")
        line.tasks[4].cancel()
        line.tasks[5].cancel()
        await settle()
        await line.come(1, "a")
        await line.come(2, "b")
        await line.all_leave()
        assert line.entered == [0, 1, 2, 3, 7, 6, 8]

    run(test, 1)


def test_visitors_of_past_rounds_are_forgotten() -> None:
    async def test(line: Line) -> None:
        for number in range(50):
            await line.come(2, f"visitor {number}")
            await line.all_leave()
        assert len(line.gate._last) <= 1

    run(test, 1)


def test_a_gate_without_places_is_refused() -> None:
    with pytest.raises(ValueError, match="limit of 1"):
        Gate(0)
