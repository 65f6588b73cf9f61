"""Cohen's kappa of two doctors, plain or weighted, with a bootstrap interval over items.

    kappa([0, 1, 2, 2], [0, 1, 1, 2], values=3, weighted=True)

Plain: Cohen, Educational and Psychological Measurement 20 (1960) 37-46. Weighted: disagreement counts by the square of
its size, for values in order (Cohen, Psychological Bulletin 70 (1968) 213-220; Fleiss and Cohen 1973).

Not covered: more than two doctors at once (`alpha`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotation.alpha import RESAMPLES, Matrix, percentiles, resampled
from gaokerena.statistics import Interval


def kappa(one: Sequence[int], other: Sequence[int], *, values: int, weighted: bool) -> float | None:
    """Kappa of values from 0 below `values`, given to the same items; None where nothing could disagree.

    Raises ValueError.
    """
    found = float(_kappas(_tables(one, other, values).sum(axis=0)[None], weighted)[0])
    return None if np.isnan(found) else found


def kappa_with_interval(
    one: Sequence[int], other: Sequence[int], *, values: int, weighted: bool, seed: int, resamples: int = RESAMPLES
) -> Interval | None:
    """Kappa and its 95 % interval; None where it is not defined, or in more than half of the resamples."""
    tables = _tables(one, other, values)
    estimate = float(_kappas(tables.sum(axis=0)[None], weighted)[0])
    if np.isnan(estimate):
        return None
    return percentiles(estimate, _kappas(resampled(tables, seed=seed, resamples=resamples), weighted))


def _tables(one: Sequence[int], other: Sequence[int], values: int) -> Matrix:
    """A table for each item with a single 1: [items, values, values]."""
    if len(one) != len(other):
        raise ValueError(f"two doctors' values differ in count: {len(one)} and {len(other)}")
    if any(not 0 <= value < values for value in (*one, *other)):
        raise ValueError(f"values go from 0 to {values - 1}")
    tables = np.zeros((len(one), values, values))
    tables[np.arange(len(one)), np.asarray(one, np.int64), np.asarray(other, np.int64)] = 1
    return tables


def _kappas(tables: Matrix, weighted: bool) -> Matrix:
    """Kappa of each table of counts: [many, values, values] -> [many]; nan where none is defined."""
    places = np.arange(tables.shape[1])
    apart = places[:, None] - places[None, :]
    weights = apart**2 if weighted else (apart != 0).astype(np.int64)
    total = tables.sum(axis=(1, 2))
    chance = tables.sum(axis=2)[:, :, None] * tables.sum(axis=1)[:, None, :]
    expected = (chance * weights).sum(axis=(1, 2))
    observed = (tables * weights).sum(axis=(1, 2))
    ratio = np.divide(total * observed, expected, out=np.full_like(total, np.nan), where=expected > 1e-12)
    found: Matrix = 1 - ratio
    return found
