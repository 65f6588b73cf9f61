"""Start a training in a process of its own and kill it (SIGKILL) as soon as a file is there."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 120.0
"""Seconds to wait for the file: importing torch and trl takes most of them on a busy machine."""


def kill_when(script: str, folder: Path, reached: Path | Callable[[], bool]) -> None:
    """Run `script` with `folder` as its argument; SIGKILL once `reached` exists (or says so).

    AssertionError when the script ends before, or never gets there: then nothing was killed in its middle.
    """
    there = reached.exists if isinstance(reached, Path) else reached
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        give_up = time.monotonic() + PATIENCE
        while not there() and process.poll() is None and time.monotonic() < give_up:
            time.sleep(0.002)
        arrived = there()
        process.kill()
        _, said = process.communicate()
    assert arrived, f"the script never got there: {said.decode(errors='replace')[-2000:]}"
    assert process.returncode == -signal.SIGKILL, f"it had ended by itself: {said.decode(errors='replace')[-2000:]}"
