"""Answers from models on this machine: one base, V and R as adapters, all rows of all visitors in one batch.

    engine = LocalEngine("models/mini/base", {"v": "models/mini/v", "r": "models/mini/r"})
    for row, event in engine.stream([Request("v", messages), Request("r", messages, "cot")]): ...

One worker thread loads the models and does all torch work. Calls of `stream` wait in a queue in which visitors take
turns; they join the running batch between two tokens when they fit.
Not covered: several processes on one model, prompt caches kept between turns.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence

from gaokerena.answers import Usage
from gaokerena.engines.base import EngineError, Event, Finished, Request, Stop, drain
from gaokerena.engines.cache import room_for_positions
from gaokerena.engines.threads import calm, enough

calm()

import torch  # noqa: E402  (OpenMP reads its environment when torch is loaded)

from gaokerena.engines import extra  # noqa: E402
from gaokerena.engines.decoding import Batch, Row  # noqa: E402
from gaokerena.engines.encoding import advance, encode, told  # noqa: E402
from gaokerena.engines.jobs import Errands, Job, Limits, Turns  # noqa: E402
from gaokerena.engines.loading import Loaded, Quantise, load  # noqa: E402


class LocalEngine:
    """See the module. `max_rows` bounds the batch, `max_tokens` the cache positions of all its rows (0: by memory).

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
        max_tokens: int = 0,
        threads: int = 0,
    ) -> None:
        self._source = (base, dict(adapters), device, dtype, quantise)
        self._names = tuple(adapters)
        self._limits = Limits(max_rows, max_tokens)
        self._threads = threads
        self._waiting: list[Job] = []
        self._running: list[Job] = []
        self._errands = Errands()
        self._turns = Turns()
        self._closed = False
        self._changed = threading.Condition()
        self._ready: queue.Queue[BaseException | None] = queue.Queue()
        self._worker = threading.Thread(target=self._work, name="gaokerena-engine", daemon=True)
        self._worker.start()
        if (error := self._ready.get()) is not None:
            raise error

    @property
    def models(self) -> tuple[str, ...]:
        return (*self._names, "base")

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def loaded(self) -> Loaded:
        """The models themselves, for measuring; nobody may compute with them while a stream is open."""
        return self._loaded

    @property
    def description(self) -> str:
        """Device, dtype, context length and threads, for the log and for what an evaluation notes."""
        model, context = self._loaded.model, self._loaded.context
        return (
            f"{model.device.type}, {str(model.dtype).removeprefix('torch.')}, context {context}, threads {self._using}"
        )

    def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
        """See `engines.base`."""
        if not requests:
            return
        job = Job(tuple(requests), stop or Stop())
        with self._changed:
            open_ = not self._closed
            if open_:
                self._waiting.append(job)
                self._changed.notify()
        if not open_:
            yield from ((row, Finished(Usage(), "stopped")) for row in range(len(requests)))
            return
        try:
            yield from drain(job.events, len(requests), job.stop)
        finally:
            with self._changed:
                self._changed.notify()

    def add(self, name: str, folder: str) -> None:
        """Offer the adapter in `folder` as the model `name`; rows being written go on. Returns once it is there.

        Raises EngineError for what `engines.extra` refuses, and where the engine is closed.
        """

        def work() -> None:
            extra.add(self._loaded, self._source[0], name, folder)
            self._names = (*self._names, name)

        with self._changed:
            if self._closed:
                raise EngineError(f"adapter {name} cannot be added: the engine is closed")
            done = self._errands.add(work)
            self._changed.notify()
        done.result()

    def close(self) -> None:
        """End every stream as stopped and wait for the worker."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._worker.join()

    def _work(self) -> None:
        try:
            base, adapters, device, dtype, quantise = self._source
            self._loaded = load(base, adapters, device=device, dtype=dtype, quantise=quantise)
            if threads := self._threads or enough(self._loaded.parameters, self._loaded.model.device.type):
                torch.set_num_threads(threads)
            self._using = torch.get_num_threads()
            self._limits.positions = self._limits.positions or room_for_positions(self._loaded.model)
            self._batch = Batch(
                self._loaded.model,
                self._loaded.selection,
                self._loaded.end_tokens,
                self._loaded.tokenizer.pad_token_id or 0,
            )
        except BaseException as error:
            self._ready.put(error)
            return
        self._ready.put(None)
        try:
            while self._turn():
                pass
        finally:
            self._end_all()

    def _turn(self) -> bool:
        """Take in what fits, stop what is stopped, make one token. False when the engine is closed.

        Whatever goes wrong ends the rows at hand, never the worker: others are waiting for it.
        """
        failed: Exception | None = None
        try:
            if not self._admit():
                return False
            self._stop_rows()
            if self._batch.rows:
                self._step()
        except Exception as error:
            failed = error.with_traceback(None)  # the traceback would keep the tensors alive
        if failed is not None:
            self._fail(self._running, failed)
            self._batch.clear()
        self._running = [job for job in self._running if job.rows]
        return True

    def _admit(self) -> bool:
        """Sleep when there is nothing to do; start what fits. False when the engine is closed."""
        with self._changed:
            while not self._closed and not self._waiting and not self._batch.rows and not self._errands:
                self._turns.forget()
                self._changed.wait()
            if self._closed:
                return False
            waiting, errands = list(self._waiting), self._errands.take()
        for errand in errands:
            errand.run()
        for job in waiting:
            encode(job, self._loaded, self.models)
            job.end_stopped()
        order = [job for job in self._turns.order(waiting, self._running) if job.pending]
        for place, job in enumerate(order):
            if not self._join(job):
                for position, other in enumerate(order[place:], 1):
                    other.tell(position)
                break
        with self._changed:
            self._waiting = [job for job in self._waiting if job.pending or not job.encoded]
        return True

    def _join(self, job: Job) -> bool:
        """Start the rows of a waiting call, all at once when they are not more than a batch holds. False: no room."""
        part = job.pending[: self._limits.rows]
        if not self._limits.fits(self._batch.rows, part):
            return False
        self._turns.take(job)
        job.tell(0)
        job.pending = job.pending[len(part) :]
        failed: Exception | None = None
        try:
            self._batch.join(part)
        except Exception as error:
            failed = error.with_traceback(None)
        if failed is not None:
            self._fail_rows(job, part, failed)
        elif job not in self._running:
            self._running.append(job)
        return True

    def _stop_rows(self) -> None:
        """Take out the rows whose visitor stopped them."""
        for job in self._running:
            self._batch.leave(job.end_stopped())

    def _step(self) -> None:
        writers = {row: writer for job in self._running for row, (_, writer) in job.rows.items()}
        for row, token in self._batch.step():
            advance(writers[row], row, token)
        for job in self._running:
            job.forget()

    def _fail(self, jobs: Sequence[Job], error: Exception) -> None:
        """End every started row of `jobs` with an error; rows that still wait go on waiting."""
        for job in jobs:
            self._fail_rows(job, [row for row in job.rows if row not in job.pending], error)

    def _fail_rows(self, job: Job, rows: Sequence[Row], error: Exception) -> None:
        for row in rows:
            job.rows[row][1].fail(*told(error))
        job.forget()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _end_all(self) -> None:
        """The worker ends: so does every row, and the models are let go."""
        with self._changed:
            self._closed = True
            jobs, self._waiting = [*self._running, *self._waiting], []
            errands = self._errands.take()
        for errand in errands:
            errand.done.set_exception(EngineError("the engine was closed before the adapter was added"))
        for job in dict.fromkeys(jobs):
            job.stop.stop()
            encode(job, self._loaded, self.models)
            job.end_stopped()
        self._running = []
        self._batch.clear()
