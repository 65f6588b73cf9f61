"""The questions RLAIF works on: MedMCQA in Persian as published, or a JSONL file of one's own.

    found = read_questions(None, seed=1, limit=400)         # medmcqa_fa_rated.parquet of GAOKERENA_DATA
    found = read_questions(Path("mine.jsonl"))              # {"question", "options" (four), "gold": "B", "explanation"}

Of the published table only rows are taken that both referees of the translation rated five of five. A question that
comes twice (the same by its normalised text and options) counts once. `limit` draws by the seed; a larger limit holds
the smaller one, so that its calls are used again. What is left out is counted among the rows looked at.

Not covered: decontamination and the held-out split, which `training pairs build` does for all sources alike.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gaokerena.questions import LETTERS, Letter, Question
from training.documents import explanation
from training.errors import TrainingError
from training.rlaif.reading import lines_of
from training.sources import clean, data_folder, table_rows

PUBLISHED = "medmcqa_fa_rated.parquet"
REFEREES = ("gpt-4.1-mini", "grok-3-mini")


@dataclass(frozen=True, slots=True)
class Task:
    """One question to work on, with what a teacher may know of its key."""

    question: Question
    explanation: str = ""

    @property
    def gold(self) -> Letter:
        """The key. Raises ValueError without one; `read_questions` lets no such question through unless told."""
        if self.question.gold is None:
            raise ValueError(f"question {self.question.id} has no key")
        return self.question.gold

    @property
    def gold_text(self) -> str:
        return self.question.options[LETTERS.index(self.gold)]


@dataclass
class Found:
    """The questions drawn, of how many, what was left out and why, and a hash over what was drawn."""

    tasks: list[Task]
    available: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def content_hash(self) -> str:
        """SHA-256 of questions, keys and explanations, in order."""
        rows = [[task.question.id, task.question.gold, task.explanation] for task in self.tasks]
        return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()


_Drawn = tuple[str, Callable[[], Task | None]]
"""A row's name, by which it is drawn, and the row itself, cleaned when it is wanted (None: not fit to ask)."""


def read_questions(
    path: Path | None, *, seed: int = 0, limit: int | None = None, every_rating: bool = False, keys: bool = True
) -> Found:
    """The questions of `path` (None: the published table). With `keys`, one without options or gold is an error.

    Raises TrainingError.
    """
    found = Found([])
    if path is None or path.name == PUBLISHED:
        rows = _published(path.parent if path else data_folder(), every_rating, found.left_out)
    elif path.suffix == ".jsonl":
        rows = [(task.question.id, partial(_as_is, task)) for task in _own(path, keys)]
    else:
        raise TrainingError(f"{path}: questions come from {PUBLISHED} or from a .jsonl file; see training/rlaif")
    found.available = len(rows)
    rows.sort(key=lambda row: hashlib.sha256(f"{seed}:{row[0]}".encode()).hexdigest())
    found.tasks = list(islice(_once(rows, found.left_out), limit))
    if not found.tasks:
        raise TrainingError(f"{path or PUBLISHED}: no question to work on; left out: {dict(found.left_out)}")
    return found


def _as_is(task: Task) -> Task:
    return task


def _once(rows: Iterable[_Drawn], left_out: Counter[str]) -> Iterator[Task]:
    """The rows as they are drawn, each question once; what is left out on the way is counted."""
    seen: set[str] = set()
    for _, make in rows:
        task = make()
        if task is None:
            left_out["no question, option or key"] += 1
        elif task.question.id in seen:
            left_out["repeated"] += 1
        else:
            seen.add(task.question.id)
            yield task


def _published(folder: Path, every_rating: bool, left_out: Counter[str]) -> list[_Drawn]:
    if not (folder / PUBLISHED).exists():
        raise TrainingError(f"no {PUBLISHED} in {folder}; set GAOKERENA_DATA, or give --questions FILE.jsonl")
    rows: list[_Drawn] = []
    for row in table_rows(folder, PUBLISHED.removesuffix(".parquet")):
        if every_rating or all(row[f"{referee}_rate"] == "5" for referee in REFEREES):
            rows.append((row["id"], partial(_medmcqa, row)))
        else:
            left_out["not_rated_five_by_both"] += 1
    return rows


def _medmcqa(row: Mapping[str, Any]) -> Task | None:
    options = tuple(clean(row[f"Option{place}"]) for place in (1, 2, 3, 4))
    text, key = clean(row["Question"]), row["Correct_answer"]
    if not text or not all(options) or key not in {"0", "1", "2", "3"}:
        return None
    question = Question(text=text, options=options, gold=LETTERS[int(key)], subject=row["subject_name"])
    return Task(question, explanation(clean(row["Expression"])).strip(". "))


def _own(path: Path, keys: bool) -> Iterator[Task]:
    for number, line in enumerate(lines_of(path, "--questions"), 1):
        if line.strip():
            yield _task(line, f"{path} line {number}", keys)


def _task(line: str, place: str, keys: bool) -> Task:
    try:
        row: dict[str, Any] = json.loads(line)
        question = Question(
            text=clean(row["question"]),
            options=tuple(clean(option) for option in row.get("options") or ()),
            gold=row.get("gold"),
            suite=row.get("suite"),
            subject=row.get("subject"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        fault = error.errors()[0]["msg"] if isinstance(error, ValidationError) else f"{type(error).__name__}: {error}"
        raise TrainingError(
            f"{place}: not a question ({fault}); needed: question, and for methods a and b four options and gold A to D"
        ) from None
    if keys and question.gold is None:
        raise TrainingError(f"{place}: no gold letter; methods a and b need the key (A, B, C or D)")
    return Task(question, clean(row.get("explanation")))
