"""Pulling when something breaks: pages that move, a server that dies, a pull that is killed, two at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation import client
from annotation.client import MovingError, UnreachableError
from annotation.users import Pseudonyms
from annotation.workspace import FILES
from tests.annotation.argilla_double import LEFT, RIGHT, Double, held, lines, run, truth


def test_records_that_move_between_pages_are_all_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argilla orders records by the moment they were stored, which a whole batch shares: pages may overlap."""
    monkeypatch.setattr(client, "PAGE", 7)
    monkeypatch.setattr(client, "TRIES", 40)
    double = Double(30)
    for place in range(30):
        double.say(place, "sara", LEFT)
    draw = random.Random(1)
    double.order = lambda records: draw.sample(records, len(records))
    run(double, tmp_path)
    assert held(tmp_path) == truth(double, tmp_path)
    monkeypatch.setattr(client, "TRIES", 1)
    with pytest.raises(MovingError, match="of 30 seen"):
        run(double, tmp_path / "other")
    assert not (tmp_path / "other" / "verdicts.jsonl").exists()


def test_a_server_that_dies_at_any_call_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", 4)
    double = Double(12)
    for place in range(12):
        double.say(place, "sara", LEFT)
    run(double, tmp_path / "counting")
    for dies in range(len(double.calls)):
        number = iter(range(10**6))

        def before(request: httpx2.Request, number: object = number, dies: int = dies) -> None:
            if next(number) >= dies:  # type: ignore[call-overload]
                raise httpx2.ReadError("gone")

        double.before = before
        folder = tmp_path / str(dies)
        with pytest.raises(UnreachableError):
            run(double, folder)
        assert not (folder / "verdicts.jsonl").exists()
        double.before = lambda request: None
        double.say(3, "omid", LEFT)
        run(double, folder)
        assert held(folder) == truth(double, folder)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_any_history_ends_as_the_server_has_it(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    draw, double, folder = random.Random(seed), Double(4), tmp_path_factory.mktemp("history")
    for _ in range(25):
        place, user = draw.randrange(4), draw.choice(["sara", "omid"])
        if draw.random() < 0.15:
            double.records[place]["responses"].clear()
        else:
            double.say(place, user, draw.choice([LEFT, RIGHT]), draw.choice(["submitted", "draft", "discarded"]))
        if draw.random() < 0.4:
            run(double, folder)
        if draw.random() < 0.2 and (folder / "verdicts.jsonl").exists():  # a crash tore the last line
            name = draw.choice(list(FILES.values()))
            size = (folder / name).stat().st_size
            os.truncate(folder / name, max(0, size - draw.randint(0, 60)))
    run(double, folder)
    sent, have = truth(double, folder), held(folder)
    assert have["submitted"] == sent["submitted"]
    assert have["draft"] == sent["draft"]
    assert sent["discarded"].items() <= have["discarded"].items()
    before = lines(folder)
    run(double, folder)
    assert lines(folder) == before


def test_two_pulls_at_once_append_once(tmp_path: Path) -> None:
    double = Double(40)
    for place in range(40):
        double.say(place, "sara", LEFT)
    threads = [threading.Thread(target=run, args=(double, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lines(tmp_path)["verdicts.jsonl"] == 40


KILLED = """
import os, signal, sys
from pathlib import Path
from gaokerena.expert_verdicts import VerdictFile, read
rows, folder, place = list(read(Path(sys.argv[1]))), Path(sys.argv[2]), int(sys.argv[3])
import annotation.pull as pull
class Dying(VerdictFile):
    def append(self, *verdicts):
        lines = "".join(verdict.model_dump_json() + chr(10) for verdict in verdicts).encode()
        with open(self.path, "ab", buffering=0) as file:
            file.write(lines[:place])
        os.kill(os.getpid(), signal.SIGKILL)
pull.VerdictFile = Dying
pull._append(folder, pull.changes(pull.last_rows(folder), rows))
"""


def test_a_pull_killed_while_it_writes_is_completed_by_the_next(tmp_path: Path) -> None:
    double = Double(6)
    for place in range(6):
        double.say(place, "sara", LEFT)
    whole = tmp_path / "whole"
    run(double, whole)
    size = (whole / "verdicts.jsonl").stat().st_size
    for place in (1, size // 2, size - 1):
        folder = tmp_path / str(place)
        Pseudonyms(folder)
        (folder / "users.json").write_bytes((whole / "users.json").read_bytes())
        command = [sys.executable, "-c", KILLED, str(whole / "verdicts.jsonl"), str(folder), str(place)]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert (folder / "verdicts.jsonl").stat().st_size == place
        run(double, folder)
        assert (folder / "verdicts.jsonl").read_bytes() == (whole / "verdicts.jsonl").read_bytes()
