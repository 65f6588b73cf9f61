"""Argilla's background jobs, run as tasks of the server's own loop, in order, from a queue on disk.

    runner = Runner(store); stand_in(runner); …import argilla_server…; task = asyncio.create_task(runner.work())

Jobs of one lane (one webhook, the statuses, the hub) run one after the other; a job that fails waits and lets those
behind it pass, as with rq. Argilla's own delays are kept, and a job that gave none waits 1, 5 and 30 s. A delivery to a
webhook waits in a thread: the stock job holds up the whole loop. A queue that cannot be read or written is waited for,
with a word in the log. Not covered: exactly once (see job_store.py).
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from .job_store import Job, JobStore

DELAYS = (1.0, 5.0, 30.0)
PAUSE = 1.0
"""Seconds before a queue that could not be written (a full disk) is tried again."""
_LANES = {
    "update_dataset_records_status_job": "statuses",
    "import_dataset_from_hub_job": "hub",
    "export_dataset_to_hub_job": "hub",
    "notify_event_job": "webhook {webhook_id}",
}
_LOG = logging.getLogger(__name__)
Noted = TypeVar("Noted")


class Runner:
    """Runs what is in `store` until it is stopped."""

    def __init__(self, store: JobStore) -> None:
        self.store = store
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}

    def add(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], retry: Any) -> str:
        """Queue a call of `function`, one of Argilla's jobs; its id.

        Raises:
            KeyError: argilla-server has a job this package does not know.
        """
        name = function.__name__
        arguments = dict(inspect.signature(function).bind(*args, **kwargs).arguments)
        id_ = self.store.add(_LANES[name].format(**arguments), name, arguments, _delays(retry))
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)
        return id_

    async def work(self) -> None:
        """Run jobs until the task is cancelled; those cut short run again after the next start."""
        self._loop = asyncio.get_running_loop()
        handlers = _handlers()
        try:
            while True:
                await self._noted(lambda: self._start_due(handlers))
                await self._sleep()
        finally:
            for task in self._running.values():
                task.cancel()

    def _start_due(self, handlers: dict[str, Callable[..., Awaitable[Any]]]) -> None:
        self._wake.clear()
        for job in self.store.due(time.time()):
            if job.lane not in self._running:
                self.store.start(job)
                handler = handlers.get(job.name, _unknown)
                self._running[job.lane] = asyncio.create_task(self._run(job, handler))

    async def _noted(self, note: Callable[[], Noted]) -> Noted:
        """What `note` reads from the queue or writes into it; a full disk is waited for."""
        while True:
            try:
                return note()
            except sqlite3.Error as error:
                _LOG.error("the queue of jobs cannot be used (%s); again in %g s", error, PAUSE)
                await asyncio.sleep(PAUSE)

    async def _run(self, job: Job, handler: Callable[..., Awaitable[Any]]) -> None:
        try:
            await handler(**job.arguments)
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            delay = await self._noted(lambda: self.store.failed(job, told))
            again = "it is given up" if delay is None else f"again in {delay:g} s"
            _LOG.warning("job %s (%s) failed: %s; %s", job.number, job.name, told, again)
        else:
            await self._noted(lambda: self.store.done(job))
        finally:
            self._running.pop(job.lane, None)
            self._wake.set()

    async def _sleep(self) -> None:
        """Wait for a new or finished job, or until the next one is due in a lane that is free."""
        due = await self._noted(lambda: self.store.next_due(self._running))
        seconds = None if due is None else max(due - time.time(), 0.01)
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return


def _delays(retry: Any) -> tuple[float, ...]:
    """Seconds before each retry, from an rq `Retry` (whose intervals are 0 when none were given)."""
    if retry is None:
        return ()
    intervals = [float(seconds) for seconds in retry.intervals]
    if not any(intervals):
        intervals = list(DELAYS)
    return tuple(intervals[min(index, len(intervals) - 1)] for index in range(retry.max))


def _handlers() -> dict[str, Callable[..., Awaitable[Any]]]:
    """What runs each of Argilla's jobs; all are its own, save the delivery to a webhook."""
    from argilla_server.jobs import dataset_jobs, hub_jobs

    return {
        "update_dataset_records_status_job": dataset_jobs.update_dataset_records_status_job,
        "import_dataset_from_hub_job": hub_jobs.import_dataset_from_hub_job,
        "export_dataset_to_hub_job": hub_jobs.export_dataset_to_hub_job,
        "notify_event_job": _deliver,
    }


async def _unknown(**_: Any) -> None:
    raise LookupError("this release has no such job")


async def _deliver(webhook_id: Any, event: str, timestamp: Any, data: dict[str, Any]) -> None:
    """Send one event to one webhook, in a thread; a webhook that is gone or switched off gets nothing."""
    from argilla_server.database import AsyncSessionLocal
    from argilla_server.models import Webhook
    from argilla_server.webhooks.v1.commons import notify_event

    async with AsyncSessionLocal() as db:
        webhook = await Webhook.get(db, webhook_id)
    if webhook is None or not webhook.enabled:
        return
    response = await asyncio.to_thread(notify_event, webhook, event, timestamp, data)
    response.raise_for_status()
