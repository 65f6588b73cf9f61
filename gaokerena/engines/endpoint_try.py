"""One request to an OpenAI-compatible server: what is sent, the tries, the time limits, the end.

`answer` gives the row's last event and emits the others. Personal identifiers are taken out of every turn before it
leaves, history included, unless the target says that the server is this machine's own. It tries again only what may be
tried again, and never after a piece of text has come. Cancelling its task closes the connection, which is how a server
learns to stop.

Each row is a call of its own, also when rows are equal: with `n=k` the server draws all from one seed and none can be
stopped alone; servers keep the shared prompt in their own prefix cache. Not covered: answers that are not streamed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openai import AsyncOpenAI

from gaokerena.engines.base import Failed, Finished, Request, Sampling
from gaokerena.engines.deltas import Deltas
from gaokerena.engines.endpoint_model import Dialect
from gaokerena.engines.faults import CUT, NO_START, STALLED, UNREADABLE, ServerError, server_error
from gaokerena.engines.retry import RetryPolicy
from gaokerena.scrub import scrub

_LOG = logging.getLogger(__name__)
_SEEDS = 2**31
_USAGE_WAIT = 5.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, from sending until the first piece of text, between two pieces."""

    connect: float = 5.0
    first_token: float = 120.0
    between_tokens: float = 30.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where a row goes: its server and the model's name there; `redact` takes the key out of a text.

    `scrub` says that no personal identifier may reach the server.
    """

    client: AsyncOpenAI
    server: str
    model: str
    dialect: Dialect
    extra_body: dict[str, Any]
    revision: str
    redact: Callable[[str], str]
    scrub: bool = True


async def answer(
    target: Target, request: Request, deltas: Deltas, timeouts: Timeouts, retry: RetryPolicy
) -> Failed | Finished:
    """Ask until the row has its end. Raises asyncio.CancelledError when stopped; `deltas` then knows what came."""
    failures = 0
    while True:
        try:
            await _attempt(target, request, deltas, timeouts)
        except Exception as error:
            fault = server_error(error)
            failures += 1
            again = fault.retryable and not deltas.begun
            pause = retry.pause(failures, fault.retry_after) if again else None
            if pause is None:
                return _failed(fault, failures, deltas, target)
            _LOG.info("%s: %s; again in %.1f s", target.model, target.redact(fault.detail), pause)
            await retry.sleep(pause)
        else:
            reason = deltas.finish_reason or "stop"
            deltas.flush(cut=reason == "length")
            return Finished(deltas.usage, reason, target.revision or deltas.served_model)


def _failed(fault: ServerError, failures: int, deltas: Deltas, target: Target) -> Failed:
    deltas.flush(cut=True)
    if fault.retryable and deltas.begun:
        fault = ServerError(CUT, fault.detail)
    tries = f" (after {failures} tries)" if failures > 1 else ""
    detail = target.redact(f"{target.model} at {target.server}: {fault.detail}{tries}")
    _LOG.warning("%s", detail)
    again = fault.retryable and not deltas.begun
    return Failed(fault.message, detail, fault.english, again, fault.retry_after if again else None)


async def _attempt(target: Target, request: Request, deltas: Deltas, timeouts: Timeouts) -> None:
    try:
        async with asyncio.timeout(timeouts.first_token) as limit:
            await _read(target, request, deltas, lambda seconds: limit.reschedule(_now() + seconds), timeouts)
    except TimeoutError:
        if deltas.finish_reason:
            return  # the answer is whole; only the count did not come
        if deltas.begun:
            raise ServerError(STALLED, f"no piece of text for {timeouts.between_tokens:g} s; see Timeouts") from None
        detail = f"no text within {timeouts.first_token:g} s; raise Timeouts.first_token or look at the server's load"
        raise ServerError(NO_START, detail, seconds=timeouts.first_token) from None


async def _read(
    target: Target, request: Request, deltas: Deltas, grant: Callable[[float], None], timeouts: Timeouts
) -> None:
    stream = await target.client.chat.completions.create(**_payload(target, request))
    try:
        _check_kind(stream.response.headers.get("content-type", ""))
        async for chunk in stream:
            if deltas.take(chunk):
                grant(timeouts.between_tokens)
            if deltas.finish_reason:
                grant(min(_USAGE_WAIT, timeouts.between_tokens))
    except Exception:
        if not deltas.finish_reason:
            raise
    finally:
        await stream.close()
    if not deltas.finish_reason:
        raise ServerError(
            CUT if deltas.begun else UNREADABLE, "the stream ended without a finish_reason", retryable=True
        )


def _check_kind(content_type: str) -> None:
    if "html" in content_type or "json" in content_type:
        raise ServerError(
            UNREADABLE,
            f"the server sent {content_type!r} where text/event-stream belongs; is base_url the API (…/v1) and does "
            "the server stream?",
        )


def _payload(target: Target, request: Request) -> dict[str, Any]:
    sampling = request.sampling
    standard: dict[str, Any] = {
        "model": target.model,
        "messages": [
            {"role": turn.role, "content": scrub(turn.content).text if target.scrub else turn.content}
            for turn in request.messages
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": sampling.temperature,
        "max_tokens": sampling.max_new_tokens,
        "seed": request.seed % _SEEDS,
    }
    if sampling.top_p != 1.0 or target.dialect != "openai":
        standard["top_p"] = sampling.top_p
    return {**standard, "extra_body": {**_beyond_standard(target.dialect, sampling), **target.extra_body}}


def _beyond_standard(dialect: Dialect, sampling: Sampling) -> dict[str, Any]:
    """Settings the OpenAI API does not have. A strict server refuses them, so `openai` sends only what was changed."""
    if dialect == "vllm":  # its defaults come from the model's generation_config.json
        return {"top_k": sampling.top_k or -1, "min_p": 0.0, "repetition_penalty": sampling.repetition_penalty}
    if dialect == "llama.cpp":  # its defaults are top_k 40, top_p 0.95, min_p 0.05
        body: dict[str, Any] = {"top_k": sampling.top_k, "min_p": 0.0, "repeat_penalty": sampling.repetition_penalty}
        return body if sampling.repetition_penalty == 1.0 else {**body, "repeat_last_n": -1}
    changed = {"top_k": sampling.top_k, "repetition_penalty": sampling.repetition_penalty}
    default = Sampling()
    return {name: value for name, value in changed.items() if value != getattr(default, name)}


def _now() -> float:
    return asyncio.get_running_loop().time()
