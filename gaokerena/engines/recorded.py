"""Answers generated earlier, played again; what is not recorded is asked of another engine, once.

    engine = RecordedEngine([Path("data/transcripts.parquet")])                          # published answers only
    engine = RecordedEngine([], fallback=local, cache=Path("generations.jsonl"))         # every answer made once

`recordings` says when a request matches a published transcript. A fresh answer that came to its end is kept in `cache`
(`generations`) and found again by everything that decided it: model, weights, messages, sampling, seed. A request that
may not be kept (`Request.keep`) leaves nothing there; an answer kept earlier serves it too.

Not covered: the tokens of published answers, which nobody counted (`usage` holds words, marked `estimated`), and two
equal requests at the same moment (both are computed).
"""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gaokerena.answers import Usage
from gaokerena.engines.base import Engine, Event, Failed, Finished, Reasoning, Request, Stop, Text, drain
from gaokerena.engines.generations import Generations, key, record
from gaokerena.engines.recordings import Recordings
from gaokerena.questions import Prompting
from gaokerena.reasoning import Splitter
from gaokerena.transcripts import TranscriptsError

GAOKERENA = {"v": "gaokerena-v1.0", "r": "gaokerena-r1.0", "base": "aya-expanse-8b"}
"""Engine's model name to the name in the published transcripts."""

NOT_RECORDED = (
    "برای این پرسش پاسخ ضبط‌شده‌ای نیست و مدلی هم برای ساختن پاسخ تازه در کار نیست. یکی از پرسش‌های نمونه را بپرسید."
)
UNKNOWN_MODEL = "این مدل در دسترس نیست."
BROKEN = "ساختن پاسخ با خطا روبه‌رو شد. دوباره بپرسید."
ENGLISH = {
    NOT_RECORDED: "No answer to this question is recorded, and no model is at work to make a fresh one. Ask one of the "
    "example questions.",
    UNKNOWN_MODEL: "This model is not available.",
    BROKEN: "Making the answer failed. Ask again.",
}
"""What each sentence above says, for a visitor of the English page."""

_WORD, _WHOLE = re.compile(r"\S+\s*|\s+"), re.compile(r"(?s).+")

log = logging.getLogger(__name__)
Inbox = queue.Queue[tuple[int, Event]]


@dataclass(frozen=True, slots=True)
class _Replay:
    """A recorded answer, split, and how it ended."""

    reasoning: str
    text: str
    end: Finished


@dataclass(slots=True)
class _Said:
    """What one row has said so far."""

    reasoning: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        if isinstance(event, Reasoning):
            self.reasoning.append(event.text)
        elif isinstance(event, Text):
            self.text.append(event.text)


class _Inner(Stop):
    """The rows of one inner stream: stopped with the caller's rows, or alone when the caller has left."""

    def __init__(self, outer: Stop, rows: Sequence[int]) -> None:
        super().__init__()
        self._outer = outer
        self._numbers = rows

    def stopped(self, row: int) -> bool:
        return super().stopped(row) or self._outer.stopped(self._numbers[row])


