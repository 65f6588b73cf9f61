"""The queue of jobs: kept on disk, in order within a lane, retried, and run again after a crash."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from annotation.server.inside import job_store, jobs
from annotation.server.inside.job_store import JobStore
from annotation.server.inside.jobs import Runner

FAR = 10**12
WEBHOOKS = UUID(int=1), UUID(int=2)


def notify_event_job(webhook_id: UUID, event: str) -> None:
    """Has the name and the first parameters of Argilla's job."""


def numbers(store: JobStore, now: float = FAR) -> list[Any]:
    return [job.arguments["n"] for job in store.due(now)]


def test_arguments_come_back_as_they_were(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.db")
    given = {
        "id": uuid4(),
        "at": datetime(2026, 11, 21, 8, 30, 1, 5),
        "data": {"متن": ["تب ۳۹", None, 1.5], "$uuid": "not one", "id": ["uuid", "x"]},
        "name": "\ud800 half",
    }
    store.add("a", "job", given, ())
    assert store.due(FAR)[0].arguments == given
    with pytest.raises(TypeError):
        store.add("a", "job", {"n": object()}, ())


def test_each_lane_gives_its_first_job(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.db")
    for lane, n in (("b", 1), ("a", 2), ("a", 3), ("b", 4)):
        store.add(lane, "job", {"n": n}, ())
    assert numbers(store) == [1, 2]
    first, second = store.due(FAR)
    store.start(first)
    store.done(second)
    assert numbers(store) == [3, 4]
    assert numbers(store, now=time.time() - 5) == []


def test_a_job_that_was_running_at_a_crash_runs_again(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.db")
    id_ = store.add("a", "job", {"n": 1}, ())
    store.start(store.due(FAR)[0])
    assert store.state(id_) == "started"
    assert numbers(store) == []
    # No close: the process is gone.
    again = JobStore(tmp_path / "jobs.db")
    assert again.state(id_) == "queued"
    assert numbers(again) == [1]


def test_a_failing_job_waits_and_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = JobStore(tmp_path / "jobs.db")
    clock = 1000.0
    monkeypatch.setattr(job_store.time, "time", lambda: clock)
    id_ = store.add("a", "job", {"n": 1}, (10, 60))
    store.add("a", "job", {"n": 2}, ())
    assert store.failed(store.due(clock)[0], "no answer") == 10
    assert numbers(store, clock) == [2]  # the one behind it passes
    assert store.next_due(busy={}) == 1000
    assert numbers(store, clock + 10) == [1]
    assert store.failed(store.due(clock + 10)[0], "no answer") == 60
    assert store.failed(store.due(clock + 100)[0], "no answer") is None
    assert store.state(id_) == "failed"
    assert store.next_due(busy={"a"}) is None


def test_what_ended_is_forgotten_after_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = JobStore(tmp_path / "jobs.db")
    old = store.add("a", "job", {"token": "a secret"}, ())
    store.done(store.due(FAR)[0])
    assert store.state(old) == "finished"
    assert b"a secret" not in b"".join(row[0].encode() for row in store._db.execute("select arguments from jobs"))
    later = time.time() + job_store.KEPT_SECONDS + 1
    monkeypatch.setattr(job_store.time, "time", lambda: later)
    store.add("a", "job", {}, ())
    store.done(store.due(FAR)[0])
    assert store.state(old) is None


def run(
    store: JobStore, handler: Callable[..., Awaitable[None]], monkeypatch: pytest.MonkeyPatch, seconds: float
) -> Runner:
    """Let a runner with this handler work for a while."""
    monkeypatch.setattr(jobs, "_handlers", lambda: {"notify_event_job": handler})
    runner = Runner(store)

    async def work() -> None:
        task = asyncio.create_task(runner.work())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(work())
    return runner


def test_lanes_run_beside_each_other_and_each_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = JobStore(tmp_path / "jobs.db")
    runner = Runner(store)
    slow, fast = WEBHOOKS
    for n in range(3):
        for webhook in WEBHOOKS:
            runner.add(notify_event_job, (webhook, f"event {n}"), {}, None)
    ran: list[tuple[UUID, str]] = []

    async def handler(webhook_id: UUID, event: str) -> None:
        await asyncio.sleep(0.15 if webhook_id == slow else 0)
        ran.append((webhook_id, event))

    run(store, handler, monkeypatch, 0.8)
    assert [event for webhook, event in ran if webhook == slow] == ["event 0", "event 1", "event 2"]
    assert [event for webhook, event in ran if webhook == fast] == ["event 0", "event 1", "event 2"]
    assert ran.index((fast, "event 2")) < ran.index((slow, "event 1"))


def test_a_job_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = JobStore(tmp_path / "jobs.db")
    retry = SimpleNamespace(max=2, intervals=[0.05])
    id_ = Runner(store).add(notify_event_job, (WEBHOOKS[0],), {"event": "e"}, retry)
    tries = []

    async def handler(webhook_id: UUID, event: str) -> None:
        tries.append(time.monotonic())
        if len(tries) < 3:
            raise OSError("refused")

    run(store, handler, monkeypatch, 0.6)
    assert len(tries) == 3
    assert tries[1] - tries[0] >= 0.05
    assert store.state(id_) == "finished"


def test_a_job_of_another_release_is_given_up_and_those_behind_it_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = JobStore(tmp_path / "jobs.db")
    other = store.add("webhook", "a_job_of_another_release", {"n": 1}, ())
    good = store.add("webhook", "notify_event_job", {"webhook_id": WEBHOOKS[0], "event": "e"}, ())

    async def handler(webhook_id: UUID, event: str) -> None:
        return

    run(store, handler, monkeypatch, 0.3)
    assert (store.state(other), store.state(good)) == ("failed", "finished")


def test_a_queue_that_cannot_be_written_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PAUSE", 0.01)
    store = JobStore(tmp_path / "jobs.db")
    ids = [store.add("a", "notify_event_job", {"webhook_id": WEBHOOKS[0], "event": event}, ()) for event in "ab"]
    for name in ("due", "start", "failed", "done", "next_due"):
        monkeypatch.setattr(store, name, failing_once(getattr(store, name)))

    async def handler(webhook_id: UUID, event: str) -> None:
        if event == "a":
            raise OSError("refused")

    run(store, handler, monkeypatch, 0.5)
    assert [store.state(id_) for id_ in ids] == ["failed", "finished"]


def failing_once(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that finds the disk full the first time."""
    full = iter([True])

    def tried(*args: Any) -> Any:
        if next(full, False):
            raise sqlite3.OperationalError("database or disk is full")
        return method(*args)

    return tried


def test_a_job_cut_short_by_a_stop_runs_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = JobStore(tmp_path / "jobs.db")
    id_ = Runner(store).add(notify_event_job, (WEBHOOKS[0], "e"), {}, None)

    async def handler(webhook_id: UUID, event: str) -> None:
        await asyncio.sleep(30)

    run(store, handler, monkeypatch, 0.1)
    assert JobStore(tmp_path / "jobs.db").state(id_) == "queued"


def test_delays_are_argillas_or_ours() -> None:
    assert jobs._delays(None) == ()
    assert jobs._delays(SimpleNamespace(max=3, intervals=[10, 60, 180])) == (10, 60, 180)
    assert jobs._delays(SimpleNamespace(max=3, intervals=[0])) == jobs.DELAYS
    assert jobs._delays(SimpleNamespace(max=4, intervals=[1, 2])) == (1, 2, 2, 2)


def test_a_job_argilla_did_not_have_is_refused(tmp_path: Path) -> None:
    def new_job(n: int) -> None:
        """One of a later release."""

    with pytest.raises(KeyError, match="new_job"):
        Runner(JobStore(tmp_path / "jobs.db")).add(new_job, (1,), {}, None)
