"""The verdicts of the page's visitors as `python -m gaokerena votes export` wrote them, and which of them count.

    votes = read(Path("votes.jsonl"))                 # TrainingError names the line and the field
    kept = list(counted(votes, 50, fit, dropped))     # a Counter takes the others by reason

Counted is a visitor's newest blind verdict on a comparison, the oldest `most` of each visitor on comparisons that are
`fit`: what was purged or not agreed to takes nobody's room. Not covered: what pair they make (`public`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from gaokerena.answers import Answer
from gaokerena.comparisons import SCHEMA_VERSION, Choice, Side
from gaokerena.questions import Question
from training.errors import TrainingError


class Asked(BaseModel):
    """What of a comparison is needed; the export holds more."""

    id: str
    question: Question | None
    question_id: str
    suite: str | None
    subject: str | None
    left: str
    right: str
    follows: str | None
    consent: bool
    answers: dict[Side, Answer | None]

    def text(self, side: Side) -> str:
        """What was answered there; empty where nothing was, or nothing was kept."""
        answer = self.answers.get(side)
        return answer.text if answer else ""


class Vote(BaseModel):
    """One line of the export."""

    schema_version: Literal[1]
    id: str
    number: int
    session: str
    judge: str
    blind: bool
    choice: Choice
    strength: int
    comparison: Asked


def read(path: Path) -> Iterator[Vote]:
    """The lines of the export. Raises TrainingError that names the line and the field."""
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} cannot be read ({error}); name a file of `votes export`") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield Vote.model_validate_json(line)
        except ValidationError as error:
            fault = error.errors()[0]
            raise TrainingError(
                f"{path} line {number}: {'.'.join(map(str, fault['loc'])) or 'row'}: {fault['msg']}; "
                f"`python -m gaokerena votes export` writes such a file (schema {SCHEMA_VERSION})"
            ) from None


def counted(votes: Sequence[Vote], most: int, fit: Callable[[Asked], bool], dropped: Counter[str]) -> Iterator[Vote]:
    """Each visitor's newest blind vote on a comparison, at most so many on fit ones; the others are counted."""
    newest: dict[tuple[str, str], Vote] = {}
    for vote in sorted(votes, key=lambda each: each.number):
        why = "not a visitor's" if vote.judge != "public" else "" if vote.blind else "not blind"
        key = (vote.comparison.id, vote.session)
        if why or key in newest:
            dropped[f"verdict: {why or 'replaced by a later one'}"] += 1
        if not why:
            newest[key] = vote
    said: Counter[str] = Counter()
    for vote in newest.values():
        usable = fit(vote.comparison)
        said[vote.session] += usable
        if usable and said[vote.session] > most:
            dropped[f"verdict: its visitor has more than {most}"] += 1
        else:
            yield vote
