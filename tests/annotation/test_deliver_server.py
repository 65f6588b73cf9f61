"""The page, the outbox and a real Argilla: it is down during 100 votes, everything is killed, all arrive once.

The page is app.py in a process of its own, voted on over HTTP; the deliverer is the command in a process of its own;
the server is the project's own, on SQLite. `ANNOTATION_ENVIRONMENT` names the server's environment.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from annotation.address import connect
from annotation.client import Row
from annotation.deliver import AwayError, Route, deliver
from annotation.push import Target
from annotation.server.launch import Running, running
from gaokerena.comparisons import Verdict
from gaokerena.outbox import MARKS, Outbox
from gaokerena.store import Store
from tests.annotation.page_visitor import Visitor, VoteError
from tests.annotation.push_cases import PAGE, keep, opened
from tests.ui.page_server import Server, start

VOTES, VISITORS, VOTING_SECONDS = 100, 10, 180
ROOT = Path(__file__).parents[2]
COMMAND = "import typer; from annotation.deliver_cli import deliver; typer.run(deliver)"


@pytest.fixture
def argilla(tmp_path: Path, environment_folder: Path) -> Iterator[Running]:
    with running(tmp_path / "home", port=0, folder=environment_folder) as server:
        yield server


class Page:
    """The running app; `kill9` and start again at the same address."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.settings = {"GAOKERENA_PRESET": "echo", "GAOKERENA_OUTBOX": str(folder / "outbox")}
        self.server: Server = start(folder, self.settings)

    def kill9(self) -> None:
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()

    def restart(self) -> None:
        self.kill9()
        self.server = start(self.folder, self.settings, int(self.server.address.rsplit(":", 1)[1]))


class Deliverer:
    """The command, killed and started at will."""

    def __init__(self, page: Page, home: Path) -> None:
        where = ["--store", str(page.server.store), "--outbox", str(page.folder / "outbox"), "--to", str(home)]
        rest = ["--dataset", "page", "--folder", str(page.folder / "annotation"), "--every", "0.2"]
        self._command = [sys.executable, "-c", COMMAND, *where, *rest]
        self._log = (page.folder / "deliver.txt").open("ab")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdout=self._log, stderr=self._log, cwd=ROOT)

    def kill9(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        self.kill9()
        self.process = self._start()

    def close(self) -> None:
        self.kill9()
        self._log.close()


@contextmanager
def _voting(page: Page, acknowledged: set[str]) -> Iterator[None]:
    """Visitors who go on until they have `VOTES` thank yous between them, whatever breaks on the way."""
    count = threading.Semaphore(VOTES)
    end = time.monotonic() + VOTING_SECONDS

    def visit(name: int) -> None:
        visitor, number = None, 0
        while time.monotonic() < end and count.acquire(blocking=False):
            number += 1
            try:
                visitor = visitor or Visitor(page.server.address)
                acknowledged.add(visitor.vote(f"بیمار {name} در روز {number} تب دارد. چه کنیم؟"))
            except (httpx2.HTTPError, VoteError):
                count.release()
                visitor = visitor.close() if visitor else None
                time.sleep(0.2)
        if visitor:
            visitor.close()

    with ThreadPoolExecutor(VISITORS) as pool:
        going = [pool.submit(visit, name) for name in range(VISITORS)]
        yield
        for each in going:
            each.result()


def _until(done: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.1)


def test_what_waited_arrives_once_when_the_server_is_back(tmp_path: Path, argilla: Running) -> None:
    home, folder = argilla.places.path, tmp_path / "annotation"
    with Store(tmp_path / "store.sqlite3") as store, Outbox(tmp_path / "outbox") as outbox:
        for number in range(3):
            verdict = Verdict(comparison_id=keep(store, number), choice="left", session="s")
            outbox.add(verdict)
            store.add_verdict(verdict)
        route = Route(store.path, outbox.folder, folder, Target("doctors", "page"), PAGE)
        argilla.kill9()
        with pytest.raises(AwayError, match="no server is running"):
            deliver(route, lambda: connect(str(home)))
        argilla.restart()
        assert deliver(route, lambda: connect(str(home))).sent == 3
        (outbox.folder / MARKS).unlink()  # as if it had been killed before the marks
    assert deliver(route, lambda: connect(str(home))).sent == 3
    assert len(_records(home)) == 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_hundred_votes_while_argilla_is_down_all_arrive_once(tmp_path: Path, argilla: Running) -> None:
    page, acknowledged = Page(tmp_path / "page"), set[str]()
    deliverer = Deliverer(page, argilla.places.path)
    try:
        argilla.kill9()
        with _voting(page, acknowledged):
            _until(lambda: len(acknowledged) >= VOTES // 2, VOTING_SECONDS)
            page.restart()
            deliverer.restart()
        assert len(acknowledged) == VOTES
        outbox = Outbox(page.folder / "outbox")
        assert len(outbox.pending()) >= VOTES, "nothing was delivered while Argilla was down"
        argilla.restart()
        for _ in range(3):
            deliverer.restart()
            time.sleep(1.5)
        argilla.kill9()
        argilla.restart()
        _until(lambda: not _waiting(page, outbox))
        _check(page, argilla, outbox, acknowledged)
    finally:
        deliverer.close()
        page.kill9()


def _waiting(page: Page, outbox: Outbox) -> set[str]:
    """Stored verdicts that are not delivered yet; an entry whose verdict was lost with the page waits for its grace."""
    with Store(page.server.store) as store:
        stored = {verdict.id for verdict in store.verdicts()}
    return {entry.verdict_id for entry in outbox.pending()} & stored


def _records(home: Path) -> list[Row]:
    with connect(str(home)) as client:
        workspace = client.workspace("doctors")
        dataset = client.dataset(workspace["id"], "page") if workspace else None
        return client.records(dataset["id"]) if dataset else []


def _check(page: Page, argilla: Running, outbox: Outbox, acknowledged: set[str]) -> None:
    """Every stored vote has one record with its own question, and nothing else is there."""
    with Store(page.server.store) as store:
        judged = {verdict.comparison_id for verdict in store.verdicts()}
        asked = {kept.id: kept.question.text for kept in store.comparisons() if kept.id in judged and kept.question}
    assert acknowledged <= judged, "what was thanked for is stored"
    assert not _waiting(page, outbox)
    assert {mark.outcome for mark in outbox.marks()} == {"sent"}
    records = _records(argilla.places.path)
    shown = [opened(record)["question"]["text"] for record in records]
    assert sorted(shown) == sorted(asked.values())
    assert len(set(shown)) == len(shown) >= VOTES
    assert len({record["external_id"] for record in records}) == len(records)
