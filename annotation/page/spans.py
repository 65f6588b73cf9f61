"""Where a text reads from left to right: the spans that the page isolates, in JavaScript's counting.

    marked("روزانه Metformin 500 mg")      {"text": "روزانه Metformin 500 mg", "ltr": [[7, 23]]}

The runs are those of `gaokerena.bidi`: Latin words, doses, numbers. Beside them stand whole stretches of code or markup
(`List<int>`, `a = {b}`), whose signs a right-to-left line would turn round and mirror one by one.

Not covered: Markdown, which the page reads itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypedDict

from gaokerena.bidi import runs
from gaokerena.persian import BIDI_CONTROLS

Span = tuple[int, int]
_KEEP_PLACES = str.maketrans(dict.fromkeys(BIDI_CONTROLS, "\ufffc"))
_STRETCH = re.compile("(?:[^\n\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]|[۰-۹٠-٩٪٫٬])+")
_EDGES = re.compile(r"^[\s).,:;!»\]*]*(.*?)[\s(«\[.,:;!*]*$", re.DOTALL)
_CODE = re.compile(r"[<>{}=$&`#@\\|](?=[!-~])|(?<=[!-~])[<>{}=$&`#@\\|]")
_LETTER = re.compile("[A-Za-z]")
_LONGEST = 20_000
"""Characters of a stretch looked at; a longer one is a text without Persian, which the page shows left to right."""


class Marked(TypedDict):
    """A text as it is, and its left-to-right spans: [from, to) in UTF-16 units, in order, apart from one another."""

    text: str
    ltr: list[list[int]]


def marked(text: str) -> Marked:
    """`text` unchanged, with its spans."""
    seen = text.translate(_KEEP_PLACES)
    spans: list[list[int]] = []
    place = units = 0
    for start, end in _joined(seen):
        begin = units + _units(seen[place:start])
        place, units = end, begin + _units(seen[start:end])
        spans.append([begin, units])
    return {"text": text, "ltr": spans}


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _joined(text: str) -> Iterator[Span]:
    """Code and runs in order, those that touch as one."""
    held: Span | None = None
    for start, end in sorted([*_code(text), *_runs(text)]):
        if held and start < held[1]:
            held = (held[0], max(held[1], end))
            continue
        if held:
            yield held
        held = (start, end)
    if held:
        yield held


def _runs(text: str) -> Iterator[Span]:
    place = 0
    for piece, ltr in runs(text):
        if ltr:
            yield place, place + len(piece)
        place += len(piece)


def _code(text: str) -> Iterator[Span]:
    for stretch in _STRETCH.finditer(text):
        found = stretch[0]
        if len(found) <= _LONGEST and _CODE.search(found) and _LETTER.search(found):
            start, end = _trimmed(found)
            if start < end:
                yield stretch.start() + start, stretch.start() + end


def _trimmed(found: str) -> Span:
    """Without white space and the sentence's marks; a bracket whose other half is elsewhere is the sentence's too."""
    edges = _EDGES.match(found)
    assert edges is not None, "the pattern fits any text"
    start, end = edges.span(1)
    open_brackets, closed = found.count("(", start, end), found.count(")", start, end)
    if open_brackets > closed and found[start] == "(":
        start += 1
    elif closed > open_brackets and found[end - 1] == ")":
        end -= 1
    return start, end
