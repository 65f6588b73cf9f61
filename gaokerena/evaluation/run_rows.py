"""A run's rows on disk: append-only JSON lines, each on the disk before it counts, one process at a time.

    with Rows(Path("out/transcripts/mmlu_fa.r.cot.jsonl"), Recorded) as rows:
        have = {row.key for row in rows.read()}
        rows.append(row)

A last line cut off by a kill is cut away when the file is opened again. Any other line that is no row is an error that
names it. Not covered: systems without POSIX file locks; folders shared over a network that does not lock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from pydantic import BaseModel, ValidationError

from gaokerena.files import sync

Row = TypeVar("Row", bound=BaseModel)


class RunError(ValueError):
    """A run cannot begin or go on. The text is English: what is wrong, where, and what to do next."""


class Rows(Generic[Row]):
    """The file at `path`, made with its folders when missing, holding rows of `kind`. Use it in a `with`.

    Raises RunError where another process holds it, or where it cannot be written.
    """

    def __init__(self, path: Path, kind: type[Row]) -> None:
        self.path = path
        self.torn = 0
        """Bytes of a torn last line that were cut away."""
        self._kind = kind

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b")
        except OSError as error:
            raise RunError(f"{self.path}: {error.strerror}; give a folder that can be written with --out") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # given back when the file closes
        except BlockingIOError:
            self._file.close()
            raise RunError(f"{self.path}: another process is writing it; wait for it, or give another --out") from None
        sync(self.path.parent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError:
            if error is None:  # else a full disk has been told already
                raise

    def read(self) -> Iterator[Row]:
        """Every row, in order; a torn last line is cut away. Raises RunError for a line that is no row."""
        self._file.seek(0)
        whole = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                self.torn = len(line)
                self._file.truncate(whole)
                os.fsync(self._file.fileno())
                return
            whole += len(line)
            yield self._row(number, line)

    def append(self, row: Row) -> None:
        """Add a row; it has reached the disk on return. Raises RunError where it cannot (a full disk)."""
        try:
            self._file.write(row.model_dump_json().encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise RunError(f"{self.path}: {error.strerror}; make room, then run the same command again") from error

    def _row(self, number: int, line: bytes) -> Row:
        try:
            return self._kind.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            column = ".".join(map(str, first["loc"]))
            what = f"column {column!r}: {first['msg']}" if column else first["msg"]
            raise RunError(
                f"{self.path}:{number}: {what}; this line was not written by a run: delete it, or give another --out"
            ) from error
