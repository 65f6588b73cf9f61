"""One row's way from token ids to events: text is decoded as it comes, and a chain of thought is split off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gaokerena.answers import FinishReason, Usage
from gaokerena.engines.base import Event, Failed, Finished, Text
from gaokerena.engines.decoding import Row
from gaokerena.questions import Prompting
from gaokerena.reasoning import Splitter

LONGEST_CHARACTER = 4
"""Byte tokens of one character at most; more that do not decode are no character and are shown as they are."""


class Writer:
    """Turns one row's tokens into events and hands them to `send`; ends exactly once."""

    def __init__(
        self, tokenizer: Any, row: Row, prompting: Prompting, revision: str, send: Callable[[Event], None]
    ) -> None:
        self._tokenizer = tokenizer
        self._row = row
        self._splitter = Splitter() if prompting == "cot" else None
        self._revision = revision
        self._send = send
        self._start = self._shown = 0
        self.ended = False

    def update(self) -> None:
        """Send the text the row's new tokens add; bytes of an unfinished character wait."""
        tokens = self._row.tokens
        before = self._decode(tokens[self._start : self._shown])
        now = self._decode(tokens[self._start :])
        if len(now) > len(before) and not (now.endswith("\ufffd") and len(tokens) - self._shown < LONGEST_CHARACTER):
            self._start, self._shown = self._shown, len(tokens)
            self._say(now[len(before) :])

    def _flush(self) -> None:
        """Send what still waited: the row has ended, so an unfinished character stays unfinished and is left out."""
        tokens = self._row.tokens
        rest = self._decode(tokens[self._start :])[len(self._decode(tokens[self._start : self._shown])) :]
        self._shown = len(tokens)
        if rest := rest.rstrip("\ufffd"):
            self._say(rest)

    def finish(self, reason: FinishReason) -> None:
        """End the row; what was written stays."""
        if self.ended:
            return
        self.ended = True
        self._flush()
        if self._splitter:
            for event in self._splitter.finish(cut=reason != "stop"):
                self._send(event)
        usage = Usage(
            prompt_tokens=len(self._row.prompt), completion_tokens=len(self._row.tokens), cached_tokens=self._row.shared
        )
        self._send(Finished(usage, reason, self._revision))

    def fail(self, message: str, detail: str, english: str = "") -> None:
        """End the row with an error; what the splitter still holds is sent first."""
        if self.ended:
            return
        self.ended = True
        self._flush()
        for event in self._splitter.finish(cut=True) if self._splitter else ():
            self._send(event)
        self._send(Failed(message, detail, english))

    def _decode(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _say(self, text: str) -> None:
        if self._splitter is None:
            self._send(Text(text))
            return
        for event in self._splitter.feed(text):
            self._send(event)
