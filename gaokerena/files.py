"""Files that are whole or not there: writing through a temporary neighbour.

    with atomic(path) as half:
        half.write_text(...)

A reader never sees half a file, and a crash leaves the old one. Not covered: several writers of one file (the last
one wins).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place, flushed to the disk, when the block ends without error."""
    half = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.half")
    try:
        yield half
        sync(half)
        os.replace(half, path)
        sync(path.parent)
    finally:
        half.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until the file or folder `path` has reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
