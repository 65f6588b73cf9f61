"""EndpointEngine against a scripted server: the contract, what is sent and read, time, stopping and closing.

Not covered here: faults (test_endpoint_faults), many rows and settings (test_endpoint_many), a real server
(test_endpoint_llamacpp).
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator

import pytest
from openai import AsyncOpenAI

from gaokerena.answers import Usage
from gaokerena.engines import faults
from gaokerena.engines.base import Request, Sampling, Stop, Text
from gaokerena.engines.endpoint import EndpointEngine
from gaokerena.engines.endpoint_model import EndpointModel
from gaokerena.engines.endpoint_try import Timeouts
from gaokerena.engines.retry import RetryPolicy
from gaokerena.messages import Message
from tests.engines.contract import EngineContract, Row, finished, play
from tests.engines.endpoint_serving import ANSWER, ASKED, SECRET, R, V, always, failed, serving
from tests.engines.scripted_server import (
    Ask,
    Cut,
    Hold,
    Reply,
    Script,
    ScriptedServer,
    Wait,
    chunk,
    end,
    refuse,
    say,
    think,
)


class TestEndpointKeepsTheContract(EngineContract):
    piece_seconds = 0.25

    @pytest.fixture
    def engine(self) -> Iterator[EndpointEngine]:
        def script(ask: Ask) -> Reply:
            if ask.body["model"] == "slow-on-server":
                return Reply([step for _ in range(120) for step in (say("واژه "), Wait(0.25))])
            if ask.body["model"] == "r-on-server":
                return Reply([think("نخست سن را "), think("می‌سنجیم."), say("پس گزینهٔ دوم "), say("درست است."), end()])
            return Reply(ANSWER)

        with serving(script) as (engine, self.server, _):
            yield engine

    @pytest.fixture
    def quick(self) -> Request:
        return V

    @pytest.fixture
    def slow(self) -> Request:
        return Request("slow", ASKED)

    @pytest.fixture
    def thoughtful(self) -> Request:
        return R

    def in_work(self, engine: EndpointEngine) -> int:
        return self.server.busy


# What is sent and what is read


def test_text_usage_reason_and_revision_come_from_the_server() -> None:
    with serving(always(say("گرم "), say("بنوشید."), end("length", prompt=11, completion=5, cached=4))) as (engine, *_):
        (row,) = play(engine, V)
    assert row.text == "گرم بنوشید."
    assert finished(row).usage == Usage(prompt_tokens=11, completion_tokens=5, cached_tokens=4)
    assert (finished(row).finish_reason, finished(row).revision) == ("length", "served")


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("openai", {}),
        ("vllm", {"top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}),
        ("llama.cpp", {"top_p": 1.0, "top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0}),
    ],
)
def test_plain_sampling_leaves_the_distribution_whole(dialect: str, expected: dict[str, float]) -> None:
    with serving(always(*ANSWER), dialect=dialect) as (engine, server, _):
        play(engine, Request("v", (Message("system", "کوتاه بگو"), *ASKED), sampling=Sampling(), seed=-1))
    assert server.asks[0].path == "/v1/chat/completions"
    assert server.asks[0].body == {
        "model": "v-on-server",
        "messages": [{"role": "system", "content": "کوتاه بگو"}, {"role": "user", "content": ASKED[0].content}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.0,
        "max_tokens": 512,
        "seed": 2**31 - 1,
        **expected,
    }


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("openai", {"top_k": 20, "repetition_penalty": 1.1}),
        ("vllm", {"top_k": 20, "min_p": 0.0, "repetition_penalty": 1.1}),
        ("llama.cpp", {"top_k": 20, "min_p": 0.0, "repeat_penalty": 1.1, "repeat_last_n": -1}),
    ],
)
def test_changed_sampling_is_sent_in_the_servers_words(dialect: str, expected: dict[str, float]) -> None:
    sampling = Sampling(temperature=0.7, top_p=0.9, top_k=20, repetition_penalty=1.1, max_new_tokens=64)
    with serving(always(*ANSWER), dialect=dialect) as (engine, server, _):
        play(engine, Request("v", ASKED, sampling=sampling, seed=5))
    sent = server.asks[0].body
    standard = {"temperature": 0.7, "top_p": 0.9, "max_tokens": 64, "seed": 5}
    assert {
        key: value for key, value in sent.items() if key not in ("model", "messages", "stream", "stream_options")
    } == {
        **standard,
        **expected,
    }


PRIVATE = "کد ملی من ۰۴۹۹۳۷۰۸۹۹ و شماره‌ام 0912 345 6789 است"
DIGITS = ("۰۴۹۹۳۷۰۸۹۹", "0499370899", "0912 345 6789", "3456789")


def test_no_identifier_of_any_turn_reaches_the_server() -> None:
    turns = (
        Message("user", f"سردرد دارم. {PRIVATE}."),
        Message("assistant", "به 09123456789 زنگ می‌زنیم."),
        Message("user", f"تب هم دارم. {PRIVATE}. 500 mg خوردم."),
    )
    with serving(always(*ANSWER)) as (engine, server, _):
        play(engine, Request("v", turns))
    sent = json.dumps(server.asks[0].body, ensure_ascii=False)
    assert not any(digits in sent for digits in DIGITS)
    assert [turn["content"] for turn in server.asks[0].body["messages"]] == [
        "سردرد دارم. کد ملی من [کد ملی] و شماره‌ام [شماره همراه] است.",
        "به [شماره همراه] زنگ می‌زنیم.",
        "تب هم دارم. کد ملی من [کد ملی] و شماره‌ام [شماره همراه] است. 500 mg خوردم.",
    ]


def test_a_server_of_ones_own_may_read_all_and_still_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def script(ask: Ask) -> Reply:
        said = ask.body["messages"][0]["content"]
        if ask.body["model"] == "r-on-server":
            return Reply([b"data: {broken " + b"x" * 56 + said.encode() + b"\n\n"])
        return refuse(503 if ask.number == 1 else 400, "x" * 484 + said)  # shortened, both texts end inside a number

    with caplog.at_level(logging.DEBUG, "gaokerena"), serving(script, scrub=False) as (engine, server, pauses):
        asked = (Message("user", PRIVATE),)
        rows = [*play(engine, Request("v", asked)), *play(engine, Request("r", asked))]
    assert server.asks[0].body["messages"][0]["content"] == PRIVATE
    assert len(pauses) == 1
    told = caplog.text + "".join(failed(row).detail for row in rows)
    assert "HTTP 503" in told
    assert "کد ملی" in told
    assert not any(digits in told for digits in (*DIGITS, "۰۴۹۹", "0912"))


def test_a_fault_of_ours_is_logged_without_what_it_was_about(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"cannot read {PRIVATE} with {SECRET}")

    monkeypatch.setattr("gaokerena.engines.endpoint.answer", broken)
    with serving(always(*ANSWER)) as (engine, *_):
        (row,) = play(engine, V)
    assert "RuntimeError: cannot read" in failed(row).detail
    assert "RuntimeError: cannot read" in caplog.text
    assert "in broken" in caplog.text, "where it happened is told"
    assert not any(hidden in caplog.text + failed(row).detail for hidden in (*DIGITS, SECRET))


def test_extra_body_wins_and_each_model_has_its_own() -> None:
    adapter = [{"id": 0, "scale": 1.0}]
    with serving(always(*ANSWER), dialect="llama.cpp", extra_body={"lora": adapter, "min_p": 0.05}) as (
        engine,
        server,
        _,
    ):
        play(engine, V)
    assert (server.asks[0].body["lora"], server.asks[0].body["min_p"]) == (adapter, 0.05)


def test_equal_rows_are_asked_with_their_own_seeds() -> None:
    script: Script = lambda ask: Reply([say(f"دانهٔ {ask.body['seed']}"), end()])  # noqa: E731
    with serving(script) as (engine, server, _):
        rows = play(engine, *[Request("v", ASKED, sampling=Sampling(0.7), seed=seed) for seed in (3, 1, 2)])
    assert [row.text for row in rows] == ["دانهٔ 3", "دانهٔ 1", "دانهٔ 2"]
    assert len(server.asks) == 3


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_a_thought_the_server_separates_is_reasoning(name: str) -> None:
    script = always(
        chunk({"role": "assistant", "content": ""}), think("گام نخست. ", name), think("گام دوم.", name), *ANSWER
    )
    with serving(script) as (engine, *_):
        thoughtful, straight = play(engine, R, V)
    assert (thoughtful.reasoning, thoughtful.text) == ("گام نخست. گام دوم.", "در جای تاریک استراحت کنید.")
    assert (straight.reasoning, straight.text) == ("", "در جای تاریک استراحت کنید.")


def test_a_thought_in_the_text_is_split_from_its_conclusion() -> None:
    thought, conclusion = "نخست سن بیمار را می‌سنجیم.\n\n", "بنابراین، گزینهٔ B پاسخ درست است."
    script = always(*[say(letter) for letter in thought + conclusion], end())
    with serving(script) as (engine, *_):
        split, plain = play(engine, R, Request("r", ASKED))
    assert split.reasoning + split.text == thought + conclusion
    assert split.text.strip() == conclusion
    assert plain.text == thought + conclusion


def test_without_a_count_the_pieces_are_counted_and_marked() -> None:
    with serving(always(say("یک "), say("دو"), chunk({}, "stop"), b"data: [DONE]\n\n")) as (engine, *_):
        (row,) = play(engine, V)
    assert finished(row).usage == Usage(completion_tokens=2, estimated=True)


@pytest.mark.parametrize("tail", [Cut(), Hold()])
def test_an_answer_is_whole_though_its_count_never_comes(tail: Cut | Hold) -> None:
    script = always(say("یک "), say("دو"), chunk({}, "stop"), tail)
    with serving(script, timeouts=Timeouts(between_tokens=0.6)) as (engine, *_):
        (row,) = play(engine, V)
    assert finished(row).finish_reason == "stop"
    assert (row.text, finished(row).usage) == ("یک دو", Usage(completion_tokens=2, estimated=True))


# Time


def test_a_slow_first_token_fails_without_another_try() -> None:
    script = always(chunk({"role": "assistant", "content": ""}), Hold())
    with serving(script, timeouts=Timeouts(first_token=0.3)) as (engine, server, pauses):
        (row,) = play(engine, V)
        assert server.wait_until(lambda server: server.hung_up == 1 and server.busy == 0)
    assert failed(row).message == faults.NO_START.format(seconds="۰٫۳")
    assert failed(row).english == "The model gave no answer within 0.3 seconds. Ask again shortly."
    assert "first_token" in failed(row).detail
    assert pauses == []


def test_a_stall_between_tokens_keeps_what_was_written() -> None:
    script = always(say("نیمی از "), Wait(0.3), say("پاسخ"), Hold())
    with serving(script, timeouts=Timeouts(first_token=5.0, between_tokens=0.8)) as (engine, server, _):
        (row,) = play(engine, V)
        assert server.wait_until(lambda server: server.hung_up == 1)
    assert row.text == "نیمی از پاسخ"
    assert failed(row).message == faults.STALLED


def test_a_long_answer_may_take_longer_than_any_one_limit() -> None:
    script = always(*[step for _ in range(14) for step in (say("واژه "), Wait(0.1))], end())
    with serving(script, timeouts=Timeouts(first_token=1.0, between_tokens=1.0)) as (engine, *_):
        (row,) = play(engine, V)
    assert finished(row).finish_reason == "stop"
    assert row.at[-1] > 1.2


def test_pieces_arrive_as_they_are_said() -> None:
    with serving(always(say("یک "), Wait(0.4), say("دو"), end())) as (engine, *_):
        (row,) = play(engine, V)
    came = [at for at, piece in zip(row.at, row.events, strict=True) if isinstance(piece, Text)]
    assert came[1] - came[0] > 0.3


# Stopping


def test_a_stop_in_the_middle_hangs_up() -> None:
    stop = Stop()
    with serving(always(say("یک "), say("دو "), Hold())) as (engine, server, _):
        (row,) = play(engine, V, stop=stop, each=lambda _, piece: stop.stop(0) if isinstance(piece, Text) else None)
        assert server.wait_until(lambda server: server.hung_up == 1 and server.busy == 0)
    assert finished(row).finish_reason == "stopped"
    assert finished(row).usage.estimated
    assert row.text in ("یک ", "یک دو ")


def test_a_stopped_chain_of_thought_keeps_all_that_was_written() -> None:
    stop = Stop()
    said = ["نخست سن بیمار را می‌سنجیم. ", "بنابراین"]  # the second piece may be held back: a conclusion may begin here
    with serving(always(*[say(piece) for piece in said], Hold())) as (engine, *_):
        threading.Timer(0.5, stop.stop).start()
        (row,) = play(engine, R, stop=stop)
    assert finished(row).finish_reason == "stopped"
    assert row.reasoning + row.text == "".join(said)


def test_a_stop_before_the_first_token_hangs_up() -> None:
    stop = Stop()
    with serving(always(Hold())) as (engine, server, _):
        threading.Timer(0.2, stop.stop).start()
        events = list(engine.stream([V], stop))
        assert server.wait_until(lambda server: server.hung_up == 1)
    assert [finished(Row([piece])).finish_reason for _, piece in events] == ["stopped"]


def test_a_row_stopped_before_it_begins_asks_no_server() -> None:
    stop = Stop()
    stop.stop(0)
    with serving(always(*ANSWER)) as (engine, server, _):
        stopped, whole = play(engine, V, R, stop=stop)
    assert (finished(stopped).finish_reason, finished(whole).finish_reason) == ("stopped", "stop")
    assert [ask.body["model"] for ask in server.asks] == ["r-on-server"]


def test_a_row_whose_task_breaks_fails_in_persian(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no reader today")

    monkeypatch.setattr("gaokerena.engines.endpoint.Deltas", broken)
    with serving(always(*ANSWER)) as (engine, *_):
        (row,) = play(engine, V)
    assert failed(row).message == faults.UNEXPECTED


def test_a_stop_ends_the_wait_for_another_try() -> None:
    stop = Stop()
    with ScriptedServer(lambda ask: refuse(503, "loading")) as server:
        model = EndpointModel(base_url=server.base_url, model="v")
        engine = EndpointEngine({"v": model}, retry=RetryPolicy(first=60, longest=60, sleep=asyncio.sleep))
        start = time.monotonic()
        threading.Timer(0.3, stop.stop).start()
        events = list(engine.stream([V], stop))
        engine.close()
    assert time.monotonic() - start < 5
    assert [finished(Row([piece])).finish_reason for _, piece in events] == ["stopped"]


# Closing


@pytest.mark.parametrize("stuck", ["a connection", "the loop"])
def test_closing_does_not_wait_for_ever_and_never_raises(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, stuck: str
) -> None:
    monkeypatch.setattr("gaokerena.engines.endpoint._CLOSING", 0.3)
    with serving(always(say("نیمه"), Hold())) as (engine, *_):
        rows = engine.stream([V])
        first = next(rows)
        if stuck == "the loop":
            engine._loop.call_soon_threadsafe(time.sleep, 1.5)
        else:
            monkeypatch.setattr(AsyncOpenAI, "close", lambda client: asyncio.sleep(60))
        start = time.monotonic()
        engine.close()
        took = time.monotonic() - start
        (last,) = [event for _, event in rows]
        assert took < 1.2
        assert first == (0, Text("نیمه"))
        assert finished(Row([last])).finish_reason == "stopped"
        assert "closing the connections: TimeoutError" in caplog.text
        engine._thread.join(5)
        assert not engine._thread.is_alive()
