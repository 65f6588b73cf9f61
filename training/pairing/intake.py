"""Where pairs come from: the published table, or JSONL files of the one schema (`pair_rows`).

    published(folder, (1, 22), built)          # teacher_correction, gold letter and part in the provenance
    read([Path("expert.jsonl")], built)        # whatever sources the rows name

Not covered: repair and choice; every row that is a pair at all comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gaokerena.prompts import VERSION, user_text
from training import sources
from training.errors import TrainingError
from training.pair_rows import PairRow, Turn, read_pairs
from training.pairing.built import Built


def published(folder: Path, parts: tuple[int, int], built: Built) -> None:
    """Take the published pairs of these parts (first, last), text as published; those that are no pairs are counted."""
    low, high = parts
    for pair in sources.published_pairs(folder):
        if not low <= pair.part <= high:
            continue
        reason = "chosen: empty" if not pair.chosen else "rejected: empty" if not pair.rejected else ""
        if reason or pair.chosen == pair.rejected:
            built.came["teacher_correction"] += 1
            built.dropped[f"teacher_correction: {reason or 'both sides the same'}"] += 1
        else:
            built.take(_row(pair))


def _row(pair: sources.PublishedPair) -> PairRow:
    return PairRow(
        id=pair.id,
        prompt=(Turn(role="user", content=user_text(pair.question, "cot")),),
        chosen=(Turn(role="assistant", content=pair.chosen),),
        rejected=(Turn(role="assistant", content=pair.rejected),),
        source="teacher_correction",
        question_id=pair.question.id,
        provenance={"set": "published", "part": pair.part, "prompts": VERSION, "gold": pair.question.gold},
    )


def read(files: Sequence[Path], built: Built) -> None:
    """Take the rows of several files in order; a row that stands in two of them is taken once.

    Raises TrainingError for a bad row, or for one id with two contents.
    """
    seen = {row.id: (row, "the published pairs") for row in built.train}
    for path in files:
        for row in read_pairs(path):
            earlier, place = seen.get(row.id, (row, ""))
            if earlier != row:
                raise TrainingError(f"the id {row.id} stands for one pair in {place} and another in {path}; rename one")
            if row.id in seen:
                built.came[row.source] += 1
                built.drop(row, "duplicate")
            else:
                seen[row.id] = (row, str(path))
                built.take(row)
