"""Asking both models at once: seat them, stream what they say, record it.

    asker = Asker(engine, {"v": info_v, "r": info_r}, store, preset="echo")
    attempt = asker.ask(Question(text="…"), seed=7)
    for _ in attempt.updates():                      # at most ten a second
        left = attempt.state("left")                 # a snapshot: reasoning, conclusion, steps, choice, finished …
    attempt.stop("left")                             # from any thread; None stops both

The comparison, with its seating, is in the store before the engine is asked; each answer is there before its side is
shown finished. One thread a comparison reads the engine's events, so neither side waits for the other.
Leaving `updates` or `watch` early stops the engine's rows.

Not covered: what a person says of the answers (`visits`), and how they are shown (`ui`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gaokerena.answers import Answer, FinishReason, Usage
from gaokerena.comparisons import SIDES, Comparison, Side, new_id, seat
from gaokerena.engines.base import Engine, Event, Failed, Finished, Queued, Reasoning, Request, Sampling, Stop, Text
from gaokerena.intake import RefusalError
from gaokerena.messages import Message
from gaokerena.options import read_option
from gaokerena.prompts import messages
from gaokerena.questions import Letter, Prompting, Question
from gaokerena.reasoning import steps

log = logging.getLogger(__name__)

UPDATE_SECONDS = 0.1
BROKEN = "پاسخ‌گویی به خطا برخورد. دوباره بپرسید؛ اگر باز هم پیش آمد، کمی بعد برگردید."


class Speaker(Protocol):
    """What asking needs to know of a model (a preset's `ModelInfo` fits)."""

    @property
    def prompting(self) -> Prompting: ...

    @property
    def sampling(self) -> Sampling: ...


class Record(Protocol):
    """Where comparisons and answers are kept (`store.Store` fits)."""

    def add_comparison(self, comparison: Comparison) -> object: ...

    def add_answer(self, comparison_id: str, side: Side, answer: Answer) -> object: ...


@dataclass(frozen=True, slots=True)
class SideState:
    """What one side has said so far. `queued` counts the people before it; None once it writes.

    `seconds` since the question; `thought_seconds` until the conclusion began (or so far, while it has not).
    """

    reasoning: str = ""
    conclusion: str = ""
    steps: tuple[str, ...] = ()
    choice: Letter | None = None
    queued: int | None = None
    finish_reason: FinishReason | None = None
    error: str = ""
    seconds: float = 0.0
    thought_seconds: float = 0.0

    @property
    def finished(self) -> bool:
        return self.finish_reason is not None

    @property
    def said_something(self) -> bool:
        return bool(self.reasoning.strip() or self.conclusion.strip())


@dataclass(slots=True)
class _Row:
    """One side while it grows; changed by the reading thread only."""

    request: Request
    reasoning: str = ""
    conclusion: str = ""
    choice: Letter | None = None
    queued: int | None = None
    finish_reason: FinishReason | None = None
    error: str = ""
    seconds: float | None = None
    thought_seconds: float | None = None
    steps: tuple[str, ...] = field(default_factory=tuple)
    counted: int = 0


class Attempt:
    """One comparison being answered. `state` is safe from any thread; `version` grows with every change."""

    def __init__(
        self, comparison: Comparison, requests: Mapping[Side, Request], engine: Engine, record: Record
    ) -> None:
        self.comparison = comparison
        self.version = 0
        self._rows = {side: _Row(requests[side]) for side in SIDES}
        self._engine = engine
        self._record = record
        self._stop = Stop()
        self._changed = threading.Condition()
        self._begun = time.monotonic()
        threading.Thread(target=self._read, name=f"attempt-{comparison.id[:8]}", daemon=True).start()

    @property
    def finished(self) -> bool:
        return all(row.finish_reason for row in self._rows.values())

    @property
    def judgeable(self) -> bool:
        """Both sides have something to read, finished or not."""
        return all(self.state(side).said_something for side in SIDES)

    def stop(self, side: Side | None = None) -> None:
        """Stop one side, or both; what was written stays."""
        self._stop.stop(None if side is None else SIDES.index(side))

    def conversation(self, side: Side) -> tuple[Message, ...]:
        """The turns of `side` with its answer, as history for the next question (the chain of thought left out)."""
        row = self._rows[side]
        said = row.conclusion.strip() or row.reasoning.strip()
        return (*row.request.messages, Message("assistant", said)) if said else row.request.messages[:-1]

    def state(self, side: Side) -> SideState:
        """What `side` has said by now."""
        with self._changed:
            row = self._rows[side]
            if row.counted != len(row.reasoning):
                row.steps, row.counted = tuple(steps(row.reasoning)), len(row.reasoning)
            elapsed = time.monotonic() - self._begun
            return SideState(
                reasoning=row.reasoning,
                conclusion=row.conclusion,
                steps=row.steps,
                choice=row.choice,
                queued=row.queued,
                finish_reason=row.finish_reason,
                error=row.error,
                seconds=elapsed if row.seconds is None else row.seconds,
                thought_seconds=elapsed if row.thought_seconds is None else row.thought_seconds,
            )

    def updates(self, every: float = UPDATE_SECONDS) -> Iterator[int]:
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

    async def watch(self, every: float = UPDATE_SECONDS) -> AsyncIterator[int]:
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

    def _read(self) -> None:
        """Take the engine's events until both rows have ended."""
        requests = [self._rows[side].request for side in SIDES]
        try:
            with contextlib.closing(self._engine.stream(requests, self._stop)) as events:  # type: ignore[type-var]
                for number, event in events:
                    self._take(SIDES[number], event)
        except Exception:
            log.exception("the engine broke while answering comparison %s", self.comparison.id)
        for side in SIDES:
            if not self._rows[side].finish_reason:
                self._take(side, Failed(BROKEN, "the stream ended without this row's end"))

    def _take(self, side: Side, event: Event) -> None:
        row = self._rows[side]
        if row.finish_reason:
            return
        if isinstance(event, Failed | Finished):
            self._end(side, row, event)
            return
        with self._changed:
            if isinstance(event, Queued):
                row.queued = event.position or None
            else:
                self._grow(row, event)
            self._tell()

    def _grow(self, row: _Row, event: Reasoning | Text) -> None:
        row.queued = None
        if isinstance(event, Reasoning):
            row.reasoning += event.text
        else:
            if row.thought_seconds is None and event.text.strip():
                row.thought_seconds = time.monotonic() - self._begun
            row.conclusion += event.text

    def _end(self, side: Side, row: _Row, event: Failed | Finished) -> None:
        """Record the answer, then show the side finished."""
        answer = self._answer(row, event)
        if isinstance(event, Failed):
            log.warning("side %s of comparison %s failed: %s", side, self.comparison.id, event.detail or event.message)
        try:
            self._record.add_answer(self.comparison.id, side, answer)
        except Exception:
            log.exception("the %s answer of comparison %s was not recorded", side, self.comparison.id)
        with self._changed:
            row.choice, row.seconds, row.error, row.queued = answer.choice, answer.seconds, answer.error, None
            row.thought_seconds = row.thought_seconds if row.thought_seconds is not None else answer.seconds
            row.finish_reason = answer.finish_reason
            self._tell()

    def _answer(self, row: _Row, event: Failed | Finished) -> Answer:
        question, request = self.comparison.question, row.request
        reading = read_option(row.conclusion or row.reasoning, question.options) if question.options else None
        failed = isinstance(event, Failed)
        return Answer(
            question_id=question.id,
            model=request.model,
            prompting=request.prompting,
            text=row.reasoning + row.conclusion,
            reasoning=row.reasoning,
            steps=tuple(steps(row.reasoning)),
            conclusion=row.conclusion,
            choice=reading.choice if reading else None,
            choice_reason=reading.reason if reading else "",
            finish_reason="failed" if isinstance(event, Failed) else event.finish_reason,
            error=event.message if isinstance(event, Failed) else "",
            usage=Usage() if isinstance(event, Failed) else event.usage,
            seed=request.seed,
            revision="" if failed or not isinstance(event, Finished) else event.revision,
            seconds=time.monotonic() - self._begun,
        )

    def _tell(self) -> None:
        self.version += 1
        self._changed.notify_all()


class Asker:
    """Asks the two models of a preset. Safe to use from several threads."""

    def __init__(self, engine: Engine, models: Mapping[str, Speaker], record: Record, *, preset: str = "") -> None:
        if len(models) < 2:
            raise ValueError(f"a comparison needs two models, not {list(models)}: give the preset a second one")
        first, second = list(models)[:2]
        self.pair = (first, second)
        self._engine = engine
        self._models = models
        self._record = record
        self._preset = preset

    def ask(
        self,
        question: Question,
        *,
        seed: int | None = None,
        history: Mapping[str, Sequence[Message]] | None = None,
        seating: tuple[str, str] | None = None,
        follows: str | None = None,
        blind: bool = True,
        consent: bool = False,
        session: str = "",
    ) -> Attempt:
        """Start both models on `question`; returns at once.

        `history` holds each model's earlier turns; `seating` (left, right) keeps the seats of a conversation, without
        it they are drawn. Raises RefusalError when the comparison cannot be recorded.
        """
        seed = random.randrange(2**31) if seed is None else seed
        identity = new_id()
        left, right = seating or seat(self.pair, seed, identity)
        comparison = Comparison(
            id=identity, question=question, left=left, right=right, seed=seed, follows=follows, blind=blind,
            consent=consent, session=session, preset=self._preset,
        )  # fmt: skip
        try:
            self._record.add_comparison(comparison)
        except Exception as error:
            log.exception("comparison %s was not recorded", identity)
            raise RefusalError(
                "پرسش شما ثبت نشد و برای همین پرسیده نشد. کمی بعد دوباره بپرسید.",
                "The question could not be recorded and was not asked. Try again shortly.",
            ) from error
        requests = {side: self._request(comparison, side, history or {}) for side in SIDES}
        return Attempt(comparison, requests, self._engine, self._record)

    def _request(self, comparison: Comparison, side: Side, history: Mapping[str, Sequence[Message]]) -> Request:
        model = comparison.model_at(side)
        speaker = self._models[model]
        return Request(
            model=model,
            messages=messages(comparison.question, speaker.prompting, history.get(model, ())),
            prompting=speaker.prompting,
            sampling=speaker.sampling,
            seed=comparison.seed,
            question_id=comparison.question.id,
        )
