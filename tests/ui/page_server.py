"""Starts tests/ui/serve.py, the real page on scripted answers, in a process of its own.

In a process of its own because that is how it runs, and because the page's warnings are not the tests' warnings.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("serve.py")
STARTED_WITHIN = 90.0


@dataclass(frozen=True)
class Server:
    """A running page: its address, the file of its store, its process."""

    address: str
    store: Path
    process: subprocess.Popen[bytes]


def start(folder: Path) -> Server:
    """Start the page with its store and log in `folder`; returns once it answers."""
    port = _free_port()
    server = Server(f"http://127.0.0.1:{port}", folder / "store.sqlite3", _run(port, folder))
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
def serving(folder: Path) -> Iterator[Server]:
    """A page for the length of a `with`; fails when its log holds a traceback."""
    server = start(folder)
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
    environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "OMP_NUM_THREADS": "1"}
    with (folder / "log.txt").open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, env=environment)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
