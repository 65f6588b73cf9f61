"""Does the judge prefer the longer answer? The chance that a wins, as a function of how much longer a is.

    fit = length_effect(scores, ratios, clusters)
    fit.at_equal_length, fit.slope

A logistic regression of a's score (1 win, 0.5 tie, 0 loss) on log2 of (length of a / length of b). Its value at 0 is
the win rate that would be seen between answers of equal length; its slope is what doubling the length adds to the log
odds. A judge that only counts characters separates the two outcomes perfectly, where maximum likelihood has no finite
answer, so the likelihood is penalised, and the intervals are those of the profile of the penalised likelihood: Firth,
Biometrika 80 (1993) 27-38; Heinze and Schemper, Statistics in Medicine 21 (2002) 2409-2419. A score of 0.5 counts as
half a win and half a loss, which makes the intervals rather too long than too short. Several runs of one question
weigh together as much as one.

Not covered: other causes of a preference that go with length; a curve that is not logistic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit, log_expit
from scipy.stats import chi2

from gaokerena.statistics import Interval

_STEPS, _SMALL, _LONGEST, _FARTHEST = 100, 1e-10, 2.0, 1e6
_SINGULAR = -1e6
"""Stands for the log determinant where nothing is left to learn from: a search cannot count with minus infinity."""
_SAME = 1e-3
"""Ratios closer than this (0.07 % of the length) say nothing of it."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LengthEffect:
    """`at_equal_length` is a share, `slope` log odds a doubling of a's length against b's; both with 95 % intervals."""

    at_equal_length: Interval
    slope: Interval


def length_effect(scores: ArrayLike, ratios: ArrayLike, clusters: Sequence[Hashable]) -> LengthEffect | None:
    """`scores` [pairs], 0 to 1, as they follow `ratios` [pairs], log2 of lengths; None where all ratios are alike.

    `clusters` names each pair's question. Raises ValueError where the three differ in length.
    """
    y, x = np.asarray(scores, np.float64), np.asarray(ratios, np.float64)
    if not y.shape == x.shape == (len(clusters),):
        raise ValueError(f"scores {y.shape}, ratios {x.shape} and clusters ({len(clusters)},) differ; give one of each")
    if not len(x) or np.ptp(x) < _SAME:
        return None
    runs = Counter(clusters)
    weights = np.array([1 / runs[cluster] for cluster in clusters])
    unit = float(np.abs(x).max())  # the fit takes steps of about one
    found = firth(x / unit, y, weights)
    log_odds, slope = (_profiled(x / unit, y, weights, found, place) for place in (0, 1))
    at_zero = Interval(float(expit(log_odds.estimate)), float(expit(log_odds.low)), float(expit(log_odds.high)))
    return LengthEffect(at_zero, Interval(slope.estimate / unit, slope.low / unit, slope.high / unit))


def firth(x: Vector, y: Vector, weights: Vector) -> tuple[float, float]:
    """Intercept and slope of the penalised logistic regression of `y` (0 to 1) on `x`, each pair so often as it weighs.

    Newton's method with steps of limited length.
    """
    design = np.column_stack([np.ones_like(x), x])
    beta = np.zeros(2)
    for _ in range(_STEPS):
        chance = expit(design @ beta)
        spread = weights * chance * (1 - chance)
        inverse = np.linalg.inv(design.T @ (design * spread[:, None]))
        leverage = spread * np.einsum("ij,jk,ik->i", design, inverse, design)
        step = inverse @ (design.T @ (weights * (y - chance) + leverage * (0.5 - chance)))
        size = float(np.abs(step).max())
        beta += step * min(1.0, _LONGEST / max(size, _SMALL))
        if size < _SMALL:
            break
    return float(beta[0]), float(beta[1])


def penalised(x: Vector, y: Vector, weights: Vector, intercept: float, slope: float) -> float:
    """Log likelihood plus half the log determinant of the information (Jeffreys' prior)."""
    odds = intercept + slope * x
    won, lost = log_expit(odds), log_expit(-odds)
    spread = weights * np.exp(won + lost)
    design = np.column_stack([np.ones_like(x), x])
    _, determinant = np.linalg.slogdet(design.T @ (design * spread[:, None]))
    return float((weights * (y * won + (1 - y) * lost)).sum() + max(determinant, _SINGULAR) / 2)


def _profiled(x: Vector, y: Vector, weights: Vector, found: tuple[float, float], place: int) -> Interval:
    """The coefficient at `place` (0 intercept, 1 slope), with the interval its profile gives."""

    def best(value: float) -> float:
        """The penalised likelihood with this coefficient held at `value` and the other one free."""

        def negative(other: float) -> float:
            return -penalised(x, y, weights, *((value, other) if place == 0 else (other, value)))

        middle = found[1 - place]
        return -float(minimize_scalar(negative, bracket=(middle - 0.5, middle + 0.5)).fun)

    enough = penalised(x, y, weights, *found) - float(chi2.ppf(0.95, 1)) / 2
    low, high = (_crossing(lambda value: best(value) - enough, found[place], side) for side in (-1, 1))
    return Interval(found[place], low, high)


def _crossing(curve: Callable[[float], float], start: float, side: int) -> float:
    """Where `curve`, above 0 at `start`, falls below 0 on that side."""
    near, step = start, 0.25
    while curve(start + side * step) > 0 and step < _FARTHEST:
        near, step = start + side * step, 2 * step
    return float(brentq(curve, near, start + side * step, xtol=1e-6))
