"""A small OpenAI-style HTTP server that follows a script: slow, cut off, refusing, babbling, as a test wants it.

    with ScriptedServer(lambda ask: Reply([say("سلام"), end()])) as server:
        EndpointModel(base_url=server.base_url, model="v")

The script is called with each `Ask` and gives the `Reply`. Plain asyncio sockets, so that a test can cut a connection
in the middle of a byte and see the other side hang up. Not covered: HTTP/2, keep-alive (every answer closes).
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Ask:
    """One request as it came: `number` counts from 1."""

    number: int
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class Cut:
    """Drop the connection in the middle of the chunked body."""


@dataclass(frozen=True)
class Hold:
    """Say nothing more until the other side hangs up."""


Step = bytes | Wait | Cut | Hold


@dataclass(frozen=True)
class Reply:
    steps: Sequence[Step] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream; charset=utf-8"})


Script = Callable[[Ask], Reply]


def event(data: object) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def chunk(delta: dict[str, Any] | None, finish: str | None = None, usage: dict[str, Any] | None = None) -> bytes:
    """One `chat.completion.chunk`; `delta` None leaves the choices empty, as the usage chunk has them."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "served", "choices": choices}
    return event(body if usage is None else {**body, "usage": usage})


def say(text: str) -> bytes:
    return chunk({"content": text})


def think(text: str, name: str = "reasoning_content") -> bytes:
    return chunk({name: text})


def end(finish: str = "stop", prompt: int = 7, completion: int = 3, cached: int = 0) -> bytes:
    """The last chunks of a well-behaved server: the reason, the count, the mark."""
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return chunk({}, finish) + chunk(None, usage=usage) + b"data: [DONE]\n\n"


def refuse(status: int, message: str, headers: dict[str, str] | None = None, **fields: Any) -> Reply:
    """An error as OpenAI's API words it."""
    body = json.dumps({"error": {"message": message, "type": "x", "code": None, **fields}}).encode()
    return Reply([body], status, {"content-type": "application/json", **(headers or {})})


class ScriptedServer:
    """Serves `script` on a free port. `asks` holds what came, `hung_up` how often the other side left early."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asks: list[Ask] = []
        self.busy = 0
        self.hung_up = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        start = asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=200)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(10)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def wait_until(self, wanted: Callable[[ScriptedServer], bool], seconds: float = 5.0) -> bool:
        """Whether `wanted(self)` came true within `seconds`."""
        deadline = time.monotonic() + seconds
        while not (met := wanted(self)) and time.monotonic() < deadline:
            time.sleep(0.005)
        return met

    async def _shut(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.busy += 1
        try:
            ask = await self._read(reader)
            play = asyncio.ensure_future(self._play(self.script(ask), writer))
            left = asyncio.ensure_future(reader.read(1))
            done, waiting = await asyncio.wait({play, left}, return_when=asyncio.FIRST_COMPLETED)
            self.hung_up += play not in done
            for task in waiting:
                task.cancel()
            await asyncio.gather(play, left, return_exceptions=True)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.busy -= 1
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Ask:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = json.loads(await reader.readexactly(int(headers.get("content-length", "0"))) or b"{}")
        self.asks.append(Ask(len(self.asks) + 1, head[0].split(" ")[1], headers, body))
        return self.asks[-1]

    async def _play(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        headers = {**reply.headers, "transfer-encoding": "chunked", "connection": "close"}
        lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await writer.drain()
        for step in reply.steps:
            match step:
                case bytes():
                    writer.write(f"{len(step):x}\r\n".encode() + step + b"\r\n")
                    await writer.drain()
                case Wait(seconds):
                    await asyncio.sleep(seconds)
                case Cut():
                    writer.transport.abort()
                    return
                case Hold():
                    await asyncio.Event().wait()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
