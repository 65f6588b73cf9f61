"""Questions that occur twice: inside a suite, and in two suites (a leak).

    findings = twins([load_suite("ibmsee_2023", data), load_suite("kopp_larger", data)])

Two questions have the same text when their letters, digits and signs agree after Persian folding: blanks, points and
case do not count (the published exams leave blanks out at random). Their options then say what they are:
- same: equal and in the same order; reordered: equal in another order;
- reworded: three fifths of the characters of each option agree, on average, with the other's nearest option;
- other: another question that begins alike («کدام گزینه صحیح است؟»); a note inside a suite, nothing between suites.
Texts that differ are near duplicates when the words of text and options agree to 85 % (Jaccard, SIMILAR) and the
options are at least reworded. All such pairs are found, by prefix filtering: two sets that similar share a word among
the rarest of each.

Splits named train are looked through for the same text alone, and said in one finding for each suite that leaked.
Not covered: near duplicates in training text (training/decontaminate.py looks for shared runs of words), translations,
paraphrases, and a question rewritten around the same fact.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from itertools import combinations
from typing import Literal

from gaokerena.evaluation.suite_findings import Finding, at, excerpt, place
from gaokerena.evaluation.suites import Item, Suite
from gaokerena.persian import normalize_for_key
from gaokerena.questions import LETTERS

Relation = Literal["same", "reordered", "reworded", "near", "other"]
_CLOSEST: tuple[Relation, ...] = ("same", "reordered", "reworded", "near", "other")
SIMILAR = 0.85
REWORDED = 0.6
FEWEST = 6
"""Texts of fewer words, options included, are never near duplicates: one word too many is a fifth of them."""
_SAID: dict[Relation, str] = {
    "same": "the same question",
    "reordered": "the same question with its options in another order",
    "reworded": "the same question with some options written otherwise",
    "near": "nearly the same question",
    "other": "the same text over other options",
}


class _Folding(dict[int, str]):
    """One character after `normalize_for_key`, between letters, worked out when first met: twenty times as fast."""

    def __missing__(self, code: int) -> str:
        folded = normalize_for_key(f"a{chr(code)}a")[1:-1]
        self[code] = folded
        return folded


_FOLDING = _Folding()


def words(text: str) -> list[str]:
    """The words of `normalize_for_key(text)`, but a decimal point parts a number and a mark joins its neighbours."""
    return text.translate(_FOLDING).split()


@dataclass(frozen=True)
class Twin:
    """An item with the forms it is compared by; `key` is its text folded, without blanks."""

    item: Item
    key: str

    @cached_property
    def options(self) -> tuple[str, ...]:
        """The options folded, without blanks."""
        return tuple(normalize_for_key(option).replace(" ", "") for option in self.item.options)

    @cached_property
    def words(self) -> frozenset[str]:
        """The different words of text and options."""
        return frozenset(words(" ".join((self.item.text, *self.item.options))))

    @property
    def keyed(self) -> str | None:
        """The option that the key names, folded."""
        place = LETTERS.index(self.item.gold) if self.item.gold else len(self.options)
        return self.options[place] if place < len(self.options) else None


def twins(suites: Iterable[Suite]) -> list[Finding]:
    """Every repeated question inside and between `suites`, once for each later item. Pure."""
    tested: list[Twin] = []
    trained: list[Twin] = []
    for suite in suites:
        (trained if suite.name.endswith(":train") else tested).extend(map(_twin, suite.items))
    found: dict[int, tuple[Relation, int]] = {}
    for earlier, later, relation in (*_same_text(tested), *_near(tested)):
        known = found.get(later)
        if known is None or _CLOSEST.index(relation) < _CLOSEST.index(known[0]):
            found[later] = (relation, earlier)
    pairs = ((tested[earlier], tested[later], relation) for later, (relation, earlier) in sorted(found.items()))
    return [*(finding for pair in pairs for finding in _said(*pair)), *_trained(tested, trained)]


def _twin(item: Item) -> Twin:
    return Twin(item, item.text.translate(_FOLDING).replace(" ", ""))


def _same_text(items: Sequence[Twin]) -> Iterator[tuple[int, int, Relation]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for number, twin in enumerate(items):
        if twin.key:
            groups[twin.key].append(number)
    for group in groups.values():
        for earlier, later in combinations(group, 2):
            yield earlier, later, _relation(items[earlier], items[later])


def _relation(one: Twin, other: Twin) -> Relation:
    """How the options of two questions with the same text relate."""
    if one.options == other.options:
        return "same"
    if sorted(one.options) == sorted(other.options):
        return "reordered"
    return "reworded" if _agreement(one.options, other.options) >= REWORDED else "other"


def _agreement(one: Sequence[str], other: Sequence[str]) -> float:
    """Share of characters that agree between each option and the nearest of the other's, on average."""
    if not one or not other:
        return float(not one and not other)
    nearest = (max(SequenceMatcher(None, option, twin, autojunk=False).ratio() for twin in other) for option in one)
    return sum(nearest) / len(one)


