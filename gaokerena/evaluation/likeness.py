"""Which of two lists of questions are the same question in other words: by their options, by their likeness.

    by_options(mine, theirs)                     # pairs (place in mine, place in theirs)
    by_similarity(mine, theirs)

Both match one to one, only items that are `open`, only with equal gold letters, and leave alone what is not clear: a
wrong pair costs more than a missing one. The thresholds are measured in tests/evaluation/test_alignment.py.

Not covered: options in another order (they are another question to a model), and two questions with the same options
and gold letter of which each model was asked only one.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from gaokerena.persian import normalize_for_key

ENOUGH, AHEAD = 0.4, 0.1
"""Least cosine of a match by similarity, and least lead over the second best; measured in tests/evaluation."""
STEM = 0.3
"""Least cosine of two wordings of one stem (seen: 0.36)."""
SAME_STEM, SAME_START, SAME_OPTIONS = 0.8, 0.5, 0.5
"""A stem so alike, or so much of it word for word from its start (two wordings: at most 0.34), is no new wording: then
the options must be this much alike (seen: 0.55), or it is another question to the same case."""
_GRAM = 4

Key = tuple[str, ...]
"""Normalised question and four normalised options."""


@lru_cache(maxsize=200_000)
def folded(text: str) -> str:
    """`normalize_for_key`, each text once."""
    return normalize_for_key(text)


def key_of(text: tuple[str, ...]) -> Key:
    """Question and options as compared."""
    return tuple(map(folded, text))


class Item(NamedTuple):
    """An entry of a group, or a question known before; `open` while it has no partner."""

    place: int
    gold: int
    key: Key
    open: bool

    @property
    def options(self) -> Key:
        return self.key[1:]


Side = list[Item]


def by_options(mine: Side, theirs: Side) -> list[tuple[int, int]]:
    """Pairs with the same gold letter and options, where on both sides one stem alone has these options."""
    one, other = _stemsby_options(mine), _stemsby_options(theirs)
    alone = {options for options in one.keys() & other.keys() if len(one[options]) == len(other[options]) == 1}
    numbers = {(item.gold, item.options): item.place for item in theirs if item.open}
    return [
        (item.place, numbers[item.gold, item.options])
        for item in mine
        if item.open and item.options in alone and (item.gold, item.options) in numbers
    ]


def _stemsby_options(side: Side) -> dict[Key, set[str]]:
    found: dict[Key, set[str]] = defaultdict(set)
    for item in side:
        found[item.options].add(item.key[0])
    return found


def by_similarity(mine: Side, theirs: Side) -> list[tuple[int, int]]:
    """Pairs of open questions with the same gold letter that are each other's most similar among all."""
    if not mine:
        return []
    near = _cosines([" ".join(item.key) for item in mine], [" ".join(item.key) for item in theirs])
    pairs = [(mine[row], theirs[column]) for row, column in _mutual(near)]
    return [
        (one.place, other.place)
        for one, other in pairs
        if one.open and other.open and one.gold == other.gold and _one_question(one.key, other.key)
    ]


def reworded(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two texts under one number may be one question: the same options, or alike enough."""
    keys = key_of(one), key_of(other)
    if keys[0][1:] == keys[1][1:]:
        return True
    return float(_cosines([" ".join(keys[0])], [" ".join(keys[1])])[0, 0]) >= ENOUGH and _one_question(*keys)


def _one_question(one: Key, other: Key) -> bool:
    """Whether stems and options, looked at apart, may be two wordings of one question."""
    stems = float(_cosines(one[:1], other[:1])[0, 0])
    shorter = max(1, min(len(one[0]), len(other[0])))
    start = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one[0], other[0], strict=False)))
    if stems < SAME_STEM and start < SAME_START * shorter:
        return stems >= STEM
    return float(_cosines([" ".join(one[1:])], [" ".join(other[1:])])[0, 0]) >= SAME_OPTIONS


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
