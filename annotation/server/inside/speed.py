"""What makes the unmodified server fast enough on SQLite: wrapped from outside, each with its reason.

    make_fast()               # after `import argilla_server`, before it serves

* events nobody wants are not built (events.py);
* JSON is stored as UTF-8 and not as six bytes for every Persian letter;
* a record's status is computed by one request at a time: two at once could each miss the other's response, and waiting
  for SQLite's lock costs more than waiting in line.

Measured by benchmarks/annotation.py against the same server without this. Not covered: what would need the wheel to be
edited (its ORM loads, two look-ups of the user for every request).
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from .events import skip_unwanted
from .wrap import Function, wrap


def make_fast() -> None:
    """Wrap argilla-server; it must be imported and not yet serving."""
    skip_unwanted()
    _store_utf8()
    _one_status_at_a_time()


def to_json(value: Any) -> str:
    """JSON with its letters as they are; escaped when half a surrogate pair, which UTF-8 lacks, is among them."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def _store_utf8() -> None:
    from argilla_server.database import async_engine, sync_engine

    for engine in (async_engine.sync_engine, sync_engine):
        engine.dialect._json_serializer = to_json  # what `create_engine(json_serializer=)` sets


def _one_status_at_a_time() -> None:
    from argilla_server.contexts import distribution

    turn = asyncio.Lock()

    def in_turn(update: Function) -> Function:
        async def updated(search_engine: Any, record_id: Any) -> Any:
            async with turn:
                return await update(search_engine, record_id)

        return updated

    wrap(distribution, "update_record_status", ("search_engine", "record_id"), in_turn)
