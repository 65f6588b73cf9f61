"""Answers from any OpenAI-compatible server (vLLM, llama.cpp, TGI, Ollama): the way past one machine.

    engine = EndpointEngine({
        "v": EndpointModel(base_url="http://gpu:8000/v1", model="gaokerena-v1.0", dialect="vllm"),
        "r": EndpointModel(base_url="http://gpu:8000/v1", model="gaokerena-r1.0", dialect="vllm", prompting="cot"),
    })

V and R may live on one server or on two. All connections live in one event loop in a thread of the engine's own; each
row is a task there, so rows never wait for one another except at the server's gate. Stopping a row cancels its task,
which closes its connection. A key never shows in a message, a log line or a repr. Personal identifiers are taken out of
what is sent (`gaokerena.scrub`), and out of what is logged.

Not covered: servers without streaming, images and tools, choosing between several replicas of one server.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import traceback
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import httpx2
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from pydantic import SecretStr

from gaokerena.answers import Usage
from gaokerena.engines.base import EngineError, Event, Failed, Finished, Queued, Request, Stop
from gaokerena.engines.deltas import Deltas
from gaokerena.engines.endpoint_model import EndpointModel
from gaokerena.engines.endpoint_try import Target, Timeouts, answer
from gaokerena.engines.faults import ENGLISH, NO_MODEL, UNEXPECTED, ServerError
from gaokerena.engines.gate import Gate
from gaokerena.engines.retry import RetryPolicy

_LOG = logging.getLogger(__name__)
_STOP_CHECK = 0.02
_CLOSING = 10.0
_NO_KEY = "none"  # the client insists on a key; servers without one ignore it
_Rows = queue.SimpleQueue[tuple[int, Event] | None]


class EndpointEngine:
    """Asks `models` on their servers; at most `concurrent` requests are under way at each server at once.

    Those beyond wait, and visitors (`Request.visitor`) take turns.
    """

    def __init__(
        self,
        models: Mapping[str, EndpointModel],
        *,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        concurrent: int = 16,
    ) -> None:
        """Raises EngineError without models or with a `concurrent` below 1. No server is asked yet."""
        if not models or concurrent < 1:
            raise EngineError(f"an endpoint engine needs models ({len(models)}) and concurrent >= 1 ({concurrent})")
        self._timeouts, self._retry = timeouts or Timeouts(), retry or RetryPolicy()
        self._gates = {model.base_url: Gate(concurrent) for model in models.values()}
        self._clients: dict[tuple[str, SecretStr], AsyncOpenAI] = {}
        self._models = dict(models)
        self._targets = {name: self._target(model) for name, model in models.items()}
        self._lock = threading.Lock()
        self._closed = False
        self._serving: set[asyncio.Task[None] | None] = set()
        self._calls: set[Future[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="endpoint-engine", daemon=True)
        self._thread.start()

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(self._models)

    def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
        """See `engines.base`. A row waiting for its server's gate gets `Queued` events."""
        rows: _Rows = queue.SimpleQueue()
        call = self._submit(self._serve(requests, stop or Stop(), rows))
        if call:
            call.add_done_callback(lambda _: rows.put(None))
        unfinished = set(range(len(requests)))
        try:
            while call and unfinished and (item := rows.get()):
                if isinstance(item[1], Failed | Finished):
                    unfinished.discard(item[0])
                yield item
            for row in sorted(unfinished):
                yield row, self._never_ran()
        finally:
            if call:
                call.cancel()

    def _never_ran(self) -> Event:
        """The end of a row that gave none itself: the engine was closed before it began, or its task broke."""
        if self._closed:
            return Finished(Usage(), "stopped")
        return Failed(UNEXPECTED, "the row's task ended without an end; see the log of asyncio", ENGLISH[UNEXPECTED])

    def close(self) -> None:
        """Stop every row, close every connection, end the thread. Closing twice does nothing; it never raises.

        What has not ended in ten seconds is left to the thread, which lets go of it when it can; every row has ended.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        winding_up = asyncio.run_coroutine_threadsafe(self._wind_up(), self._loop)
        try:
            winding_up.result(_CLOSING)
        except Exception as error:  # also what a connection raises when it closes: there is nobody to tell but the log
            _LOG.warning("closing the connections: %s: %s", type(error).__name__, error)
            winding_up.cancel()
        for call in list(self._calls):
            call.cancel()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSING)

    def _run(self) -> None:
        """The thread: the loop until it is stopped, then the end of what is left in it."""
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left))
        self._loop.close()

    def _target(self, model: EndpointModel) -> Target:
        place = (model.base_url, model.api_key)
        if place not in self._clients:
            self._clients[place] = self._client(*place)
        redact = _redactor(model.api_key.get_secret_value())
        sent = (model.model, model.dialect, model.extra_body, model.revision)
        return Target(self._clients[place], model.base_url, *sent, redact, model.scrub)

    def _client(self, base_url: str, key: SecretStr) -> AsyncOpenAI:
        unlimited = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
        http = DefaultAsyncHttpxClient(timeout=httpx2.Timeout(None, connect=self._timeouts.connect), limits=unlimited)
        client = AsyncOpenAI(
            api_key=key.get_secret_value() or _NO_KEY, base_url=base_url, max_retries=0, http_client=http
        )
        client.organization = client.project = None  # from the environment; no business of another server
        return client

    def _submit(self, work: Coroutine[Any, Any, None]) -> Future[None] | None:
        with self._lock:
            if not self._closed:
                call = asyncio.run_coroutine_threadsafe(work, self._loop)
                self._calls.add(call)
                call.add_done_callback(self._calls.discard)
                return call
        work.close()
        return None

    async def _serve(self, requests: Sequence[Request], stop: Stop, rows: _Rows) -> None:
        """Run one task a row and watch `stop`; cancelling this ends them all."""
        me = asyncio.current_task()
        self._serving.add(me)
        tasks = {asyncio.create_task(self._row(row, request, stop, rows)): row for row, request in enumerate(requests)}
        told: set[asyncio.Task[None]] = set()
        running = set(tasks)
        try:
            while running:
                _, running = await asyncio.wait(running, timeout=_STOP_CHECK)
                for task in [task for task in running - told if stop.stopped(tasks[task])]:
                    told.add(task)  # once: a second cancel would disturb the closing of the connection
                    task.cancel()
        finally:
            for task in running - told:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._serving.discard(me)

    async def _row(self, row: int, request: Request, stop: Stop, rows: _Rows) -> None:
        """One row from its place in the queue to its one last event."""
        target = self._targets.get(request.model)
        if target is None:
            detail = f"no model {request.model!r} here, only {', '.join(self._models)}"
            rows.put((row, Failed(NO_MODEL, detail, ENGLISH[NO_MODEL])))
            return
        deltas = Deltas(request.prompting, lambda event: rows.put((row, event)), lambda: stop.stopped(row))
        last: Failed | Finished
        try:
            if stop.stopped(row):
                raise asyncio.CancelledError
            tell = lambda place: rows.put((row, Queued(place)))  # noqa: E731
            async with self._gates[target.server].enter(tell, request.visitor):
                last = await answer(target, request, deltas, self._timeouts, self._retry)
        except asyncio.CancelledError:
            deltas.flush(cut=True)
            last = Finished(deltas.usage, "stopped", target.revision or deltas.served_model)
        except Exception as error:  # a fault of ours: the row must end all the same
            fault = ServerError(UNEXPECTED, target.redact(f"{type(error).__name__}: {error}"))
            where = "".join(traceback.format_tb(error.__traceback__))  # without the text, which may hold a visitor's
            _LOG.error("row %d of model %s: %s\n%s", row, request.model, fault.detail, where)
            last = Failed(UNEXPECTED, fault.detail, fault.english)
        rows.put((row, last))

    async def _wind_up(self) -> None:
        serving = {task for task in self._serving if task}
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving, timeout=_CLOSING / 2)
        for client in self._clients.values():
            await client.close()
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()


def _redactor(key: str) -> Callable[[str], str]:
    return lambda text: text.replace(key, "***") if key else text
