"""EndpointEngine against a real server: llama.cpp from a prebuilt wheel, serving SmolLM2-135M (useless in Persian).

Limits are generous: the two cores may be busy with a training.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from gaokerena.engines import faults
from gaokerena.engines.base import Failed, Request, Sampling, Stop, Text
from gaokerena.engines.endpoint import EndpointEngine
from gaokerena.engines.endpoint_model import EndpointModel
from gaokerena.messages import Message
from tests.engines.contract import finished, play
from tests.engines.llama_server import llama_server, smollm2

SLOTS = 4
ANIMALS = (Message("user", "Name three animals."),)
STORY = (Message("user", "Tell me a very long story about the sea."),)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with llama_server(smollm2(), slots=SLOTS) as address:
        yield address


@pytest.fixture(scope="module")
def engine(server: str) -> Iterator[EndpointEngine]:
    model = EndpointModel(base_url=f"{server}/v1", model="smollm2", dialect="llama.cpp")
    engine = EndpointEngine({"v": model, "r": model})
    yield engine
    engine.close()


def busy_slots(server: str) -> int:
    with urllib.request.urlopen(f"{server}/slots", timeout=30) as answer:
        return sum(slot["is_processing"] for slot in json.load(answer))


def wait_until(wanted: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not (met := wanted()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return met


def greedy(tokens: int) -> Sampling:
    return Sampling(max_new_tokens=tokens)


def test_two_rows_stream_side_by_side_and_are_counted(engine: EndpointEngine) -> None:
    left, right = play(engine, Request("v", ANIMALS, sampling=greedy(12)), Request("r", STORY, sampling=greedy(12)))
    assert left.text != right.text
    assert left.at[0] < right.at[-1]
    assert right.at[0] < left.at[-1], "the rows came one after the other"
    assert right.pieces > 5
    usage = finished(right).usage
    assert finished(right).finish_reason == "length"
    assert (usage.completion_tokens, usage.estimated) == (12, False)
    assert usage.prompt_tokens > 10
    assert finished(right).revision.endswith(".gguf")


def test_greedy_rows_repeat_themselves(engine: EndpointEngine) -> None:
    rows = play(engine, *[Request("v", ANIMALS, sampling=greedy(10), seed=seed) for seed in range(SLOTS)])
    again = play(engine, Request("v", ANIMALS, sampling=greedy(10)))
    assert {row.text for row in rows} == {again[0].text}
    assert again[0].text


def test_a_seed_draws_the_same_text_again_and_another_seed_another(server: str) -> None:
    # Without the prompt cache: a cached prompt is computed in other batches, and rounds differently.
    model = EndpointModel(
        base_url=f"{server}/v1", model="smollm2", dialect="llama.cpp", extra_body={"cache_prompt": False}
    )
    engine = EndpointEngine({"v": model})
    requests = [Request("v", STORY, sampling=Sampling(1.0, max_new_tokens=10), seed=seed) for seed in (1, 2, 1)]
    first, other, again = [play(engine, request)[0].text for request in requests]
    engine.close()
    assert first == again
    assert first != other


def test_more_rows_than_slots_all_end(engine: EndpointEngine) -> None:
    rows = play(engine, *[Request("v", ANIMALS, sampling=greedy(3), seed=seed) for seed in range(2 * SLOTS)])
    assert {finished(row).finish_reason for row in rows} == {"length"}


def test_a_stop_frees_the_slot_at_once(engine: EndpointEngine, server: str) -> None:
    stop = Stop()
    long = Request("v", STORY, sampling=greedy(400))
    seen_busy: list[int] = []

    def stop_after_first(row: int, event: object) -> None:
        if isinstance(event, Text) and not seen_busy:
            seen_busy.append(busy_slots(server))
            stop.stop()

    (row,) = play(engine, long, stop=stop, each=stop_after_first)
    assert finished(row).finish_reason == "stopped"
    assert seen_busy == [1]
    assert wait_until(lambda: busy_slots(server) == 0), "the server still writes what nobody reads"


def test_a_prompt_longer_than_the_context_is_told_in_persian(engine: EndpointEngine) -> None:
    (row,) = play(engine, Request("v", (Message("user", "درد " * 2000),)))
    assert isinstance(row.last, Failed)
    assert row.last.message == faults.TOO_LONG
