"""How much each pair counts: DPO multiplies a pair's loss by its `weight`, so the audit weighs alike.

    weights = by_weight([row.weight for row in rows])     # [pairs]; all 1 where the rows weigh the same
    effective = weights.sum()                             # as many pairs of one weight would say as much

The unit is chosen so that the sum of the weights is the effective number of pairs (sum of w, squared, over the sum of
w²: Kish, Survey Sampling (1965), section 11.7). Rules that ask for so many pairs, and the penalty of a regression, then
mean the same whatever the weights are counted in.

Not covered: weights that a trainer makes up itself (balanced sources, curricula).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEAST = 30
"""Effective pairs below which nothing can be said."""


def by_weight(given: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights in units of effective pairs: [pairs], exactly 1 each where all are equal."""
    weights = np.asarray(given, np.float64)
    if not len(weights) or (weights == weights[0]).all():
        return np.ones(len(weights))
    weights = weights / weights.max()  # the square of a very small weight would be zero
    found: NDArray[np.float64] = weights * weights.sum() / (weights**2).sum()
    return found


def share(which: NDArray[np.bool_], weights: NDArray[np.float64]) -> float:
    """The part of the weight that lies on `which` of the pairs."""
    return float((weights * which).sum() / weights.sum())
