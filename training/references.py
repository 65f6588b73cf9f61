"""A reference's log-probabilities on disk, a few pairs at a time: a run that is started again works out the rest.

    file = References(Path("runs/r1/references_train.jsonl"), mark)
    file.rows, file.add([(-12.5, -14.25)])

Not covered: working them out (`pair_trainers`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.ranks import main_process, wait


class References:
    """The reference's log-probabilities on disk: a line with what they belong to, then lines of (chosen, rejected).

    Without a path they are kept in memory alone.
    """

    def __init__(self, path: Path | None, mark: str) -> None:
        self.path = path
        self.rows: list[tuple[float, float]] = []
        if path:
            self._read(path, mark)

    def _read(self, path: Path, mark: str) -> None:
        lines = list(_whole_lines(path))
        if lines[:1] == [{"of": mark}]:
            self.rows = [(chosen, rejected) for part in lines[1:] for chosen, rejected in part]
        elif main_process():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"of": mark}) + "\n", "utf-8")
        if main_process() and lines:  # a torn last line would swallow the next one
            part = path.with_suffix(".part")
            kept = [{"of": mark}, *([self.rows] if self.rows else [])]
            part.write_text("".join(json.dumps(line) + "\n" for line in kept), "utf-8")
            part.replace(path)
        wait()

    def add(self, rows: list[tuple[float, float]]) -> None:
        """Append, and wait until it has reached the disk. JSON keeps every bit of a float."""
        self.rows += rows
        if self.path and rows and main_process():
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows) + "\n")
                file.flush()
                os.fsync(file.fileno())


def _whole_lines(path: Path) -> Iterator[Any]:
    """The lines of a file up to the first that a kill has torn."""
    if path.exists():
        for line in path.read_text("utf-8", errors="replace").split("\n")[:-1]:
            try:
                yield json.loads(line)
            except ValueError:
                return
