"""What the report is made of: the JSON files of an evaluation, checked.

    found = read(Path("runs/papers"))        # evaluation.json, and rules.json and judge.json where they are

Unknown keys are ignored, so newer files can be read; a missing key, a wrong type, a number that is none or a file cut
off is a `ReportError` that names the file, the place in it and the next step. Not covered: whether figures are right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

EVALUATION, RULES, JUDGE = "evaluation.json", "rules.json", "judge.json"
ALL = "all"
"""The subject of a cell that covers its whole suite (micro average)."""

Bounds = tuple[float, float]


class ReportError(ValueError):
    """A report cannot be made; the text names the file, the place and the next step."""


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Source(_Read):
    """The transcripts an evaluation read."""

    files: tuple[str, ...]
    sha256: str
    rows: int
    unscored: dict[str, int] = {}


class Cell(_Read):
    """One model, asked one way, decided by one rule, in one subject; percent but for the counts."""

    suite: str
    subject: str
    model: str
    prompting: str
    rule: str
    n: int = Field(ge=1)
    correct: float
    wrong: float
    abstained: float
    accuracy: float
    ci95: Bounds
    negative_marking: float
    pass_at_k: dict[int, float] | None = None
    pass_at_k_corrected: dict[int, float] | None = None
    samples: int = 1


class Comparison(_Read):
    """a minus b in percentage points, on the same questions."""

    a: str
    b: str
    suite: str
    rule: str = ""
    prompting: str = ""
    a_rule: str = ""
    b_rule: str = ""
    a_prompting: str = ""
    b_prompting: str = ""
    n: int
    difference: float
    ci95: Bounds
    p: float = Field(ge=0, le=1)
    test: Literal["mcnemar_exact", "sign_flip"]
    discordant: tuple[int, int] | None = None

    @property
    def sides(self) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
        """(model, prompting, rule) of a and of b."""
        return (
            (self.a, self.a_prompting or self.prompting, self.a_rule or self.rule),
            (self.b, self.b_prompting or self.prompting, self.b_rule or self.rule),
        )

    @property
    def contains_zero(self) -> bool:
        return self.ci95[0] <= 0 <= self.ci95[1]


class Agreement(_Read):
    """How often the option reader reads what people read; percent."""

    model: str
    prompting: str
    n: int
    agreement: float | None
    ci95: Bounds | None
    n_lettered: int
    agreement_lettered: float | None
    ci95_lettered: Bounds | None
    reasons: dict[str, int] = {}


class Point(_Read):
    """Answering only where `votes` runs agree; accuracy is of the answered, percent."""

    votes: int
    coverage: float
    accuracy: float | None
    ci95: Bounds | None
    n_answered: int
    negative_marking: float


class Abstention(_Read):
    """One model's curve of coverage and accuracy."""

    suite: str
    model: str
    prompting: str
    points: tuple[Point, ...]
    area: float


class Invariance(_Read):
    """How often straight and chain-of-thought choices agree, and what both together are worth; percent."""

    suite: str
    model: str
    n: int
    agree: float
    ci95: Bounds
    kappa: float | None
    accuracy_straight: float
    accuracy_cot: float
    accuracy_when_agree: float | None
    coverage_agree: float
    accuracy_both: float
    gain: float
    gain_ci95: Bounds


class Rows(_Read):
    """Rows of one model and subject, with an example where there is one."""

    model: str
    prompting: str
    subject: str
    rows: int = 0
    questions: int = 0
    example: str = ""


class Aligned(_Read):
    """How the rows of one suite were matched across models, and which were not."""

    suite: str
    questions: int
    aligned_by: dict[str, int]
    unaligned: tuple[Rows, ...] = ()
    repeated: tuple[Rows, ...] = ()
    missing: tuple[Rows, ...] = ()


class Evaluation(_Read):
    """`evaluate transcripts --json`."""

    format: Literal[1] = Field(alias="schema")
    command: str
    at: str
    source: Source
    choices: Literal["annotated", "extracted"]
    seed: int
    resamples: int
    versions: dict[str, str]
    alignment: tuple[Aligned, ...] = ()
    cells: tuple[Cell, ...] = Field(min_length=1)
    extraction: tuple[Agreement, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    abstention: tuple[Abstention, ...] = ()
    invariance: tuple[Invariance, ...] = ()

    @property
    def suites(self) -> tuple[str, ...]:
        """Suites in the order of the file."""
        return tuple(dict.fromkeys(cell.suite for cell in self.cells))

    def cell(self, suite: str, subject: str, model: str, prompting: str, rule: str) -> Cell | None:
        """That cell, or None."""
        wanted = (suite, subject, model, prompting, rule)
        named = ((cell.suite, cell.subject, cell.model, cell.prompting, cell.rule) for cell in self.cells)
        return next((cell for cell, name in zip(self.cells, named, strict=True) if name == wanted), None)


@dataclass(frozen=True)
class Found:
    """Everything read of one folder."""

    folder: Path
    evaluation: Evaluation


_Schema = TypeVar("_Schema", bound=BaseModel)


def read(folder: Path) -> Found:
    """The files of `folder`. Raises ReportError."""
    path = folder / EVALUATION
    if not path.is_file():
        raise ReportError(
            f"{path}: no such file; write it with python -m gaokerena evaluate transcripts FILE --json {path}"
        )
    return Found(folder, _checked(path, Evaluation, "evaluate transcripts"))


def _checked(path: Path, schema: type[_Schema], command: str) -> _Schema:
    again = f"write it anew with python -m gaokerena {command}"
    try:
        return schema.model_validate(_json(path))
    except UnicodeDecodeError as error:
        raise ReportError(f"{path}: not UTF-8 at byte {error.start}; {again}") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ReportError(f"{path}: not whole JSON at {place} ({error.msg}); {again}") from None
    except ValidationError as error:
        raise ReportError(f"{path}: {_first(error)}; {again}") from None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ReportError(f"{path}: cannot be read ({error.strerror}); check the path and its rights") from None


def _first(error: ValidationError) -> str:
    """The first complaint: place, what is wrong, the value."""
    complaint = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in complaint["loc"]) or "the file"
    value = repr(complaint["input"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"at {place}: {complaint['msg']}, not {value[:60]}{'…' if len(value) > 60 else ''}{more}"
