"""What a run is asked to do, and the questions, comparisons and doctors' verdicts it comes to.

    work = prepare(Job("a", Path("runs/rlaif/a"), teacher=Wanted("endpoint:big"), student=Wanted("mini:base")))

Everything that can be wrong with the options is said here, before a model is loaded or a call is paid.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from training.errors import TrainingError
from training.rlaif.budget import Budget
from training.rlaif.calls import Role
from training.rlaif.compared import Compared, read_compared
from training.rlaif.doctors import Doctors, read_doctors
from training.rlaif.parties import Wanted
from training.rlaif.questions import Task, read_questions

Method = Literal["a", "b", "judge"]
CHANCE = 0.5
LEAST = 30
"""Comparisons decided by doctors and judge alike below which a judge may not label: with four, a coin passes often."""


@dataclass(frozen=True, slots=True)
class Job:
    """The command's options: `samples` a question, `tries` of the teacher a text, critiques (`turns`) of method B."""

    method: Method
    out: Path
    teacher: Wanted
    student: Wanted | None = None
    questions: Path | None = None
    limit: int | None = None
    every_rating: bool = False
    samples: int = 4
    tries: int = 3
    turns: int = 4
    seed: int = 0
    at_once: int = 8
    timeout: float = 120.0
    budget: Budget = field(default_factory=Budget)
    compare: Path | None = None
    verdicts: Path | None = None
    items: Path | None = None
    unmeasured: bool = False
    least_agreement: float = CHANCE

    @property
    def parties(self) -> dict[Role, Wanted]:
        """Who is needed: nobody answers where two given answers are compared."""
        teacher: dict[Role, Wanted] = {"teacher": self.teacher}
        return teacher | ({"student": self.student} if self.student and not self.compare else {})

    def deciding(self) -> dict[str, object]:
        """What of the options decides the pairs; budget, pace and place do not."""
        shared: dict[str, object] = {"method": self.method, "seed": self.seed}
        if self.method == "judge":
            return shared | {"unmeasured": self.unmeasured, "least_agreement": self.least_agreement}
        shared |= {"samples": self.samples, "tries": self.tries}
        return shared | ({"turns": self.turns} if self.method == "b" else {})


@dataclass(frozen=True)
class Work:
    """One entry of `units` for each pair there may be; `content` is a hash over all of it."""

    units: tuple[Task | Compared, ...]
    content: str
    available: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    doctors: Doctors | None = None

    @property
    def ids(self) -> list[str]:
        """The id each unit is counted under."""
        return [unit.question.id if isinstance(unit, Task) else unit.id for unit in self.units]


def prepare(job: Job) -> Work:
    """Read what the job names. Raises TrainingError for what cannot be used or must not be done."""
    if not job.compare and job.student is None:
        raise TrainingError("who answers the questions? give --student, for example --student mini:base")
    if job.method != "judge":
        if job.compare or job.verdicts or job.items or job.unmeasured:
            raise TrainingError("--compare, --verdicts, --items and --unmeasured belong to --method judge")
        return _asked(job, None)
    if job.compare and job.questions:
        raise TrainingError("--compare brings its questions with it, and --questions would not be read; leave one out")
    if job.items and not job.verdicts:
        raise TrainingError(f"--items {job.items}: the items of which verdicts? give --verdicts too")
    if job.verdicts and job.unmeasured:
        raise TrainingError(
            "--unmeasured and --verdicts: a judge that is measured labels only when it is good enough; leave one out"
        )
    doctors = read_doctors(job.verdicts, job.items) if job.verdicts else None
    if doctors is None and not job.unmeasured:
        raise TrainingError(
            "a judge is measured against doctors before it labels: give --verdicts (pairs.jsonl of `annotation export`"
            ", or verdicts with --items), or say --unmeasured; every row will then say that nobody measured it"
        )
    if job.compare is None:
        return _asked(job, doctors)
    left_out = Counter[str]()
    every = read_compared(job.compare, left_out)
    units = tuple(every[: job.limit])
    rows = [[unit.id, unit.prompt, unit.a, unit.b, unit.question.gold] for unit in units]
    return Work(units, _hash(rows, doctors), len(every) + left_out.total(), left_out, doctors)


def _asked(job: Job, doctors: Doctors | None) -> Work:
    found = read_questions(
        job.questions,
        seed=job.seed,
        limit=job.limit,
        every_rating=job.every_rating,
        keys=job.method != "judge",
    )
    return Work(tuple(found.tasks), _hash(found.content_hash, doctors), found.available, dict(found.left_out), doctors)


def _hash(value: object, doctors: Doctors | None) -> str:
    known = [[one.id, one.prompt, one.a, one.b, winner] for one, winner in doctors.known] if doctors else None
    told = json.dumps([value, known], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()
