"""Many bootstrap intervals and sign-flip tests at once: questions are drawn, all columns share the draws.

    low, high = intervals(scores, seed=1)               # scores [questions, columns]
    p = sign_flip(differences, seed=1)                  # differences [questions, columns]

The draws are counts of how often each question comes up, so a resample of every column is one matrix product.
Percentile intervals: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. Sign flips: the
permutation test of paired differences, same book, section 15.2; p is (1 + as extreme) / (1 + flips), never 0.

Not covered: unpaired samples and clusters (`gaokerena.statistics`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
_AT_ONCE = 2_000_000

Matrix = NDArray[np.float64]


def intervals(
    values: Matrix, *, seed: int, sizes: Matrix | None = None, confidence: float = 0.95, resamples: int = RESAMPLES
) -> tuple[Matrix, Matrix]:
    """Percentile interval of each column's mean: [questions, columns] -> ([columns], [columns]). Raises ValueError.

    With `sizes` [questions, columns], `values` are sums over that many rows of a question, and the mean is over rows.
    """
    if values.ndim != 2 or not len(values):
        raise ValueError(f"values to resample are [questions, columns] with at least one question, not {values.shape}")
    count = len(values)
    generator = np.random.default_rng(seed)
    means = np.empty((resamples, values.shape[1]))
    for start, stop in _parts(resamples, count):
        drawn = generator.integers(count, size=(stop - start, count))
        drawn += np.arange(stop - start)[:, None] * count
        often = np.bincount(drawn.ravel(), minlength=(stop - start) * count).reshape(stop - start, count)
        means[start:stop] = often @ values / (count if sizes is None else np.maximum(often @ sizes, 1e-9))
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high


def sign_flip(differences: Matrix, *, seed: int, flips: int = RESAMPLES) -> Matrix:
    """Two-sided p of each column that its paired differences are centred on 0: [questions, columns] -> [columns]."""
    generator = np.random.default_rng(seed)
    observed = np.abs(differences.sum(axis=0)) - 1e-9
    extreme = np.zeros(differences.shape[1], np.int64)
    for start, stop in _parts(flips, len(differences)):
        signs = generator.integers(0, 2, size=(stop - start, len(differences)), dtype=np.int8) * 2.0 - 1.0
        extreme += (np.abs(signs @ differences) >= observed).sum(axis=0)
    return (1 + extreme) / (1 + flips)


def by_length(columns: Sequence[NDArray[np.float64]]) -> dict[int, list[int]]:
    """Places of columns of equal length, which can share their draws."""
    found: dict[int, list[int]] = {}
    for place, column in enumerate(columns):
        found.setdefault(len(column), []).append(place)
    return found


def intervals_of(columns: Sequence[NDArray[np.float64]], *, seed: int) -> list[tuple[float, float]]:
    """`intervals` of columns that may differ in length."""
    out: list[tuple[float, float]] = [(0.0, 0.0)] * len(columns)
    for places in by_length(columns).values():
        low, high = intervals(np.column_stack([columns[place] for place in places]), seed=seed)
        for number, place in enumerate(places):
            out[place] = (float(low[number]), float(high[number]))
    return out


def sign_flips_of(columns: Sequence[NDArray[np.float64]], *, seed: int) -> list[float]:
    """`sign_flip` of columns that may differ in length."""
    out = [1.0] * len(columns)
    for places in by_length(columns).values():
        found = sign_flip(np.column_stack([columns[place] for place in places]), seed=seed)
        for number, place in enumerate(places):
            out[place] = float(found[number])
    return out


def _parts(rounds: int, width: int) -> list[tuple[int, int]]:
    step = max(1, _AT_ONCE // width)
    return [(start, min(start + step, rounds)) for start in range(0, rounds, step)]
