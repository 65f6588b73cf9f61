"""EndpointEngine against a scripted server: the contract, and every fault a real server has shown to someone.

Back-off pauses are recorded, not slept. Not covered here: real servers (test_endpoint_llamacpp).
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate

import pytest
from openai import AsyncOpenAI
from pydantic import SecretStr, ValidationError

from gaokerena.answers import Usage
from gaokerena.engines import faults
from gaokerena.engines.base import EngineError, Failed, Queued, Request, Sampling, Stop, Text
from gaokerena.engines.endpoint import EndpointEngine, EndpointModel
from gaokerena.engines.endpoint_try import Timeouts
from gaokerena.engines.retry import RetryPolicy
from gaokerena.messages import Message
from tests.engines.contract import EngineContract, Row, finished, play
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
    event,
    refuse,
    say,
    think,
)

ASKED = (Message("user", "برای سردرد میگرنی نخست چه باید کرد؟"),)
ANSWER = [say("در جای تاریک "), say("استراحت "), say("کنید."), end()]
SECRET = "sk-very-secret-123"
V = Request("v", ASKED)
R = Request("r", ASKED, "cot")


@contextmanager
def serving(
    script: Script, *, timeouts: Timeouts | None = None, attempts: int = 4, concurrent: int = 16, **fields: object
) -> Iterator[tuple[EndpointEngine, ScriptedServer, list[float]]]:
    """An engine whose models v and r live on a server that plays `script`, and the pauses the engine made."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    retry = RetryPolicy(attempts=attempts, sleep=sleep, draw=lambda: 0.0)
    with ScriptedServer(script) as server:
        models = {
            name: EndpointModel.model_validate(
                {"base_url": server.base_url, "model": f"{name}-on-server", "api_key": SECRET, **fields}
            )
            for name in ("v", "r", "slow")
        }
        engine = EndpointEngine(models, timeouts=timeouts, retry=retry, concurrent=concurrent)
        try:
            yield engine, server, pauses
        finally:
            engine.close()


def always(*steps: bytes | Wait | Cut | Hold) -> Script:
    return lambda ask: Reply(steps)


def first_then(first: Reply, times: int = 1) -> Script:
    """`first` for so many requests, then a good answer."""
    return lambda ask: first if ask.number <= times else Reply(ANSWER)


def failed(row: Row) -> Failed:
    assert isinstance(row.last, Failed), row.last
    return row.last


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


# Faults that may be tried again


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
def test_a_passing_refusal_is_tried_again(status: int) -> None:
    with serving(first_then(refuse(status, "later"), times=2)) as (engine, server, pauses):
        (row,) = play(engine, V)
    assert row.text == "در جای تاریک استراحت کنید."
    assert len(server.asks) == 3
    assert pauses == [0.5, 1.0]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after-ms": "2500"}, 2.5),
        ({"retry-after": "0"}, 0.5),
        ({"retry-after": "soon"}, 0.5),
        ({"retry-after": "nan"}, 0.5),
    ],
)
def test_retry_after_is_obeyed(header: dict[str, str], expected: float) -> None:
    with serving(first_then(refuse(429, "slow down", header))) as (engine, _, pauses):
        (row,) = play(engine, V)
    assert finished(row).finish_reason == "stop"
    assert pauses == [expected]


def test_retry_after_may_be_a_date() -> None:
    with serving(first_then(refuse(503, "x", {"retry-after": formatdate(time.time() + 10, usegmt=True)}))) as (
        engine,
        _,
        pauses,
    ):
        play(engine, V)
    assert pauses[0] == pytest.approx(9.5, abs=1.5)


def test_a_long_retry_after_is_told_not_waited_for() -> None:
    with serving(lambda ask: refuse(429, "slow down", {"retry-after": "90"})) as (engine, server, pauses):
        (row,) = play(engine, V)
    assert failed(row).message == faults.BUSY_FOR.format(seconds="۹۰")
    assert failed(row).english == "The model server is busy. Ask again in 90 seconds."
    assert (len(server.asks), pauses) == (1, [])


def test_an_endless_500_ends_after_the_allowed_tries() -> None:
    with serving(lambda ask: refuse(500, "boom"), attempts=3) as (engine, server, pauses):
        (row,) = play(engine, V)
    assert (len(server.asks), pauses) == (3, [0.5, 1.0])
    assert failed(row).message == faults.BROKEN
    assert "HTTP 500: boom" in failed(row).detail
    assert "after 3 tries" in failed(row).detail


def test_a_spent_quota_is_not_tried_again() -> None:
    with serving(lambda ask: refuse(429, "pay", code="insufficient_quota")) as (engine, server, _):
        (row,) = play(engine, V)
    assert (failed(row).message, len(server.asks)) == (faults.BUSY, 1)


@pytest.mark.parametrize("first", [Reply([Cut()]), Reply([chunk({"role": "assistant"}), Cut()]), Reply([])])
def test_a_connection_lost_before_the_first_token_is_tried_again(first: Reply) -> None:
    with serving(first_then(first)) as (engine, server, pauses):
        (row,) = play(engine, V)
    assert row.text == "در جای تاریک استراحت کنید."
    assert (len(server.asks), pauses) == (2, [0.5])


