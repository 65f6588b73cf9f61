"""From the chunks of an OpenAI-style stream to events: which text is thought, which is answer, how many tokens.

A server that separates the thought itself (`reasoning_content` or `reasoning` in the deltas) is believed; otherwise the
text of a `cot` request goes through `reasoning.Splitter`. Under `straight` a separate thought is no part of the answer:
it is left out, though its tokens count. Not covered: tool calls, several choices in one stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from openai.types.chat import ChatCompletionChunk

from gaokerena.answers import FinishReason, Usage
from gaokerena.engines.base import Event, Reasoning, Text
from gaokerena.engines.faults import BROKEN, UNREADABLE, WITHHELD, ServerError, quoted
from gaokerena.questions import Prompting
from gaokerena.reasoning import Splitter

_THOUGHT_FIELDS = ("reasoning_content", "reasoning")
_WITHHELD = {"content_filter"}
_BROKEN = {"abort", "error", "failed"}


class Deltas:
    """Reads one row's chunks and emits their text, none after `stopped()` is true."""

    def __init__(self, prompting: Prompting, emit: Callable[[Event], None], stopped: Callable[[], bool]) -> None:
        self._emit = emit
        self._stopped = stopped
        self._wants_thought = prompting == "cot"
        self._splitter = Splitter() if self._wants_thought else None
        self._pieces = 0
        self._served: Usage | None = None
        self.finish_reason: FinishReason | None = None
        self.served_model = ""

    @property
    def begun(self) -> bool:
        """True from the first piece of text on."""
        return self._pieces > 0

    @property
    def usage(self) -> Usage:
        """The server's count; without one, the pieces that came, marked as estimated."""
        return self._served or Usage(completion_tokens=self._pieces, estimated=True)

    def take(self, chunk: object) -> bool:
        """Emit what `chunk` holds and say whether it held text.

        Raises ServerError for what no chat stream may hold, asyncio.CancelledError once the row is stopped.
        """
        if self._stopped():
            raise asyncio.CancelledError
        if not isinstance(chunk, ChatCompletionChunk) or not isinstance(chunk.choices or [], list):
            raise ServerError(UNREADABLE, f"a chunk of the stream is not a chat.completion.chunk: {quoted(chunk)}")
        self.served_model = _name(chunk.model) or self.served_model
        self._served = _usage(chunk.usage) or self._served
        held_text = False
        for choice in (chunk.choices or [])[:1]:
            thought, text = _pieces(choice)
            held_text = bool(thought or text)
            self._pieces += held_text
            self._pass_on(thought, text)
            self._note_end(getattr(choice, "finish_reason", None))
        return held_text

    def flush(self, cut: bool) -> None:
        """Emit what the splitter still holds back; `cut` says that the answer did not end by itself."""
        if self._splitter:
            for event in self._splitter.finish(cut):
                self._emit(event)
            self._splitter = None

    def _pass_on(self, thought: str, text: str) -> None:
        if thought and self._wants_thought:
            self.flush(cut=False)
            self._emit(Reasoning(thought))
        if not text:
            return
        for event in self._splitter.feed(text) if self._splitter else [Text(text)]:
            self._emit(event)

    def _note_end(self, reason: object) -> None:
        if not isinstance(reason, str) or not reason:
            return
        if reason in _WITHHELD:
            raise ServerError(WITHHELD, f"the server ended the answer with finish_reason {reason!r}")
        if reason in _BROKEN:
            raise ServerError(BROKEN, f"the server ended the answer with finish_reason {reason!r}")
        self.finish_reason = "length" if reason == "length" else "stop"


def _pieces(choice: Any) -> tuple[str, str]:
    if not hasattr(choice, "delta"):
        raise ServerError(UNREADABLE, f"a choice of the stream has no delta: {quoted(choice)}")
    delta = choice.delta
    thought = next((piece for field in _THOUGHT_FIELDS if (piece := _text(getattr(delta, field, None)))), "")
    return thought, _text(getattr(delta, "content", None))


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise ServerError(UNREADABLE, f"a chunk holds {type(value).__name__} where text belongs: {quoted(value)}")


def _name(model: object) -> str:
    """The name a server answers with; of a file's path only the last part, the rest is that machine's own affair."""
    name = _text(model)
    return name.rsplit("/", 1)[-1] if name.startswith("/") else name


def _usage(served: Any) -> Usage | None:
    completion = getattr(served, "completion_tokens", None)
    if not isinstance(completion, int):
        return None
    cached = getattr(getattr(served, "prompt_tokens_details", None), "cached_tokens", None)
    prompt = getattr(served, "prompt_tokens", None)
    return Usage(prompt_tokens=_count(prompt), completion_tokens=_count(completion), cached_tokens=_count(cached))


def _count(value: object) -> int:
    return max(0, value) if isinstance(value, int) else 0
