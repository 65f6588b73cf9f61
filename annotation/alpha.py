"""Krippendorff's alpha with a bootstrap interval over items.

    counts = np.array([[2, 0], [1, 1], [0, 3]])          # [units, values]: how many doctors gave each value
    alpha(counts, "nominal")                             # 1 agreement, 0 chance, below 0 systematic disagreement
    alpha_with_interval(counts, ["i1", "i1", "i2"], "ordinal", seed=1)

alpha = 1 - (observed disagreement) / (disagreement expected by chance), from the matrix of coincidences of values
within units; units with one value say nothing and are left out. Krippendorff, Content Analysis (4th edition, 2019),
chapter 12; worked examples: Krippendorff, Computing Krippendorff's Alpha-Reliability (2011). The package of that name
gives the same figures (the tests hold it against them); it is under the GPL, so it is no part of this project.

The interval: items are drawn with replacement, alpha is computed anew, percentiles are taken (Zapf et al., BMC Medical
Research Methodology 16:93, 2016). Not covered: interval and ratio scales.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gaokerena.statistics import Interval

Level = Literal["nominal", "ordinal"]
Matrix = NDArray[np.float64]
RESAMPLES = 2_000
TAIL = 0.025
_AT_ONCE = 500


def coincidences(counts: ArrayLike) -> Matrix:
    """Coincidences of values within each unit: [units, values] -> [units, values, values]. Raises ValueError."""
    given = np.asarray(counts, dtype=np.float64)
    if given.ndim != 2 or (given < 0).any():
        raise ValueError(f"counts are [units, values] from 0 up, not of shape {given.shape}")
    size = given.sum(axis=1)
    pairs = given[:, :, None] * given[:, None, :] - np.eye(given.shape[1]) * given[:, :, None]
    made: Matrix = np.where(size[:, None, None] > 1, pairs / np.maximum(size - 1, 1)[:, None, None], 0.0)
    return made


def alpha(counts: ArrayLike, level: Level) -> float | None:
    """Alpha of `counts` [units, values]; None where nothing could disagree (fewer than two values in use)."""
    found = float(_alphas(coincidences(counts).sum(axis=0)[None], level)[0])
    return None if np.isnan(found) else found


def alpha_with_interval(
    counts: ArrayLike, items: Sequence[Hashable], level: Level, *, seed: int, resamples: int = RESAMPLES
) -> Interval | None:
    """Alpha and its 95 % interval; `items` names the item of each unit, and whole items are drawn.

    None where alpha is not defined, or in more than half of the resamples. Raises ValueError.
    """
    within = coincidences(counts)
    if len(items) != len(within):
        raise ValueError(f"{len(within)} units but {len(items)} items; name the item of each unit")
    estimate = float(_alphas(within.sum(axis=0)[None], level)[0])
    if np.isnan(estimate):
        return None
    drawn = resampled(per_item(within, items), seed=seed, resamples=resamples)
    return percentiles(estimate, _alphas(drawn, level))


def per_item(units: Matrix, items: Sequence[Hashable]) -> Matrix:
    """The matrices of each item's units added up: [units, values, values] -> [items, values, values]."""
    places: dict[Hashable, int] = {}
    index = np.array([places.setdefault(item, len(places)) for item in items], dtype=np.int64)
    summed = np.zeros((len(places), *units.shape[1:]))
    np.add.at(summed, index, units)
    return summed


def resampled(summed: Matrix, *, seed: int, resamples: int) -> Matrix:
    """Sums of as many items drawn with replacement: [items, values, values] -> [resamples, values, values]."""
    generator = np.random.default_rng(seed)
    count, flat = len(summed), summed.reshape(len(summed), -1)
    made = np.empty((resamples, flat.shape[1]))
    for start in range(0, resamples, _AT_ONCE):
        rows = min(_AT_ONCE, resamples - start)
        drawn = generator.integers(count, size=(rows, count)) + np.arange(rows)[:, None] * count
        often = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        made[start : start + rows] = often @ flat
    return made.reshape(resamples, *summed.shape[1:])


def percentiles(estimate: float, drawn: Matrix) -> Interval | None:
    """The 95 % percentile interval of `drawn`, resamples without a value left out; None if they are the majority."""
    whole = drawn[~np.isnan(drawn)]
    if 2 * len(whole) < len(drawn):
        return None
    low, high = np.quantile(whole, [TAIL, 1 - TAIL])
    return Interval(estimate, float(low), float(high))


def _alphas(within: Matrix, level: Level) -> Matrix:
    """Alpha of each coincidence matrix: [many, values, values] -> [many]; nan where none is defined."""
    often = within.sum(axis=2)
    total = often.sum(axis=1)
    apart = _distances(often, level)
    observed = (within * apart).sum(axis=(1, 2))
    expected = (often[:, :, None] * often[:, None, :] * apart).sum(axis=(1, 2))
    defined = expected > 1e-12
    ratio = np.divide((total - 1) * observed, expected, out=np.full_like(total, np.nan), where=defined)
    found: Matrix = 1 - ratio
    return found


def _distances(often: Matrix, level: Level) -> Matrix:
    """Squared distances of values: [many, values] -> [many, values, values].

    Ordinal: the values in between and half of both ends, squared; that is the difference of two middle ranks.
    """
    if level == "nominal":
        values = often.shape[1]
        return np.broadcast_to(1 - np.eye(values), (len(often), values, values))
    rank = np.cumsum(often, axis=1) - often / 2
    apart: Matrix = (rank[:, :, None] - rank[:, None, :]) ** 2
    return apart
