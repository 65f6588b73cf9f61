"""What a visitor typed into the search box, read as Argilla's stock engine reads it.

The stock engine hands the text to Elasticsearch as a `simple_query_string` with AND between words: `+` and, `|` or,
`-` not (before a word, phrase or bracket), `"…"` a phrase, `*` at the end of a word a beginning, `(…)` precedence, `\\`
takes the next sign as it is. There is no order of precedence but brackets: operators bind from left to right. Nothing
is ever a syntax error: what makes no sense is passed over.

Not covered: `~N` (fuzzy words, loose phrases) is read and passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from .folding import words

__all__ = ["EVERYTHING", "MOST_WORDS", "Leaf", "Operator", "TooManyWordsError", "parse"]

MOST_WORDS = 1024
"""The most words, phrases and beginnings one query may hold: the stock engine's own limit."""

Operator = Literal["and", "or", "not"]


class TooManyWordsError(ValueError):
    """The query holds more than `MOST_WORDS` words."""


@dataclass(frozen=True)
class Leaf:
    """Folded `words` to be found side by side; with `prefix`, the last one need only begin so."""

    words: str
    prefix: bool = False

    @property
    def match(self) -> str:
        """As an FTS5 expression. The words hold letters and digits only, so there is nothing to escape."""
        return f'"{self.words}"' + (" *" if self.prefix else "")


EVERYTHING = Leaf("", prefix=True)
"""What the lone query `*` asks for: every record."""


@dataclass
class _Level:
    """One pair of brackets while it is read."""

    program: list[Leaf | Operator] = field(default_factory=list)
    pending: Operator | None = None
    negated: bool = False

    def add(self, branch: list[Leaf | Operator]) -> None:
        if branch:
            both = bool(self.program)
            self.program += branch + (["not"] if self.negated else []) + ([self.pending or "and"] if both else [])
        self.pending, self.negated = None, False


def parse(text: str) -> list[Leaf | Operator]:
    """`text` as a program in postfix order (`[Leaf, Leaf, "or", "not"]`); empty when it asks for no word at all.

    Raises TooManyWordsError above `MOST_WORDS` leaves.
    """
    if text.strip() == "*":
        return [EVERYTHING]
    levels, leaves = [_Level()], 0
    for sign, value in _signs(text):
        level = levels[-1]
        if sign == "(":
            levels.append(_Level())
        elif sign == ")":
            levels.pop()
            levels[-1].add(level.program)
        elif sign == "-":
            level.negated = not level.negated
        elif sign in ("+", "|"):
            level.pending = level.pending or ("and" if sign == "+" else "or") if level.program else None
            level.negated = False
        elif sign == " ":
            level.negated = False
        else:
            leaf = _leaf(value, prefix=sign == "*")
            leaves += leaf is not None
            if leaves > MOST_WORDS:
                raise TooManyWordsError(f"the query has more than {MOST_WORDS} words; search for fewer")
            level.add([] if leaf is None else [leaf])
    return levels[0].program


def _leaf(text: str, prefix: bool) -> Leaf | None:
    folded = words(text)
    return Leaf(folded, prefix) if folded else None


_TOKEN = re.compile(r'(?:\\.|[^\\"|+()\s])+|\\$', re.DOTALL)
_PHRASE = re.compile(r'"((?:\\.|[^\\"])*)"(?:~\d*)?', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)|\\$", re.DOTALL)
_LOOSE = re.compile(r"(?<!\\)~\d*$")


def _signs(text: str) -> Iterator[tuple[str, str]]:
    """Signs of the query with their text: brackets (only those that close), `+`, `|`, `-`, blanks, words, phrases."""
    brackets, place = _brackets(text), 0
    while place < len(text):
        sign = text[place]
        phrase = _PHRASE.match(text, place) if sign == '"' else None
        if phrase:
            yield "w", _plain(phrase[1])
            place = phrase.end()
        elif sign in "()":
            if place in brackets:
                yield sign, ""
            place += 1
        elif sign in '+|-"' or sign.isspace():
            if sign != '"':
                yield (sign if sign in "+|-" else " "), ""
            place += 1
        else:
            token = _TOKEN.match(text, place)
            assert token is not None, "every other sign begins a word"
            yield _word(token[0])
            place = token.end()


def _word(token: str) -> tuple[str, str]:
    token = _LOOSE.sub("", token)
    prefix = token.endswith("*") and (len(token) - len(token[:-1].rstrip("\\")) - 1) % 2 == 0
    return ("*" if prefix else "w"), _plain(token)


def _plain(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _brackets(text: str) -> set[int]:
    """Places of the brackets that have a partner; the others are passed over."""
    partners: set[int] = set()
    opened: list[int] = []
    place = 0
    while place < len(text):
        sign = text[place]
        phrase = _PHRASE.match(text, place) if sign == '"' else None
        if phrase:
            place = phrase.end()
            continue
        if sign == "(":
            opened.append(place)
        elif sign == ")" and opened:
            partners |= {opened.pop(), place}
        place += 2 if sign == "\\" else 1
    return partners
