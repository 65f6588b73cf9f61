"""What a verifier chose where self-consistency settled nothing: `verifier.parquet`, or the files of a live run.

    found = attach(read(Path("verifier.parquet")), groups)      # {(model, prompting): final choices [entries]}

Rows carry suite, subject, question_index, question, gold, self_consistent_choice, final_choice. They name no model: a
file belongs to the sampled group whose own self-consistent choices it repeats, and to no other. Rows are matched to
questions by their text; where a text stands twice in a subject, or was edited, by number and gold letter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gaokerena.evaluation.alignment import folded
from gaokerena.evaluation.answers import NO_CHOICE, Group, letters
from gaokerena.evaluation.rules import ABSTAINED, OF, sc3of5
from gaokerena.questions import LETTERS
from gaokerena.transcripts import TranscriptsError

FILE, LIVE = "verifier.parquet", "verifier"
COLUMNS = ("suite", "subject", "question_index", "question", "gold", "self_consistent_choice", "final_choice")
ALIKE = 0.95
"""Least share of a file's self-consistent choices that its group repeats; some letters were edited by hand."""


@dataclass(frozen=True)
class Verified:
    """One row of a verifier's file."""

    path: Path
    suite: str
    subject: str
    index: int
    question: str
    gold: str
    agreed: str | None
    final: str | None


def beside(path: Path) -> tuple[Path, ...]:
    """The verifier's files that belong to the transcripts at `path`: in the same folder, or in the live run's."""
    folder = path if path.is_dir() else path.parent
    live = sorted((folder / LIVE).glob("*.jsonl")) if (folder / LIVE).is_dir() else []
    return tuple(live) or tuple(file for file in [folder / FILE] if file.is_file())


def read(path: Path) -> list[Verified]:
    """Every row. Raises TranscriptsError for a missing, broken or empty file, a missing column or a wrong value."""
    try:
        table = pj.read_json(path) if path.suffix == ".jsonl" else pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise TranscriptsError(f"{path}: not a whole file of a verifier ({error}); fetch or write it again") from error
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing or not table.num_rows:
        what = f"no column {', '.join(map(repr, missing))}" if missing else "no rows"
        raise TranscriptsError(f"{path}: {what}; a verifier's file needs {', '.join(COLUMNS)}")
    rows = [Verified(path, *values) for values in zip(*(table[name].to_pylist() for name in COLUMNS), strict=True)]
    for number, row in enumerate(rows):
        _check(path, number, row)
    return rows


def _check(path: Path, number: int, row: Verified) -> None:
    for name, value, empty in (("gold", row.gold, False), ("self_consistent_choice", row.agreed, True),
                               ("final_choice", row.final, True)):  # fmt: skip
        if value not in LETTERS and not (value is None and empty):
            raise TranscriptsError(f"{path}: column {name!r} is {value!r} in row {number}, not one of A to D")


def attach(rows: Sequence[Verified], groups: Sequence[Group]) -> dict[tuple[str, str], NDArray[np.int8]]:
    """Final choices by the group they belong to, `NO_CHOICE` where the verifier settled nothing.

    Raises TranscriptsError where no group with five runs repeats the self-consistent choices of a file.
    """
    by_file: dict[Path, list[Verified]] = defaultdict(list)
    for row in rows:
        by_file[row.path].append(row)
    found: dict[tuple[str, str], NDArray[np.int8]] = {}
    for path, part in by_file.items():
        fits = [(_alike(part, group), group) for group in groups if group.samples >= OF]
        best, group = max(fits, key=lambda fit: fit[0], default=(0.0, None))
        if group is None or best < ALIKE:
            raise TranscriptsError(
                f"{path}: no model's five runs repeat its self-consistent choices (best {best:.0%} of {len(part)}); "
                "give the transcripts it was made from, or leave it out with --no-verifier"
            )
        found[group.name] = _final(part, group)
    return found


def _entries(rows: Sequence[Verified], group: Group) -> list[int]:
    """The group's entry for each row, -1 where it has none."""
    by_text: dict[tuple[str, str], list[int]] = defaultdict(list)
    by_number: dict[tuple[str, int], int] = {}
    for entry, (subject, text, index) in enumerate(zip(group.subjects, group.texts, group.indices, strict=True)):
        by_text[subject, folded(text[0])].append(entry)
        by_number[subject, index] = entry
    found = []
    for row in rows:
        same = by_text[row.subject, folded(row.question)]
        numbered = by_number.get((row.subject, row.index), -1)
        entry = same[0] if len(same) == 1 else numbered
        found.append(entry if entry >= 0 and LETTERS[group.gold[entry]] == row.gold else -1)
    return found


def _alike(rows: Sequence[Verified], group: Group) -> float:
    decided = sc3of5(group.choices)
    chosen = np.where(decided[:, ABSTAINED] == 1, NO_CHOICE, decided[:, :ABSTAINED].argmax(axis=1))
    theirs = letters([row.agreed for row in rows])
    entries = _entries(rows, group)
    same = [bool(entry >= 0 and chosen[entry] == said) for entry, said in zip(entries, theirs, strict=True)]
    return sum(same) / len(same)


def _final(rows: Sequence[Verified], group: Group) -> NDArray[np.int8]:
    final = np.full(len(group.gold), NO_CHOICE, np.int8)
    for entry, letter in zip(_entries(rows, group), letters([row.final for row in rows]), strict=True):
        if entry >= 0:
            final[entry] = letter
    return final
