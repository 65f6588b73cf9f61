"""Words that tell chosen from rejected, found in some pairs and tried on others: opening, closing, phrases.

    names, apart = grams(words(chosen), words(rejected), "phrases", weights)   # [pairs, grams] of -1, 0, 1
    best = telling(apart, weights)                                     # the columns that tell most in these rows

A gram stands for its presence. The vocabulary is what enough texts hold, whichever side they are on; which of it
matters (`telling`) is asked of training folds alone.

Not covered: order of phrases, words that only one or two texts hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from gaokerena.persian import normalize_for_key

Words = list[str]

LONGEST = 3
"""Words in a phrase, at most."""
TOP = 60
"""Grams of a family that a classifier may use; the ones that tell most in its training folds."""
RARE, FEW = 0.005, 5
"""A gram must stand in this share of the texts, by weight, and in so many."""


def words(texts: Iterable[str]) -> list[Words]:
    """The words of each text, normalised."""
    return [normalize_for_key(text).split() for text in texts]


def opening(text: Words) -> list[str]:
    """The first one, two and three words."""
    return [" ".join(text[:size]) for size in range(1, LONGEST + 1) if len(text) >= size]


def closing(text: Words) -> list[str]:
    """The last one, two and three words."""
    return [" ".join(text[-size:]) for size in range(1, LONGEST + 1) if len(text) >= size]


def phrases(text: Words) -> list[str]:
    """Every run of one, two and three words."""
    runs = range(1, LONGEST + 1)
    return [" ".join(text[start : start + size]) for size in runs for start in range(len(text) - size + 1)]


MINED: dict[str, Callable[[Words], list[str]]] = {
    "opening words": opening,
    "closing words": closing,
    "phrases": phrases,
}


def grams(
    chosen: Sequence[Words], rejected: Sequence[Words], family: str, weights: NDArray[np.float64]
) -> tuple[list[str], csr_matrix]:
    """The names of the family's grams, and for each pair what the chosen text holds minus what the other holds.

    The matrix is [pairs, grams] with entries -1, 0 and 1.
    """
    both = [*chosen, *rejected]
    least, alike = max(FEW, int(RARE * 2 * weights.sum())), bool((weights == 1).all())
    counter = CountVectorizer(analyzer=MINED[family], binary=True, min_df=least if alike else FEW, dtype=np.int8)
    try:
        found = counter.fit_transform(both)
    except ValueError:  # sklearn's word for an empty vocabulary
        return [], csr_matrix((len(chosen), 0), dtype=np.float64)
    names = counter.get_feature_names_out()
    if not alike:  # by number in the counter, by weight here
        common = np.flatnonzero(found.T @ np.tile(weights, 2) >= least)
        names, found = names[common], found[:, common]
    apart = csr_matrix(found[: len(chosen)], dtype=np.float64) - csr_matrix(found[len(chosen) :], dtype=np.float64)
    apart.eliminate_zeros()
    return list(names), apart


def telling(apart: csr_matrix, weights: NDArray[np.float64], top: int = TOP) -> NDArray[np.intp]:
    """The columns that tell chosen from rejected most in these rows, best first: by the z of a weighted sign test."""
    apart_by, spread = apart.T @ weights, abs(apart).T @ weights**2
    z = np.abs(apart_by) / np.sqrt(spread + 1)
    return np.argsort(-z, kind="stable")[:top]