def test_nobody_listening() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        pauses: list[float] = []

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)

        model = EndpointModel(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1", model="v")
        engine = EndpointEngine({"v": model}, retry=RetryPolicy(attempts=3, sleep=sleep))
        (row,) = play(engine, V)
        engine.close()
    assert failed(row).message == faults.UNREACHABLE
    assert model.base_url in failed(row).detail
    assert len(pauses) == 2


# Faults that may not


def test_each_sentence_for_a_visitor_is_there_in_both_languages() -> None:
    persian = {text for name, text in vars(faults).items() if name.isupper() and isinstance(text, str)}
    assert persian == set(faults.ENGLISH)
    assert all(("{seconds}" in text) == ("{seconds}" in english) for text, english in faults.ENGLISH.items())


@pytest.mark.parametrize("tail", [[Cut()], [], [event({"error": {"message": "cuda died", "code": 500}})]])
def test_what_was_shown_is_kept_and_never_asked_again(tail: list[bytes | Cut]) -> None:
    with serving(always(say("نیمی از "), say("پاسخ"), *tail)) as (engine, server, pauses):
        split, row = play(engine, R, V)
    assert row.text == "نیمی از پاسخ"
    assert split.reasoning + split.text == "نیمی از پاسخ"
    assert failed(row).message == failed(split).message == faults.CUT
    assert failed(row).english == faults.ENGLISH[faults.CUT]
    assert (len(server.asks), pauses) == (2, [])


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (refuse(401, "no"), faults.REFUSED_KEY),
        (refuse(403, "no"), faults.REFUSED_KEY),
        (refuse(404, "The model `v-on-server` does not exist"), faults.UNKNOWN_MODEL),
        (
            refuse(400, "This model's maximum context length is 2048 tokens. However, you requested 3000"),
            faults.TOO_LONG,
        ),
        (refuse(400, "the request exceeds the available context size, try increasing it"), faults.TOO_LONG),
        (refuse(422, "Input validation error: `inputs` must have less than 1000 tokens. Given: 2000"), faults.TOO_LONG),
        (refuse(413, "too large"), faults.TOO_LONG),
        (refuse(400, "Unrecognized request argument supplied: top_k"), faults.BAD_REQUEST),
        (Reply([b"<html><body>Bad gateway</body></html>"], 400, {"content-type": "text/html"}), faults.BAD_REQUEST),
        (Reply([b"<html>welcome</html>"], 200, {"content-type": "text/html"}), faults.UNREADABLE),
        (Reply([b'{"choices": []}'], 200, {"content-type": "application/json"}), faults.UNREADABLE),
        (Reply([b"data: {broken\n\n"]), faults.UNREADABLE),
        (Reply([b"data: [1, 2]\n\n"]), faults.UNREADABLE),
        (Reply([b'data: "text"\n\n']), faults.UNREADABLE),
        (Reply([b"data: \xff\xfe\n\n"]), faults.UNREADABLE),
        (Reply([event({"choices": 3})]), faults.UNREADABLE),
        (Reply([event({"choices": [3]})]), faults.UNREADABLE),
        (Reply([chunk({"content": {"a": 1}})]), faults.UNREADABLE),
        (Reply([event({"error": {"message": "request exceeds the context size"}})]), faults.TOO_LONG),
        (Reply([event({"error": {"message": "odd"}})]), faults.BROKEN),
        (Reply([chunk({}, "content_filter")]), faults.WITHHELD),
    ],
)
def test_a_lasting_fault_is_told_at_once(reply: Reply, message: str) -> None:
    with serving(lambda ask: reply) as (engine, server, pauses):
        (row,) = play(engine, V)
    assert (failed(row).message, failed(row).english) == (message, faults.ENGLISH[message])
    assert (len(server.asks), pauses) == (1, [])
    assert server.base_url in failed(row).detail


def test_a_malformed_chunk_in_the_middle_keeps_what_was_written() -> None:
    with serving(always(say("نیمی "), b"data: {broken\n\n", *ANSWER)) as (engine, *_):
        (row,) = play(engine, V)
    assert (row.text, failed(row).message) == ("نیمی ", faults.UNREADABLE)


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


# Many rows, one gate


def test_twenty_rows_at_once_keep_their_texts_apart() -> None:
    def script(ask: Ask) -> Reply:
        return Reply([say(f"{ask.body['seed']}:"), Wait(0.3), say("تمام"), end()])

    with serving(script, concurrent=20) as (engine, *_):
        rows = play(engine, *[Request("v", ASKED, seed=seed) for seed in range(20)])
    assert [row.text for row in rows] == [f"{seed}:تمام" for seed in range(20)]
    assert max(row.at[-1] for row in rows) < 3.0, "rows waited for one another"


