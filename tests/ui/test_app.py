"""app.py itself: it starts on the echo preset, says in one line why it cannot, loses no answer when it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
import warnings
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from gradio_client import Client

from gaokerena.store import Store
from tests.ui.page_server import log, start

APP = Path(__file__).parents[2] / "app.py"


def run(folder: Path, **settings: str) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GAOKERENA_")}
    environment |= {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", **settings}
    return subprocess.Popen(
        [sys.executable, str(APP)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_it_serves_the_echo_preset_and_names_its_settings(tmp_path: Path) -> None:
    said = ""
    with run(tmp_path, GAOKERENA_PRESET="echo", GAOKERENA_PORT="0") as process:
        try:
            assert process.stdout
            end = time.monotonic() + 90
            while "http://" not in said and time.monotonic() < end and process.poll() is None:
                said += process.stdout.readline()
            address = said[said.index("http://") :].split()[0]
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert answer.status == 200
            assert "preset = echo" in said
            assert (tmp_path / "runs" / "votes.sqlite3").exists()
        finally:
            process.terminate()


def test_an_unknown_setting_stops_the_start_with_its_name(tmp_path: Path) -> None:
    with run(tmp_path, GAOKERENA_PRESET="echo", GAOKERENA_COLOUR="red") as process:
        said, _ = process.communicate(timeout=90)
    assert process.returncode == 1
    assert "GAOKERENA_COLOUR" in said
    assert "Traceback" not in said
    assert len(APP.read_text("utf-8").splitlines()) <= 60


def test_a_store_that_cannot_be_made_stops_the_start_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    where = tmp_path / "file" / "deeper" / "votes.sqlite3"
    with run(tmp_path, GAOKERENA_PRESET="echo", GAOKERENA_STORE_PATH=str(where)) as process:
        said, _ = process.communicate(timeout=90)
    assert process.returncode == 1
    last = said.splitlines()[-1]
    assert last.startswith(f"gaokerena cannot start: store {where}: its folder cannot be made")
    assert "Traceback" not in said


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_answers_being_written_are_stored_when_it_is_ended(tmp_path: Path, end: signal.Signals) -> None:
    server = start(tmp_path, {"GAOKERENA_PRESET": "echo"})
    try:
        job = Client(server.address, verbose=False).submit("تب و لرز " * 20, "", 1, api_name="/ask")
        while not job.outputs():
            time.sleep(0.01)
        server.process.send_signal(end)
        assert server.process.wait(15) == 0
    finally:
        server.process.kill()
        server.process.wait()
    assert "Traceback" not in log(tmp_path)
    assert "gaokerena has stopped" in log(tmp_path)
    with Store(server.store) as store:
        [kept] = store.comparisons()
    assert [[row.answer.finish_reason for row in kept.attempts[side]] for side in ("left", "right")] == [
        ["stopped"]
    ] * 2
