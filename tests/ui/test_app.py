"""app.py itself: it starts on the echo preset, says what it starts with, and says in one line why it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

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
