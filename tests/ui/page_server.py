"""Starts a page in a process of its own: tests/ui/serve.py on scripted answers, or app.py on a preset.

In a process of its own because that is how it runs, and because the page's warnings are not the tests' warnings.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("serve.py")
APP = Path(__file__).parents[2] / "app.py"
STARTED_WITHIN = 90.0


@dataclass(frozen=True)
class Server:
    """A running page: its address, the file of its store, its process."""

    address: str
    store: Path
    process: subprocess.Popen[bytes]


def start(folder: Path, settings: Mapping[str, str] | None = None, port: int = 0) -> Server:
    """Start a page with its store and log in `folder`; returns once it answers.

    With `settings` (the environment's GAOKERENA_*) it is app.py, else the scripted page; `port` 0 takes a free one.
    """
    port = port or _free_port()
    process = _run(port, folder) if settings is None else _run_app(port, folder, settings)
    server = Server(f"http://127.0.0.1:{port}", folder / "store.sqlite3", process)
    end = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < end and server.process.poll() is None:
        try:
            with urllib.request.urlopen(server.address, timeout=5):
                return server
        except OSError:
            time.sleep(0.1)
    server.process.kill()
    server.process.wait()
    raise RuntimeError(f"the page did not start; its log says:\n{log(folder)[-3000:]}")


@contextmanager
def serving(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A page for the length of a `with`; fails when its log holds a traceback."""
    server = start(folder, settings)
    try:
        yield server
    finally:
        server.process.terminate()
        try:
            server.process.wait(10)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
    said = log(folder)
    assert "Traceback" not in said, said


def log(folder: Path) -> str:
    return (folder / "log.txt").read_text("utf-8")


def _run(port: int, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPT), str(port), str(folder / "store.sqlite3")]
    return _open(command, folder, {})


def _run_app(port: int, folder: Path, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    where = {"GAOKERENA_PORT": str(port), "GAOKERENA_STORE_PATH": str(folder / "store.sqlite3")}
    return _open([sys.executable, str(APP)], folder, {**where, **settings})


def _open(command: list[str], folder: Path, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GAOKERENA_")}
    environment = {**inherited, "GRADIO_ANALYTICS_ENABLED": "False", "OMP_NUM_THREADS": "1", **settings}
    with (folder / "log.txt").open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, env=environment, cwd=folder, preexec_fn=_heed_ctrl_c)


def _heed_ctrl_c() -> None:
    """A shell that runs the tests in the background hands down a deafness to SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
