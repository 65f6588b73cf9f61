"""Find thinking tags in a text that arrives in pieces.

    scanner = TagScanner()
    for piece in scanner.feed("فکر</thi") + scanner.feed("nk>پاسخ") + scanner.finish(): ...   # str | Tag

Known: <think>, <thinking>, <thought>, <reasoning>, Cohere's <|START_THINKING|> … <|END_THINKING|>, and the headings
«## Thinking» and «## Final Response» on lines of their own. Letter case does not matter. Inside a code fence (or
right after a backtick) nothing is a tag. Only what may still become a tag is held back, so the pieces between tags
come out at once, and how the text was cut into deltas changes nothing.

Not covered: what the tags mean for an answer, which is `reasoning`'s work.
"""

from __future__ import annotations

import re
from enum import Enum


class Tag(Enum):
    """A tag found: the thought begins, or ends."""

    OPEN = "open"
    CLOSE = "close"


_NAMES = ("think", "thinking", "thought", "reasoning")
_TAGS: dict[str, Tag] = (
    {f"<{name}>": Tag.OPEN for name in _NAMES}
    | {f"</{name}>": Tag.CLOSE for name in _NAMES}
    | {"<|start_thinking|>": Tag.OPEN, "<|end_thinking|>": Tag.CLOSE}
)
_LONGEST = max(map(len, _TAGS))
_HEADINGS: dict[str, Tag] = {"## thinking": Tag.OPEN, "## final response": Tag.CLOSE}
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_CANDIDATE = re.compile(r"[<\n]")


class TagScanner:
    """Cuts a stream into text and tags; `feed` returns what is settled, `finish` the rest."""

    def __init__(self) -> None:
        self._held = ""
        self._line_start = True
        self._fenced = False
        self._before = ""

    def feed(self, delta: str) -> list[str | Tag]:
        """Text and tags settled by `delta`, in order."""
        self._held += delta
        return self._scan(final=False)

    def finish(self) -> list[str | Tag]:
        """What was held back: nothing more will come, so it is text, or a heading that ends the text."""
        return self._scan(final=True)

    def _scan(self, final: bool) -> list[str | Tag]:
        out: list[str | Tag] = []
        while self._held:
            if self._line_start:
                taken = self._at_line_start(final, out)
                if taken is None:
                    break
                if taken:
                    continue
            match = _CANDIDATE.search(self._held)
            if not match:
                self._text(len(self._held), out)
            elif match[0] == "\n":
                self._text(match.end(), out)
                self._line_start = True
            elif not self._at_angle(match.start(), final, out):
                break
        return out

    def _at_line_start(self, final: bool, out: list[str | Tag]) -> bool | None:
        """Settle what a line begins with: True if a heading was taken, None to wait for more text."""
        line, ended = self._held.split("\n", 1)[0], "\n" in self._held or final
        if not ended and len(line) < 6 and re.fullmatch(r" {0,3}[`~]{0,2}", line):
            return None
        if _FENCE.match(line):
            self._fenced = not self._fenced
        elif not self._fenced:
            key = line.rstrip().rstrip(":").casefold()
            if ended and key in _HEADINGS:
                out.append(_HEADINGS[key])
                self._held = self._held[len(line) :]
                self._line_start, self._before = False, ""
                return True
            if not ended and any(heading.startswith(key) or key == heading for heading in _HEADINGS) and key:
                return None
        self._line_start = False
        return False

    def _at_angle(self, start: int, final: bool, out: list[str | Tag]) -> bool:
        """Settle a «<»: False to wait for more text."""
        before = self._held[start - 1] if start else self._before
        tail = self._held[start : start + _LONGEST].casefold()
        if self._fenced or before == "`":
            self._text(start + 1, out)
            return True
        for tag, meaning in _TAGS.items():
            if tail.startswith(tag):
                self._text(start, out)
                self._held = self._held[len(tag) :]
                self._before, self._line_start = ">", True  # a fence may follow at once
                out.append(meaning)
                return True
        waits = not final and any(tag.startswith(tail) for tag in _TAGS)
        self._text(start if waits else start + 1, out)
        return not waits

    def _text(self, end: int, out: list[str | Tag]) -> None:
        if end:
            out.append(self._held[:end])
            self._before, self._held = self._held[end - 1], self._held[end:]
