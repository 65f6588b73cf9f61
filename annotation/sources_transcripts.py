"""Candidates from recorded answers: model A against model B on the same question, one run of each.

    found = from_transcripts(Path("transcripts.parquet"), "gaokerena-v1.0:straight", "gaokerena-r1.0:cot", seed=1)

Multiple choice is aligned by content (`gaokerena.evaluation.alignment`), never by place in the file, and shown in the
wording most models were asked; free text is aligned by the question's id. Which run of several is shown is drawn by
`seed` and the question, so that another file order draws the same. One model asked both ways is called `MODEL:straight`
and `MODEL:cot`. `inconsistent` holds where a model was asked at
least three times and no letter has three fifths of its runs; its strength grows as the runs scatter.

Not covered: whose letter is right; doctors are not told the gold letter, nor is the queue.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotation.candidates import Candidate, Found, candidate
from annotation.items import Shown
from gaokerena.evaluation.alignment import Alignment, align
from gaokerena.evaluation.answers import Group, Rows, files_of, grouped, letters, load
from gaokerena.options import read_option
from gaokerena.questions import LETTERS, Letter, Prompting, Question
from gaokerena.reasoning import split
from gaokerena.transcripts import Transcript, TranscriptsError, read

LEAST_RUNS, LEAST_SHARE = 3, 0.6
Asked = tuple[str, Prompting]
"""A model and how it was asked."""


@dataclass(frozen=True)
class Run:
    """One recorded answer; `letter` is what a person read out of it, where one did."""

    number: int
    response: str
    letter: Letter | None


def from_transcripts(path: Path, a: str, b: str, *, seed: int) -> Found:
    """Every question both were asked. `a` and `b` are `MODEL` or `MODEL:straight`, `MODEL:cot`.

    Raises TranscriptsError for a broken file, an unknown model, or one model against itself.
    """
    free = [row for file in files_of(path) for row in read(file) if not row.options]
    rows = _scorable(path, bool(free))
    there: set[Asked] = {(row.model, row.prompting) for row in free}
    there |= (
        {(model, _prompting(how)) for model, how in zip(rows.models, rows.promptings, strict=True)} if rows else set()
    )
    pair = _asked(path, a, there, "straight"), _asked(path, b, there, "cot")
    if pair[0] == pair[1]:
        raise TranscriptsError(f"--a and --b both mean {':'.join(pair[0])}; name two, such as {a}:straight and {a}:cot")
    found = Found()
    if rows:
        found.extend(_multiple_choice(rows, pair, seed))
    found.extend(_free_text(free, pair, seed))
    return found


def _scorable(path: Path, free: bool) -> Rows | None:
    try:
        return load(path)
    except TranscriptsError:
        if free:
            return None
        raise


def _prompting(name: str) -> Prompting:
    return "cot" if name == "cot" else "straight"


def _asked(path: Path, name: str, there: set[Asked], usual: Prompting) -> Asked:
    """The model and prompting that `name` means; asked both ways and not told which, the `usual` one."""
    model, _, how = name.rpartition(":") if name.endswith((":straight", ":cot")) else (name, "", "")
    ways = {prompting for other, prompting in there if other == model}
    if not ways or (how and how not in ways):
        known = ", ".join(sorted(f"{other}:{prompting}" for other, prompting in there))
        raise TranscriptsError(f"{path}: no answers of {name!r}; there are {known}")
    return model, _prompting(how) if how else usual if usual in ways else next(iter(ways))


def _multiple_choice(rows: Rows, pair: tuple[Asked, Asked], seed: int) -> Found:
    chosen = letters(rows.annotated)
    runs = _runs(rows, pair)
    suites: defaultdict[str, list[Group]] = defaultdict(list)
    for group in grouped(rows, chosen):
        suites[group.suite].append(group)
    found = Found()
    for suite, groups in suites.items():
        mine = {group.name: group for group in groups}
        if not all(name in mine for name in pair):
            continue
        alignment = align(groups)
        places = [_places(mine[name], alignment) for name in pair]
        found.refused["only_one_asked"] += len(set(places[0]) ^ set(places[1]))
        for number in sorted(set(places[0]) & set(places[1])):
            question = _question(alignment, suite, number)
            answered = [runs[name, (suite, *place[number])] for name, place in zip(pair, places, strict=True)]
            found.candidates.append(_candidate(question, pair, answered, seed))
    return found


def _runs(rows: Rows, pair: tuple[Asked, Asked]) -> dict[tuple[Asked, tuple[str, str, int]], list[Run]]:
    found: defaultdict[tuple[Asked, tuple[str, str, int]], list[Run]] = defaultdict(list)
    for place, model, how, run, response, letter in zip(
        rows.places, rows.models, rows.promptings, rows.runs, rows.responses, rows.annotated, strict=True
    ):
        asked = model, _prompting(how)
        if asked in pair:
            found[asked, place].append(Run(run, response, _letter(letter)))
    return found


def _letter(value: str | None) -> Letter | None:
    return next((letter for letter in LETTERS if letter == value), None)


def _places(group: Group, alignment: Alignment) -> dict[int, tuple[str, int]]:
    """By question number the subject and index of this group's row; of a repeated question the first."""
    found: dict[int, tuple[str, int]] = {}
    for number, subject, index in zip(
        alignment.numbers[group.name].tolist(), group.subjects, group.indices, strict=True
    ):
        found.setdefault(number, (subject, index))
    return found


