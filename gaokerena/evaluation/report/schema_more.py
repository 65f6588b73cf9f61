"""The schemas of rules.json (`evaluate rules`) and judge.json (`evaluate judge`), as far as the report reads them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gaokerena.evaluation.report.schema import Bounds, Part, Source


class Yardstick(Part):
    """The decision that found rules are held against."""

    model: str
    prompting: str
    rule: str
    n: int
    accuracy: float
    ci95: Bounds


class Against(Part):
    """A found rule minus the yardstick, points."""

    difference: float
    ci95: Bounds
    p: float
    test: Literal["mcnemar_exact", "sign_flip"]
    n: int


class Apparent(Part):
    """The best candidate on all questions: too high, as it was chosen on them."""

    rule: str
    accuracy: float


class Family(Part):
    """A family of candidate rules, scored by nested cross-validation; percent."""

    family: str
    candidates: int
    n: int
    accuracy: float
    ci95: Bounds
    answers: float
    against: Against
    chosen: dict[str, int]
    apparent: Apparent


class SubjectGain(Part):
    """The search over all families against the yardstick in one subject, points; questions won and lost."""

    subject: str
    n: int
    difference: float
    ci95: Bounds
    won: float
    lost: float


class SearchedSuite(Part):
    """The search in one suite."""

    suite: str
    yardstick: Yardstick
    families: tuple[Family, ...]
    subjects: tuple[SubjectGain, ...] = ()


class Folds(Part):
    """How many folds the search used."""

    outer: int
    inner: int


class RulesSource(Part):
    """The transcripts searched."""

    sha256: str


class Searched(Part):
    """`evaluate rules --json`."""

    format: Literal[1] = Field(alias="schema")
    command: str
    source: RulesSource
    seed: int
    folds: Folds
    suites: tuple[SearchedSuite, ...] = ()

    def same_source(self, source: Source) -> bool:
        """Whether these are the transcripts of the evaluation."""
        return self.source.sha256 == source.sha256


class Share(Part):
    """A share in percent over `n` pairs or calls."""

    estimate: float
    ci95: Bounds
    n: int


class Side(Part):
    """A judged model."""

    model: str
    prompting: str


class JudgeModel(Part):
    """The judging model and its prompt."""

    model: str
    prompt_version: str
    prompt: str


class Pairs(Part):
    """Counts of judged pairs."""

    judged: int
    questions: int
    a_wins: int
    b_wins: int
    ties: int
    flipped: int
    half: int
    unreadable: int


class SignTest(Part):
    """Questions in which a, or b, wins more often."""

    a: int
    b: int
    p: float


class Position(Part):
    """How often the answer shown first wins."""

    first_wins: Share | None


class Length(Part):
    """How often the longer answer wins, and a's win rate where length plays no part."""

    longer_wins: Share | None
    win_rate_near: Share | None
    win_rate_at_equal_length: Share | None


class Judged(Part):
    """`evaluate judge`."""

    format: Literal[1] = Field(alias="schema")
    command: str
    suite: str
    a: Side
    b: Side
    judge: JudgeModel
    reference: bool
    pairs: Pairs
    win_rate: Share | None
    win_rate_bounds: Bounds | None
    sign_test: SignTest
    consistency: Share | None
    position: Position
    length: Length
