"""Translate and ask: a question goes through a translator into English, and an answerer answers it in English.

    engine = TranslatedEngine(inner, {"pivot": Pipeline(translator="base", answerer="v")})
    engine.stream([Request("pivot", messages)])          # other names go to `inner` as they are

The options keep their letters, so a choice reads as for any other model. Rows of one call that ask the same share one
translation, drawn greedily; each row goes on as soon as its own is there. `translate` makes the translations of several
requests beforehand and in one call, so that their answers then start together (and can be repeated exactly).

Not covered: translating the answer back; earlier turns of a conversation, which are passed on as they are.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from gaokerena.answers import Usage
from gaokerena.engines.base import Engine, Event, Failed, Finished, Queued, Reasoning, Request, Sampling, Stop, Text
from gaokerena.engines.english import VERSION, english, to_translate
from gaokerena.messages import Message
from gaokerena.prompts import asked

NOTHING = "مترجم پاسخی نداد و پرسش به انگلیسی برگردانده نشد. دوباره بپرسید."
NOTHING_EN = "The translator wrote nothing, so the question was not asked. Ask again."
BROKEN = "در ترجمه یا پرسیدن خطایی پیش آمد. لطفاً دوباره بپرسید."
BROKEN_EN = "Translating or asking failed. Please ask again."

_CHECK = 0.02
_DRAWN = Sampling(temperature=0.0, max_new_tokens=1024)
_LOG = logging.getLogger(__name__)
_Given = TypeVar("_Given")
_Source = tuple[str, str]
"""(translator, what is to be translated)"""


class Pipeline(BaseModel):
    """Two models of one engine: `translator` turns the question into English, `answerer` answers it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    translator: str = Field(min_length=1)
    answerer: str = Field(min_length=1)


@dataclass(slots=True)
class _Translation:
    """One translation under way, then whole; `rows` of the call wait for it."""

    rows: list[int] = field(default_factory=list)
    text: str = ""
    usage: Usage = field(default_factory=Usage)
    revision: str = ""


class _Shared(Stop):
    """Stops of an inner call: an inner row is stopped when every outer row that needs it is."""

    def __init__(self, outer: Stop, rows: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self._outer = outer
        self._served = rows

    def stopped(self, row: int) -> bool:
        return super().stopped(row) or all(self._outer.stopped(served) for served in self._served[row])


class TranslatedEngine:
    """`inner` with `pipelines` beside its own models, by name. Closing it closes `inner`."""

    def __init__(self, inner: Engine, pipelines: Mapping[str, Pipeline]) -> None:
        self._inner = inner
        self._pipelines = dict(pipelines)
        self._made: Mapping[_Source, _Translation] = {}

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._inner.models, *self._pipelines)))

    def translate(self, requests: Sequence[Request], stop: Stop | None = None) -> dict[int, str]:
        """Translate what `requests` ask, all in one call; the texts by row, without those that failed.

        They serve the calls of `stream` that follow, until the next `translate`; nothing made earlier is used.
        """
        sources = self._sources(requests)
        rows = [made.rows for made in sources.values()]
        for number, event in self._inner.stream(_wanted(sources, requests), _Shared(stop or Stop(), rows)):
            made = list(sources.values())[number]
            if isinstance(event, Reasoning | Text):
                made.text += event.text
            elif isinstance(event, Finished) and event.finish_reason != "stopped":
                made.usage, made.revision = event.usage, event.revision
            elif isinstance(event, Failed | Finished):
                made.text = ""
        self._made = {source: made for source, made in sources.items() if made.text.strip()}
        return {row: made.text.strip() for made in self._made.values() for row in made.rows}

    def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
        """See `engines.base`. A row says nothing while its translation is made, but for its place in the queue."""
        sources = self._sources(requests)
        if not sources:
            yield from self._inner.stream(requests, stop)
            return
        call = _Call(self._inner, requests, {name: each.answerer for name, each in self._pipelines.items()}, stop)
        yield from call.events(sources, self._made)

    def close(self) -> None:
        self._inner.close()

    def _sources(self, requests: Sequence[Request]) -> dict[_Source, _Translation]:
        """What must be translated, each with the rows that need it, in the order of the rows."""
        sources: dict[_Source, _Translation] = {}
        for row, request in enumerate(requests):
            if request.model in self._pipelines:
                source = (self._pipelines[request.model].translator, request.messages[-1].content)
                sources.setdefault(source, _Translation()).rows.append(row)
        return sources


