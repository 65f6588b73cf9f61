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

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from annotation.items import ItemError
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
        self.batches = _read(self.path)

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
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(batch.model_dump_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.batches.append(batch)


def _read(path: Path) -> list[Batch]:
    """Every whole line; a last line torn by a crash is cut away, for nothing of it was sent."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        os.truncate(path, len(whole))
    batches = []
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            batches.append(Batch.model_validate_json(line))
        except ValidationError as error:
            raise ItemError(f"{path}:{number}: not a plan ({error}); restore the file from a backup") from error
    return batches


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
