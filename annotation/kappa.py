"""Cohen's kappa of two doctors, plain or weighted, with a bootstrap interval over items.

    kappa([0, 1, 2, 2], [0, 1, 1, 2], values=3, weighted=True)

Plain: Cohen, Educational and Psychological Measurement 20 (1960) 37-46. Weighted: disagreement counts by the square of
its size, for values in order (Cohen, Psychological Bulletin 70 (1968) 213-220; Fleiss and Cohen 1973).

Not covered: more than two doctors at once (`alpha`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotation.alpha import RESAMPLES, Matrix, percentiles
from gaokerena.statistics import Interval


def kappa(one: Sequence[int], other: Sequence[int], *, values: int, weighted: bool) -> float | None:
    """Kappa of values from 0 below `values`, given to the same items; None where nothing could disagree.

    Raises ValueError.
    """
    found = float(_kappas(_table(one, other, values)[None], weighted)[0])
    return None if np.isnan(found) else found


def kappa_with_interval(
    one: Sequence[int], other: Sequence[int], *, values: int, weighted: bool, seed: int, resamples: int = RESAMPLES
) -> Interval | None:
    """Kappa and its 95 % interval; None where it is not defined, or in more than half of the resamples."""
    table = _table(one, other, values)
    estimate = float(_kappas(table[None], weighted)[0])
    if np.isnan(estimate):
        return None
    # Drawing items with replacement is drawing cells of the table by their shares.
    drawn = np.random.default_rng(seed).multinomial(len(one), table.ravel() / len(one), size=resamples)
    return percentiles(estimate, _kappas(drawn.reshape(-1, values, values).astype(np.float64), weighted))


def _table(one: Sequence[int], other: Sequence[int], values: int) -> Matrix:
    """How often each two values met: [values, values]."""
    if len(one) != len(other):
        raise ValueError(f"two doctors' values differ in count: {len(one)} and {len(other)}")
    if any(not 0 <= value < values for value in (*one, *other)):
        raise ValueError(f"values go from 0 to {values - 1}")
    table = np.zeros((values, values))
    np.add.at(table, (np.asarray(one, np.int64), np.asarray(other, np.int64)), 1)
    return table


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
