"""What doctors said of two answers, read from files: the measure a judge is held against.

    known = read_doctors(Path("pairs.jsonl"))                                   # of `annotation export`
    known = read_doctors(Path("verdicts.jsonl"), items=Path("items.jsonl"))     # the verdicts themselves

Two kinds of files are read: pairs as `annotation export` writes them (the doctors' preferences; a doctor's own text
over a model's is no comparison of two answers and is left out), and verdicts (`gaokerena.expert_verdicts`) with the
items they are about, from the ledger or a study file. Of several doctors the majority counts; without one it is a tie.
Gold items, swapped duplicates and what could not be judged are left out, and counted.

Not covered: how far the doctors agree among themselves (`python -m annotation report`), the bound on any judge.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from gaokerena.evaluation.freeform_score import Winner
from gaokerena.expert_verdicts import MARGIN, VerdictFileError, latest, read
from gaokerena.questions import Question
from training.errors import TrainingError
from training.pair_rows import parse
from training.rlaif.compared import Compared, question_of
from training.rlaif.reading import bytes_of, lines_of, text_of


@dataclass(frozen=True, slots=True)
class Doctors:
    """Comparisons with the doctors' winner, the SHA-256 of the file they are from, and what was left out of it."""

    known: tuple[tuple[Compared, Winner], ...]
    sha256: str
    left_out: dict[str, int]
    ties: bool
    """Whether the file can hold ties; pairs cannot."""


def read_doctors(path: Path, items: Path | None = None) -> Doctors:
    """The doctors' verdicts of `path`. Raises TrainingError naming the file, the line and the next step."""
    data = bytes_of(path, "--verdicts")
    first = data.partition(b"\n")[0]
    left_out: Counter[str] = Counter()
    if b'"item_id"' in first and b'"chosen"' not in first:
        known = list(_from_verdicts(path, items, left_out))
    else:
        known = list(_from_pairs(path, text_of(data, path, "--verdicts"), left_out))
    if not known:
        raise TrainingError(f"{path}: no comparison that doctors judged; left out: {dict(left_out)}")
    ties = b'"chosen"' not in first
    return Doctors(tuple(known), hashlib.sha256(data).hexdigest(), dict(left_out), ties)


def _from_pairs(path: Path, text: str, left_out: Counter[str]) -> Iterator[tuple[Compared, Winner]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        row = parse(line, f"{path} line {number}")
        kind = row.provenance.get("kind", "preference")
        if row.source != "expert" or kind != "preference":
            left_out[kind if row.source == "expert" else f"source {row.source}"] += 1
            continue
        # which of the two the judge sees first in its first call must not follow from the doctors' choice
        a, b = sorted((row.better, row.worse))
        yield Compared(row.id, question_of(row.asked), row.asked, a, b), "a" if row.better == a else "b"


class _Side(BaseModel):
    """An answer in a ledger (`text`) or in a study file (its parts)."""

    model_config = ConfigDict(extra="ignore")

    text: str = ""
    reasoning: str = ""
    conclusion: str = ""

    @property
    def whole(self) -> str:
        return self.text or "\n\n".join(part for part in (self.reasoning, self.conclusion) if part.strip())


class _Item(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    kind: str = "comparison"
    question: Question
    sides: dict[str, _Side]


def _read_items(path: Path) -> dict[str, _Item]:
    found = {}
    for number, line in enumerate(lines_of(path, "--items"), 1):
        if not line.strip() or json.loads(line).get("kind") == "gaokerena-study":
            continue
        try:
            item = _Item.model_validate_json(line)
        except ValidationError as error:
            raise TrainingError(f"{path} line {number}: not an item ({error.errors()[0]['msg']})") from None
        found[item.id] = item
    return found


def _from_verdicts(path: Path, items: Path | None, left_out: Counter[str]) -> Iterator[tuple[Compared, Winner]]:
    if items is None or not items.exists():
        raise TrainingError(
            f"{path} holds verdicts, and the answers they are about stand elsewhere: give --items with the items.jsonl "
            f"or study file they were given on, not {items}"
        )
    ledger = _read_items(items)
    try:
        standing = {(row.judge, row.item_id): row for row in latest(read(path)) if row.status == "submitted"}
    except VerdictFileError as error:
        raise TrainingError(str(error)) from error
    grades: defaultdict[str, list[Winner]] = defaultdict(list)
    for row in standing.values():
        item = ledger.get(row.item_id)
        if item is None or item.kind != "comparison":
            left_out["unknown item" if item is None else item.kind] += 1
        elif row.grade is None or row.cannot_judge or row.personal_data:
            left_out["not judged"] += 1
        else:
            margin = MARGIN[row.grade]
            grades[row.item_id].append("a" if margin > 0 else "b" if margin < 0 else "tie")
    for name in sorted(grades):
        item = ledger[name]
        left, right = item.sides["left"].whole, item.sides["right"].whole
        if not left.strip() or not right.strip():
            left_out["empty answer"] += 1
            continue
        yield Compared(name, item.question, item.question.text, left, right), _majority(grades[name])


def _majority(grades: Sequence[Winner]) -> Winner:
    counts = Counter(grades)
    best, count = counts.most_common(1)[0]
    return best if 2 * count > len(grades) else "tie"
