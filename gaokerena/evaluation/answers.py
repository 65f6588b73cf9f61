"""Recorded answers as arrays: for each suite, model and prompting the letters chosen, question by question, run by run.

    rows = load(Path("transcripts.parquet"))             # or the folder of a live run
    groups = grouped(rows, letters(rows.annotated))      # arrays of 0 to 3, -1 for no choice

A group's entries are its own rows (suite, subject, question_index); `alignment` says which entries of different models
are one question. Rows without options or gold letter cannot be scored and are counted in `Rows.unscored`.

Not covered: reading a letter out of a response (`extraction`), and what several letters amount to (`rules`).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gaokerena.evaluation.likeness import reworded
from gaokerena.questions import LETTERS
from gaokerena.transcripts import FILE, TranscriptsError, locate, read_table

LIVE = "transcripts"
"""The folder of a live run that holds its transcripts."""
NO_CHOICE, NOT_ASKED = -1, -2
_OPTIONS = ("option_a", "option_b", "option_c", "option_d")
_COLUMNS = (
    "suite", "subject", "question_index", "question", "option_a", "option_b", "option_c", "option_d", "gold",
    "model", "prompting", "run", "response", "annotated_choice",
)  # fmt: skip

Place = tuple[str, str, int]
"""Suite, subject, question_index."""


@dataclass(frozen=True)
class Rows:
    """Scorable rows, column by column; `texts` are (question, four options)."""

    files: tuple[Path, ...]
    places: list[Place]
    texts: list[tuple[str, ...]]
    gold: NDArray[np.int8]
    models: list[str]
    promptings: list[str]
    runs: list[int]
    responses: list[str]
    annotated: list[str | None]
    unscored: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many rows were left out, by suite and reason."""

    def __len__(self) -> int:
        return len(self.places)

    def digest(self) -> str:
        """SHA-256 of the files, in the order read."""
        found = hashlib.sha256()
        for path in self.files:
            found.update(path.read_bytes())
        return found.hexdigest()


@dataclass(frozen=True)
class Group:
    """What one model, asked one way, chose in one suite.

    `gold` [entries]; `choices` [entries, runs]: 0 to 3 for A to D, NO_CHOICE, or NOT_ASKED where a run is missing.
    """

    suite: str
    model: str
    prompting: str
    subjects: tuple[str, ...]
    indices: tuple[int, ...]
    texts: tuple[tuple[str, ...], ...]
    gold: NDArray[np.int8]
    choices: NDArray[np.int8]

    @property
    def samples(self) -> int:
        return int(self.choices.shape[1])

    @property
    def name(self) -> tuple[str, str]:
        return self.model, self.prompting

    def only(self, entries: Sequence[int]) -> Group:
        """The group with these entries alone."""
        return replace(
            self,
            subjects=tuple(self.subjects[entry] for entry in entries),
            indices=tuple(self.indices[entry] for entry in entries),
            texts=tuple(self.texts[entry] for entry in entries),
            gold=self.gold[entries],
            choices=self.choices[entries],
        )

    def incomplete(self) -> Counter[str]:
        """Questions by subject to which some runs are missing."""
        gaps = np.flatnonzero((self.choices == NOT_ASKED).any(axis=1))
        return Counter(self.subjects[entry] for entry in gaps.tolist())


def files_of(path: Path) -> tuple[Path, ...]:
    """The transcripts at `path`: a file, a folder with the published ones, or the folder of a live run."""
    live = sorted((path / LIVE).glob("*.jsonl")) if (path / LIVE).is_dir() else []
    if live:
        return tuple(live)
    if path.is_dir() and not (path / FILE).is_file():
        raise TranscriptsError(f"{path}: holds neither {FILE} nor {LIVE}/*.jsonl; give a transcripts file or a run")
    return (locate(path),)


def load(path: Path) -> Rows:
    """Every row of the transcripts at `path` that can be scored. Raises TranscriptsError."""
    files = files_of(path)
    table = pa.concat_tables([read_table(file, _COLUMNS) for file in files])
    _check_names(path, table)
    empty = [pc.equal(pc.utf8_trim_whitespace(table[name]), "") for name in ("question", *_OPTIONS)]
    some, every = reduce(pc.or_, empty), reduce(pc.and_, empty[1:])
    scorable = pc.and_(pc.is_valid(table["gold"]), pc.invert(some))
    unscored: Counter[tuple[str, str]] = Counter()
    for why, these in (
        ("free form", every),
        ("an empty question or option", pc.and_(some, pc.invert(every))),
        ("no gold letter", pc.and_(pc.is_null(table["gold"]), pc.invert(some))),
    ):
        unscored.update((suite, why) for suite in table.filter(these)["suite"].to_pylist())
    table = table.filter(scorable)
    if not table.num_rows:
        reasons = ", ".join(f"{count} {why}" for (_, why), count in unscored.items())
        raise TranscriptsError(f"{path}: no row can be scored ({reasons}); free-form answers are for `evaluate judge`")
    return _columns(files, table, unscored)


