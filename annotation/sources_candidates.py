"""Candidates from training's pairs: JSON lines of id, prompt, chosen, rejected (chat messages), source, provenance.

    found = from_candidates(Path("pairs.jsonl"))

Which of the two training preferred is forgotten here: the two answers are ordered by their content and seated at random
later, and only the ledger's names (`chosen`, `rejected`, or the models that `provenance` names) remember it. A prompt
made by `gaokerena.prompts` comes apart into question and options again; another wording is shown whole.

Left out and counted: a prompt of several turns (`several_turns`) or with nothing asked, a pair that stands twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from annotation.candidates import Candidate, Found, candidate
from annotation.items import Shown
from annotation.sources_transcripts import as_shown
from gaokerena.options import read_option
from gaokerena.prompts import COT_CHOICE, COT_FREE, asked
from gaokerena.questions import Question
from gaokerena.rows import written


class SourceError(ValueError):
    """A file of candidates cannot be read; the text names the file, the line and the next step."""


class Turn(BaseModel):
    """One chat message."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str


class PairRow(BaseModel):
    """What is read of a pair; further keys are left alone."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(min_length=1)
    prompt: list[Turn] = Field(min_length=1)
    chosen: list[Turn] = Field(min_length=1)
    rejected: list[Turn] = Field(min_length=1)
    subject: str | None = None
    provenance: dict[str, Any] = {}


def from_candidates(path: Path) -> Found:
    """Every pair of the file. Raises SourceError."""
    found, seen = Found(), set()
    for row in read_rows(path):
        made = "repeated" if row.id in seen else _candidate(row)
        seen.add(row.id)
        if isinstance(made, str):
            found.refuse(made)
        else:
            found.candidates.append(made)
    return found


def read_rows(path: Path) -> list[PairRow]:
    """The rows of a file of pairs, whole. Raises SourceError."""
    rows = [row for _, row in written(path, PairRow, _wrong)]
    if not rows:
        raise SourceError(f"{path}: no pairs; write the file again")
    return rows


def _wrong(place: str, told: str) -> SourceError:
    return SourceError(f"{place}: {told}; give pairs as JSON lines (DESIGN.md has a pair's keys)")


def _candidate(row: PairRow) -> Candidate | str:
    turns = [turn for turn in row.prompt if turn.role != "system"]
    if len(turns) != 1 or any(len(side) != 1 or side[0].role != "assistant" for side in (row.chosen, row.rejected)):
        return "several_turns"
    text, options = asked(turns[0].content)
    if turns[0].role != "user" or not text.strip() or any(not option.strip() for option in options):
        return "no_question"
    question = Question(text=text, options=options, subject=row.subject)
    cot = turns[0].content.endswith((COT_CHOICE, COT_FREE))
    chosen = _shown(row, "chosen", row.chosen, question, cot)
    rejected = _shown(row, "rejected", row.rejected, question, cot)
    return candidate("candidates", question, chosen, rejected, pair_id=row.id)


def _shown(row: PairRow, side: str, turns: Sequence[Turn], question: Question, cot: bool) -> Shown:
    text = turns[0].content
    read = read_option(text, question.options, question=question.text).choice if question.options else None
    model = row.provenance.get(f"{side}_model")
    return as_shown(model if isinstance(model, str) and model else side, text, cot=cot, choice=read)
