"""The schema of a preference pair: one JSONL row, whoever made it, checked before anything is trained on it.

    rows = read_pairs(Path("pairs.jsonl"))        # or a TrainingError that names the file, the line and the field

Sources are never mixed silently: `source` says who preferred. `judge` is a model's preference and never passes as a
person's. `weight` is from 0 to 1, how far the label is believed; `margin`, where somebody graded, how much better the
chosen side is (1 better, 2 much better). `provenance` leads back to questions, verdicts, prompts and models; what the
lineage of a model is made of (`Lineage`) is checked, the rest is anything.

Not covered: whether a pair is fit to train on (`training pairs`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from training.errors import TrainingError
from training.manifest import write_jsonl

Source = Literal["teacher_correction", "self_correction", "expert", "public", "judge"]
SOURCES: tuple[Source, ...] = ("teacher_correction", "self_correction", "expert", "public", "judge")


class Turn(BaseModel):
    """One chat message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, Field(min_length=1)]


class Settled(BaseModel):
    """One of the votes that a pair was settled by (`training.pairing.settling`)."""

    id: Annotated[str, Field(min_length=1)]
    weight: float = Field(gt=0, allow_inf_nan=False)
    agrees: bool


class Lineage(BaseModel):
    """What of a provenance is counted and printed on cards."""

    verdict_ids: list[str] = []
    judges: list[str] = []
    guidelines: list[str] = []
    merged: list[Settled] = []

    @model_validator(mode="after")
    def _decided(self) -> Lineage:
        if self.merged and sum(vote.weight * (1 if vote.agrees else -1) for vote in self.merged) <= 0:
            raise ValueError("merged: the votes that agree must weigh more than the others")
        return self


class PairRow(BaseModel):
    """One pair: the prompt ends with the user's turn, each side is one assistant turn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1)]
    prompt: Annotated[tuple[Turn, ...], Field(min_length=1)]
    chosen: Annotated[tuple[Turn, ...], Field(min_length=1, max_length=1)]
    rejected: Annotated[tuple[Turn, ...], Field(min_length=1, max_length=1)]
    source: Source
    question_id: str
    weight: float = Field(default=1.0, gt=0, le=1)
    margin: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    provenance: dict[str, Any] = {}

    @field_validator("provenance")
    @classmethod
    def _lineage(cls, given: dict[str, Any]) -> dict[str, Any]:
        try:
            Lineage.model_validate(given)
        except ValidationError as error:
            faults = (": ".join((".".join(map(str, one["loc"])), one["msg"])) for one in error.errors())
            raise ValueError("; ".join(faults)) from None
        return given

    @model_validator(mode="after")
    def _turns(self) -> PairRow:
        if self.prompt[-1].role != "user":
            raise ValueError("the prompt must end with the user's turn")
        if self.chosen[0].role != "assistant" or self.rejected[0].role != "assistant":
            raise ValueError("chosen and rejected must each be one assistant's turn")
        if self.chosen[0].content == self.rejected[0].content:
            raise ValueError("chosen and rejected are the same text")
        return self

    @property
    def asked(self) -> str:
        """The text of the user's last turn."""
        return self.prompt[-1].content

    @property
    def better(self) -> str:
        """The chosen text."""
        return self.chosen[0].content

    @property
    def worse(self) -> str:
        """The rejected text."""
        return self.rejected[0].content

    def row(self) -> dict[str, Any]:
        """The row as it is written; a margin nobody gave is left out."""
        return self.model_dump(mode="json", exclude={"margin"} if self.margin is None else set())


def parse(line: str, place: str) -> PairRow:
    """One row. Raises TrainingError that names `place` and every wrong field."""
    try:
        return PairRow.model_validate_json(line)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'row'}: {fault['msg']}" for fault in error.errors())
        raise TrainingError(
            f"{place}: not a preference pair ({faults}); training/pair_rows.py has the schema"
        ) from None


def read_pairs(path: Path) -> list[PairRow]:
    """Every pair of a JSONL file. Raises TrainingError for a missing file, a bad line or an id that comes twice."""
    try:
        lines = path.read_text("utf-8").split("\n")
    except FileNotFoundError:
        raise TrainingError(f"no pairs at {path}; `python -m training pairs build` makes such a file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} cannot be read ({error}); name a JSONL file of pairs") from None
    rows: dict[str, PairRow] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = parse(line, f"{path} line {number}")
        if row.id in rows:
            raise TrainingError(f"{path} line {number}: the id {row.id} comes twice; ids must be unique in a file")
        rows[row.id] = row
    return list(rows.values())


def write_pairs(path: Path, rows: list[PairRow]) -> int:
    """Write the rows, whole or not at all; returns how many."""
    return write_jsonl(path, (row.row() for row in rows))
