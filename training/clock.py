"""How long a stage has run over all its starts: a small note in its folder, renewed while it runs.

    with running(folder, manifest):
        ...

A kill loses at most `EVERY` seconds of the count. Not covered: time the machine was asleep counts as running.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.manifest import STARTED, Manifest, read_json, write_json

EVERY = 10.0


@contextmanager
def running(folder: Path, manifest: Manifest, every: float = EVERY) -> Iterator[None]:
    """Add the seconds of earlier starts to `manifest` and keep noting this one's; `begin` must have been called."""
    note = read_json(folder / STARTED)
    manifest.earlier_seconds, manifest.starts = note.get("seconds", 0.0), note.get("starts", 0) + 1
    stop = threading.Event()

    def write() -> None:
        seconds = round(manifest.earlier_seconds + time.time() - manifest.started, 1)
        write_json(folder / STARTED, note | {"seconds": seconds, "starts": manifest.starts})

    def keep() -> None:
        while not stop.wait(every):
            write()

    write()
    thread = threading.Thread(target=keep, name="stage-clock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        write()
