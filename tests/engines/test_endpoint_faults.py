"""EndpointEngine against every fault a real server has shown to someone. Back-off pauses are recorded, not slept."""

from __future__ import annotations

import socket
import time
from email.utils import formatdate

import pytest

from gaokerena.engines import faults
from gaokerena.engines.endpoint import EndpointEngine
from gaokerena.engines.endpoint_model import EndpointModel
from gaokerena.engines.retry import RetryPolicy
from tests.engines.contract import finished, play
from tests.engines.endpoint_serving import ANSWER, R, V, always, failed, first_then, serving
from tests.engines.scripted_server import (
    Cut,
    Reply,
    chunk,
    event,
    refuse,
    say,
)

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
    assert (failed(row).retryable, failed(row).retry_after) == (True, 90.0)
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
    assert (failed(row).retryable, failed(row).retry_after) == (False, None)
    assert (len(server.asks), pauses) == (1, [])
    assert server.base_url in failed(row).detail


def test_a_malformed_chunk_in_the_middle_keeps_what_was_written() -> None:
    with serving(always(say("نیمی "), b"data: {broken\n\n", *ANSWER)) as (engine, *_):
        (row,) = play(engine, V)
    assert (row.text, failed(row).message) == ("نیمی ", faults.UNREADABLE)
