"""What happens when something is pressed: each event as one function over the visitor's visit.

Every answer to the browser is drawn whole from the visit (`Flow.draw`), so events that overlap (a verdict while both
sides still write) cannot undo one another; each drawing carries its moment and the page ignores an older one.
The functions that stream are asynchronous: a waiting visitor holds no thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from functools import lru_cache
from typing import Any, Protocol

import gradio as gr

from gaokerena.attempts import Attempt
from gaokerena.comparisons import SIDES, Comparison, Side
from gaokerena.intake import RefusalError, read_question
from gaokerena.questions import LETTERS, Prompting, Question
from gaokerena.safety import RedFlag, red_flags
from gaokerena.ui import cards, notices, verdict
from gaokerena.ui.ask import filled_in
from gaokerena.ui.examples import EXAMPLES
from gaokerena.ui.suites import Suites
from gaokerena.visits import Desk, Visit

log = logging.getLogger(__name__)

Drawing = tuple[Any, ...]
DRAWN = 11
"""Values of one drawing: notice, flag, asked, earlier, left, right, verdict, status, stop, after, next box."""


class Labelled(Protocol):
    """What a reveal says of a model (a preset's `ModelInfo` fits)."""

    @property
    def label(self) -> str: ...

    @property
    def prompting(self) -> Prompting: ...


_STARTED = time.time_ns() - time.monotonic_ns()


def moment() -> int:
    """Milliseconds; a drawing's place in time.

    The monotonic clock, so that a wall clock set back freezes no page; counted from when this process started by the
    wall clock, so that a page which outlives a restart does not take all that follows for old.
    """
    return (_STARTED + time.monotonic_ns()) // 1_000_000


class Flow:
    """The page's events over one desk."""

    def __init__(self, desk: Desk, models: Mapping[str, Labelled], suites: Suites, *, limit: int) -> None:
        self._desk = desk
        self._models = models
        self._suites = suites
        self._limit = limit

    async def ask(
        self, text: str, a: str, b: str, c: str, d: str, consent: bool, pair: str | None, request: gr.Request
    ) -> AsyncIterator[Drawing]:
        """A new conversation with the two models of `pair`."""
        visit = self._visit(request)

        def start() -> Attempt:
            question = read_question(text or "", [a or "", b or "", c or "", d or ""], limit=self._limit)
            return visit.ask(question, consent=consent, pair=self._desk.asker.read_pair(pair or ""))

        async for drawing in self._run(visit, start):
            yield drawing

    async def again(self, consent: bool, request: gr.Request) -> AsyncIterator[Drawing]:
        """The same question once more."""
        visit = self._visit(request)
        async for drawing in self._run(visit, lambda: visit.again(consent=consent)):
            yield drawing

    async def follow(self, text: str, consent: bool, request: gr.Request) -> AsyncIterator[Drawing]:
        """The next question of the conversation."""
        visit = self._visit(request)
        turns = len(visit.thread)
        async for drawing in self._run(
            visit, lambda: visit.follow(read_question(text or "", limit=self._limit), consent=consent)
        ):
            sent, turns = len(visit.thread) > turns, len(visit.thread)
            yield (*drawing[:-1], gr.update(value="")) if sent else drawing

    def pairs(self) -> list[tuple[str, str]]:
        """(what the page calls it, its value) of each pair of models that can be compared; none where that is one.

        Where there is nothing to choose, no model is named before its comparison is judged.
        """
        if len(self._desk.asker.pairs) < 2:
            return []
        labels = {name: model.label for name, model in self._models.items()}
        return [(f"{labels[one]} ↔ {labels[other]}", f"{one},{other}") for one, other in self._desk.asker.pairs]

    def stop(self, side: Side | None) -> Callable[[gr.Request], None]:
        """A function that stops `side`, or both; the running stream shows the rest."""

        def stop(request: gr.Request) -> None:
            current = self._visit(request).current
            if current:
                current.stop(side)

        return stop

    def judge(self, event: gr.EventData, request: gr.Request) -> Drawing:
        """Record the verdict the form sent, then show who sat where."""
        visit = self._visit(request)
        given: dict[str, Any] = event._data if isinstance(event._data, dict) else {}
        try:
            self._desk.judge(
                str(given.get("comparison", "")),
                str(given.get("choice", "")),
                session=visit.session,
                strength=given.get("strength") or 1,
                reasons=given.get("reasons") or (),
            )
        except RefusalError as refused:
            return self.draw(visit, verdict_error=notices.refusal(refused))
        except Exception:
            log.exception("a verdict broke")
            return self.draw(visit, verdict_error=notices.broken())
        return self.draw(visit, said="say_judged")

    def example(self, event: gr.EventData) -> list[Any]:
        """Fill the boxes with the example pressed."""
        index = int((event._data or {}).get("index", 0))
        return filled_in(EXAMPLES[index % len(EXAMPLES)].question)

    def from_suite(self, suite: str) -> list[Any]:
        """Fill the boxes with a benchmark question."""
        try:
            return filled_in(self._suites.draw(suite))
        except RefusalError as refused:
            log.warning("no suite question: %s", refused.en)
            return [gr.skip()] * 6

    def leave(self, request: gr.Request) -> None:
        """The browser is gone: stop its rows."""
        self._desk.leave(request.session_hash)

    def draw(self, visit: Visit, *, notice: str = "", said: str = "", verdict_error: str = "") -> Drawing:
        """Everything below the question box, from the visit as it is now."""
        attempt = visit.current
        if not attempt:
            left, right, bar = cards.value(None), cards.value(None), verdict.value("closed")
            return (notice, "", "", "", left, right, bar, "", *_buttons(attempt))
        comparison = attempt.comparison
        at = {"at": moment()}
        known = attempt.curtain.open or not comparison.blind
        sides = [self._card(attempt, side, known) | at for side in SIDES]
        choices = attempt.choices
        phase = _phase(attempt, known, closed=not choices)
        thanks = notices.thanks({side: self._identity(comparison, side) for side in SIDES}) if attempt.judged else ""
        return (
            notice,
            notices.red_flags(_flags(comparison.question)),
            notices.asked(comparison.question),
            notices.earlier([*visit.shelf, *visit.thread[:-1]]),
            *sides,
            verdict.value(phase, comparison.id, thanks, verdict_error, choices) | at,
            notices.status(said) if said else _heard(attempt),
            *_buttons(attempt),
        )

    async def _run(self, visit: Visit, start: Callable[[], Attempt]) -> AsyncIterator[Drawing]:
        """Start an attempt and draw it until it ends or another takes its place."""
        if visit.just_asked:
            yield _nothing_new()
            return
        try:
            attempt = await asyncio.to_thread(start)  # it waits for the disk
            async with aclosing(attempt.watch()) as changes:
                async for _ in changes:
                    if visit.current is not attempt:
                        break
                    yield self.draw(visit)
            if visit.current is not attempt:
                yield _nothing_new()
        except RefusalError as refused:
            yield self.draw(visit, notice=notices.refusal(refused))
        except Exception:
            log.exception("asking broke")
            yield self.draw(visit, notice=notices.broken())

    def _card(self, attempt: Attempt, side: Side, known: bool) -> cards.Value:
        identity = self._identity(attempt.comparison, side) if known else None
        return cards.value(attempt.state(side), identity, has_options=attempt.comparison.question.is_multiple_choice)

    def _identity(self, comparison: Comparison, side: Side) -> cards.Identity:
        model = comparison.model_at(side)
        return cards.Identity(model.upper(), self._models[model].label, self._models[model].prompting)

    def _visit(self, request: gr.Request) -> Visit:
        return self._desk.visit(request.session_hash)


@lru_cache(maxsize=512)
def _flags(question: Question) -> tuple[RedFlag, ...]:
    """Red flags of a question, options included: they tell an examination from a call for help."""
    options = (f"[{name}] {option}" for name, option in zip(LETTERS, question.options, strict=False))
    return red_flags("\n".join([question.text, *options]))


def _nothing_new() -> Drawing:
    """A drawing that leaves everything as it is."""
    return tuple(gr.skip() for _ in range(DRAWN))


def _phase(attempt: Attempt, known: bool, *, closed: bool) -> str:
    """What the verdict bar may do: see `verdict.value`."""
    if attempt.judged:
        return "judged"
    if closed:
        return "closed"
    return "known" if known else "open"


def _buttons(attempt: Attempt | None) -> tuple[Any, Any, Any]:
    """The stop button while something is written; what comes after once something was asked; the next box as it is."""
    busy = bool(attempt and not attempt.finished)
    return gr.update(visible=True if busy else "hidden"), gr.update(visible=attempt is not None), gr.update()


def _heard(attempt: Attempt) -> str:
    """Changes only when a side begins or ends, so that a screen reader is not flooded."""
    if attempt.finished:
        return notices.status("say_ended")
    ended = [side for side in SIDES if attempt.state(side).finished]
    return notices.side_ended(ended[0]) if ended else notices.status("say_asked")
