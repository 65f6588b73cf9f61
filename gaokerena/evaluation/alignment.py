"""Which rows of different models are one question: by content, never by their place in a file.

    alignment = align(groups)                    # the groups of one suite
    alignment.numbers[group]                     # [entries]: the question each row asks, -1 where none is known

Published recordings differ in wording: five questions were edited between runs, one model was asked an older
translation, pipelines carry the question in English. So rows are matched to the wording most models were asked, inside
one subject, in three steps, each only between rows still open, one to one, and only where the gold letter agrees:

1. `text`: the question and its four options are equal after `normalize_for_key`;
2. `options`: the four options are equal, and no other question of the subject has them, on either side;
3. `similarity`: among all questions of the subject the two are each other's most alike, by far (`likeness`).

What is left is a question of its own, reported and never guessed. A question that one model was asked twice under two
numbers is `repeated`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation.answers import Group
from gaokerena.evaluation.likeness import Item, Key, Side, by_options, by_similarity, key_of


@dataclass
class Alignment:
    """Of one suite. `numbers` by (model, prompting): [entries] question numbers; `subjects` and `texts` by number.

    `ways` counts rows by how they were matched; `unaligned` lists rows whose question no other model was asked,
    `lonely` are their numbers.
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

    def in_two_wordings(self, mine: NDArray[np.int64], theirs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Questions that one side was asked and the other was not, which may be one question in two wordings.

        So may one of `mine` and one of `theirs` of the same subject, unless some model was asked both. Questions that
        the same models were asked are looked at together: time and memory grow with the number of questions.
        """
        askers: dict[int, set[tuple[str, str]]] = {number: set() for number in (*mine.tolist(), *theirs.tolist())}
        for name, numbers in self.numbers.items():
            for number in set(numbers.tolist()) & askers.keys():
                askers[number].add(name)
        one, other = (self._alike(side, askers) for side in (mine, theirs))
        found: set[int] = set()
        for subject, names in one:
            for rival in other:
                if rival[0] == subject and not names & rival[1]:
                    found.update(one[subject, names], other[rival])
        return np.array(sorted(found), np.int64)

    def _alike(
        self, numbers: NDArray[np.int64], askers: Mapping[int, set[tuple[str, str]]]
    ) -> dict[tuple[str, frozenset[tuple[str, str]]], list[int]]:
        """The numbers by subject and who was asked them."""
        found = defaultdict(list)
        for number in numbers.tolist():
            found[self.subjects[number], frozenset(askers[number])].append(number)
        return found

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


def align(groups: Sequence[Group]) -> Alignment:
    """Number the questions of one suite; the group whose wording most others share comes first.

    Neither the order of the groups nor that of their rows changes a number: ties go by name, rows by index and subject.
    """
    groups = sorted(groups, key=lambda group: group.name)
    made = Alignment(groups[0].suite)
    index: _Index = {}
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


_Index = dict[tuple[str, int, Key], int]
"""Question numbers by subject, gold letter's number and key."""


def _match(group: Group, made: Alignment, index: _Index) -> NDArray[np.int64]:
    """The question number of each entry; questions nobody was asked before are added."""
    keys = [key_of(text) for text in group.texts]
    places = list(zip(group.subjects, group.gold.tolist(), keys, strict=True))
    found = np.array([index.get(place, -1) for place in places], np.int64)
    if index:
        made.ways["text"] += int((found >= 0).sum())
        for way, matcher in (("options", by_options), ("similarity", by_similarity)):
            for mine, theirs in _sides(group, keys, found, made):
                for entry, number in matcher(mine, theirs):
                    found[entry] = number
                    made.ways[way] += 1
    for entry in (place for place in ordered(group).tolist() if found[place] < 0):
        if places[entry] not in index:
            index[places[entry]] = len(made.texts)
            made.subjects.append(group.subjects[entry])
            made.texts.append(group.texts[entry])
            made.gold.append(int(group.gold[entry]))
        found[entry] = index[places[entry]]
    return found


def ordered(group: Group) -> NDArray[np.int64]:
    """The places of a group's entries by index and subject, however its rows stood in the file."""
    places = range(len(group.subjects))
    return np.array(sorted(places, key=lambda place: (group.indices[place], group.subjects[place])), np.int64)


def _sides(group: Group, keys: Sequence[Key], found: NDArray[np.int64], made: Alignment) -> Iterator[tuple[Side, Side]]:
    """Entries and known questions subject by subject, where both sides have open ones."""
    taken = set(found[found >= 0].tolist())
    mine, theirs = defaultdict(list), defaultdict(list)
    for entry, subject in enumerate(group.subjects):
        mine[subject].append(entry)
    for number, subject in enumerate(made.subjects):
        theirs[subject].append(number)
    for subject, entries in mine.items():
        numbers = theirs[subject]
        if all(found[entry] >= 0 for entry in entries) or taken.issuperset(numbers):
            continue
        yield (
            [Item(entry, int(group.gold[entry]), keys[entry], bool(found[entry] < 0)) for entry in entries],
            [Item(n, made.gold[n], key_of(made.texts[n]), n not in taken) for n in numbers],
        )


def _note_repeated(group: Group, made: Alignment) -> None:
    often = Counter(made.numbers[group.name].tolist())
    by_subject: Counter[str] = Counter()
    for number, count in often.items():
        by_subject[made.subjects[number]] += count - 1
    for subject, rows in sorted((+by_subject).items()):
        made.repeated.append(_named(group) | {"subject": subject, "rows": rows})


def _note_lonely(groups: Sequence[Group], made: Alignment) -> None:
    """Questions only one group was asked, though others were asked in that subject."""
    askers = Counter(number for numbers in made.numbers.values() for number in set(numbers.tolist()))
    busy = Counter(subject for group in groups for subject in set(group.subjects))
    for group in groups:
        lonely: dict[str, list[int]] = defaultdict(list)
        for number in sorted(set(made.numbers[group.name].tolist())):
            if askers[number] == 1 and busy[made.subjects[number]] > 1:
                lonely[made.subjects[number]].append(number)
        for subject, numbers in sorted(lonely.items()):
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
        for subject, questions in sorted(Counter(made.subjects[number] for number in gaps).items()):
            made.missing.append(_named(group) | {"subject": subject, "questions": questions})


def _named(group: Group) -> dict[str, Any]:
    return {"model": group.model, "prompting": group.prompting}