class RecordedEngine:
    """Plays recorded answers at `pace` characters a second (0: at once), and caches what `fallback` answers.

    `models` maps this engine's model names to those of `sources` (files, or folders that hold transcripts.parquet).
    `revisions` names the weights of the fallback's models as it reports them in `Finished`; for a model not named
    there, cached answers are used only after a fresh one has told which weights answer now.
    Raises TranscriptsError, and OSError where the cache cannot be opened.
    """

    def __init__(
        self,
        sources: Sequence[Path] = (),
        fallback: Engine | None = None,
        *,
        models: Mapping[str, str] = GAOKERENA,
        cache: Path | None = None,
        revisions: Mapping[str, str] | None = None,
        pace: float = 0.0,
    ) -> None:
        self.recordings = Recordings(sources, models)
        if self.recordings.skipped:
            log.warning(
                "%d recorded answers are left out: their question or some of its options are empty",
                self.recordings.skipped,
            )
        self._fallback = fallback
        self._cache = Generations(cache) if cache else None
        self._revisions = dict(revisions or {})
        self._pace = pace
        self._closed = threading.Event()

    @property
    def models(self) -> tuple[str, ...]:
        further = self._fallback.models if self._fallback else ()
        return tuple(dict.fromkeys((*self.recordings.models, *further)))

    def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
        """See `engines.base`: every recorded row plays on its own clock, the others go to the fallback in one call."""
        inner = _Inner(stop or Stop(), range(len(requests)))
        events: Inbox = queue.Queue()
        fresh: list[int] = []
        for row, request in enumerate(requests):
            if replay := self._published(request) or self._cached(request):
                self._start(replay, row, inner, events)
            elif self._fallback and request.model in self._fallback.models:
                fresh.append(row)
            else:
                events.put((row, self._missing(request)))
        if self._fallback and fresh:
            asked = (self._fallback, [requests[row] for row in fresh], fresh, inner, events)
            threading.Thread(target=self._ask, args=asked, daemon=True).start()
        yield from drain(events, len(requests), inner)

    def close(self) -> None:
        self._closed.set()
        if self._fallback:
            self._fallback.close()

    def _published(self, request: Request) -> _Replay | None:
        found = self.recordings.find(request)
        if found is None:
            return None
        response, source = found
        end = Finished(_words(response), "stop", source)
        return _Replay(*_split(response, request.prompting), end)

    def _cached(self, request: Request) -> _Replay | None:
        revision = self._revisions.get(request.model)
        if self._cache is None or revision is None:
            return None
        try:
            found = self._cache.find(key(request, revision))
        except (TranscriptsError, OSError) as error:
            log.warning("cannot read the cache, so the answer is computed: %s", error)
            return None
        if found is None:
            return None
        cut = found.reasoning_chars
        end = Finished(found.usage, found.finish_reason, found.revision)
        return _Replay(found.response[:cut], found.response[cut:], end)

    def _missing(self, request: Request) -> Failed:
        if request.model not in self.models:
            return _failed(UNKNOWN_MODEL, f"model {request.model!r} is none of {self.models}")
        return _failed(NOT_RECORDED, f"no {request.prompting} answer of {request.model!r} is recorded; give a fallback")

    def _start(self, replay: _Replay, row: int, stop: Stop, events: Inbox) -> None:
        if self._pace:
            threading.Thread(target=self._play, args=(replay, row, stop, events), daemon=True).start()
        else:
            self._play(replay, row, stop, events)

    def _play(self, replay: _Replay, row: int, stop: Stop, events: Inbox) -> None:
        started, said = time.monotonic(), ""
        for piece in self._pieces(replay):
            moment = started + len(said + piece.text) / self._pace if self._pace else started
            if not self._wait(moment, row, stop):
                events.put((row, Finished(_words(said), "stopped", replay.end.revision)))
                return
            said += piece.text
            events.put((row, piece))
        events.put((row, replay.end))

    def _pieces(self, replay: _Replay) -> Iterator[Reasoning | Text]:
        """The answer word by word, or in two pieces where nothing is to be timed."""
        pattern = _WORD if self._pace else _WHOLE
        yield from map(Reasoning, pattern.findall(replay.reasoning))
        yield from map(Text, pattern.findall(replay.text))

    def _wait(self, until: float, row: int, stop: Stop) -> bool:
        """Wait for that moment; False when the row was stopped first."""
        while not (stop.stopped(row) or self._closed.is_set()):
            left = until - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(left, 0.02))
        return False

    def _ask(self, fallback: Engine, requests: list[Request], rows: list[int], stop: Stop, events: Inbox) -> None:
        """Pass on what the fallback says, and keep each answer that came to its end before saying that it did."""
        open_rows, said = set(range(len(rows))), [_Said() for _ in rows]
        try:
            for number, event in fallback.stream(requests, _Inner(stop, rows)):
                said[number].hear(event)
                if isinstance(event, Failed | Finished):
                    open_rows.discard(number)
                if isinstance(event, Finished):
                    self._keep(requests[number], said[number], event)
                events.put((rows[number], event))
            detail = "the fallback engine left this row open"
        except Exception as error:
            log.exception("the fallback engine raised")
            detail = f"{type(error).__name__}: {error}"
        for number in open_rows:
            events.put((rows[number], _failed(BROKEN, detail)))

    def _keep(self, request: Request, said: _Said, end: Finished) -> None:
        if self._cache is None or end.finish_reason not in ("stop", "length"):
            return
        known = self._revisions.setdefault(request.model, end.revision)
        if known != end.revision:
            log.warning("%s is now %r, was %r: older cached answers rest", request.model, end.revision, known)
            self._revisions[request.model] = end.revision
        if not request.keep:
            return
        reasoning, text = "".join(said.reasoning), "".join(said.text)
        try:
            self._cache.add(record(request, reasoning, text, end.usage, end.finish_reason, end.revision))
        except (TranscriptsError, OSError) as error:
            log.warning("cannot write the cache; the answer is shown but not kept: %s", error)


def _failed(message: str, detail: str) -> Failed:
    return Failed(message, detail, ENGLISH[message])


def _words(text: str) -> Usage:
    return Usage(completion_tokens=len(text.split()), estimated=True)


def _split(response: str, prompting: Prompting) -> tuple[str, str]:
    """(reasoning, text) of a whole response; a straight answer is all text."""
    if prompting == "straight":
        return "", response
    said, splitter = _Said(), Splitter()
    for event in (*splitter.feed(response), *splitter.finish()):
        said.hear(event)
    return "".join(said.reasoning), "".join(said.text)
