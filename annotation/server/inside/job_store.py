"""The queue of background jobs on disk: a small SQLite file that survives a crash.

    store = JobStore(path); store.add("webhook 1", "notify_event_job", arguments, delays=(10, 60, 180))
    for job in store.due(now): …  store.done(job.number)

A file of its own, so that queueing never waits for the server's database. A job is run at least once: one that was
running when the process died runs again. Finished and failed jobs are kept for an hour, without their arguments, for
`GET /jobs/{id}`. Not covered: running them (jobs.py).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

KEPT_SECONDS = 3600.0

_TABLE = """
create table if not exists jobs (
    number integer primary key autoincrement,
    id text not null unique,
    lane text not null,
    name text not null,
    arguments text not null,
    delays text not null,
    state text not null default 'queued',
    tries integer not null default 0,
    due real not null,
    error text not null default '',
    ended real
)
"""
_DUE = """
select number, id, lane, name, arguments, delays, tries, min(number) from jobs
where state = 'queued' and due <= ? group by lane order by number
"""


@dataclass(frozen=True)
class Job:
    """One job to run: `arguments` are its keyword arguments, `delays` the seconds before each retry."""

    number: int
    id: str
    lane: str
    name: str
    arguments: dict[str, Any]
    delays: tuple[float, ...]
    tries: int


class JobStore:
    """The jobs in the file `path`; used from one thread."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.execute(_TABLE)
        self._db.execute("create index if not exists jobs_state on jobs (state, due)")
        self._db.execute("update jobs set state = 'queued' where state = 'started'")  # running when the process died

    def add(self, lane: str, name: str, arguments: dict[str, Any], delays: tuple[float, ...]) -> str:
        """Queue a job behind the others of its lane; its id."""
        id_ = uuid4().hex
        self._db.execute(
            "insert into jobs (id, lane, name, arguments, delays, due) values (?, ?, ?, ?, ?, ?)",
            (id_, lane, name, _written(arguments), json.dumps(delays), time.time()),
        )
        return id_

    def due(self, now: float) -> list[Job]:
        """The first job of every lane that is to run at `now` (seconds since 1970)."""
        rows = self._db.execute(_DUE, (now,)).fetchall()
        return [
            Job(number, id_, lane, name, _read(arguments), tuple(json.loads(delays)), tries)
            for number, id_, lane, name, arguments, delays, tries, _ in rows
        ]

    def next_due(self, busy: Container[str]) -> float | None:
        """When the next queued job is to run, leaving out the lanes that are `busy`."""
        rows = self._db.execute("select lane, min(due) from jobs where state = 'queued' group by lane")
        return min((float(due) for lane, due in rows if lane not in busy), default=None)

    def start(self, job: Job) -> None:
        """Say that `job` runs."""
        self._db.execute("update jobs set state = 'started' where number = ?", (job.number,))

    def done(self, job: Job) -> None:
        """Say that `job` ended well; what it was given is forgotten."""
        self._end(job, "finished", "")

    def failed(self, job: Job, error: str) -> float | None:
        """Queue `job` again after its next delay, which is returned; None when it has none left and has failed."""
        if job.tries >= len(job.delays):
            self._end(job, "failed", error)
            return None
        delay = job.delays[job.tries]
        self._db.execute(
            "update jobs set state = 'queued', tries = tries + 1, due = ?, error = ? where number = ?",
            (time.time() + delay, error, job.number),
        )
        return delay

    def state(self, id_: str) -> str | None:
        """queued, started, finished or failed; None for an unknown job."""
        row = self._db.execute("select state from jobs where id = ?", (id_,)).fetchone()
        return None if row is None else str(row[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _end(self, job: Job, state: str, error: str) -> None:
        now = time.time()
        self._db.execute(
            "update jobs set state = ?, error = ?, ended = ?, arguments = '{}' where number = ?",
            (state, error, now, job.number),
        )
        self._db.execute("delete from jobs where state in ('finished', 'failed') and ended < ?", (now - KEPT_SECONDS,))


def _written(arguments: dict[str, Any]) -> str:
    """Arguments as JSON, each with its kind; only the arguments themselves may be ids or times, not what is in them."""
    return json.dumps({key: _tagged(value) for key, value in arguments.items()})


def _tagged(value: Any) -> tuple[str, Any]:
    if isinstance(value, UUID):
        return "uuid", str(value)
    if isinstance(value, datetime):
        return "time", value.isoformat()
    return "json", value


def _read(text: str) -> dict[str, Any]:
    kinds: dict[str, Callable[[Any], Any]] = {"uuid": UUID, "time": datetime.fromisoformat}
    told = json.loads(text).items()
    return {key: kinds[kind](value) if kind in kinds else value for key, (kind, value) in told}
