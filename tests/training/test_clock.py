"""The seconds of a stage are those of all its starts, also of starts that were killed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.training.killing import kill_when
from training.clock import running
from training.manifest import STARTED, Manifest, begin, finished, read_json, write_json

KILLED = """
import sys, time
from pathlib import Path
from training.clock import running
from training.manifest import Manifest, begin
folder = Path(sys.argv[1])
begin(folder, "aa")
with running(folder, Manifest("base", 1, "aa"), every=0.05):
    time.sleep(60)
"""


def go_on(folder: Path, mark: str = "aa") -> dict[str, float]:
    manifest = Manifest("base", 1, mark)
    begin(folder, mark)
    with running(folder, manifest):
        time.sleep(0.02)
    manifest.write(folder)
    found = finished(folder, mark)
    assert found is not None
    return found


def test_a_killed_start_counts(tmp_path: Path) -> None:
    kill_when(
        KILLED,
        tmp_path,
        lambda: (tmp_path / STARTED).exists() and read_json(tmp_path / STARTED).get("seconds", 0) > 0.3,
    )
    found = go_on(tmp_path)
    assert found["starts"] == 2
    assert 0.3 < found["seconds"] < 60


def test_the_seconds_of_another_run_do_not_count(tmp_path: Path) -> None:
    write_json(tmp_path / STARTED, {"fingerprint": "aa", "seconds": 500.0, "starts": 3})
    assert go_on(tmp_path, "bb")["seconds"] < 100
    write_json(tmp_path / STARTED, {"fingerprint": "bb", "seconds": 500.0, "starts": 3})
    found = go_on(tmp_path, "bb")
    assert (found["starts"], found["seconds"] >= 500) == (4, True)


def test_a_stage_that_fails_keeps_its_seconds_and_its_error(tmp_path: Path) -> None:
    begin(tmp_path, "aa")
    with pytest.raises(ZeroDivisionError), running(tmp_path, Manifest("base", 1, "aa")):
        raise ZeroDivisionError
    assert read_json(tmp_path / STARTED)["starts"] == 1
