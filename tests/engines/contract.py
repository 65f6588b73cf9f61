"""The rules of `gaokerena.engines.base` as checks that every engine's tests run on their engine.

    class TestEchoKeepsTheContract(EngineContract):
        @pytest.fixture
        def engine(self): ...              # answers the requests below
        @pytest.fixture
        def quick(self): ...               # a straight request that ends by itself within a second or so
        @pytest.fixture
        def slow(self): ...                # a straight request that goes on for many seconds, piece by piece
        @pytest.fixture
        def thoughtful(self): ...          # a cot request that ends by itself and holds a thought
        def in_work(self, engine): ...     # how many rows its workers have in hand right now

`piece_seconds` is the longest time between two pieces of `slow`. Not covered: what is said, only how it comes.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from gaokerena.engines.base import Engine, Event, Failed, Finished, Queued, Reasoning, Request, Stop, Text


@dataclass
class Row:
    """What one row of a stream gave, with the moment each event came (seconds since the start)."""

    events: list[Event] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    @property
    def last(self) -> Event:
        return self.events[-1]

    @property
    def reasoning(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Reasoning))

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Text))

    @property
    def pieces(self) -> int:
        return sum(isinstance(event, Reasoning | Text) for event in self.events)

    @property
    def places(self) -> list[int]:
        return [event.position for event in self.events if isinstance(event, Queued)]


def play(
    engine: Engine, *requests: Request, stop: Stop | None = None, each: Callable[[int, Event], None] | None = None
) -> list[Row]:
    """Stream `requests` to the end, calling `each` as events come, and check that every row ends once and last."""
    rows = [Row() for _ in requests]
    start = time.monotonic()
    for row, event in engine.stream(requests, stop):
        assert 0 <= row < len(requests), f"row {row} was never asked"
        assert not rows[row].events or not isinstance(rows[row].last, Failed | Finished), f"row {row} went on: {event}"
        rows[row].events.append(event)
        rows[row].at.append(time.monotonic() - start)
        if each:
            each(row, event)
    for number, row_ in enumerate(rows):
        assert row_.events, f"row {number} never ended"
        assert isinstance(row_.last, Failed | Finished), f"row {number} ended in {row_.last}"
    return rows


def finished(row: Row) -> Finished:
    assert isinstance(row.last, Finished), row.last
    return row.last


class EngineContract(ABC):
    """Subclass it and give the fixtures named in the module's docstring."""

    piece_seconds = 0.2
    pieces_ahead = 1
    """Pieces a worker may have sent before the reader's stop reaches it."""
    patience = 5.0
    """Seconds granted to what should happen at once, on a busy machine."""

    @abstractmethod
    def in_work(self, engine: Any) -> int:
        """How many rows the engine's workers have in hand right now."""

    def assert_idle(self, engine: Engine) -> None:
        deadline = time.monotonic() + self.patience
        while self.in_work(engine) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.in_work(engine) == 0, "a worker still computes what nobody reads"

    def test_models_are_named(self, engine: Engine, quick: Request) -> None:
        assert quick.model in engine.models

    def test_no_requests_no_events(self, engine: Engine) -> None:
        assert list(engine.stream([])) == []

    def test_a_row_ends_by_itself_and_counts_its_tokens(self, engine: Engine, quick: Request) -> None:
        (row,) = play(engine, quick)
        assert finished(row).finish_reason in ("stop", "length")
        assert row.text
        assert finished(row).usage.completion_tokens > 0

    def test_equal_rows_each_get_an_answer_of_their_own(self, engine: Engine, quick: Request) -> None:
        rows = play(engine, quick, quick, quick)
        assert {finished(row).finish_reason for row in rows} <= {"stop", "length"}
        assert len({row.text for row in rows}) == 1, "equal requests with equal seeds differ"

    def test_straight_answers_hold_no_reasoning(self, engine: Engine, quick: Request) -> None:
        (row,) = play(engine, replace(quick, prompting="straight"))
        assert row.reasoning == ""

    def test_a_chain_of_thought_comes_before_its_conclusion(self, engine: Engine, thoughtful: Request) -> None:
        (row,) = play(engine, thoughtful)
        kinds = [type(event) for event in row.events if isinstance(event, Reasoning | Text)]
        assert row.reasoning
        assert kinds == sorted(kinds, key=lambda kind: kind is Text)

    def test_an_unknown_model_fails_alone_and_in_persian(self, engine: Engine, quick: Request) -> None:
        unknown, known = play(engine, replace(quick, model="no-such-model"), quick)
        assert isinstance(unknown.last, Failed)
        assert any("\u0600" <= letter <= "\u06ff" for letter in unknown.last.message)
        assert "no-such-model" in unknown.last.detail
        assert finished(known).finish_reason in ("stop", "length")

    def test_a_slow_row_never_delays_a_quick_one(self, engine: Engine, slow: Request, quick: Request) -> None:
        stop = Stop()

        def when_quick_ends(row: int, event: Event) -> None:
            if row == 1 and isinstance(event, Failed | Finished):
                stop.stop(0)

        first, second = play(engine, slow, quick, stop=stop, each=when_quick_ends)
        assert finished(second).finish_reason in ("stop", "length")
        assert finished(first).finish_reason == "stopped", "the slow row ended before the quick one"

    def test_a_stop_ends_its_row_within_one_piece_and_frees_the_worker(self, engine: Engine, slow: Request) -> None:
        stop, seen = Stop(), []

        def after_two(row: int, event: Event) -> None:
            seen.append(event)
            if row == 0 and sum(isinstance(event, Text) for event in seen) == 2:
                stop.stop(0)

        start = time.monotonic()
        (row,) = play(engine, slow, stop=stop, each=after_two)
        assert finished(row).finish_reason == "stopped"
        assert 2 <= row.pieces <= 2 + self.pieces_ahead
        assert time.monotonic() - start < self.patience + 3 * self.piece_seconds
        self.assert_idle(engine)

    def test_stopping_one_row_leaves_the_other(self, engine: Engine, slow: Request, quick: Request) -> None:
        stop = Stop()
        stop.stop(0)
        stopped, whole = play(engine, slow, quick, stop=stop)
        assert finished(stopped).finish_reason == "stopped"
        assert finished(whole).finish_reason in ("stop", "length")

    def test_a_stop_before_the_start_stops_every_row(self, engine: Engine, slow: Request) -> None:
        stop = Stop()
        stop.stop()
        rows = play(engine, slow, slow, stop=stop)
        assert [finished(row).finish_reason for row in rows] == ["stopped", "stopped"]
        self.assert_idle(engine)

    def test_stopping_after_the_end_does_nothing(self, engine: Engine, quick: Request) -> None:
        stop = Stop()
        play(engine, quick, stop=stop)
        stop.stop()
        stop.stop(0)
        (again,) = play(engine, quick)
        assert finished(again).finish_reason in ("stop", "length")

    def test_leaving_the_loop_stops_every_row(self, engine: Engine, slow: Request, quick: Request) -> None:
        stream: Iterator[tuple[int, Event]] = engine.stream([slow, slow])
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        self.assert_idle(engine)
        (row,) = play(engine, quick)
        assert finished(row).finish_reason in ("stop", "length")

    def test_several_threads_each_get_their_own_answer(self, engine: Engine, quick: Request) -> None:
        (expected,) = play(engine, quick)
        found: list[str] = []
        threads = [threading.Thread(target=lambda: found.append(play(engine, quick)[0].text)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert found == [expected.text] * 3

    def test_closing_the_engine_ends_open_streams_as_stopped(self, engine: Engine, slow: Request) -> None:
        closing = threading.Timer(2 * self.piece_seconds, engine.close)
        closing.start()
        rows = play(engine, slow, slow)
        closing.join()
        assert [finished(row).finish_reason for row in rows] == ["stopped", "stopped"]
        self.assert_idle(engine)

    def test_a_closed_engine_still_ends_every_row(self, engine: Engine, quick: Request) -> None:
        engine.close()
        engine.close()
        (row,) = play(engine, quick)
        assert isinstance(row.last, Failed) or finished(row).finish_reason == "stopped"
