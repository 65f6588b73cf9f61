"""Gold items: comparisons whose grade is known beforehand, written by the user, to see how far a judge can be trusted.

    golds = read_gold(Path("gold.jsonl"), cleaner)

    {"question": "…", "left": "…", "right": "…", "grade": "left_much", "why": "the right one misses the emergency"}

Optional: `options` (four), `subject`, `cot` (the answers are chains of thought). `grade` is as in
`gaokerena.expert_verdicts`; the sides of the file are not those a doctor sees, they are drawn like any others and the
grade turns with them. A file with a fault is refused whole, for a wrong gold item condemns the wrong doctor.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from annotation.cleaning import Cleaner
from annotation.items import Shown
from annotation.sources_transcripts import as_shown
from gaokerena.expert_verdicts import Grade
from gaokerena.questions import Question


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
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise GoldError(f"{path}: {error.strerror}; name a file of gold items as JSON lines") from error
    golds: list[Gold] = []
    seen: set[tuple[str, frozenset[str]]] = set()
    for number, line in enumerate(lines, 1):
        if line.strip():
            gold = _gold(_row(path, number, line), cleaner, f"{path}:{number}")
            key = (gold.question.id, frozenset((gold.first.text, gold.second.text)))
            if key in seen:
                raise GoldError(f"{path}:{number}: the same question and answers stand above; keep one of the lines")
            seen.add(key)
            golds.append(gold)
    if not golds:
        raise GoldError(f"{path}: no gold items; write at least one line, or leave --gold out")
    return golds


def _row(path: Path, number: int, line: bytes) -> GoldRow:
    try:
        return GoldRow.model_validate(json.loads(line))
    except ValidationError as error:
        complaint = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, complaint["loc"])) or "line"
        raise GoldError(f"{path}:{number}: {place}: {complaint['msg']}; mend that line") from error
    except ValueError as error:
        raise GoldError(f"{path}:{number}: not a JSON line ({error}); mend that line") from error


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
