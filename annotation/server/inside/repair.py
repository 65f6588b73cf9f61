"""Make every record's status agree with its responses, before the server starts.

Argilla commits a response first and the record's status after it, so a crash between the two leaves a finished record
pending (or the other way round), until somebody answers it again. The rule is Argilla's own
(`contexts/distribution.py`): completed when it has as many submitted responses as the dataset asks for.
"""

from __future__ import annotations

from datetime import UTC, datetime

_REPAIR = """
with counted as (
    select records.id, records.status as old, case
        when (
            select count(*) from responses where responses.record_id = records.id and responses.status = 'submitted'
        ) >= json_extract(datasets.distribution, '$.min_submitted') then 'completed' else 'pending' end as new
    from records join datasets on datasets.id = records.dataset_id
    where records.status <> 'pending' or exists (select 1 from responses where responses.record_id = records.id)
)
update records set status = counted.new, updated_at = ? from counted
where counted.id = records.id and counted.old <> counted.new
"""


def repair_statuses() -> int:
    """Correct stale statuses in the server's database; how many there were."""
    from argilla_server.database import sync_engine  # its connections know the functions the triggers call

    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")  # as SQLAlchemy stores it
    with sync_engine.begin() as db:
        return int(db.exec_driver_sql(_REPAIR, (now,)).rowcount)
