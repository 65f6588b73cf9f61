"""Stands in the place of `argilla_server.jobs.queues`: the same four names, without Redis.

    stand_in(runner)          # before `import argilla_server`

The stock module is thirty lines that connect to Redis and name two rq queues. Its jobs keep their rq decorator, whose
`delay` hands them to a queue's `enqueue_call`; here that is the queue on disk. Not covered: other calls of rq.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from .jobs import Runner


class Connection:
    """What the server asks of Redis when it starts: an answer to a ping."""

    def ping(self) -> bool:
        """Nothing has to be reached."""
        return True


class Queue:
    """A queue as the rq decorator sees it."""

    def __init__(self, name: str, runner: Runner) -> None:
        self.name = name
        self._runner = runner

    def enqueue_call(self, function: Any, args: Any = (), kwargs: Any = None, retry: Any = None, **_: Any) -> QueuedJob:
        """Queue `function`; its other settings (timeouts, times to live) are rq's own and mean nothing here."""
        id_ = self._runner.add(function, tuple(args or ()), dict(kwargs or {}), retry)
        return QueuedJob(id_, self._runner)


class QueuedJob:
    """A queued job as Argilla's handlers see it."""

    def __init__(self, id_: str, runner: Runner) -> None:
        self.id = id_
        self._runner = runner

    def get_status(self, refresh: bool = True) -> Any:  # noqa: ARG002 - the signature is rq's own
        """Its state, as rq names it."""
        return self._runner.store.state(self.id)


def stand_in(runner: Runner) -> None:
    """Make `argilla_server.jobs.queues` this module's own; the server must not have been imported yet."""
    if "argilla_server" in sys.modules:
        raise RuntimeError("argilla_server was imported before its queues were replaced")
    module = ModuleType("argilla_server.jobs.queues")
    vars(module).update(
        REDIS_CONNECTION=Connection(),
        DEFAULT_QUEUE=Queue("default", runner),
        HIGH_QUEUE=Queue("high", runner),
        JOB_TIMEOUT_DISABLED=-1,
    )
    sys.modules[module.__name__] = module


def answer_for_jobs(runner: Runner) -> None:
    """Let `GET /jobs/{id}` look into the queue on disk."""
    from argilla_server.api.handlers.v1 import jobs
    from fastapi import HTTPException

    from .wrap import Function, wrap

    def around(_: Function) -> Function:
        def get_job(job_id: str) -> QueuedJob:
            if runner.store.state(job_id) is None:
                raise HTTPException(status_code=404, detail=f"Job with id `{job_id}` not found")
            return QueuedJob(job_id, runner)

        return get_job

    wrap(jobs, "_get_job", ("job_id",), around)
