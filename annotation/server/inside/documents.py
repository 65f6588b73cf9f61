"""Values inside the server's JSON columns, and the SQL functions that read them.

SQLite's own JSON functions are not used: at 3.40 they compare escaped keys byte for byte (a Persian property name is
never found), cut a text at NUL, and fail the whole query on the `Infinity` that Python's JSON writes. Python reads
what Python wrote. Cost: about 3 µs a row; the annotator's page calls none of them.

A place in a document is a shape and a name: `whole` (the document itself), `member` (`document[name]`) or `answer`
(`document[name]["value"]`, as responses are stored). Not covered: objects inside metadata, which have no value.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

__all__ = ["FUNCTIONS", "Document", "Kind", "Scalar", "Shape", "number", "scalars"]

Shape = Literal["whole", "member", "answer"]
Kind = Literal["text", "number"]
Scalar = str | int | float
Document = str | int | float | None
"""JSON text as SQLite gives it back: a column declared JSON turns a document that is a number into that number."""

_LARGEST = 2**63 - 1


def number(text: str) -> int | float | None:
    """`text` as a number, exact where it is whole; None when it is not a number in ASCII digits."""
    if not text.isascii() or "_" in text:
        return None
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def scalars(document: Document, shape: str, name: str, kind: str) -> list[Scalar]:
    """All values at one place of `document`: none, one, or each of a list.

    As `text` a value is itself, a number or truth value as JSON writes it, a ranked item its `value`, a span its
    `label`. As `number` only numbers count, truth values and NaN do not.
    """
    value = _at(document, shape, name)
    found = [_named(item) if kind == "text" else item for item in (value if isinstance(value, list) else [value])]
    return [item for item in found if isinstance(item, str) == (kind == "text") and _is_scalar(item)]


def _at(document: Document, shape: str, name: str) -> Any:
    try:
        value = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return None
    if shape == "whole":
        return value
    member = value.get(name) if isinstance(value, dict) else None
    if shape == "member":
        return member
    return member.get("value") if isinstance(member, dict) else None


def _named(value: Any) -> Any:
    if isinstance(value, dict):
        value = value.get("value", value.get("label"))
    return value if value is None or isinstance(value, str | list | dict) else json.dumps(value)


def _is_scalar(value: Any) -> bool:
    if isinstance(value, str):
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


@lru_cache(maxsize=256)
def _wanted(terms: str, kind: str) -> frozenset[Scalar]:
    """The terms of a filter, a JSON list of strings, as the values they stand for."""
    read = json.loads(terms)
    if kind == "text":
        return frozenset(read)
    return frozenset(value for value in map(number, read) if value is not None)


@lru_cache(maxsize=256)
def _bounds(bounds: str) -> tuple[Any, Any]:
    low, high = json.loads(bounds)
    return low, high


def _has_term(document: Document, shape: str, name: str, kind: str, terms: str) -> int:
    return int(not _wanted(terms, kind).isdisjoint(scalars(document, shape, name, kind)))


def _is_within(document: Document, shape: str, name: str, kind: str, bounds: str) -> int:
    low, high = _bounds(bounds)
    values = scalars(document, shape, name, kind)
    return int(any((low is None or value >= low) and (high is None or value <= high) for value in values))


def _lowest(document: Document, shape: str, name: str, kind: str) -> Scalar | None:
    return _storable(min(scalars(document, shape, name, kind), default=None))


def _highest(document: Document, shape: str, name: str, kind: str) -> Scalar | None:
    return _storable(max(scalars(document, shape, name, kind), default=None))


def _storable(value: Scalar | None) -> Scalar | None:
    """`value` as SQLite can hold it: larger whole numbers lose digits, broken characters become a mark."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and abs(value) > _LARGEST:
        return float(value) if abs(value) < 10**308 else math.copysign(math.inf, value)
    return value


FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "live_has_term": (5, _has_term),
    "live_is_within": (5, _is_within),
    "live_lowest": (4, _lowest),
    "live_highest": (4, _highest),
}
"""SQL functions by name, with their number of arguments: (document, shape, name, kind[, terms or bounds as JSON])."""
