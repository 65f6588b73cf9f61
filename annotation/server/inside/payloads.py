"""The text of a record's field, for the text index.

A text field is its text, a chat field its messages (not their roles), a custom field the texts and numbers in it (not
its keys). A custom field may hold its content encoded, so that no page can run it; `decoders` turns it back before it
is indexed. One is built in: `{"b64": "…"}`, base64 of UTF-8 text, or of JSON whose texts are then taken.

    from inside import payloads
    payloads.decoders.append(mine)       # before the server starts; the index is made again when the list changed

Not covered: images (kept out of the index), markup inside texts (its words are indexed with the rest).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from .folding import words

__all__ = ["Decoder", "decoders", "from_base64", "indexed"]

Decoder = Callable[[dict[str, Any]], object]
"""Takes a custom field's content; returns what it stands for (text, list or object), or None if it is not its kind."""


def from_base64(content: dict[str, Any]) -> object:
    """`{"b64": base64 of UTF-8}` as the JSON or text it holds; None for anything else."""
    if content.keys() != {"b64"} or not isinstance(content["b64"], str):
        return None
    try:
        text = base64.b64decode(content["b64"], validate=True).decode()
    except ValueError:
        return None
    try:
        decoded: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return decoded


decoders: list[Decoder] = [from_base64]


def indexed(fields: str | None, name: str) -> str:
    """The folded words of field `name` in `fields`, a record's column of that name; "" when it has none."""
    return words(" \n".join(_texts(_read(fields or "{}").get(name))))


@lru_cache(maxsize=4)
def _read(fields: str) -> dict[str, Any]:
    """A trigger asks for the fields of one record one after the other."""
    try:
        content = json.loads(fields)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):  # a chat: one message after the other
        yield from (str(message.get("content", "")) for message in value if isinstance(message, dict))
    elif isinstance(value, dict):
        yield from _leaves(_decoded(value))
    elif value is not None:
        yield str(value)


def _decoded(content: dict[str, Any]) -> object:
    for decoder in decoders:
        found = decoder(content)
        if found is not None:
            return found
    return content


def _leaves(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += reversed(item.values())
        elif isinstance(item, list):
            waiting += reversed(item)
        elif item is not None and not isinstance(item, bool):
            yield str(item)
