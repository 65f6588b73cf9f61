"""Gold items: comparisons whose grade is known beforehand, written by the user, to see how far a judge can be trusted.

    golds = read_gold(Path("gold.jsonl"), cleaner)

    {"question": "…", "left": "…", "right": "…", "grade": "left_much", "why": "the right one misses the emergency"}

Optional: `options` (four), `subject`, `cot` (the answers are chains of thought). `grade` is as in
`gaokerena.expert_verdicts`; the sides of the file are not those a doctor sees, they are drawn like any others and the
grade turns with them. A file with a fault is refused whole, for a wrong gold item condemns the wrong doctor.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from annotation.cleaning import Cleaner
from annotation.items import Shown
from annotation.sources_transcripts import as_shown
from gaokerena.expert_verdicts import Grade
from gaokerena.questions import Question
from gaokerena.rows import written


class GoldError(ValueError):
    """A file of gold items cannot be used; the text names the file, the line and the next step."""


class GoldRow(BaseModel):
    """One line of the file. `why` is for its readers alone."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1)
    options: tuple[str, ...] = ()
    subject: str | None = None
    left: str = Field(min_length=1)
    right: str = Field(min_length=1)
    grade: Grade
    cot: bool = False
    why: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        self.asked()
        return self

    def asked(self) -> Question:
        return Question(text=self.question, options=self.options, subject=self.subject)


@dataclass(frozen=True)
class Gold:
    """A gold comparison: `first` is the better one where `grade` names the left side."""

    question: Question
    first: Shown
    second: Shown
    grade: Grade


def read_gold(path: Path, cleaner: Cleaner) -> list[Gold]:
    """The gold items of a file, clean. Raises GoldError."""
    golds: list[Gold] = []
    seen: set[tuple[str, frozenset[str]]] = set()
    for place, row in written(path, GoldRow, _wrong):
        gold = _gold(row, cleaner, place)
        key = (gold.question.id, frozenset((gold.first.text, gold.second.text)))
        if key in seen:
            raise GoldError(f"{place}: the same question and answers stand above; keep one of the lines")
        seen.add(key)
        golds.append(gold)
    if not golds:
        raise GoldError(f"{path}: no gold items; write at least one line, or leave --gold out")
    return golds


def _wrong(place: str, told: str) -> GoldError:
    return GoldError(f"{place}: {told}; give gold items as JSON lines")


def _gold(row: GoldRow, cleaner: Cleaner, place: str) -> Gold:
    question = cleaner.question(row.asked())
    first, second = (
        cleaner.shown(as_shown(name, text, cot=row.cot))
        for name, text in (("gold-left", row.left), ("gold-right", row.right))
    )
    if fault := cleaner.fault(question, first, second):
        raise GoldError(
            f"{place}: {fault.replace('_', ' ')}; a gold item must be sendable as it stands: mend that line"
        )
    return Gold(question, first, second, row.grade)
