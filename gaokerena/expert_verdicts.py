"""What a doctor said of one comparison, and the file such verdicts are kept in: append-only JSON lines.

    with VerdictFile(Path("verdicts.jsonl")) as file:
        file.append(verdict)                       # on the disk when this returns
    for verdict in read(Path("verdicts.jsonl")): ...

The same schema serves the Argilla workspace and the plain tab of the page. Sides are as the doctor saw them; which
model sat where is in the item (`item_id`), never in the verdict. A row is never changed: a later row of the same `id`
replaces the earlier one, and `latest` gives the rows that stand.

Not covered: how far to trust a verdict (`annotation.agreement`), and pairs made from them (`annotation.export`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from gaokerena.append_only import Appender
from gaokerena.comparisons import Side, now
from gaokerena.rows import appended

SCHEMA_VERSION = 1
"""Raised when a field changes its meaning."""

Grade = Literal["left_much", "left", "equal", "right", "right_much", "both_bad"]
GRADES: tuple[Grade, ...] = ("left_much", "left", "equal", "right", "right_much", "both_bad")
MARGIN: dict[Grade, int] = {"left_much": 2, "left": 1, "equal": 0, "right": -1, "right_much": -2, "both_bad": 0}
"""How far the left side is ahead; a pair's strength."""
Scale = Literal["correctness", "safety", "completeness", "clarity"]
SCALES: tuple[Scale, ...] = ("correctness", "safety", "completeness", "clarity")
SCALE_LOW, SCALE_HIGH = 1, 4
Fault = Literal["wrong_fact", "unsafe", "missed_emergency", "incomplete", "wrong_reasoning", "bad_persian"]
FAULTS: tuple[Fault, ...] = (
    "wrong_fact", "unsafe", "missed_emergency", "incomplete", "wrong_reasoning", "bad_persian",
)  # fmt: skip
"""`wrong_reasoning`: the answer is right, the way to it is not."""
STEPS = 20
"""Steps of a chain of thought that can be named as the first wrong one; a later one is STEPS + 1."""
Status = Literal["submitted", "draft", "discarded"]
Where = Literal["argilla", "page"]


class SideVerdict(BaseModel):
    """What was said of one answer. None: not answered. `first_wrong_step` 0: no step is wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scales: dict[Scale, int] = {}
    faults: tuple[Fault, ...] = ()
    first_wrong_step: int | None = Field(default=None, ge=0, le=STEPS + 1)


class ExpertVerdict(BaseModel):
    """One doctor's verdict on one item. `id` names the doctor's answer to the item, whatever is changed in it later.

    `judge` is a pseudonym, never a name. `seconds` is the time spent where it is known. `cannot_judge` and
    `personal_data` mark items that no pair is made of.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    id: str = Field(min_length=1)
    item_id: str = Field(min_length=1)
    judge: str = Field(min_length=1)
    at: str = Field(default_factory=now)
    status: Status
    where: Where
    guideline_version: str
    seconds: float | None = Field(default=None, ge=0)
    grade: Grade | None = None
    sides: dict[Side, SideVerdict] = {}
    corrected: str = ""
    confidence: int | None = Field(default=None, ge=1, le=3)
    cannot_judge: bool = False
    personal_data: bool = False


class VerdictFileError(ValueError):
    """A file of verdicts cannot be read; the text names the file, the line and the next step."""


class VerdictFile:
    """One writer of an append-only file; a torn last line (a crash) is cut away first. Raises OSError.

    Several threads and processes may write: each append is under a lock and flushed to the disk before it returns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = Appender(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def append(self, *verdicts: ExpertVerdict) -> None:
        """Add rows; they have reached the disk on return."""
        self._file.append(verdict.model_dump_json() for verdict in verdicts)


def read(path: Path) -> Iterator[ExpertVerdict]:
    """Every row in order, a torn last line left out. Raises VerdictFileError."""
    if not path.exists():
        raise VerdictFileError(f"{path}: no such file; name a file of verdicts")
    try:
        yield from appended(path, ExpertVerdict, _wrong)
    except OSError as error:
        raise VerdictFileError(f"{path}: {error.strerror}; name a file of verdicts") from error


def _wrong(place: str, told: str) -> VerdictFileError:
    return VerdictFileError(f"{place}: {told}; mend or delete that line")


def latest(verdicts: Iterable[ExpertVerdict]) -> list[ExpertVerdict]:
    """The rows that stand: of each `id` the last one."""
    return list({verdict.id: verdict for verdict in verdicts}.values())
