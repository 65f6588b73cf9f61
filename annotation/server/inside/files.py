"""Private files that are whole or not there.

    with replacing(Path("home/secret")) as half:
        half.write_text(...)

Plain standard library: used by the commands outside and by the server inside. Not covered: several writers of one file
(the last one wins).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file of mode 600 beside `path` that takes its place, on the disk, when the block ends without error."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    os.close(handle)
    half = Path(name)
    try:
        yield half
        _sync(half)
        os.replace(half, path)
        _sync(path.absolute().parent)
    finally:
        half.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
