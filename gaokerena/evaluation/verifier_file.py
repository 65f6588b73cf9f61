"""What a verifier chose where self-consistency settled nothing: `verifier.parquet`, or the files of a live run.

    found = attach(read(Path("verifier.parquet")), groups)      # {(model, prompting): final choices [entries]}

Rows carry suite, subject, question_index, question, gold, self_consistent_choice, final_choice. Those of a live run
also say whose answers were verified (model, prompting); the published ones do not, and belong to the sampled group
whose own self-consistent choices they repeat. Rows are matched to questions by their text; where a text stands twice in
a subject, or was edited, by number and gold letter.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gaokerena.evaluation.answers import NO_CHOICE, NOT_ASKED, Group, letters
from gaokerena.evaluation.likeness import folded
from gaokerena.evaluation.rules import ABSTAINED, OF, sc3of5
from gaokerena.questions import LETTERS
from gaokerena.transcripts import TranscriptsError

FILE, LIVE = "verifier.parquet", "verifier"
COLUMNS = ("suite", "subject", "question_index", "question", "gold", "self_consistent_choice", "final_choice")
_NAMED = ("model", "prompting")
ALIKE = 0.8
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
    of: tuple[str, str] | None = None
    """Model and prompting whose answers were verified, where the file says so."""


def beside(path: Path) -> tuple[Path, ...]:
    """The verifier's files that belong to the transcripts at `path`: in the same folder, or in the live run's."""
    folder = path if path.is_dir() else path.parent
    live = sorted((folder / LIVE).glob("*.jsonl")) if (folder / LIVE).is_dir() else []
    return tuple(live) or tuple(file for file in [folder / FILE] if file.is_file())


def read(path: Path) -> list[Verified]:
    """Every row. Raises TranscriptsError for a missing, broken or empty file, a missing column or a wrong value."""
    if not path.is_file():
        raise TranscriptsError(f"{path}: no such file; name a verifier's file, or leave it out with --no-verifier")
    try:
        table = pj.read_json(path) if path.suffix == ".jsonl" else pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        why = " ".join(str(error).split())
        raise TranscriptsError(f"{path}: not a whole file of a verifier ({why}); fetch or write it again") from error
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing or not table.num_rows:
        what = f"no column {', '.join(map(repr, missing))}" if missing else "no rows"
        raise TranscriptsError(f"{path}: {what}; a verifier's file needs {', '.join(COLUMNS)}")
    columns = [table[name].to_pylist() for name in COLUMNS]
    named = [table[name].to_pylist() for name in _NAMED] if set(_NAMED) <= set(table.column_names) else []
    whose = list(zip(*named, strict=True)) if named else [None] * table.num_rows
    rows = [Verified(path, *values) for values in zip(*columns, whose, strict=True)]
    for number, row in enumerate(rows):
        _check(path, number, row)
    return rows


def _check(path: Path, number: int, row: Verified) -> None:
    value: object
    for name, value, kind in (("suite", row.suite, str), ("subject", row.subject, str), ("question", row.question, str),
                              ("question_index", row.index, int)):  # fmt: skip
        if not isinstance(value, kind):
            wanted = "text" if kind is str else "a whole number"
            raise TranscriptsError(
                f"{path}: column {name!r} is {value!r} in row {number}, not {wanted}; write it again"
            )
    for name, value, empty in (("gold", row.gold, False), ("self_consistent_choice", row.agreed, True),
                               ("final_choice", row.final, True)):  # fmt: skip
        if value not in LETTERS and not (value is None and empty):
            raise TranscriptsError(
                f"{path}: column {name!r} is {value!r} in row {number}, not one of A to D; correct it"
            )


def attach(
    rows: Sequence[Verified], groups: Sequence[Group], told: list[dict[str, Any]] | None = None
) -> dict[tuple[str, str], NDArray[np.int8]]:
    """Final choices by the group they belong to, `NO_CHOICE` where the verifier settled nothing.

    Questions of subjects that a file does not cover are NOT_ASKED. `told` is given a line for each file: whose answers
    it settles, its hash, and how many of its rows no question has. Raises TranscriptsError where no group with five
    runs repeats the self-consistent choices of a file, and where two files verify one group.
    """
    by_file: dict[Path, list[Verified]] = defaultdict(list)
    for row in rows:
        by_file[row.path].append(row)
    found: dict[tuple[str, str], NDArray[np.int8]] = {}
    for path, part in by_file.items():
        group = _owner(path, part, [group for group in groups if group.samples >= OF])
        if group.name in found:
            raise TranscriptsError(f"{path}: verifies {':'.join(group.name)} once more; give one file a model")
        found[group.name] = _final(part, group)
        if told is not None:
            told.append({
                "file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "suite": group.suite,
                "model": group.model, "prompting": group.prompting, "rows": len(part),
                "unmatched": _unmatched(part, group),
            })  # fmt: skip
    return found


def _owner(path: Path, rows: Sequence[Verified], groups: Sequence[Group]) -> Group:
    """The group whose answers were verified: the one the file names, else the one whose choices it repeats."""
    named = {row.of for row in rows if row.of}
    fits = [(_alike(rows, group), group) for group in groups if not named or group.name in named]
    best = max((share for share, _ in fits), default=0.0)
    owners = [group for share, group in fits if share == best and best >= ALIKE]
    if len(owners) != 1:
        what = f"repeated by {len(owners)} models alike" if owners else f"repeated by no model (best {best:.0%})"
        raise TranscriptsError(
            f"{path}: its {len(rows)} self-consistent choices are {what}; give the transcripts it was made from, with "
            "columns 'model' and 'prompting', or leave it out with --no-verifier"
        )
    return owners[0]


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
        entry = same[0] if len(same) == 1 else numbered if not same or numbered in same else -1
        found.append(entry if entry >= 0 and LETTERS[group.gold[entry]] == row.gold else -1)
    return found


def _alike(rows: Sequence[Verified], group: Group) -> float:
    decided = sc3of5(group.choices)
    chosen = np.where(decided[:, ABSTAINED] == 1, NO_CHOICE, decided[:, :ABSTAINED].argmax(axis=1))
    theirs = letters([row.agreed for row in rows])
    asked = set(group.subjects)
    same = [
        entry >= 0 and bool(chosen[entry] == said)
        for row, entry, said in zip(rows, _entries(rows, group), theirs, strict=True)
        if row.subject in asked
    ]
    return sum(same) / len(same) if same else 0.0


def _final(rows: Sequence[Verified], group: Group) -> NDArray[np.int8]:
    covered = {row.subject for row in rows}
    final = np.array([NO_CHOICE if subject in covered else NOT_ASKED for subject in group.subjects], np.int8)
    seen: set[int] = set()
    for row, entry, letter in zip(rows, _entries(rows, group), letters([row.final for row in rows]), strict=True):
        if entry < 0:
            continue
        if entry in seen:
            raise TranscriptsError(
                f"{row.path}: {row.subject}, question_index {row.index} stands twice; keep one of the rows"
            )
        seen.add(entry)
        final[entry] = letter
    return final


def _unmatched(rows: Sequence[Verified], group: Group) -> int:
    """Rows of the group's subjects that none of its questions has."""
    asked = set(group.subjects)
    return sum(entry < 0 and row.subject in asked for row, entry in zip(rows, _entries(rows, group), strict=True))