def _check_names(path: Path, table: Any) -> None:
    """A row without a suite, a model or a subject belongs nowhere; `all` is the name of the total."""
    for name in ("suite", "model", "subject"):
        row = pc.index(pc.equal(pc.utf8_trim_whitespace(table[name]), ""), True).as_py()
        if row >= 0:
            raise TranscriptsError(f"{path}: column {name!r} is empty in row {row}; fill it in")
    row = pc.index(table["subject"], "all").as_py()
    if row >= 0:
        raise TranscriptsError(f"{path}: subject 'all' in row {row} is the name of the total; give it another name")


def _columns(files: tuple[Path, ...], table: Any, unscored: Counter[tuple[str, str]]) -> Rows:
    lists = {name: _shared(table[name]) for name in table.column_names if name != "response"}
    texts = zip(*(lists[name] for name in ("question", "option_a", "option_b", "option_c", "option_d")), strict=True)
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    return Rows(
        files,
        list(zip(lists["suite"], lists["subject"], lists["question_index"], strict=True)),
        [known.setdefault(text, text) for text in texts],
        letters(lists["gold"]),
        lists["model"],
        lists["prompting"],
        lists["run"],
        table["response"].to_pylist(),
        lists["annotated_choice"],
        unscored,
    )


def _shared(column: Any) -> list[Any]:
    """A column as Python values, equal texts made once."""
    if not pa.types.is_large_string(column.type):
        return list(column.to_pylist())
    packed = column.combine_chunks().dictionary_encode()
    words = packed.dictionary.to_pylist()
    return [None if place is None else words[place] for place in packed.indices.to_pylist()]


def letters(values: Sequence[str | None]) -> NDArray[np.int8]:
    """A to D as 0 to 3, None as NO_CHOICE."""
    numbers: dict[str | None, int] = {letter: number for number, letter in enumerate(LETTERS)} | {None: NO_CHOICE}
    return np.fromiter((numbers[value] for value in values), np.int8, len(values))


def grouped(rows: Rows, chosen: NDArray[np.int8]) -> list[Group]:
    """`rows` by suite, model and prompting; `chosen` [rows] are the letters to use.

    Raises TranscriptsError where one run of one question stands twice, or the runs of one question differ in their gold
    letter or their text.
    """
    places: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row, (place, model, prompting) in enumerate(zip(rows.places, rows.models, rows.promptings, strict=True)):
        places[place[0], model, prompting].append(row)
    return [_group(rows, chosen, name, found) for name, found in sorted(places.items())]


def _group(rows: Rows, chosen: NDArray[np.int8], name: tuple[str, str, str], found: list[int]) -> Group:
    entries: dict[Place, int] = {}
    first: list[int] = []
    for row in found:
        if rows.places[row] not in entries:
            entries[rows.places[row]] = len(entries)
            first.append(row)
    runs = {run: column for column, run in enumerate(sorted({rows.runs[row] for row in found}))}
    choices = np.full((len(entries), len(runs)), NOT_ASKED, np.int8)
    for row in found:
        entry, column = entries[rows.places[row]], runs[rows.runs[row]]
        if choices[entry, column] != NOT_ASKED:
            raise TranscriptsError(f"{_place(rows, row)}: run {rows.runs[row]} stands twice; keep one of the rows")
        if rows.gold[row] != rows.gold[first[entry]]:
            raise TranscriptsError(f"{_place(rows, row)}: its runs have different gold letters; keep the right one")
        if rows.texts[row] is not rows.texts[first[entry]] and not reworded(rows.texts[row], rows.texts[first[entry]]):
            raise TranscriptsError(f"{_place(rows, row)}: its runs ask different questions; give each its own number")
        choices[entry, column] = chosen[row]
    return Group(
        *name,
        tuple(rows.places[row][1] for row in first),
        tuple(rows.places[row][2] for row in first),
        tuple(rows.texts[row] for row in first),
        rows.gold[first],
        choices,
    )


def _place(rows: Rows, row: int) -> str:
    suite, subject, index = rows.places[row]
    return f"{rows.files[0]}: {suite}, {subject}, question_index {index}, {rows.models[row]} {rows.promptings[row]}"
