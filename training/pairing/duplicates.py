"""Pairs that repeat others, and questions that are one question: exactly, or by most of their words.

    rows = alone(rows, drop)               # earlier rows win; drop(row, reason) hears of the others
    groups = question_groups(rows)         # one number for all rows of a question and its near duplicates

Not covered: the same question in other words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gaokerena.persian import normalize_for_key
from training.pair_rows import PairRow
from training.pairing.near import groups, jaccard, near, shingles
from training.pairing.questions import question_of

SAME_PAIR, SAME_QUESTION = 0.8, 0.7
"""The share of shingles that makes two pairs, or two questions, near duplicates."""
_ROUGHLY = 0.7
"""The same of a pair as one text, where a look at its three texts is worth it."""

Drop = Callable[[PairRow, str], None]


def alone(rows: Sequence[PairRow], drop: Drop) -> list[PairRow]:
    """The rows without those that repeat an earlier one, exactly, with its sides swapped, or nearly."""
    seen: set[tuple[str, ...]] = set()
    first = []
    for row in rows:
        asked, better, worse = (normalize_for_key(text) for text in (row.asked, row.better, row.worse))
        if (asked, better, worse) in seen:
            drop(row, "duplicate")
        elif (asked, worse, better) in seen:
            drop(row, "contradicts an earlier pair")
        else:
            seen.add((asked, better, worse))
            first.append(row)
    return _not_near(first, drop)


def _not_near(rows: Sequence[PairRow], drop: Drop) -> list[PairRow]:
    """The rows that are no near duplicate of an earlier one that stays: question, chosen and rejected each."""
    size, gone = 5, set[int]()
    sets = [[shingles(text, size) for text in (row.asked, row.better, row.worse)] for row in rows]
    for earlier, later in near([f"{row.asked}\n{row.better}\n{row.worse}" for row in rows], size=size, least=_ROUGHLY):
        alike = all(jaccard(*each) >= SAME_PAIR for each in zip(sets[earlier], sets[later], strict=True))
        if alike and earlier not in gone:
            gone.add(later)
    for place in sorted(gone):
        drop(rows[place], "near duplicate")
    return [row for place, row in enumerate(rows) if place not in gone]


def question_groups(rows: Sequence[PairRow]) -> list[int]:
    """The group of each row: rows of one question, and of questions near to it, share one."""
    questions = [question_of(row) for row in rows]
    whole = [" ".join((question.text, *question.options)) for question in questions]
    first: dict[str, int] = {}
    same = [
        (first.setdefault(normalize_for_key(question.text), place), place) for place, question in enumerate(questions)
    ]
    return groups(len(rows), [*same, *near(whole, size=3, least=SAME_QUESTION)])
