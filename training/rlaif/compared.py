"""What a judge compares: two answers to one question, from a file or two samples of the student.

    read_compared(Path("compare.jsonl"))      # {"question" or "prompt", "options"?, "gold"?, "a", "b", "id"?}

`asked` is the text a model was given, `question` what it asks; a row with `question` and `options` gets the prompt of
this project (`prompting`: cot unless the row says straight). Not covered: more than two answers.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gaokerena.prompts import asked, user_text
from gaokerena.questions import Letter, Prompting, Question
from training.errors import TrainingError
from training.rlaif.reading import lines_of


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison, without an order: each answer is shown first once. `ended`: whether it came to its own end."""

    id: str
    question: Question
    prompt: str
    a: str
    b: str
    ended: tuple[bool, bool] = (True, True)


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str = ""
    question: str = ""
    prompt: str = ""
    options: tuple[str, ...] = ()
    gold: Letter | None = None
    prompting: Prompting = "cot"
    a: str = Field(min_length=1)
    b: str = Field(min_length=1)


def name_of(question_id: str, *texts: str) -> str:
    """An id that follows from what is compared, whichever comes first."""
    return hashlib.sha256("\x1e".join((question_id, *sorted(texts))).encode()).hexdigest()[:24]


def question_of(prompt: str) -> Question:
    """The question behind a prompt of this project; any other prompt is a free-form question as it stands."""
    text, options = asked(prompt)
    return Question(text=text, options=options)


def read_compared(path: Path, left_out: Counter[str] | None = None) -> list[Compared]:
    """Every comparison of a JSONL file; one that comes twice counts once, and is counted in `left_out`.

    Raises TrainingError naming the line, also for one id that stands for two comparisons.
    """
    found: dict[str, Compared] = {}
    for number, line in enumerate(lines_of(path, "--compare"), 1):
        if line.strip():
            one = _compared(line, f"{path} line {number}")
            if found.get(one.id, one) != one:
                raise TrainingError(
                    f"{path} line {number}: the id {one.id} stands for another comparison too; rename one"
                )
            if one.id in found and left_out is not None:
                left_out["repeated"] += 1
            found[one.id] = one
    if not found:
        raise TrainingError(f"{path} holds no comparison; see training/rlaif/compared.py for its rows")
    return list(found.values())


def _compared(line: str, place: str) -> Compared:
    try:
        row = _Row.model_validate(json.loads(line))
        if row.question:
            question = Question(text=row.question, options=row.options, gold=row.gold)
            prompt = user_text(question, row.prompting)
        else:
            question, prompt = question_of(row.prompt), row.prompt
    except (ValidationError, ValueError) as error:
        fault = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise TrainingError(f"{place}: not a comparison ({fault}); needed: question or prompt, a, b") from None
    return Compared(row.id or name_of(question.id, row.a, row.b), question, prompt, row.a, row.b)
