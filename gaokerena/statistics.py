"""Intervals and tests for shares and paired scores: pure functions, seeds given, no data frames.

    wilson(56, 70)                                   # one share
    difference_of_shares(56, 70, 48, 80)             # two shares from different questions
    paired_bootstrap(right_v, right_r, seed=1)       # two models on the same questions
    mcnemar_exact(*discordant(right_v, right_r))     # the same, as a test

All intervals are two-sided; `confidence` 0.95 unless told. Runs of one question are not independent: give the question
of each value as its cluster, and whole questions are drawn.

Not covered: correction for many comparisons, power, rankings of more than two models.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, betaincinv

RESAMPLES = 10_000
_DRAWS_AT_ONCE = 2_000_000
"""Draws held in memory at a time: 16 MB."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval, in the units of the values."""

    estimate: float
    low: float
    high: float


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a share, without continuity correction. Raises ValueError.

    Newcombe, Statistics in Medicine 17 (1998) 857-872, method 3.
    """
    _check_share(successes, trials)
    z = _z(confidence)
    share = successes / trials
    middle = (successes + z * z / 2) / (trials + z * z)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == trials else middle + half
    return Interval(share, low, high)


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """The exact interval of a share, from the tails of the binomial distribution: never too short. Raises ValueError.

    Clopper and Pearson, Biometrika 26 (1934) 404-413.
    """
    _check_share(successes, trials)
    tail = _tail(confidence)
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, trials - successes, 1 - tail)) if successes < trials else 1.0
    return Interval(successes / trials, low, high)


def difference_of_shares(
    successes: int, trials: int, other_successes: int, other_trials: int, confidence: float = 0.95
) -> Interval:
    """The first share minus the other, of two independent samples. Raises ValueError.

    Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10: the two Wilson intervals, squared and added. Two
    models on the same questions are not independent: use `paired_bootstrap`.
    """
    one, other = wilson(successes, trials, confidence), wilson(other_successes, other_trials, confidence)
    estimate = one.estimate - other.estimate
    low = estimate - math.hypot(one.estimate - one.low, other.high - other.estimate)
    high = estimate + math.hypot(one.high - one.estimate, other.estimate - other.low)
    return Interval(estimate, low, high)


def bootstrap_mean(
    values: ArrayLike,
    *,
    seed: int,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """The mean with its percentile bootstrap interval; with `clusters` (one for each value) whole clusters are drawn.

    The mean is over values, so a larger cluster weighs more. Equal seeds give equal intervals. Raises ValueError.
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all():
        raise ValueError(f"a bootstrap needs finite values in one row, not {numbers.size} in shape {numbers.shape}")
    if resamples < 1:
        raise ValueError(f"a bootstrap of {resamples} resamples; take at least 1,000")
    sums, sizes = _by_cluster(numbers, clusters)
    means = _resampled_means(sums, sizes, np.random.default_rng(seed), resamples)
    tail = _tail(confidence)
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(numbers.mean()), float(low), float(high))


def paired_bootstrap(
    values: ArrayLike,
    others: ArrayLike,
    *,
    seed: int,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """The mean of `values` minus that of `others`, which belong together one by one: pairs are drawn.

    Raises ValueError. See `bootstrap_mean`.
    """
    one, other = np.asarray(values, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if one.shape != other.shape:
        raise ValueError(f"paired values differ in count: {one.shape} and {other.shape}")
    return bootstrap_mean(one - other, seed=seed, clusters=clusters, confidence=confidence, resamples=resamples)


def discordant(values: Sequence[bool], others: Sequence[bool]) -> tuple[int, int]:
    """How many pairs only the first has right, and how many only the other. Raises ValueError."""
    if len(values) != len(others):
        raise ValueError(f"paired values differ in count: {len(values)} and {len(others)}")
    pairs = list(zip(values, others, strict=True))
    return sum(bool(one and not other) for one, other in pairs), sum(bool(other and not one) for one, other in pairs)


def mcnemar_exact(only_first: int, only_other: int) -> float:
    """Two-sided p that two paired shares are equal: twice the smaller binomial tail, at most 1. Raises ValueError.

    Agresti, Categorical Data Analysis (3rd edition, 2013), section 11.1.
    """
    if only_first < 0 or only_other < 0:
        raise ValueError(f"counts of discordant pairs are {only_first} and {only_other}; neither may be below 0")
    return min(1.0, 2 * float(bdtr(min(only_first, only_other), only_first + only_other, 0.5)))


def holm(ps: Sequence[float]) -> list[float]:
    """p values adjusted for their number by Holm's step-down method (Scandinavian J. Statistics 6 (1979) 65-70)."""
    adjusted, highest = [0.0] * len(ps), 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda place: ps[place])):
        highest = max(highest, min(1.0, ps[place] * (len(ps) - rank)))
        adjusted[place] = highest
    return adjusted


def _by_cluster(
    numbers: NDArray[np.float64], clusters: Sequence[Hashable] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and count of the values of each cluster; without clusters each value is its own."""
    if clusters is None:
        return numbers, np.ones_like(numbers)
    if len(clusters) != numbers.size:
        raise ValueError(f"{numbers.size} values but {len(clusters)} clusters; give one for each value")
    places: dict[Hashable, int] = {}
    index = np.array([places.setdefault(cluster, len(places)) for cluster in clusters])
    return np.bincount(index, numbers).astype(np.float64), np.bincount(index).astype(np.float64)


def _resampled_means(
    sums: NDArray[np.float64], sizes: NDArray[np.float64], generator: np.random.Generator, resamples: int
) -> NDArray[np.float64]:
    means = np.empty(resamples)
    step = max(1, _DRAWS_AT_ONCE // sums.size)
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        drawn = generator.integers(sums.size, size=(stop - start, sums.size))
        means[start:stop] = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    return means


def _check_share(successes: int, trials: int) -> None:
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is not a share; successes go from 0 to trials, trials from 1")


def _tail(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} is not between 0 and 1; 0.95 is usual")
    return (1 - confidence) / 2


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf(1 - _tail(confidence))
