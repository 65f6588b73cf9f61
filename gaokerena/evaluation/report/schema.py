"""The schema of evaluation.json, as far as the report reads it; further keys are ignored."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ALL = "all"
"""The subject of a cell that covers its whole suite (micro average)."""

Bounds = tuple[float, float]


class Part(BaseModel):
    """What all parts share: frozen, finite numbers."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Source(Part):
    """The transcripts an evaluation read."""

    files: tuple[str, ...]
    sha256: str
    rows: int
    unscored: dict[str, int] = {}


class Cell(Part):
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


class Comparison(Part):
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


class Agreement(Part):
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


class Point(Part):
    """Answering only where `votes` runs agree; accuracy is of the answered, percent."""

    votes: int
    coverage: float
    accuracy: float | None
    ci95: Bounds | None
    n_answered: int
    negative_marking: float


class Abstention(Part):
    """One model's curve of coverage and accuracy."""

    suite: str
    model: str
    prompting: str
    points: tuple[Point, ...]
    area: float


class Invariance(Part):
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


class Rows(Part):
    """Rows of one model and subject, with an example where there is one."""

    model: str
    prompting: str
    subject: str
    rows: int = 0
    questions: int = 0
    example: str = ""


class Aligned(Part):
    """How the rows of one suite were matched across models, and which were not."""

    suite: str
    questions: int
    aligned_by: dict[str, int]
    unaligned: tuple[Rows, ...] = ()
    repeated: tuple[Rows, ...] = ()
    missing: tuple[Rows, ...] = ()


class Evaluation(Part):
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