def _question(alignment: Alignment, suite: str, number: int) -> Question:
    text, *options = alignment.texts[number]
    gold = LETTERS[alignment.gold[number]]
    return Question(text=text, options=tuple(options), gold=gold, suite=suite, subject=alignment.subjects[number])


def _free_text(rows: Sequence[Transcript], pair: tuple[Asked, Asked], seed: int) -> Found:
    runs: defaultdict[str, defaultdict[Asked, list[Run]]] = defaultdict(lambda: defaultdict(list))
    questions: dict[str, Question] = {}
    for row in rows:
        asked = row.model, row.prompting
        if asked in pair:
            question = row.asked()
            questions.setdefault(question.id, question)
            runs[question.id][asked].append(Run(row.run, row.response, None))
    found = Found()
    for name, answered in runs.items():
        if len(answered) < 2:
            found.refuse("only_one_asked")
        else:
            found.candidates.append(_candidate(questions[name], pair, [answered[asked] for asked in pair], seed))
    return found


def _candidate(question: Question, pair: tuple[Asked, Asked], answered: Sequence[list[Run]], seed: int) -> Candidate:
    drawn = [_drawn(runs, f"{seed}:{question.id}:{asked}") for asked, runs in zip(pair, answered, strict=True)]
    names = [model if pair[0][0] != pair[1][0] else f"{model}:{how}" for model, how in pair]
    one, other = (
        as_shown(name, run.response, cot=how == "cot", choice=_chosen(run, question))
        for name, (_, how), run in zip(names, pair, drawn, strict=True)
    )
    runs_drawn = (f"{model}.{how}.{run.number}" for (model, how), run in zip(pair, drawn, strict=True))
    name = ":".join((question.id, *runs_drawn))
    scatter = max(_scatter(runs, question) for runs in answered)
    return candidate("transcripts", question, one, other, comparison_id=name).because(inconsistent=scatter)


def _drawn(runs: list[Run], seed: str) -> Run:
    return random.Random(seed).choice(sorted(runs, key=lambda run: run.number))


def _scatter(runs: Sequence[Run], question: Question) -> float:
    """How far a model's runs disagree: 0 where they do not, or were too few, up to 1 where no two agree."""
    if len(runs) < LEAST_RUNS or not question.options:
        return 0.0
    read = Counter(letter for run in runs if (letter := _chosen(run, question)))
    share = max(read.values(), default=0) / len(runs)
    return 0.0 if share >= LEAST_SHARE else float(np.clip(1 - share, 0.0, 1.0))


def _chosen(run: Run, question: Question) -> Letter | None:
    if run.letter or not question.options:
        return run.letter
    return read_option(run.response, question.options, question=question.text).choice


def as_shown(model: str, text: str, *, cot: bool, choice: Letter | None = None) -> Shown:
    """An answer of which only the text is known; with `cot` its reasoning is split from its conclusion."""
    if not cot:
        return Shown(model=model, text=text, conclusion=text, choice=choice)
    parts = split(text)
    return Shown(
        model=model, text=text, reasoning=parts.reasoning, steps=parts.steps, conclusion=parts.conclusion, choice=choice
    )
