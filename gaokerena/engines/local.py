"""Answers from models on this machine: one base, V and R as adapters, all rows of all visitors in one batch.

    engine = LocalEngine("models/mini/base", {"v": "models/mini/v", "r": "models/mini/r"})
    for row, event in engine.stream([Request("v", messages), Request("r", messages, "cot")]): ...

One worker thread loads the models and does all torch work. Calls of `stream` wait in a queue in which visitors take
turns; they join the running batch between two tokens when they fit.
Not covered: several processes on one model, prompt caches kept between turns.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gaokerena.answers import Usage
from gaokerena.engines.base import Event, Failed, Finished, Queued, Request, Stop
from gaokerena.engines.threads import calm
from gaokerena.persian import persian_digits

calm()

import torch  # noqa: E402  (OpenMP reads its environment when torch is loaded)

from gaokerena.engines.decoding import Batch, Row  # noqa: E402
from gaokerena.engines.loading import Loaded, Quantise, load  # noqa: E402
from gaokerena.engines.writer import Writer  # noqa: E402

TOO_LONG = (
    "این گفت‌وگو بلندتر از آن است که مدل بتواند بخواند ({tokens} واحد از {context}). "
    "پرسش را کوتاه‌تر کنید یا گفت‌وگوی تازه‌ای آغاز کنید."
)
OUT_OF_MEMORY = "حافظهٔ دستگاه برای این پاسخ بس نبود. پرسش کوتاه‌تری بپرسید یا کمی بعد دوباره بکوشید."
BROKEN = "در ساختن پاسخ خطایی پیش آمد. لطفاً دوباره بپرسید."
NO_MODEL = "این مدل در دسترس نیست."


@dataclass(eq=False)
class _Job:
    """One call of `stream`: its requests, its stop and where its events go."""

    requests: Sequence[Request]
    stop: Stop
    events: queue.Queue[tuple[int, Event]] = field(default_factory=queue.Queue)
    rows: dict[Row, tuple[int, Writer]] = field(default_factory=dict)
    position: int = -1

    @property
    def visitor(self) -> str:
        return self.requests[0].visitor or f"call-{id(self)}"

    def send(self, row: int, event: Event) -> None:
        self.events.put((row, event))


class LocalEngine:
    """See the module. `max_rows` bounds the batch, `max_tokens` the cache positions of all its rows together.

    Raises EngineError from the constructor when the models cannot be loaded (see `loading`).
    """

    def __init__(
        self,
        base: str,
        adapters: Mapping[str, str],
        *,
        device: str = "auto",
        dtype: str = "auto",
        quantise: Quantise = "none",
        max_rows: int = 16,
        max_tokens: int = 65_536,
        threads: int = 0,
    ) -> None:
        self._source = (base, dict(adapters), device, dtype, quantise)
        self._limits = (max_rows, max_tokens)
        self._threads = threads
        self._waiting: list[_Job] = []
        self._running: list[_Job] = []
        self._served: dict[str, int] = {}
        self._tick = itertools.count(1)
        self._closed = False
        self._changed = threading.Condition()
        self._ready: queue.Queue[BaseException | None] = queue.Queue()
        self._worker = threading.Thread(target=self._work, name="gaokerena-engine", daemon=True)
        self._worker.start()
        if (error := self._ready.get()) is not None:
            raise error

    @property
    def models(self) -> tuple[str, ...]:
        return (*self._source[1], "base")

    @property
    def loaded(self) -> Loaded:
        """The models themselves, for measuring; nobody may compute with them while a stream is open."""
        return self._loaded

    @property
    def description(self) -> str:
        """Device, dtype and context length, for the log."""
        model = self._loaded.model
        return f"{model.device.type}, {str(model.dtype).removeprefix('torch.')}, context {self._loaded.context}"

    def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
        """See `engines.base`."""
        if not requests:
            return
        job = _Job(tuple(requests), stop or Stop())
        with self._changed:
            closed = self._closed
            if not closed:
                self._waiting.append(job)
                self._changed.notify()
        if closed:
            yield from ((row, Finished(Usage(), "stopped")) for row in range(len(requests)))
            return
        left = len(requests)
        try:
            while left:
                row, event = job.events.get()
                left -= isinstance(event, Failed | Finished)
                yield row, event
        finally:
            job.stop.stop()
            with self._changed:
                self._changed.notify()

    def close(self) -> None:
        """End every stream as stopped and wait for the worker."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._worker.join()

    def _work(self) -> None:
        try:
            if self._threads:
                torch.set_num_threads(self._threads)
            base, adapters, device, dtype, quantise = self._source
            self._loaded = load(base, adapters, device=device, dtype=dtype, quantise=quantise)
        except BaseException as error:
            self._ready.put(error)
            return
        self._batch = self._new_batch(self._loaded)
        self._ready.put(None)
        while self._admit():
            self._stop_rows()
            if self._batch.rows:
                self._guarded_step()

    def _new_batch(self, loaded: Loaded) -> Batch:
        return Batch(loaded.model, loaded.selection, loaded.end_tokens, loaded.tokenizer.pad_token_id or 0)

    def _admit(self) -> bool:
        """Take in what fits; sleep when there is nothing to do. False when the engine is closed."""
        with self._changed:
            while not self._closed and not self._waiting and not self._batch.rows:
                self._served.clear()  # nobody waits, so nobody is owed a turn
                self._changed.wait()
            if self._closed:
                self._end_all()
                return False
            jobs = self._take()
        for job in jobs:
            self._start(job)
        return True

    def _take(self) -> list[_Job]:
        """The waiting calls that fit now, in fair order; tells the others their place."""
        taken: list[_Job] = []
        rows, tokens = len(self._batch.rows), sum(len(row.prompt) + row.limit for row in self._batch.rows)
        order = self._fair_order()
        for job in order:
            need = sum(request.sampling.max_new_tokens + 64 for request in job.requests)
            full = rows + len(job.requests) > self._limits[0] or tokens + need > self._limits[1]
            if full and (rows or taken):
                break
            rows, tokens = rows + len(job.requests), tokens + need
            taken.append(job)
            self._waiting.remove(job)
            self._served[job.visitor] = next(self._tick)
        for position, job in enumerate(job for job in order if job not in taken):
            self._tell(job, position + 1)
        return taken

    def _fair_order(self) -> list[_Job]:
        """Visitors take turns: everybody's first call before anybody's second, the visitor served longest ago first."""
        count: Counter[str] = Counter(job.visitor for job in self._running)
        turns = {}
        for job in self._waiting:
            turns[job] = count[job.visitor]
            count[job.visitor] += 1
        return sorted(self._waiting, key=lambda job: (turns[job], self._served.get(job.visitor, 0)))

    def _tell(self, job: _Job, position: int) -> None:
        if job.position == position:
            return
        job.position = position
        for row in range(len(job.requests)):
            job.send(row, Queued(position))

    def _start(self, job: _Job) -> None:
        """Encode a call's requests and prefill them."""
        self._tell(job, 0)
        for number, request in enumerate(job.requests):
            if (row := self._encode(job, number, request)) is not None:
                prompting, name = request.prompting, self._loaded.revisions.get(request.model, "")
                send = lambda event, number=number: job.send(number, event)  # noqa: E731
                job.rows[row] = (number, Writer(self._loaded.tokenizer, row, prompting, name, send))
        going = [row for row, (number, _) in job.rows.items() if not self._stopped(job, row, number)]
        if not going:
            return
        self._running.append(job)
        try:
            self._batch.join(going)
        except Exception as error:
            self._fail(job.rows, error)
            self._forget()

    def _encode(self, job: _Job, number: int, request: Request) -> Row | None:
        """The row for a request; None, with a Failed sent, when it cannot be answered."""
        if request.model not in self.models:
            job.send(number, Failed(NO_MODEL, f"no model {request.model!r}; there are {', '.join(self.models)}"))
            return None
        turns = [{"role": turn.role, "content": turn.content} for turn in request.messages]
        text = self._loaded.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        prompt = self._loaded.tokenizer(text, add_special_tokens=False).input_ids
        room = self._loaded.context - len(prompt)
        if room < 1:
            message = TOO_LONG.format(tokens=persian_digits(len(prompt)), context=persian_digits(self._loaded.context))
            job.send(number, Failed(message, f"prompt of {len(prompt)} tokens, context of {self._loaded.context}"))
            return None
        limit = min(request.sampling.max_new_tokens, room)
        return Row(request.model, tuple(prompt), request.sampling, request.seed, limit)

    def _stop_rows(self) -> None:
        """Take out the rows whose visitor stopped them, and waiting calls that were stopped whole."""
        for job in self._running:
            self._batch.leave([row for row, (number, _) in job.rows.items() if self._stopped(job, row, number)])
        self._forget()
        with self._changed:
            gone = [job for job in self._waiting if all(map(job.stop.stopped, range(len(job.requests))))]
            self._waiting = [job for job in self._waiting if job not in gone]
        for job in gone:
            self._start(job)

    def _stopped(self, job: _Job, row: Row, number: int) -> bool:
        if job.stop.stopped(number):
            job.rows[row][1].finish("stopped")
        return job.stop.stopped(number)

    def _guarded_step(self) -> None:
        writers = {row: writer for job in self._running for row, (_, writer) in job.rows.items()}
        try:
            for row, token in self._batch.step():
                _advance(writers[row], row, token)
        except Exception as error:
            for job in self._running:
                self._fail(job.rows, error)
            self._batch.clear()
        self._forget()

    def _fail(self, rows: Mapping[Row, tuple[int, Writer]], error: Exception) -> None:
        memory = isinstance(error, torch.OutOfMemoryError) or "allocate" in str(error)
        for _, writer in rows.values():
            writer.fail(OUT_OF_MEMORY if memory else BROKEN, f"{type(error).__name__}: {error}")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _forget(self) -> None:
        """Drop ended rows, and calls without rows."""
        for job in self._running:
            job.rows = {row: pair for row, pair in job.rows.items() if not pair[1].ended}
        self._running = [job for job in self._running if job.rows]

    def _end_all(self) -> None:
        for job in [*self._running, *self._waiting]:
            job.stop.stop()
        for job in self._waiting:
            self._start(job)
        self._waiting = []
        self._stop_rows()
        self._batch.clear()


def _advance(writer: Writer, row: Row, token: int | None) -> None:
    if token is None:
        writer.finish("stop")
        return
    writer.update()
    if len(row.tokens) >= row.limit:
        writer.finish("length")
