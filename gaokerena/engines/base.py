"""The engine contract: several requests in, one stream of typed events out, each tagged with its request.

    for row, event in engine.stream([request_v, request_r], stop):
        match event:
            case Queued(position): ...      # waiting; 0 means the work begins
            case Reasoning(text): ...       # part of the chain of thought
            case Text(text): ...            # part of the answer proper
            case Failed(message): ...       # Persian, for the visitor; the row is over
            case Finished(usage, reason): ...   # the row is over

Rules every engine keeps, checked by tests/engines/contract.py:
- each row ends in exactly one `Failed` or `Finished`, whatever happens; the stream ends when all rows have ended;
- a slow row never delays another row's events;
- `stop.stop(row)` is honoured within one token, ends the row as `Finished(..., "stopped")` and frees the worker;
- leaving the loop early (closing the generator) stops every row;
- Reasoning texts joined, then Text texts joined, are the whole answer; reasoning comes only where prompting is "cot".

Not covered: how a question becomes messages (`prompts`) and where answers are kept (`store`).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gaokerena.answers import FinishReason, Usage
from gaokerena.messages import Message
from gaokerena.questions import Prompting


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn; `temperature` 0 is greedy. `top_k` 0 and `top_p` 1.0 leave the distribution whole."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    max_new_tokens: int = 512


@dataclass(frozen=True, slots=True)
class Request:
    """One answer wanted: `model` is one of the engine's `models`. Equal (model, messages) rows share their prefill.

    `keep` says whether a cache may keep the question and its answer: false where a visitor has not agreed to that.
    """

    model: str
    messages: tuple[Message, ...]
    prompting: Prompting = "straight"
    sampling: Sampling = Sampling()
    seed: int = 0
    question_id: str = ""
    visitor: str = ""
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Queued:
    """Waiting: the `position`-th in the line, 1 the next; 0 says the work begins."""

    position: int


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the chain of thought."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer proper (under `cot`: of the conclusion)."""

    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The row ended in an error. `message` is Persian, for a visitor; `detail` English, for the log.

    `english` is `message` in English, for a visitor of the English page; left empty, the page has a general sentence.
    `retryable`: the failure says nothing about the request, which may be asked again, after `retry_after` seconds where
    the server said so.
    """

    message: str
    detail: str = ""
    english: str = ""
    retryable: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The row ended; `usage` counts its tokens, `revision` names the weights that answered."""

    usage: Usage
    finish_reason: FinishReason
    revision: str = ""


Event = Queued | Reasoning | Text | Failed | Finished


class EngineError(Exception):
    """An engine cannot be built or used. The text is English and names the value and the next step."""


@dataclass(slots=True)
class Stop:
    """Stops rows of one `stream` call from any thread; stopping twice or after the end does nothing."""

    _all: threading.Event = field(default_factory=threading.Event)
    _rows: set[int] = field(default_factory=set)

    def stop(self, row: int | None = None) -> None:
        """Stop one row, or all of them."""
        if row is None:
            self._all.set()
        else:
            self._rows.add(row)

    def stopped(self, row: int) -> bool:
        return self._all.is_set() or row in self._rows


def drain(events: queue.Queue[tuple[int, Event]], rows: int, stop: Stop) -> Iterator[tuple[int, Event]]:
    """Events as they come until `rows` rows have ended; leaving early stops those that have not."""
    try:
        while rows:
            row, event = events.get()
            rows -= isinstance(event, Failed | Finished)
            yield row, event
    finally:
        stop.stop()


class Engine(Protocol):
    """A source of answers. Safe to call from several threads at once."""

    @property
    def models(self) -> tuple[str, ...]:
        """Names a request may carry, for example ("v", "r", "base")."""
        ...

    def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
        """Answer `requests` side by side: pairs of (row in `requests`, event), in order of arrival."""
        ...

    def close(self) -> None:
        """Free what the engine holds; streams still open end as stopped."""
        ...
