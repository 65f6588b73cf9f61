"""A record as it leaves the house: nothing in it says which model wrote what, nor which items are gold or repeated.

    records = records_of(planned, fields_of)          # planned: (item, batch) in the order sent

The page is given a copy of the item that knows no model, gold, twin, reason or source (`blinded`), so it cannot show
what it does not have. Beside the page's field a record carries its opaque id and two words of metadata, the batch and
the subject; a gold item borrows the subject of its neighbour in the order, for one of its own would mark it.
`check` refuses whatever is not of that shape, before anything is sent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from annotation.items import Item

Fields = Callable[[Item], dict[str, Any]]
Record = dict[str, Any]

_WORD = re.compile(r"[a-z0-9_-]{1,60}")
_KEYS = {"external_id", "fields", "metadata"}


class LeakError(Exception):
    """A record holds something that might tell a doctor what it is; nothing was sent."""


def blinded(item: Item) -> Item:
    """The item as the page may know it: question, options, and two answers by nobody."""
    nobody = {"model": "", "revision": ""}
    return Item(
        id=item.id,
        origin="store",
        at="",
        question=item.question.model_copy(update={"gold": None, "suite": None, "subject": None}),
        sides={side: shown.model_copy(update=nobody) for side, shown in item.sides.items()},
        seed=0,
    )


def records_of(
    planned: Sequence[tuple[Item, str]], fields_of: Fields, skip: Collection[str] = frozenset()
) -> list[Record]:
    """One record an item whose id is not in `skip`, in order. Raises LeakError."""
    subjects = _subjects([item for item, _ in planned])
    records = []
    for (item, batch), subject in zip(planned, subjects, strict=True):
        if item.id in skip:
            continue
        record = {
            "external_id": item.id,
            "fields": fields_of(blinded(item)),
            "metadata": {"batch": batch, "subject": slug(subject)},
        }
        check(record)
        records.append(record)
    return records


def slug(subject: str | None) -> str:
    """`subject` in letters that no page can mistake for code; a hash where it has none of them."""
    plain = re.sub(r"[^a-z0-9]+", "_", (subject or "").lower()).strip("_")[:40]
    if plain or not subject:
        return plain or "none"
    return "s" + hashlib.sha256(subject.encode("utf-8", "replace")).hexdigest()[:8]


def check(record: Record) -> None:
    """Raises LeakError for further keys (suggestions, responses) or words that could say something."""
    if further := set(record) - _KEYS:
        raise LeakError(f"a record has {', '.join(sorted(further))}; only {', '.join(sorted(_KEYS))} may be sent")
    words = {"external_id": record["external_id"], **record["metadata"]}
    for name, value in words.items():
        if not (isinstance(value, str) and _WORD.fullmatch(value)):
            raise LeakError(f"{name} is {value!r}; only a-z, 0-9, _ and - may be sent")


def _subjects(items: Sequence[Item]) -> list[str | None]:
    """Each item's subject; a gold item's is that of the nearest other item, the one before it first."""
    own = [item.question.subject for item in items]
    known = [place for place, item in enumerate(items) if item.kind != "gold"]
    if not known:
        return own
    return [
        own[min(known, key=lambda other: (abs(other - place), other))] if item.kind == "gold" else own[place]
        for place, item in enumerate(items)
    ]
