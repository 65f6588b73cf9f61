"""The local engine in trouble: memory, broken rows and prompts end their own row, never the engine."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch

from gaokerena.engines import cache, encoding
from gaokerena.engines.base import Failed, Request, Stop, Text
from gaokerena.engines.local import LocalEngine
from gaokerena.messages import Message
from tests.engines.asking import LONG, SHORT, ask
from tests.engines.contract import Row, finished, play


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_out_of_memory_is_one_clear_message_and_the_engine_lives(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(engine._batch, "_forward", refuse)
    rows = play(engine, ask("v"), ask("r"))
    assert [type(row.last) for row in rows] == [Failed, Failed]
    assert rows[0].last == Failed(encoding.OUT_OF_MEMORY, f"{type(error).__name__}: {error}", encoding.OUT_OF_MEMORY_EN)
    monkeypatch.undo()
    assert play(engine, ask("v"))[0].text


def test_an_error_in_the_middle_keeps_what_was_written(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    forward, calls = engine._batch._forward, iter(range(100))

    def fail_later(*arguments: Any) -> torch.Tensor:
        if next(calls) == 12:
            raise RuntimeError("the cable was pulled")
        return forward(*arguments)

    monkeypatch.setattr(engine._batch, "_forward", fail_later)
    row = play(engine, ask("v", tokens=100))[0]
    assert isinstance(row.last, Failed)
    assert row.last.message == encoding.BROKEN
    assert "cable" in row.last.detail
    assert row.text


def surviving(engine: LocalEngine, request: Request) -> Row:
    """The one row of a call that must end whatever happens, and a second call that must be answered after it."""
    (row,) = play(engine, request)
    assert finished(play(engine, ask("v"))[0]).finish_reason == "length"
    return row


@pytest.mark.timeout(60)
class TestNothingEndsTheWorker:
    def test_a_seed_beyond_64_bits(self, engine: LocalEngine) -> None:
        assert surviving(engine, ask("v", temperature=1.0, seed=2**64 + 5)).text

    def test_a_conversation_the_template_refuses(self, engine: LocalEngine) -> None:
        row = surviving(engine, ask("v", (*SHORT, *SHORT)))
        assert isinstance(row.last, Failed)
        assert "TemplateError" in row.last.detail

    def test_a_text_the_tokenizer_refuses(self, engine: LocalEngine) -> None:
        row = surviving(engine, ask("v", (Message("user", "تب \ud800 دارم"),)))
        assert isinstance(row.last, Failed)

    def test_logits_that_are_not_numbers_end_their_row_alone(
        self, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        forward = engine._batch._forward

        def spoil(*arguments: Any) -> torch.Tensor:
            logits = forward(*arguments).clone()
            logits[0] = torch.nan
            return logits

        monkeypatch.setattr(engine._batch, "_forward", spoil)
        first, second = play(engine, ask("v", SHORT), ask("r", LONG, 1))
        monkeypatch.undo()
        assert isinstance(first.last, Failed)
        assert "not numbers" in first.last.detail
        assert finished(second).usage.completion_tokens == 1
        assert surviving(engine, ask("v")).text

    def test_memory_that_runs_out_while_a_row_leaves(
        self, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stop, keep = Stop(), engine._batch._keep

        def refuse(numbers: list[int]) -> None:
            if len(numbers) < len(engine._batch.rows):
                raise torch.OutOfMemoryError("CUDA out of memory")
            keep(numbers)

        monkeypatch.setattr(engine._batch, "_keep", refuse)
        rows = play(engine, ask("v", tokens=2000), ask("r", tokens=2000), stop=stop, each=lambda *_: stop.stop(0))
        monkeypatch.undo()
        assert finished(rows[0]).finish_reason == "stopped"
        assert rows[1].last == Failed(
            encoding.OUT_OF_MEMORY, "OutOfMemoryError: CUDA out of memory", encoding.OUT_OF_MEMORY_EN
        )
        assert surviving(engine, ask("v")).text

    def test_memory_that_runs_out_for_a_newcomer_spares_the_running(
        self, engine: LocalEngine, alone: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stacked, started, later = cache._stacked, threading.Event(), []
        calls = iter(range(1, 1000))

        def refuse(*arguments: Any) -> torch.Tensor:
            if next(calls) == 3:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return stacked(*arguments)

        def newcomer() -> None:
            started.wait(20)
            monkeypatch.setattr(cache, "_stacked", refuse)
            later.extend(play(engine, ask("r", LONG)))

        thread = threading.Thread(target=newcomer)
        thread.start()
        first = play(
            engine, ask("v", SHORT, 400), each=lambda _, event: started.set() if isinstance(event, Text) else None
        )
        thread.join(30)
        monkeypatch.undo()
        assert isinstance(later[0].last, Failed)
        assert first[0].text.rstrip("\ufffd") == alone("v", SHORT, 400).rstrip("\ufffd")