class _Call:
    """One call of `stream`: what waits for a translation, and where the events of all inner calls arrive."""

    def __init__(
        self, inner: Engine, requests: Sequence[Request], answerers: Mapping[str, str], stop: Stop | None
    ) -> None:
        self._inner = inner
        self._requests = requests
        self._answerers = answerers
        self._stop = _Shared(stop or Stop(), [[row] for row in range(len(requests))])
        self._inbox: queue.Queue[tuple[int, Event]] = queue.Queue()
        self._lock = threading.Lock()
        self._waiting: set[int] = set()
        self._first: frozenset[int] = frozenset()

    def events(
        self, sources: Mapping[_Source, _Translation], made: Mapping[_Source, _Translation]
    ) -> Iterator[tuple[int, Event]]:
        """Everything the rows say, until all have ended; leaving early stops them."""
        self._first = frozenset(each.rows[0] for each in sources.values())
        ready = {row: made[source] for source, each in sources.items() if source in made for row in each.rows}
        waiting = {source: each for source, each in sources.items() if source not in made}
        self._waiting = {row for each in waiting.values() for row in each.rows}
        at_once = [row for row in range(len(self._requests)) if row not in self._waiting]
        open_ = set(range(len(self._requests)))
        try:
            if at_once:
                self._start(self._ask, at_once, ready)
            if waiting:
                self._start(self._translate, sorted(self._waiting), waiting)
            while open_:
                for row, event in self._arrived():
                    if row in open_:
                        if isinstance(event, Failed | Finished):
                            open_.discard(row)
                        yield row, event
        finally:
            self._stop.stop()

    def _arrived(self) -> Iterator[tuple[int, Event]]:
        """The next event, if one comes soon, and the ends of the rows stopped before they were asked."""
        with self._lock:
            stopped = [row for row in sorted(self._waiting) if self._stop.stopped(row)]
            self._waiting.difference_update(stopped)
        yield from ((row, Finished(Usage(), "stopped")) for row in stopped)
        try:
            yield self._inbox.get(timeout=_CHECK if self._waiting else None)
        except queue.Empty:
            return

    def _start(self, work: Callable[[Sequence[int], _Given], None], rows: Sequence[int], given: _Given) -> None:
        threading.Thread(target=self._guarded, args=(work, rows, given), daemon=True).start()

    def _guarded(self, work: Callable[[Sequence[int], _Given], None], rows: Sequence[int], given: _Given) -> None:
        """Do `work`; should it break, its rows end all the same (an end too many is dropped by `events`)."""
        try:
            work(rows, given)
        except Exception as error:
            _LOG.exception("a translated call broke")
            for row in rows:
                self._inbox.put((row, Failed(BROKEN, f"{type(error).__name__}: {error}", BROKEN_EN)))

    def _translate(self, _: Sequence[int], sources: Mapping[_Source, _Translation]) -> None:
        parts = list(sources.values())
        shared = _Shared(self._stop, [part.rows for part in parts])
        for number, event in self._inner.stream(_wanted(sources, self._requests), shared):
            part = parts[number]
            if isinstance(event, Reasoning | Text):
                part.text += event.text
            elif isinstance(event, Queued):
                self._tell(part.rows, event)
            else:
                self._go_on(part, event)

    def _go_on(self, part: _Translation, end: Failed | Finished) -> None:
        """A translation has ended: ask with it, or let its rows end as it did."""
        with self._lock:
            self._waiting.difference_update(part.rows)
        if isinstance(end, Failed) or end.finish_reason == "stopped":
            self._tell(part.rows, end)
        elif not part.text.strip():
            self._tell(part.rows, Failed(NOTHING, f"the translator {end.revision} wrote nothing", NOTHING_EN))
        else:
            part.usage, part.revision = end.usage, end.revision
            self._start(self._ask, part.rows, dict.fromkeys(part.rows, part))

    def _tell(self, rows: Sequence[int], event: Event) -> None:
        for row in rows:
            self._inbox.put((row, event))

    def _ask(self, rows: Sequence[int], translations: Mapping[int, _Translation]) -> None:
        requests = [self._english(self._requests[row], translations.get(row)) for row in rows]
        for number, event in self._inner.stream(requests, _Shared(self._stop, [[row] for row in rows])):
            row = rows[number]
            if isinstance(event, Finished) and row in translations:
                event = _together(translations[row], event, first=row in self._first)
            self._inbox.put((row, event))

    def _english(self, request: Request, translation: _Translation | None) -> Request:
        """What the answerer is asked; `request` itself where nothing is translated."""
        if translation is None:
            return request
        _, options = asked(request.messages[-1].content)
        turn = Message("user", english(translation.text, options, request.prompting))
        return replace(request, model=self._answerers[request.model], messages=(*request.messages[:-1], turn))


def joined(translator: str, answerer: str) -> str:
    """The revision of a pipeline, from those of its two models."""
    return f"{translator} > {answerer} ({VERSION})"


def _wanted(sources: Mapping[_Source, _Translation], requests: Sequence[Request]) -> list[Request]:
    """The translator's requests, one a source."""
    wanted = []
    for (translator, text), made in sources.items():
        turn = Message("user", to_translate(text))
        first = requests[made.rows[0]]
        wanted.append(replace(first, model=translator, messages=(turn,), prompting="straight", sampling=_DRAWN, seed=0))
    return wanted


def _together(translation: _Translation, end: Finished, *, first: bool) -> Finished:
    """The end of a row, its translation's tokens counted with the `first` of the rows that share it."""
    usage = end.usage
    if first:
        usage = Usage(
            prompt_tokens=usage.prompt_tokens + translation.usage.prompt_tokens,
            completion_tokens=usage.completion_tokens + translation.usage.completion_tokens,
            cached_tokens=usage.cached_tokens + translation.usage.cached_tokens,
            estimated=usage.estimated or translation.usage.estimated,
        )
    return replace(end, usage=usage, revision=joined(translation.revision, end.revision))
