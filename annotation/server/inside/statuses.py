"""A record's status from its responses, in one statement, by Argilla's own rule.

The rule (`contexts/distribution.py`): completed when it has as many submitted responses as its dataset asks for, else
pending. Argilla commits a response first and the status after it, with three look-ups between, so a crash leaves a
finished record pending (or the other way round) until somebody answers it again, and of two answers at once the one
that looked first may write last. Here the status is one `update` that looks and writes at once; `repair` runs it for
the whole database before the server starts. Not covered: distribution strategies other than overlap (2.8.0 has none).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from .wrap import Function, wrap

# It begins with `update`: what begins with `with` is no write to sqlite3, which would open no transaction for it, nor
# to at_once.py, which would give it no turn.
_UPDATE = """
update records set status = counted.new, updated_at = :now from (
    select records.id, records.status as old, case
        when (
            select count(*) from responses where responses.record_id = records.id and responses.status = 'submitted'
        ) >= json_extract(datasets.distribution, '$.min_submitted') then 'completed' else 'pending' end as new
    from records join datasets on datasets.id = records.dataset_id where {which}
) as counted
where counted.id = records.id and counted.old <> counted.new
"""
ONE = _UPDATE.format(which="records.id = :id")
ALL = _UPDATE.format(
    which="records.status <> 'pending' or exists (select 1 from responses where responses.record_id = records.id)"
)


def repair() -> int:
    """Correct every stale status in the server's database; how many there were."""
    from argilla_server.database import sync_engine  # its connections know the functions the triggers call
    from sqlalchemy import text

    with sync_engine.begin() as db:
        return int(db.execute(text(ALL), {"now": _now()}).rowcount)


def update_at_once(wanted: Function) -> None:
    """Have Argilla compute a status with `ONE`, unless a webhook wants the record's events (`wanted(db, event)`).

    Then its own way is kept, one request at a time.
    """
    from argilla_server import database
    from argilla_server.contexts import distribution
    from argilla_server.webhooks.v1.enums import RecordEvent
    from sqlalchemy import text

    turn = asyncio.Lock()

    def around(stock: Function) -> Function:
        async def updated(search_engine: Any, record_id: Any) -> Any:
            async with database.AsyncSessionLocal() as db:
                if not (await wanted(db, RecordEvent.updated) or await wanted(db, RecordEvent.completed)):
                    await db.execute(text(ONE), {"now": _now(), "id": record_id.hex})
                    await db.commit()
                    return None
            async with turn:
                return await stock(search_engine, record_id)

        return updated

    wrap(distribution, "update_record_status", ("search_engine", "record_id"), around)


def _now() -> str:
    """Now, as SQLAlchemy stores it in SQLite."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
