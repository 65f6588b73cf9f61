"""Which rows of different models are one question: by content, never by their place in a file.

    alignment = align(groups)                    # the groups of one suite
    alignment.numbers[group]                     # [entries]: the question each row asks, -1 where none is known

Published recordings differ in wording: five questions were edited between runs, one model was asked an older
translation, pipelines carry the question in English. So rows are matched to the wording most models were asked, inside
one subject, in three steps, each only between rows still open, one to one, and only where the gold letter agrees:

1. `text`: the question and its four options are equal after `normalize_for_key`;
2. `options`: the four options are equal, and no other question of the subject has them;
3. `similarity`: character 4-grams of question and options; the two are each other's best by `ENOUGH` and `AHEAD`.

What is left is a question of its own, reported and never guessed. A question that one model was asked twice under two
numbers is `repeated`. Not covered: options in another order (they are another question to a model).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from gaokerena.evaluation.answers import Group
from gaokerena.persian import normalize_for_key
from gaokerena.questions import LETTERS

ENOUGH, AHEAD = 0.5, 0.1
"""Least cosine of a match by similarity, and least lead over the second best; measured in tests/evaluation."""
_GRAM = 4

Key = tuple[str, ...]
"""Subject, gold letter's number, normalised question, four normalised options."""


@dataclass
class Alignment:
    """Of one suite. `numbers` by (model, prompting): [entries] question numbers; `subjects` and `texts` by number.

    `ways` counts rows by how they were matched; `unaligned` lists rows whose question no other model was asked,
    `lonely` are their numbers. A model with such rows in a subject may have been asked, in words not recognised, what
    seems missing there: `unsure` has those numbers, by (model, prompting).
    """

    suite: str
    numbers: dict[tuple[str, str], NDArray[np.int64]] = field(default_factory=dict)
    subjects: list[str] = field(default_factory=list)
    texts: list[tuple[str, ...]] = field(default_factory=list)
    gold: list[int] = field(default_factory=list)
    ways: Counter[str] = field(default_factory=Counter)
    unaligned: list[dict[str, Any]] = field(default_factory=list)
    repeated: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    lonely: set[int] = field(default_factory=set)
    unsure: dict[tuple[str, str], set[int]] = field(default_factory=dict)

    def report(self) -> dict[str, Any]:
        """What was aligned how, and what was not, for the evaluation's JSON."""
        return {
            "suite": self.suite,
            "questions": len(self.texts),
            "aligned_by": {way: self.ways[way] for way in ("text", "options", "similarity")},
            "unaligned": self.unaligned,
            "repeated": self.repeated,
            "missing": self.missing,
        }


@lru_cache(maxsize=200_000)
def folded(text: str) -> str:
    """`normalize_for_key`, each text once."""
    return normalize_for_key(text)


def key_of(text: tuple[str, ...]) -> Key:
    """Question and options as compared."""
    return tuple(map(folded, text))


def align(groups: Sequence[Group]) -> Alignment:
    """Number the questions of one suite; the group whose wording most others share comes first."""
    made = Alignment(groups[0].suite)
    index: dict[tuple[str, Key], int] = {}
    for group in _by_agreement(groups):
        made.numbers[group.name] = _match(group, made, index)
    for group in groups:
        _note_repeated(group, made)
    _note_lonely(groups, made)
    _note_missing(groups, made)
    return made


def _by_agreement(groups: Sequence[Group]) -> list[Group]:
    """Groups in the order of how many of their questions others were asked in the same words."""
    keys = {group.name: [(s, key_of(t)) for s, t in zip(group.subjects, group.texts, strict=True)] for group in groups}
    often = Counter(key for found in keys.values() for key in set(found))
    return sorted(groups, key=lambda group: -sum(often[key] - 1 for key in set(keys[group.name])))


def _match(group: Group, made: Alignment, index: dict[tuple[str, Key], int]) -> NDArray[np.int64]:
    """The question number of each entry; questions nobody was asked before are added."""
    keys = [key_of(text) for text in group.texts]
    found = np.full(len(keys), -1, np.int64)
    for entry, (subject, key) in enumerate(zip(group.subjects, keys, strict=True)):
        number = index.get((subject, key), -1)
        if number >= 0 and made.gold[number] == group.gold[entry]:
            found[entry] = number
    if index:
        made.ways["text"] += int((found >= 0).sum())
        for way, matcher in (("options", _by_options), ("similarity", _by_similarity)):
            for subject in dict.fromkeys(group.subjects):
                for entry, number in matcher(*_open(group, keys, found, made, subject)):
                    found[entry] = number
                    made.ways[way] += 1
    for entry in np.flatnonzero(found < 0).tolist():
        place = (group.subjects[entry], keys[entry])
        if place not in index or made.gold[index[place]] != group.gold[entry]:
            index[place] = len(made.texts)
            made.subjects.append(group.subjects[entry])
            made.texts.append(group.texts[entry])
            made.gold.append(int(group.gold[entry]))
        found[entry] = index[place]
    return found


_Open = list[tuple[int, Key]]
"""Numbers (of an entry or a question) with the key that starts with the gold letter."""


