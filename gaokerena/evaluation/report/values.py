"""What stands in the report's sentences and tables, and how each language writes it.

    plain(Number(-0.24, signed=True), "fa")      # ⁦−۰٫۲۴⁩
    markup(Phrase.of("about_rows", n=Number(816, 0)), "en")

Persian has Persian digits, «٫» and «٬». What reads left to right inside Persian text (names, signed figures) is
isolated: by `<bdi>` in HTML, by U+2066 in plain text.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Literal

from gaokerena.bidi import LRI, PDI
from gaokerena.evaluation.report.words import Language, text
from gaokerena.persian import persian_digits

Direction = Literal["", "ltr", "auto"]
Piece = tuple[str, Direction]
FSI = "\u2068"
_MINUS = "\u2212"
_SEPARATORS = str.maketrans({".": "٫", ",": "٬"})


@dataclass(frozen=True)
class Number:
    """A figure of so many decimals; `signed` shows a plus as well."""

    value: float
    decimals: int = 2
    signed: bool = False


@dataclass(frozen=True)
class Range:
    """An interval from `low` to `high`."""

    low: float
    high: float
    decimals: int = 2
    signed: bool = False


@dataclass(frozen=True)
class Chance:
    """A p value: three decimals, below that only that it is below."""

    p: float


@dataclass(frozen=True)
class Name:
    """A name, a command, a hash: Latin, never translated."""

    text: str


@dataclass(frozen=True)
class Quote:
    """Text of the data, as it is."""

    text: str


@dataclass(frozen=True)
class Phrase:
    """A sentence of words.toml with its figures filled in."""

    key: str
    filled: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(cls, key: str, **filled: Value) -> Phrase:
        return cls(key, tuple(filled.items()))


@dataclass(frozen=True)
class Joined:
    """Several values behind one another."""

    parts: tuple[Value, ...]
    between: Literal["comma", "line", "dot", "plus", "minus", "semicolon"] = "comma"


Value = Number | Range | Chance | Name | Quote | Phrase | Joined | None
_BETWEEN = {"line": "\n", "dot": " · ", "plus": " + ", "minus": f" {_MINUS} "}
_STOPS: dict[str, dict[Language, str]] = {
    "comma": {"fa": "، ", "en": ", "},
    "semicolon": {"fa": "؛ ", "en": "; "},
}


def pieces(value: Value, language: Language) -> Iterator[Piece]:
    """The text of `value` in order, each part with its own direction or none."""
    match value:
        case None:
            yield "–", ""
        case Number(number, decimals, signed):
            shown = figure(number, decimals, language, signed=signed)
            yield shown, "ltr" if shown[0] in f"+{_MINUS}" else ""
        case Range(low, high, decimals, signed):
            yield from _range(low, high, decimals, signed, language)
        case Chance(p):
            small = p < 0.001
            yield f"{'< ' if small else ''}{figure(max(p, 0.001), 3, language)}", "ltr" if small else ""
        case Name(name):
            yield name, "ltr"
        case Quote(quoted):
            yield quoted, "auto"
        case Joined(parts, between):
            for place, part in enumerate(parts):
                if place:
                    yield _BETWEEN.get(between) or _STOPS[between][language], ""
                yield from pieces(part, language)
        case Phrase(key, filled):
            yield from _phrase(key, dict(filled), language)


def _range(low: float, high: float, decimals: int, signed: bool, language: Language) -> Iterator[Piece]:
    yield from pieces(Number(low, decimals, signed), language)
    yield {"fa": " تا ", "en": " to "}[language], ""
    yield from pieces(Number(high, decimals, signed), language)


def _phrase(key: str, filled: dict[str, Value], language: Language) -> Iterator[Piece]:
    for words, field, _, _ in string.Formatter().parse(text(language, key)):
        if words:
            yield words, ""
        if field is not None:
            yield from pieces(filled[field], language)


def figure(number: float, decimals: int, language: Language, *, signed: bool = False) -> str:
    """A number's digits: rounded half away from zero, so that 0.125 is 0.13 in both languages."""
    scale = 10**decimals
    rounded = math.copysign(math.floor(abs(number) * scale + 0.5 + 1e-9) / scale, number)
    sign = _MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    shown = f"{abs(rounded):,.{decimals}f}"
    return sign + (persian_digits(shown.translate(_SEPARATORS)) if language == "fa" else shown)


def plain(value: Value, language: Language, *, isolated: bool = True) -> str:
    """`value` as plain text; in Persian its left-to-right parts stand between bidi isolates, unless told not to."""
    if language == "en" or not isolated:
        return "".join(piece for piece, _ in pieces(value, language))
    marks = {"": "{}", "ltr": f"{LRI}{{}}{PDI}", "auto": f"{FSI}{{}}{PDI}"}
    return "".join(marks[direction].format(piece) for piece, direction in pieces(value, language))


def markup(value: Value, language: Language) -> str:
    """`value` as HTML, escaped; line breaks are `<br>`."""
    shown = ((escape(piece).replace("\n", "<br>"), direction) for piece, direction in pieces(value, language))
    return "".join(f'<bdi dir="{direction}">{piece}</bdi>' if direction else piece for piece, direction in shown)
