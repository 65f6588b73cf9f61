"""One comparison being answered: the engine's events gathered into two sides that can be looked at any time.

    for _ in attempt.updates():                      # at most ten a second
        left = attempt.state("left")                 # a snapshot: reasoning, conclusion, steps, choice, finished …
    attempt.stop("left")                             # from any thread; None stops both
    settle(10.0)                                     # at the end of the process: wait for what is still being stored

One thread a comparison reads the engine's events, so neither side waits for the other. Each answer is in the store
before its side is shown finished. Leaving `updates` or `watch` early stops the engine's rows.

Not covered: making the requests (`session`), and what a person says of the answers (`visits`).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import dataclass
from typing import Protocol

from gaokerena.answers import Answer, FinishReason
from gaokerena.comparisons import CHOICES, SIDES, Choice, Comparison, Side
from gaokerena.engines.base import Engine, Event, Failed, Finished, Queued, Request, Stop
from gaokerena.gather import Gathering
from gaokerena.messages import Message
from gaokerena.questions import Letter
from gaokerena.reasoning import steps

log = logging.getLogger(__name__)

UPDATE_SECONDS = 0.1
BROKEN = "پاسخ‌گویی به خطا برخورد. دوباره بپرسید؛ اگر باز هم پیش آمد، کمی بعد برگردید."
BROKEN_ENGLISH = "Answering broke. Ask again; if it happens once more, come back in a while."
READABLE_CHARACTERS = 40
"""A side still being written can be judged from this length on: less is not yet a sentence."""

_running: set[threading.Thread] = set()
_running_lock = threading.Lock()


class Record(Protocol):
    """Where comparisons and answers are kept (`store.Store` fits)."""

    def add_comparison(self, comparison: Comparison) -> object: ...

    def add_answer(self, comparison_id: str, side: Side, answer: Answer) -> object: ...


@dataclass(frozen=True, slots=True)
class SideState:
    """What one side has said so far. `queued` is its place in the line; None once it writes.

    `seconds` of work, the queue left out (all seconds since the question where it ended before any work);
    `thought_seconds` of them before the conclusion began, or so far, while it has not. `error` is Persian and
    `error_english`, where the engine gave it, the same in English.
    """

    reasoning: str = ""
    conclusion: str = ""
    steps: tuple[str, ...] = ()
    choice: Letter | None = None
    queued: int | None = None
    finish_reason: FinishReason | None = None
    error: str = ""
    error_english: str = ""
    seconds: float = 0.0
    thought_seconds: float = 0.0

    @property
    def finished(self) -> bool:
        return self.finish_reason is not None

    @property
    def said_something(self) -> bool:
        return bool(self.reasoning.strip() or self.conclusion.strip())

    @property
    def readable(self) -> bool:
        """Whether there is enough to judge: whatever was said once it has ended, a sentence's length before."""
        return self.said_something and (
            self.finished or len(self.reasoning.strip()) + len(self.conclusion.strip()) >= READABLE_CHARACTERS
        )


@dataclass(slots=True)
class Curtain:
    """Hides who sat where. Comparisons that share their seats share it: what one reveals, all have revealed."""

    open: bool = False


@dataclass(slots=True)
class _Row:
    """One side while it grows; changed by the reading thread only. `answer` comes at the end."""

    said: Gathering
    queued: int | None = None
    answer: Answer | None = None
    ended: float = 0.0
    error_english: str = ""
    steps: tuple[str, ...] = ()
    counted: int = 0


