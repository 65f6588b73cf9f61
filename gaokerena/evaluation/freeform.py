"""Free-form answers of two models to the same questions, paired for a judge.

    found = pair_up(locate(Path("run"), "mf3qa", Side.named("v")), locate(Path("run"), "mf3qa", Side.named("r")))
    drawn = sample(found.pairs, limit=200, seed=1)

The answers are transcripts without options, as `evaluate run --suite mf3qa` writes them. Two answers belong together
when their questions are the same by content (`Question.id`) and they carry the same run number; what has no partner is
counted, never dropped in silence. An answer is taken whole: a chain of thought is part of what its reader gets.

Not covered: the judge's wording (`freeform_prompt`), asking it (`freeform_calls`), the figures (`freeform_score`).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from gaokerena.evaluation.run import stem
from gaokerena.questions import Prompting, Question
from gaokerena.transcripts import Transcript, TranscriptsError, read

FOLDER = "transcripts"
"""Where a live evaluation keeps its transcripts, inside its folder."""

_PROMPTINGS = ("straight", "cot")


class FreeformError(ValueError):
    """There is nothing to judge, or it is not what was asked for; the text names the place and the next step."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two models compared; `prompting` None takes the only one there is."""

    model: str
    prompting: Prompting | None = None

    @classmethod
    def named(cls, name: str) -> Side:
        """`v`, or `v:cot` where a model answered under both promptings. Raises FreeformError."""
        model, colon, prompting = name.partition(":")
        if not model or (colon and prompting not in _PROMPTINGS):
            raise FreeformError(f"{name!r} names no model; write v, v:straight or v:cot")
        return cls(model, cast(Prompting, prompting) if colon else None)

    def __str__(self) -> str:
        return f"{self.model}:{self.prompting}" if self.prompting else self.model


@dataclass(frozen=True, slots=True)
class Told:
    """What a suite knows of a question beyond its text: the doctor's own answer, and where it came from."""

    reference: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """One question and the answers of both models to it; `run` numbers repeated answers."""

    question_id: str
    run: int
    question: str
    a: str
    b: str
    subject: str = ""
    source: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one side by (question id, run); `repeated` counts rows that answer the same again, left out."""

    side: Side
    rows: Mapping[tuple[str, int], Transcript]
    files: tuple[Path, ...]
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class Paired:
    """All pairs in the order of the first side, and how many answers have no partner on the other side."""

    pairs: tuple[Pair, ...]
    only_a: int
    only_b: int
    repeated: int


def locate(folder: Path, suite: str, side: Side) -> Answers:
    """The answers of `side` that a live evaluation wrote into `folder`. Raises FreeformError, TranscriptsError."""
    names = [stem(suite, side.model, prompting) for prompting in _PROMPTINGS if side.prompting in (None, prompting)]
    files = [path for name in names if (path := folder / FOLDER / f"{name}.jsonl").is_file()]
    if not files:
        raise FreeformError(
            f"{folder / FOLDER}: no {' or '.join(names)} (.jsonl); write it with: python -m gaokerena evaluate run "
            f"--suite {suite} --model {side.model} --out {folder}, or name a file of transcripts with --file"
        )
    return read_side(files, side)


def read_side(files: Sequence[Path], side: Side) -> Answers:
    """The answers of `side` among the transcripts in `files`. Raises FreeformError, TranscriptsError."""
    rows: dict[tuple[str, int], Transcript] = {}
    repeated, promptings = 0, set()
    for row in _free(files, side):
        promptings.add(row.prompting)
        place = (_identity(row), row.run)
        repeated += place in rows
        rows.setdefault(place, row)
    where = ", ".join(map(str, files))
    if not rows:
        raise FreeformError(f"{where}: no free-form answer of {side}; the model's name is that of column 'model'")
    if len(promptings) > 1:
        raise FreeformError(
            f"{where}: {side.model} answered straight and with cot; write {side.model}:straight or :cot"
        )
    return Answers(Side(side.model, promptings.pop()), rows, tuple(files), repeated)


def _free(files: Iterable[Path], side: Side) -> Iterable[Transcript]:
    for path in files:
        for row in read(path):
            if row.model == side.model and side.prompting in (None, row.prompting) and not row.options:
                yield row


def _identity(row: Transcript) -> str:
    try:
        return row.asked().id
    except ValidationError as error:
        where = f"{row.suite}, {row.subject}, question {row.question_index}"
        raise TranscriptsError(f"{where}: the question is empty; write the answers again") from error


def pair_up(a: Answers, b: Answers, told: Mapping[str, Told] | None = None) -> Paired:
    """Both answers of every question and run; `told` is by question id. Raises FreeformError when there is no pair."""
    shared = [place for place in a.rows if place in b.rows]
    if not shared:
        raise FreeformError(f"{a.side} and {b.side} answered no question in common (same run number); nothing to judge")
    pairs = tuple(_pair(place, a.rows[place], b.rows[place], (told or {}).get(place[0], Told())) for place in shared)
    return Paired(pairs, len(a.rows) - len(pairs), len(b.rows) - len(pairs), a.repeated + b.repeated)


def _pair(place: tuple[str, int], a: Transcript, b: Transcript, told: Told) -> Pair:
    return Pair(
        question_id=place[0],
        run=place[1],
        question=a.question,
        a=a.response,
        b=b.response,
        subject=a.subject,
        source=told.source,
        reference=told.reference,
    )


def sample(pairs: Sequence[Pair], limit: int | None, seed: int) -> list[Pair]:
    """The pairs of `limit` questions (None: of all), in an order drawn by `seed`.

    A larger limit with the same seed holds the smaller one, so that calls made for it are used again.
    """
    questions = sorted({pair.question_id for pair in pairs})
    random.Random(seed).shuffle(questions)
    place = {question: number for number, question in enumerate(questions[:limit])}
    kept = [pair for pair in pairs if pair.question_id in place]
    return sorted(kept, key=lambda pair: (place[pair.question_id], pair.run))


def question_id(text: str) -> str:
    """The id that free-form question carries here. Raises pydantic.ValidationError for an empty text."""
    return Question(text=text).id
