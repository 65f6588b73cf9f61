"""Reading a stream's chunks: what the endpoint tests cannot time exactly."""

from __future__ import annotations

import asyncio

import pytest
from openai.types.chat import ChatCompletionChunk

from gaokerena.engines.base import Event, Reasoning, Text
from gaokerena.engines.deltas import Deltas


def chunk(model: str = "m", **delta: str) -> ChatCompletionChunk:
    choice = {"index": 0, "delta": delta}
    return ChatCompletionChunk.model_validate(
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}
    )


def test_nothing_is_emitted_once_the_row_is_stopped() -> None:
    emitted: list[Event] = []
    stopped = False
    deltas = Deltas("straight", emitted.append, lambda: stopped)
    assert deltas.take(chunk(content="پیش"))
    stopped = True
    with pytest.raises(asyncio.CancelledError):
        deltas.take(chunk(content="پس"))
    assert emitted == [Text("پیش")]


def test_what_came_before_the_servers_own_thought_is_not_lost() -> None:
    emitted: list[Event] = []
    deltas = Deltas("cot", emitted.append, lambda: False)
    for piece in (chunk(content="آغاز "), chunk(reasoning="فکر"), chunk(content="پایان")):
        deltas.take(piece)
    deltas.flush(cut=False)
    assert {type(event) for event in emitted} == {Reasoning, Text}
    joined = "".join(event.text for event in emitted if isinstance(event, Reasoning | Text))
    assert joined == "آغاز فکرپایان"


def test_of_a_path_only_the_last_part_names_the_model() -> None:
    deltas = Deltas("straight", lambda _: None, lambda: False)
    deltas.take(chunk("/home/somebody/models/r.gguf", content="آری"))
    assert deltas.served_model == "r.gguf"
    deltas.take(chunk("org/model", content="آری"))
    assert deltas.served_model == "org/model"
