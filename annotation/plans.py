"""Which items belong to which dataset, in which order: an append-only file beside the ledger.

    plans = Plans(Path("runs/annotation"))
    plans.items("doctors", "first")              # [("i3f2a…", "b1"), …] in the order sent
    plans.add("doctors", "first", ids)           # one more batch; on the disk when this returns

A push writes the ledger, then its plan, then sends: whatever is interrupted, the next push sends what is planned and
not there yet. `held` keeps two pushes of one folder apart.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from annotation.items import ItemError, rows
from gaokerena.append_only import Appender
from gaokerena.comparisons import now

FILE, LOCK = "plans.jsonl", "lock"


class BusyError(ItemError):
    """Another push holds the folder; try again when it has ended."""


class Batch(BaseModel):
    """The items one push added to a dataset, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    batch: str = Field(pattern=r"^b[0-9]+$")
    at: str = Field(default_factory=now)
    workspace: str
    dataset: str
    guideline_version: str
    seed: int
    items: tuple[str, ...]


class Plans:
    """The plans of one folder. Raises ItemError for a broken file, OSError."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.batches = rows(self.path, Batch, "a plan")

    def items(self, workspace: str, dataset: str) -> list[tuple[str, str]]:
        """(item id, batch) of a dataset, in the order sent."""
        return [
            (item, batch.batch)
            for batch in self.batches
            if (batch.workspace, batch.dataset) == (workspace, dataset)
            for item in batch.items
        ]

    def add(self, workspace: str, dataset: str, items: Sequence[str], *, guideline_version: str, seed: int) -> None:
        """Add a batch; it has reached the disk on return."""
        batch = Batch(
            batch=f"b{len(self.batches) + 1}",
            workspace=workspace,
            dataset=dataset,
            guideline_version=guideline_version,
            seed=seed,
            items=tuple(items),
        )
        with Appender(self.path, mode=0o600) as file:
            file.append([batch.model_dump_json()])
        self.batches.append(batch)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder against another push. Raises BusyError where one is at work."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another push is at work in {folder}; wait for it to end") from None
        yield
    finally:
        os.close(handle)
