"""Lines at the end of a file, on the disk when `append` returns; whole lines back, a torn last one left out.

    with Appender(path) as file:
        file.append([row.model_dump_json()])
    for line in whole_lines(path): ...

Threads and processes may append to one file at once. A line torn by a crash was never acknowledged; the next append,
holding the file's lock, cuts it away. Reading changes nothing: what looks torn may be a line on its way. An append that
fails (a full disk) leaves nothing behind.

Not covered: what a line holds, network file systems (their locks cannot be trusted), a file moved away while in use.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from gaokerena.files import sync

_BLOCK = 1 << 16


class Appender:
    """One writer of an append-only file; file (of `mode`) and folder are made when missing. Raises OSError."""

    def __init__(self, path: Path, mode: int = 0o666) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()  # flock does not part the threads of one process
        self._handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)
        sync(path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        with self._lock:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1

    def append(self, lines: Iterable[str]) -> None:
        """Add lines (without their line ends); all have reached the disk on return, or none is in the file."""
        data = "".join(f"{line}\n" for line in lines).encode()
        with self._lock:
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            try:
                self._write(data)
            finally:
                fcntl.flock(self._handle, fcntl.LOCK_UN)

    def _write(self, data: bytes) -> None:
        end = _cut_torn_line(self._handle)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._handle, rest) :]
            os.fsync(self._handle)
        except OSError:
            os.ftruncate(self._handle, end)
            raise


def _cut_torn_line(handle: int) -> int:
    """Cut the file after its last line end; return its length."""
    size = end = os.fstat(handle).st_size
    while end:
        start = max(0, end - _BLOCK)
        found = os.pread(handle, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        os.ftruncate(handle, end)
    return end


def whole_lines(path: Path, start: int = 0) -> Iterator[bytes]:
    """Every line from byte `start` on, its line end included; a torn last one is left out and left alone.

    A file that is not there has no lines. It may grow while it is read. Raises OSError.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return  # not the next look either: it would give the rest of this line as a line
            yield line
