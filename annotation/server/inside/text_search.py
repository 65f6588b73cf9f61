"""Free text: run a parsed query on the text index and weigh what it finds.

Each word, phrase or beginning is one FTS5 question that gives record ids with a weight (bm25 of the best field); and,
or, not are then operations on sets, so that two words may stand in two fields of a record, and a query of a thousand
words makes no deep SQL expression. The weights of what was found add up.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import Record
from sqlalchemy import String, select, text, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from .text_query import EVERYTHING, Leaf, TooManyWordsError, parse

__all__ = ["Hits", "find"]

Hits = dict[str, float]
"""Record ids (32 hexadecimal digits, as stored: objects for 5,000 of them cost more than the search) with their weight.

Greater is better; 0 for a record that was found by what it does not hold."""

_LEAF = text(
    "SELECT t.record_id, -bm25(live_words) AS weight FROM live_words JOIN live_texts t ON t.id = live_words.rowid"
    " WHERE live_words MATCH :match AND t.dataset_id = :dataset_id AND (:field IS NULL OR t.field = :field)"
)


async def find(db: AsyncSession, dataset_id: UUID, query: Any) -> Hits:
    """Records of the dataset that `query` (Argilla's TextQuery, or a string) asks for, in one field if it names one.

    Raises UnprocessableEntityError when it holds too many words.
    """
    words, field = (query, None) if isinstance(query, str) else (query.q, query.field)
    try:
        program = parse(words)
    except TooManyWordsError as error:
        raise UnprocessableEntityError(str(error)) from error
    everything = await _everything(db, dataset_id) if "not" in program or EVERYTHING in program else {}
    stack: list[Hits] = []
    for step in program:
        if isinstance(step, Leaf):
            stack.append(everything if step == EVERYTHING else await _leaf(db, dataset_id, step, field))
        elif step == "not":
            without = stack.pop()
            stack.append({key: 0.0 for key in everything if key not in without})
        else:
            right, left = stack.pop(), stack.pop()
            keys = left.keys() & right.keys() if step == "and" else left.keys() | right.keys()
            stack.append({key: left.get(key, 0.0) + right.get(key, 0.0) for key in keys})
    return stack[-1] if stack else {}


async def _leaf(db: AsyncSession, dataset_id: UUID, leaf: Leaf, field: str | None) -> Hits:
    given = {"match": leaf.match, "dataset_id": dataset_id.hex, "field": field}
    hits: Hits = {}
    for key, weight in await db.execute(_LEAF, given):
        hits[key] = max(weight, hits.get(key, 0.0))
    return hits


async def _everything(db: AsyncSession, dataset_id: UUID) -> Hits:
    keys = select(type_coerce(Record.id, String)).where(Record.dataset_id == dataset_id)
    return dict.fromkeys(await db.scalars(keys), 0.0)
