"""EndpointEngine with many rows and several servers: the gate, keys kept secret, settings refused."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from pydantic import SecretStr, ValidationError

from gaokerena.engines import faults
from gaokerena.engines.base import EngineError, Queued, Request, Stop
from gaokerena.engines.endpoint import EndpointEngine
from gaokerena.engines.endpoint_model import EndpointModel
from gaokerena.engines.retry import RetryPolicy
from tests.engines.contract import finished, play
from tests.engines.endpoint_serving import ANSWER, ASKED, SECRET, R, V, always, failed, serving
from tests.engines.scripted_server import (
    Ask,
    Reply,
    Script,
    ScriptedServer,
    Wait,
    end,
    event,
    refuse,
    say,
)


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
