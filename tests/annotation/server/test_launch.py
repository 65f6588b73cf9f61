"""How a server is held by those who started it, without one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from annotation.server import launch
from annotation.server.inside import main
from annotation.server.inside.bodies import trouble
from annotation.server.inside.places import Places
from annotation.server.launch import Running, Start

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


def test_a_server_that_does_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "STOP_SECONDS", 0.2)
    process = subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "deaf\n"
    server = Running(Places(tmp_path), Path(sys.executable), Start(), _process=process)
    assert server.stop() == -9
    assert process.poll() == -9


def test_a_port_that_is_taken_is_taken_while_the_server_is_loaded() -> None:
    with main._listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(main.StartError, match=rf"127\.0\.0\.1:{port} cannot be listened on"):
            main._listen("127.0.0.1", port)


def test_a_body_in_another_encoding_is_told_so() -> None:
    assert trouble('{"text": "تب"}'.encode()) is None
    assert trouble('{"text": "تب"}'.encode("cp1256")) == "the request is not UTF-8; send it as UTF-8"
