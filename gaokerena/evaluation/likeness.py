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
from collections import defaultdict
from collections.abc import Sequence
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
_BLOCK = 4_000_000
"""Cosines held at once: 32 MB."""
_ODD = np.uint64(0x9E3779B97F4A7C15)
"""Four characters are one number modulo 2^64; among 10 million grams two share one once in 300,000 times."""

Rows = NDArray[np.int64]
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
    one, other = _stems_by_options(mine), _stems_by_options(theirs)
    alone = {options for options in one.keys() & other.keys() if len(one[options]) == len(other[options]) == 1}
    numbers = {(item.gold, item.options): item.place for item in theirs if item.open}
    return [
        (item.place, numbers[item.gold, item.options])
        for item in mine
        if item.open and item.options in alone and (item.gold, item.options) in numbers
    ]


def _stems_by_options(side: Side) -> dict[Key, set[str]]:
    found: dict[Key, set[str]] = defaultdict(set)
    for item in side:
        found[item.options].add(item.key[0])
    return found


def by_similarity(mine: Side, theirs: Side) -> list[tuple[int, int]]:
    """Pairs of open questions with the same gold letter that are each other's most similar among all.

    Only open questions are looked up, a block at a time; the others are heard as rivals alone.
    """
    if not any(item.open for item in mine) or not any(item.open for item in theirs):
        return []
    grams = _Grams([" ".join(item.key) for item in (*mine, *theirs)])
    here, there = grams.rows[: len(mine)], grams.rows[len(mine) :]
    asking = np.array([place for place, item in enumerate(mine) if item.open])
    found, lead = _best(grams, here[asking], there)
    likely = np.array([
        bool(enough) and theirs[column].open and mine[row].gold == theirs[column].gold
        for row, column, enough in zip(asking.tolist(), found.tolist(), lead >= AHEAD, strict=True)
    ], bool)  # fmt: skip
    back, lead_back = _best(grams, there[found[likely]], here)
    return [
        (mine[row].place, theirs[column].place)
        for row, column, other, ahead in zip(asking[likely], found[likely], back, lead_back, strict=True)
        if row == other and ahead >= AHEAD and _one_question(mine[row].key, theirs[column].key)
    ]


def _best(grams: _Grams, asking: Rows, among: Rows) -> tuple[Rows, NDArray[np.float64]]:
    """Of each text the most similar one's place in `among`, and its lead over the second; below ENOUGH no lead."""
    place, lead = np.zeros(len(asking), np.int64), np.ones(len(asking))
    for start in range(0, len(asking), step := max(1, _BLOCK // len(among))):
        near = grams.cosines(asking[start : start + step], among)
        part, lines = slice(start, start + step), np.arange(len(near))
        place[part] = near.argmax(axis=1)
        best = near[lines, place[part]]
        if len(among) > 1:
            lead[part] = best - np.partition(near, -2, axis=1)[:, -2]
        lead[part][best < ENOUGH] = -1.0
    return place, lead


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


def _cosines(one: Sequence[str], other: Sequence[str]) -> NDArray[np.float64]:
    """Cosine similarity of the texts' 4-grams, rare ones weighing more: [one, other]."""
    grams = _Grams([*one, *other])
    return grams.cosines(grams.rows[: len(one)], grams.rows[len(one) :])


class _Grams:
    """The 4-grams of texts as unit vectors, rare ones weighing more; equal texts share a row, and count each time.

    `rows` [texts] is each text's row. A gram that runs over the end of its text is cut off there.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        known = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        self.rows = np.array([known[text] for text in texts], np.int64)
        grams, lengths = _grams(list(known))
        found, columns = np.unique(grams, return_inverse=True)
        starts = np.concatenate([[0], np.cumsum(lengths)])
        table = csr_matrix((np.ones(len(columns)), columns.astype(np.int32), starts), (len(known), len(found)))
        table.sum_duplicates()
        often = np.bincount(self.rows, minlength=len(known))
        texts_with = np.bincount(table.indices, np.repeat(often, np.diff(table.indptr)), minlength=len(found))
        table.data *= (np.log((1 + len(texts)) / (1 + texts_with)) + 1)[table.indices]
        sizes = np.sqrt(np.asarray(table.multiply(table).sum(axis=1))).ravel()
        table.data /= np.repeat(sizes, np.diff(table.indptr))
        self._table = table

    def cosines(self, one: Rows, other: Rows) -> NDArray[np.float64]:
        """[one, other]"""
        found: NDArray[np.float64] = (self._table[one] @ self._table[other].T).toarray()
        return found


def _grams(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Each text's grams as numbers, one after the other, and how many each has: as many as characters."""
    lengths = np.array([len(text) for text in texts], np.int64)
    padded = ("\0" * (_GRAM - 1)).join([*texts, ""])
    codes = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = np.cumsum(lengths + _GRAM - 1)
    inside = np.ones(len(codes), bool)
    for over in range(1, _GRAM):
        inside[ends - over] = False
    starts = np.flatnonzero(inside)
    found = np.zeros(len(starts), np.uint64)
    for step in range(_GRAM):
        found *= _ODD
        found += codes[starts + step]
    return found, lengths
