"""An EndpointEngine whose models live on a scripted server, for the tests of the endpoint engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gaokerena.engines.base import Failed, Request
from gaokerena.engines.endpoint import EndpointEngine
from gaokerena.engines.endpoint_model import EndpointModel
from gaokerena.engines.endpoint_try import Timeouts
from gaokerena.engines.retry import RetryPolicy
from gaokerena.messages import Message
from tests.engines.contract import Row
from tests.engines.scripted_server import (
    Cut,
    Hold,
    Reply,
    Script,
    ScriptedServer,
    Wait,
    end,
    say,
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