def _open(
    group: Group, keys: Sequence[Key], found: NDArray[np.int64], made: Alignment, subject: str
) -> tuple[_Open, _Open]:
    """Entries of `subject` that are not matched yet, and questions of it that this group has not been asked."""
    taken = set(found[found >= 0].tolist())
    mine = [
        (entry, (LETTERS[group.gold[entry]], *keys[entry]))
        for entry in np.flatnonzero(found < 0).tolist()
        if group.subjects[entry] == subject
    ]
    if not mine:
        return [], []
    theirs = [
        (number, (LETTERS[made.gold[number]], *key_of(made.texts[number])))
        for number, other in enumerate(made.subjects)
        if other == subject and number not in taken
    ]
    return mine, theirs


def _by_options(mine: _Open, theirs: _Open) -> list[tuple[int, int]]:
    """Pairs with the same gold letter and options, where both sides have these options once."""
    sides = []
    for side in (mine, theirs):
        places: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, (letter, _, *options) in side:
            places[letter, *options].append(place)
        sides.append({options: found[0] for options, found in places.items() if len(found) == 1})
    return [(place, sides[1][options]) for options, place in sides[0].items() if options in sides[1]]


def _by_similarity(mine: _Open, theirs: _Open) -> list[tuple[int, int]]:
    """Pairs that are each other's most similar with the same gold letter, clearly ahead of the second best."""
    found = []
    for letter in LETTERS:
        rows, columns = ([item for item in side if item[1][0] == letter] for side in (mine, theirs))
        if rows and columns:
            near = _cosines([" ".join(key[1:]) for _, key in rows], [" ".join(key[1:]) for _, key in columns])
            found += [(rows[row][0], columns[column][0]) for row, column in _mutual(near)]
    return found


def _mutual(near: NDArray[np.float64]) -> Iterable[tuple[int, int]]:
    for row, column in enumerate(near.argmax(axis=1).tolist()):
        best = near[row, column]
        rivals = np.append(np.delete(near[row], column), np.delete(near[:, column], row))
        if best >= ENOUGH and (not len(rivals) or best - rivals.max() >= AHEAD):
            yield row, column


def _cosines(one: Sequence[str], other: Sequence[str]) -> NDArray[np.float64]:
    """Cosine similarity of the texts' 4-grams, rare ones weighing more: [one, other]."""
    grams = [Counter(text[start : start + _GRAM] for start in range(len(text))) for text in (*one, *other)]
    known = {gram: column for column, gram in enumerate(dict.fromkeys(gram for found in grams for gram in found))}
    rows = np.repeat(np.arange(len(grams)), [len(found) for found in grams])
    columns = np.array([known[gram] for found in grams for gram in found])
    counts = np.array([count for found in grams for count in found.values()], float)
    rarity = np.log((1 + len(grams)) / (1 + np.bincount(columns))) + 1
    table = csr_matrix((counts * rarity[columns], (rows, columns)))
    lengths = np.sqrt(np.asarray(table.multiply(table).sum(axis=1))).ravel()
    products = (table[: len(one)] @ table[len(one) :].T).toarray()
    cosines: NDArray[np.float64] = products / np.outer(lengths[: len(one)], lengths[len(one) :])
    return cosines


def _note_repeated(group: Group, made: Alignment) -> None:
    often = Counter(made.numbers[group.name].tolist())
    by_subject = Counter(made.subjects[number] for number, count in often.items() for _ in range(count - 1))
    for subject, rows in by_subject.items():
        made.repeated.append(_named(group) | {"subject": subject, "rows": rows})


def _note_lonely(groups: Sequence[Group], made: Alignment) -> None:
    """Questions only one group was asked, though others were asked in that subject."""
    askers = Counter(number for numbers in made.numbers.values() for number in set(numbers.tolist()))
    busy = Counter(subject for group in groups for subject in set(group.subjects))
    for group in groups:
        lonely: dict[str, list[int]] = defaultdict(list)
        for number in dict.fromkeys(made.numbers[group.name].tolist()):
            if askers[number] == 1 and busy[made.subjects[number]] > 1:
                lonely[made.subjects[number]].append(number)
        for subject, numbers in lonely.items():
            made.lonely.update(numbers)
            example = made.texts[numbers[0]][0][:200]
            made.unaligned.append(_named(group) | {"subject": subject, "rows": len(numbers), "example": example})


def _note_missing(groups: Sequence[Group], made: Alignment) -> None:
    """Questions of a subject that a group was asked in but has no answer to; lonely wordings are not counted."""
    askers = Counter(number for numbers in made.numbers.values() for number in set(numbers.tolist()))
    for group in groups:
        mine, asked = set(made.numbers[group.name].tolist()), set(group.subjects)
        gaps = [
            number
            for number, subject in enumerate(made.subjects)
            if number not in mine and askers[number] > 1 and subject in asked
        ]
        odd = {made.subjects[number] for number in mine & made.lonely}
        made.unsure[group.name] = {number for number in gaps if made.subjects[number] in odd}
        for subject, questions in Counter(made.subjects[number] for number in gaps).items():
            made.missing.append(_named(group) | {"subject": subject, "questions": questions})


def _named(group: Group) -> dict[str, Any]:
    return {"model": group.model, "prompting": group.prompting}