class Attempt:
    """One comparison being answered. `state` is safe from any thread; `version` grows with every change.

    `curtain` says whether the seating was shown, by this comparison or one with the same seats; `judged` whether this
    comparison has a verdict. Both are kept by `visits`.
    """

    def __init__(
        self, comparison: Comparison, requests: Mapping[Side, Request], engine: Engine, record: Record
    ) -> None:
        self.comparison = comparison
        self.version = 0
        self.curtain = Curtain()
        self.judged = False
        self._rows = {side: _Row(Gathering(comparison.question, requests[side])) for side in SIDES}
        self._engine = engine
        self._record = record
        self._stop = Stop()
        self._changed = threading.Condition()
        reader = threading.Thread(target=self._run, name=f"attempt-{comparison.id[:8]}", daemon=True)
        with _running_lock:
            _running.add(reader)
        reader.start()

    @property
    def finished(self) -> bool:
        return all(row.answer for row in self._rows.values())

    @property
    def kept(self) -> bool:
        """Whether this turn and all before it may be kept by a cache."""
        return all(row.said.request.keep for row in self._rows.values())

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The verdicts that may be given by now: none before both sides can be read or have ended.

        A side that ended without a word cannot be better, nor equal to one that spoke.
        """
        states = {side: self.state(side) for side in SIDES}
        if all(state.readable for state in states.values()):
            return CHOICES
        if not all(state.readable or state.finished for state in states.values()):
            return ()
        return (*(side for side in SIDES if states[side].readable), "both_bad")

    def answers(self) -> dict[Side, Answer]:
        """Both answers as they are by now, `unfinished` where a side still writes."""
        with self._changed:
            return {side: row.answer or row.said.so_far() for side, row in self._rows.items()}

    def stop(self, side: Side | None = None) -> None:
        """Stop one side, or both; what was written stays."""
        self._stop.stop(None if side is None else SIDES.index(side))

    def conversation(self, side: Side) -> tuple[Message, ...]:
        """The turns of `side` with its answer, as history for the next question (the chain of thought left out)."""
        said, request = self._rows[side].said, self._rows[side].said.request
        words = said.conclusion.strip() or said.reasoning.strip()
        return (*request.messages, Message("assistant", words)) if words else request.messages[:-1]

    def state(self, side: Side) -> SideState:
        """What `side` has said by now."""
        with self._changed:
            row = self._rows[side]
            said, answer = row.said, row.answer
            if row.counted != len(said.reasoning):
                row.steps, row.counted = steps(said.reasoning), len(said.reasoning)
            until = row.ended if answer else time.monotonic()
            never_began = answer is not None and said.began is None
            return SideState(
                reasoning=said.reasoning,
                conclusion=said.conclusion,
                steps=row.steps,
                choice=answer.choice if answer else None,
                queued=row.queued,
                finish_reason=answer.finish_reason if answer else None,
                error=answer.error if answer else "",
                error_english=row.error_english,
                seconds=until - said.asked if never_began else said.worked(until),
                thought_seconds=said.thought(until),
            )

    def updates(self, every: float = UPDATE_SECONDS) -> Generator[int, None, None]:
        """A version number after changes, at most one each `every` seconds; ends when both sides have ended."""
        seen = -1
        try:
            while not (self.finished and seen == self.version):
                with self._changed:
                    self._changed.wait_for(lambda shown=seen: self.version != shown)  # type: ignore[misc]
                    seen = self.version
                yield seen
                time.sleep(every)
        finally:
            self.stop()

    async def watch(self, every: float = UPDATE_SECONDS) -> AsyncGenerator[int, None]:
        """`updates` for an event loop: holds no thread while it waits."""
        seen = -1
        try:
            while not (self.finished and seen == self.version):
                if seen != self.version:
                    seen = self.version
                    yield seen
                await asyncio.sleep(every)
        finally:
            self.stop()

    def _run(self) -> None:
        try:
            self._read()
        finally:
            with _running_lock:
                _running.discard(threading.current_thread())

    def _read(self) -> None:
        """Take the engine's events until both rows have ended."""
        requests = [self._rows[side].said.request for side in SIDES]
        try:
            for number, event in self._engine.stream(requests, self._stop):
                self._take(SIDES[number], event)
        except Exception:
            log.exception("the engine broke while answering comparison %s", self.comparison.id)
            self._stop.stop()
        for side in SIDES:
            if not self._rows[side].answer:
                self._take(side, Failed(BROKEN, "the stream ended without this row's end", BROKEN_ENGLISH))

    def _take(self, side: Side, event: Event) -> None:
        row = self._rows[side]
        if row.answer:
            return
        if isinstance(event, Failed | Finished):
            self._end(side, row, event)
            return
        with self._changed:
            row.queued = (event.position or None) if isinstance(event, Queued) else None
            row.said.add(event)
            self._tell()

    def _end(self, side: Side, row: _Row, event: Failed | Finished) -> None:
        """Record the answer, then show the side finished."""
        answer = row.said.add(event)
        if isinstance(event, Failed):
            log.warning("side %s of comparison %s failed: %s", side, self.comparison.id, event.detail or event.message)
        if answer:
            self._store(side, answer)
        with self._changed:
            row.ended = time.monotonic()
            row.error_english = event.english if isinstance(event, Failed) else ""
            row.answer, row.queued = answer, None
            self._tell()

    def _store(self, side: Side, answer: Answer) -> None:
        """A store that fails here costs the record of one answer, not the visitor's view of it."""
        try:
            self._record.add_answer(self.comparison.id, side, answer)
        except Exception:
            log.exception("the %s answer of comparison %s was not recorded", side, self.comparison.id)

    def _tell(self) -> None:
        self.version += 1
        self._changed.notify_all()


def settle(seconds: float) -> bool:
    """Wait until every attempt of this process has ended and stored its answers; False if some have not in `seconds`.

    Call it between closing the engine, which ends the rows, and closing the store, which takes their answers.
    """
    end = time.monotonic() + seconds
    with _running_lock:
        readers = list(_running)
    for reader in readers:
        reader.join(max(0.0, end - time.monotonic()))
    late = [reader.name for reader in readers if reader.is_alive()]
    if late:
        log.error("%d attempts did not end within %.0f s; their answers are lost: %s", len(late), seconds, late)
    return not late