def _near(items: Sequence[Twin]) -> Iterator[tuple[int, int, Relation]]:
    """Pairs of similar items that have not the same text, exactly, by prefix filtering."""
    often = Counter(word for twin in items for word in twin.words)
    index: dict[str, list[int]] = defaultdict(list)
    for number, twin in enumerate(items):
        if len(twin.words) < FEWEST:
            continue
        rarest = sorted(twin.words, key=lambda word: (often[word], word))
        prefix = rarest[: len(rarest) - math.ceil(SIMILAR * len(rarest)) + 1]
        for other in {other for word in prefix for other in index.get(word, ())}:
            if _similar(twin, items[other]):
                yield other, number, "near"
        for word in prefix:
            index[word].append(number)


def _similar(one: Twin, other: Twin) -> bool:
    few, many = sorted((len(one.words), len(other.words)))
    if few < SIMILAR * many or one.key == other.key:
        return False
    shared = len(one.words & other.words)
    return shared >= SIMILAR * (few + many - shared) and _agreement(one.options, other.options) >= REWORDED


def _trained(tested: Iterable[Twin], trained: Iterable[Twin]) -> Iterator[Finding]:
    """One finding for each tested suite and training split with texts in common."""
    places = {twin.key: twin.item.suite for twin in trained if twin.key}
    leaked: dict[tuple[str, str], list[Item]] = defaultdict(list)
    sizes = Counter(twin.item.suite for twin in tested)
    for twin in tested:
        if twin.key in places:
            leaked[twin.item.suite, places[twin.key]].append(twin.item)
    for (suite, training), items in leaked.items():
        yield Finding(
            "leak",
            "warning",
            suite,
            f"{len(items)} of {sizes[suite]} questions stand in {training}, the first in row {items[0].row}: "
            f"{excerpt(items[0].text)}",
            f"test on nothing that was trained on: take these rows out of {training}",
            rows=tuple(item.row for item in items),
        )


def _said(earlier: Twin, later: Twin, relation: Relation) -> Iterator[Finding]:
    """What a pair means: a repetition inside a suite, a leak between two, and keys that contradict each other."""
    one, other = earlier.item, later.item
    message = f"{_SAID[relation]} as {place(one)}: {excerpt(other.text)}"
    if relation == "other":
        if one.suite == other.suite:
            yield at(other, "same text", "note", message, "nothing, if the options make it another question")
        return
    if one.suite == other.suite:
        kind = "near duplicate" if relation == "near" else "duplicate"
        yield at(other, kind, "warning", message, "count it once, or say that it counts twice")
    else:
        step = f"do not tune or train on {one.suite} what is tested on {other.suite}, nor the other way"
        yield at(other, "leak", "warning", message, step)
    if _contradict(earlier, later):
        yield at(
            other,
            "conflicting keys",
            "error",
            f"{_SAID[relation]} as {place(one)}, but the keys name different options: "
            f"{excerpt(_option(one))} there, {excerpt(_option(other))} here",
            "find out which key is right, and tell the publisher",
        )


def _contradict(one: Twin, other: Twin) -> bool:
    """Whether one's keyed option stands among the other's options without being keyed there."""
    if one.keyed is None or other.keyed is None or one.keyed == other.keyed:
        return False
    return one.keyed in other.options or other.keyed in one.options


def _option(item: Item) -> str:
    return item.options[LETTERS.index(item.gold)] if item.gold else ""
