"""The server is killed twenty times while three doctors answer, a push sends and pulls fetch.

After every restart: what was acknowledged is there, nothing is there twice, no status is stale.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from annotation import client
from annotation.address import connect
from annotation.client import Argilla, ArgillaError
from annotation.mixing import Mixing
from annotation.plans import Plans
from annotation.pull import pull
from annotation.push import Target, push
from annotation.server.launch import Running
from annotation.users import Pseudonyms, add_users
from annotation.workspace import FILES, stand
from tests.annotation.push_cases import PAGE, found, wanted

KILLS = 20
ANSWERS, BATCH, OVERLAP = 15, 12, 2
"""Answers between two kills; comparisons that each push adds; verdicts that complete a record (those of `PAGE`)."""
TARGET = Target("faults", "killed")
Key = tuple[str, str]
"""A user's id and a record's."""


class Doctor:
    """Answers drawn records one after the other. `may` holds what each of the answers may be: the last one that was
    acknowledged, and those sent later whose acknowledgement never came."""

    def __init__(self, url: str, user: str, name: str, password: str) -> None:
        self.user, self.draw, self.turn = user, random.Random(name), threading.Lock()
        self.may: dict[Key, list[str | None]] = {}
        self.acknowledged = 0
        self.http = httpx2.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=60)
        told = self.http.post("/token", data={"username": name, "password": password})
        self.http.headers["Authorization"] = f"Bearer {told.json()['access_token']}"

    def answer(self, record: str) -> None:
        grade, status = self.draw.choice(["left", "right", "equal"]), self.draw.choice(["submitted"] * 3 + ["draft"])
        body = {"record_id": record, "values": {"grade": {"value": grade}}, "status": status}
        known = self.may.setdefault((self.user, record), [None])
        known.append(f"{status} {grade}")
        try:
            told = self.http.post("/me/responses/bulk", json={"items": [body]})
        except httpx2.ConnectError:  # it never reached the server
            known.pop()
        except httpx2.TransportError:
            pass  # it may be stored or not
        else:
            assert (told.status_code, told.json()["items"][0]["error"]) == (200, None), told.text
            del known[:-1]
            self.acknowledged += 1


class Play:
    """Doctors, a push and a pull that go on, each in a thread, until `stop`; between kills doctors wait at the gate."""

    def __init__(self, argilla: Argilla, server: Running, folder: Path, rooms: ExitStack) -> None:
        self.argilla, self.server, self.folder = argilla, server, folder
        self.gate, self.stop, self.sending = threading.Event(), threading.Event(), threading.Event()
        self.errors: list[BaseException] = []
        self.sent: set[str] = set()
        self.pushes = 0
        self.push(argilla)
        accounts = list(add_users(argilla, TARGET.workspace, ["sara", "omid", "mina"], "annotator", Pseudonyms(folder)))
        ids = {user["username"]: user["id"] for user in argilla.users()}
        self.doctors = [Doctor(server.url, ids[one.username], one.username, one.password or "") for one in accounts]
        for doctor in self.doctors:
            rooms.callback(doctor.http.close)
        place = argilla.workspace(TARGET.workspace)
        dataset = argilla.dataset(place["id"], TARGET.dataset) if place else None
        assert dataset
        self.dataset = str(dataset["id"])
        self.records = [record["id"] for record in argilla.records(self.dataset)]

    def push(self, argilla: Argilla) -> None:
        """Add the next comparisons; what a push that returned had planned was acknowledged."""
        start = BATCH * self.pushes
        want = wanted(start + BATCH, gather=lambda: found(BATCH + 5, start), mixing=Mixing(gold=0))
        push(argilla, TARGET, want, self.folder, PAGE)
        self.sent = {name for name, _ in Plans(self.folder).items(TARGET.workspace, TARGET.dataset)}
        self.pushes += 1

    def work(self, doctor: Doctor) -> None:
        while not self.stop.is_set():
            self.gate.wait()
            with doctor.turn:
                if self.gate.is_set():
                    doctor.answer(doctor.draw.choice(self.records))

    def repeat(self, act: Callable[[Argilla], object]) -> None:
        with connect(str(self.server.places.path)) as argilla:
            while not self.stop.is_set():
                try:
                    act(argilla)
                except ArgillaError:
                    time.sleep(0.05)

    @contextmanager
    def going(self) -> Iterator[None]:
        acts: list[Callable[[], None]] = [lambda one=doctor: self.work(one) for doctor in self.doctors]  # type: ignore[misc]
        acts.append(lambda: self.repeat(self.push))
        acts.append(lambda: self.repeat(lambda argilla: pull(argilla, *vars(TARGET).values(), self.folder)))
        threads = [threading.Thread(target=self._guarded, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            self.gate.set()
            for thread in threads:
                thread.join()
        assert self.errors == []

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:
            self.errors.append(error)

    def kill(self) -> None:
        """Kill the server while a push sends and doctors answer, start it again and look while nobody answers."""
        self.gate.set()
        before = sum(doctor.acknowledged for doctor in self.doctors)
        end = time.monotonic() + 120
        while sum(doctor.acknowledged for doctor in self.doctors) < before + ANSWERS or not self.sending.is_set():
            assert not self.errors, self.errors
            assert time.monotonic() < end, "the doctors or the push stand still"
            time.sleep(0.002)
        self.server.kill9()
        self.gate.clear()
        for doctor in self.doctors:  # wait until each has seen that his answer broke
            doctor.turn.acquire()
        sent = set(self.sent)
        self.server.restart()
        try:
            self.check(sent)
        finally:
            for doctor in self.doctors:
                doctor.turn.release()

    def check(self, sent: set[str]) -> None:
        records = list(self.argilla.records(self.dataset, include="responses"))
        names = Counter(str(record["external_id"]) for record in records)
        assert sent <= set(names), "records of a push that had ended are gone"
        assert max(names.values()) == 1
        there = Counter((answer["user_id"], record["id"]) for record in records for answer in record["responses"])
        assert max(there.values()) == 1
        held = {key: said for record in records for key, said in answers(record)}
        may = {key: said for doctor in self.doctors for key, said in doctor.may.items()}
        assert held.keys() <= may.keys()
        assert [(key, held.get(key), said) for key, said in may.items() if held.get(key) not in said] == []
        assert [record["id"] for record in records if record["status"] != due(record)] == []
        self.statuses = Counter(record["status"] for record in records)


def answers(record: dict[str, Any]) -> list[tuple[Key, str]]:
    return [
        ((one["user_id"], record["id"]), f"{one['status']} {one['values']['grade']['value']}")
        for one in record["responses"]
    ]


def due(record: dict[str, Any]) -> str:
    submitted = sum(answer["status"] == "submitted" for answer in record["responses"])
    return "completed" if submitted >= OVERLAP else "pending"


@pytest.fixture
def play(argilla: Argilla, server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """Everybody in place; a push sends two records at once, and says while it does."""
    monkeypatch.setattr(client, "AT_ONCE", 2)
    with ExitStack() as rooms:
        play = Play(argilla, server, tmp_path / "runs", rooms)
        ordinary = Argilla.row

        def row(self: Argilla, method: str, path: str, *rest: Any, **params: str) -> Any:
            if not path.endswith("/bulk"):
                return ordinary(self, method, path, *rest, **params)
            play.sending.set()
            try:
                return ordinary(self, method, path, *rest, **params)
            finally:
                play.sending.clear()

        monkeypatch.setattr(Argilla, "row", row)
        yield play


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_kills_while_doctors_work_and_a_push_runs(play: Play) -> None:
    with play.going():
        for _ in range(KILLS):
            play.kill()
    assert play.statuses["completed"]
    play.push(play.argilla)
    planned = [name for name, _ in Plans(play.folder).items(TARGET.workspace, TARGET.dataset)]
    assert sorted(str(record["external_id"]) for record in play.argilla.records(play.dataset)) == sorted(planned)
    pull(play.argilla, *vars(TARGET).values(), play.folder)
    assert pull(play.argilla, *vars(TARGET).values(), play.folder).appended.total() == 0
    fetched = Counter((status, row.grade) for status in FILES for row in stand(play.folder, status))
    stored = [said for record in play.argilla.records(play.dataset, include="responses") for _, said in answers(record)]
    assert fetched == Counter(tuple(said.split()) for said in stored)
    print(f"\n{sum(doctor.acknowledged for doctor in play.doctors)} answers, {play.pushes} pushes")  # noqa: T201