def test_the_gate_is_shared_by_a_servers_models_and_tells_the_place() -> None:
    most = 0

    def script(ask: Ask) -> Reply:
        nonlocal most
        most = max(most, server.busy)
        return Reply([say("نوبت شما رسید."), Wait(0.1), end()])

    with serving(script, concurrent=2) as (engine, server, _):
        rows = play(engine, V, R, V, R, V)
    assert most == 2
    assert [row.places for row in rows] == [[], [], [1, 0], [2, 1, 0], [3, 2, 1, 0]]
    assert all(finished(row).finish_reason == "stop" for row in rows)


def test_one_visitor_cannot_take_all_places() -> None:
    script: Script = lambda ask: Reply([say("آری"), Wait(0.1), end()])  # noqa: E731
    with serving(script, concurrent=1) as (engine, server, _):
        greedy = [Request("v", ASKED, seed=seed, visitor="a") for seed in range(4)]
        play(engine, *greedy, Request("v", ASKED, seed=9, visitor="b"))
    assert [ask.body["seed"] for ask in server.asks] == [0, 9, 1, 2, 3]


def test_a_stopped_row_leaves_the_line_and_the_next_moves_up() -> None:
    stop = Stop()

    def stop_third(row: int, piece: object) -> None:
        if row == 3 and isinstance(piece, Queued):
            stop.stop(1)

    with serving(always(say("آری"), Wait(0.3), end()), concurrent=1) as (engine, server, _):
        rows = play(engine, V, V, V, V, stop=stop, each=stop_third)
    assert finished(rows[1]).finish_reason == "stopped"
    assert [row.places for row in rows] == [[], [1], [2, 1, 0], [3, 2, 1, 0]]
    assert len(server.asks) == 3


def test_a_failed_row_gives_its_place_back() -> None:
    with serving(lambda ask: refuse(401, "no"), concurrent=1) as (engine, server, _):
        rows = play(engine, *[V] * 5)
    assert len(server.asks) == 5
    assert all(failed(row).message == faults.REFUSED_KEY for row in rows)


# Secrets and settings


def _echo_key(status: int) -> Script:
    return lambda ask: refuse(status, f"wrong key {ask.headers['authorization']}")


@pytest.mark.parametrize("script", [_echo_key(401), _echo_key(500), always(event({"error": {"message": SECRET}}))])
def test_no_key_in_messages_logs_or_reprs(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(script) as (engine, server, _):
        (row,) = play(engine, V)
        shown = repr(engine) + repr(vars(engine)) + str(row.events)
    assert server.asks[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in shown
    assert SECRET not in caplog.text
    assert "***" in failed(row).detail


def test_the_environment_is_not_told_to_other_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "from-the-environment")
    with serving(always(*ANSWER), api_key="") as (engine, server, _):
        play(engine, V)
    assert "from-the-environment" not in str(server.asks[0].headers)


@pytest.mark.parametrize(
    "fields",
    [
        {"base_url": "gpu:8000/v1"},
        {"base_url": f"http://user:{SECRET}@gpu/v1"},
        {"base_url": f"http://gpu/v1?key={SECRET}"},
        {"api_key": f"{SECRET}\n"},
        {"api_key": f"{SECRET}‌"},
        {"model": ""},
        {"modle": "v"},
    ],
)
def test_a_bad_setting_is_refused_without_showing_the_key(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refusal:
        EndpointModel.model_validate({"base_url": "http://gpu/v1", "model": "v", **fields})
    assert SECRET not in str(refusal.value)
    assert next(iter(fields)) in str(refusal.value)


def test_an_engine_needs_models_and_room() -> None:
    with pytest.raises(EngineError, match="models"):
        EndpointEngine({})
    with pytest.raises(EngineError, match="concurrent"):
        EndpointEngine({"v": EndpointModel(base_url="http://gpu/v1", model="v")}, concurrent=0)


def test_two_models_may_live_on_two_servers() -> None:
    say_of: Callable[[str], Script] = lambda text: always(say(text), end())  # noqa: E731
    with ScriptedServer(say_of("چپ")) as one, ScriptedServer(say_of("راست")) as two:
        engine = EndpointEngine({
            "v": EndpointModel(base_url=one.base_url, model="m", revision="v-1.0"),
            "r": EndpointModel(base_url=f"{two.base_url}/", model="m", api_key=SecretStr("k")),
        })  # fmt: skip
        left, right = play(engine, V, Request("r", ASKED))
        engine.close()
    assert (left.text, right.text) == ("چپ", "راست")
    assert (finished(left).revision, finished(right).revision) == ("v-1.0", "served")
    assert two.asks[0].path == "/v1/chat/completions"
    assert two.asks[0].headers["authorization"] == "Bearer k"


def test_pauses_grow_and_are_shortened_at_random() -> None:
    policy = RetryPolicy(attempts=9, first=1.0, longest=6.0, draw=lambda: 1.0)
    assert [policy.pause(failures) for failures in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert policy.pause(9) is None
    assert policy.pause(1, retry_after=31) is None
