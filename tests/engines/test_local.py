"""The local engine on a tiny Cohere model: real transformers and PEFT code, greedy output equal to PEFT's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gaokerena.engines.base import Failed, Queued, Request, Sampling, Stop, Text
from gaokerena.engines.local import LocalEngine
from gaokerena.messages import Message
from tests.engines.asking import LONG, SHORT, ask
from tests.engines.contract import EngineContract, Row, finished, play
from tests.tiny import TEXTS, THOUGHT, make_tiny


class TestLocalKeepsTheContract(EngineContract):
    pieces_ahead = 50

    @pytest.fixture
    def engine(self, tiny: Path) -> Iterator[LocalEngine]:
        engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, threads=1)
        yield engine
        engine.close()

    @pytest.fixture
    def quick(self) -> Request:
        return ask("v")

    @pytest.fixture
    def slow(self) -> Request:
        return ask("v", tokens=3800)

    @pytest.fixture
    def thoughtful(self) -> Request:
        return Request("v", LONG, "cot", Sampling(max_new_tokens=60))

    def in_work(self, engine: LocalEngine) -> int:
        return len(engine._batch.rows)


def test_what_a_model_learned_by_heart_is_said_and_split(tmp_path: Path) -> None:
    folder = make_tiny(tmp_path, learns=True)
    engine = LocalEngine(str(folder / "base"), {}, threads=1)
    question = (Message("user", THOUGHT),)
    (row,) = play(engine, Request("base", question, "cot", Sampling(max_new_tokens=200)))
    engine.close()
    assert row.reasoning + row.text == TEXTS[2]
    assert row.text.startswith("بنابراین")
    assert finished(row).finish_reason == "stop"


def test_rows_of_one_batch_say_what_each_adapter_says_alone(engine: LocalEngine, alone: Any) -> None:
    rows = play(engine, ask("v"), ask("r", LONG, 40), ask("base", LONG), ask("r", SHORT, 9))
    expected = [alone("v", SHORT, 24), alone("r", LONG, 40), alone("base", LONG, 24), alone("r", SHORT, 9)]
    assert [row.text.rstrip("\ufffd") for row in rows] == [text.rstrip("\ufffd") for text in expected]
    assert len({*expected}) == 4, "the adapters of the test must differ for it to prove anything"


def test_a_row_that_joins_a_running_batch_changes_nothing(engine: LocalEngine, alone: Any) -> None:
    started = threading.Event()
    later: list[Row] = []

    def second() -> None:
        started.wait(20)
        later.extend(play(engine, ask("r", LONG, 40)))

    thread = threading.Thread(target=second)
    thread.start()
    first = play(engine, ask("v", SHORT, 300), each=lambda _, event: started.set() if isinstance(event, Text) else None)
    thread.join(60)
    assert later[0].text.rstrip("\ufffd") == alone("r", LONG, 40).rstrip("\ufffd")
    assert first[0].text.rstrip("\ufffd") == alone("v", SHORT, 300).rstrip("\ufffd")


def test_equal_prompts_are_prefilled_once_and_sampled_apart(engine: LocalEngine) -> None:
    requests = [ask("r", LONG, 30, temperature=1.0, seed=seed) for seed in range(5)]
    rows = play(engine, *requests)
    assert len({row.text for row in rows}) == 5
    cached = [finished(row).usage.cached_tokens for row in rows]
    assert cached[0] == 0
    assert cached[1:] == [finished(rows[0]).usage.prompt_tokens] * 4
    again = play(engine, *requests)
    assert [row.text for row in again] == [row.text for row in rows]


def test_sampling_is_each_rows_own(engine: LocalEngine) -> None:
    greedy, hot = ask("v", LONG), ask("v", LONG, temperature=1.5, seed=1)
    mixed = play(engine, hot, greedy)
    assert mixed[1].text == play(engine, greedy)[0].text
    assert mixed[0].text != mixed[1].text
    narrow = ask("v", LONG, temperature=1.5, top_k=1, seed=9)
    assert play(engine, narrow)[0].text == mixed[1].text
    nucleus = ask("v", LONG, temperature=1.5, top_p=1e-6, seed=9)
    assert play(engine, nucleus)[0].text == mixed[1].text


def test_a_repetition_penalty_breaks_a_loop(engine: LocalEngine) -> None:
    plain, penalised = play(engine, ask("base", tokens=200), ask("base", tokens=200, repetition_penalty=2.0))
    assert _variety(penalised.text) > _variety(plain.text)


def _variety(text: str) -> float:
    pieces = [text[place : place + 4] for place in range(len(text) - 4)]
    return len({*pieces}) / len(pieces)


def test_a_stop_leaves_within_one_token_and_the_other_row_goes_on(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, step, steps = Stop(), engine._batch.step, iter(range(1, 100_000))

    def stop_while_the_fifth_token_is_made() -> Any:
        if next(steps) == 5:
            stop.stop(0)
        return step()

    monkeypatch.setattr(engine._batch, "step", stop_while_the_fifth_token_is_made)
    rows = play(engine, ask("v", tokens=3000), ask("base", LONG, 60), stop=stop)
    assert finished(rows[0]).finish_reason == "stopped"
    assert finished(rows[0]).usage.completion_tokens == 5
    assert finished(rows[1]).usage.completion_tokens == 60


def test_a_prompt_longer_than_the_context_is_refused_in_persian(engine: LocalEngine) -> None:
    huge = (Message("user", "تب و سرفه " * 4000),)
    rows = play(engine, ask("v", huge), ask("r"))
    assert isinstance(rows[0].last, Failed)
    assert "۴۰۹۶" in rows[0].last.message
    assert finished(rows[1]).finish_reason == "length"


def test_answers_end_where_the_context_does(engine: LocalEngine) -> None:
    near = (Message("user", "تب " * 1960),)
    row = play(engine, ask("v", near, tokens=4000))[0]
    usage = finished(row).usage
    assert usage.prompt_tokens + usage.completion_tokens == 4096
    assert finished(row).finish_reason == "length"


def test_an_unknown_model_fails_its_row_alone(engine: LocalEngine) -> None:
    rows = play(engine, ask("x"), ask("v"))
    assert isinstance(rows[0].last, Failed)
    assert "'x'" in rows[0].last.detail
    assert finished(rows[1]).finish_reason == "length"


def test_visitors_wait_in_turn_and_are_told_their_place(tiny: Path) -> None:
    engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, max_rows=2, threads=1)
    ends: list[str] = []
    places: dict[str, list[int]] = {name: [] for name in ("greedy-1", "greedy-2", "greedy-3", "modest")}
    first = threading.Event()

    def visit(name: str) -> None:
        request = Request("v", SHORT, sampling=Sampling(max_new_tokens=1500), visitor=name.split("-")[0])
        for row, event in engine.stream([request, request]):
            if isinstance(event, Text):
                first.set()
            if row == 0 and isinstance(event, Queued):
                places[name].append(event.position)
        ends.append(name)

    threads = [threading.Thread(target=visit, args=("greedy-1",))]
    threads[0].start()
    assert first.wait(20)
    for name in ("greedy-2", "greedy-3", "modest"):
        threads.append(threading.Thread(target=visit, args=(name,)))
        threads[-1].start()
        while not places[name]:
            time.sleep(0.005)
    for thread in threads:
        thread.join(60)
    engine.close()
    assert ends.index("modest") < ends.index("greedy-2") < ends.index("greedy-3"), ends
    assert places["greedy-1"] == [0]
    assert places["greedy-2"][0] == 1
    assert places["greedy-3"][0] == 2
    assert all(shown[-1] == 0 for shown in places.values())


def test_a_stopped_side_of_a_waiting_call_ends_at_once(tiny: Path) -> None:
    engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, max_rows=2, threads=1)
    busy = engine.stream([ask("v", tokens=3900), ask("base", tokens=3900)])
    next(busy)
    stop = Stop()
    waiting = engine.stream([ask("v"), ask("base")], stop)
    assert [next(waiting)[1], next(waiting)[1]] == [Queued(1), Queued(1)]
    stop.stop(0)
    row, event = next(waiting)
    assert (row, event.finish_reason) == (0, "stopped")  # type: ignore[union-attr]
    busy.close()
    assert [event for row, event in waiting if row == 1][-1].finish_reason == "length"  # type: ignore[union-attr]
    engine.close()


def test_a_batch_holds_no_more_positions_than_it_may(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, max_rows=8, max_tokens=600, threads=1)
    seen: list[int] = []
    step = engine._batch.step

    def watched() -> Any:
        seen.append(len(engine._batch.rows) * max(len(row.prompt) + row.limit for row in engine._batch.rows))
        return step()

    monkeypatch.setattr(engine._batch, "step", watched)
    threads = [threading.Thread(target=play, args=(engine, ask("v", LONG, 100))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    engine.close()
    assert max(seen) <= 600
    assert max(seen) > 300, "several rows must have shared the batch for this to prove anything"


def test_a_call_of_more_rows_than_a_batch_holds_is_answered_in_parts(tiny: Path) -> None:
    engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, max_rows=3, threads=1)
    rows = play(engine, *(ask("v", tokens=5) for _ in range(8)))
    engine.close()
    assert [finished(row).usage.completion_tokens for row in rows] == [5] * 8


def test_no_tokens_wanted_none_made(engine: LocalEngine) -> None:
    (row,) = play(engine, ask("v", tokens=0))
    assert finished(row).usage.completion_tokens == 0
    assert finished(row).finish_reason == "length"


def test_closing_ends_open_streams_as_stopped(tiny: Path) -> None:
    engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, threads=1)
    stream = engine.stream([ask("v", tokens=4000)])
    next(stream)
    engine.close()
    ending = [event for _, event in stream][-1]
    assert ending.finish_reason == "stopped"  # type: ignore[union-attr]
