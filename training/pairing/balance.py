"""Single cues that tell too well, made to point both ways equally often, by leaving out few pairs, greedily.

    kept, cost = balance(rows, limit=0.60, seed=1)       # cost: {"length: words": 812}

At every size of a feature's difference (steps of fifteen per cent), as many pairs are kept in which the chosen side has
more as in which the rejected has; the feature, and every rule that looks at it alone, then tells nothing. The same for
the letter concluded on: as many pairs prefer A over B as B over A. The worst feature comes first, until none is above
the limit by the audit's own rule. Words that are mined are left alone: leaving out pairs for a phrase would only bring
up the next. Where weights differ, as much weight is kept either way instead of as many pairs, as near as whole pairs
come to it.

Not covered: features together; the audit looks at those.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gaokerena.questions import LETTERS
from training.pair_rows import PairRow
from training.pairing.features import FAMILIES, last_letter
from training.pairing.weighing import by_weight

_STEP = math.log(1.15)
_Z = 1.96
LETTERS_CUE = "option letters: which letter is concluded on"
_PAIRS: dict[tuple[str | None, ...], float] = {pair: 2.0**place for place, pair in enumerate(combinations(LETTERS, 2))}
"""A value of its own for each two letters, so that each two are balanced by themselves."""


def balance(rows: Sequence[PairRow], *, limit: float, seed: int) -> tuple[list[PairRow], Counter[str]]:
    """(the pairs kept, in their order; how many each feature cost)."""
    names, apart = _apart(rows)
    left, given = np.arange(len(rows)), np.array([row.weight for row in rows])
    cost: Counter[str] = Counter()
    while len(left):
        weights = by_weight(given[left])
        tells = np.array(
            [_low(apart[left, column], weights, letters=name == LETTERS_CUE) for column, name in enumerate(names)]
        )
        worst = int(tells.argmax())
        if tells[worst] <= limit:
            break
        kept = left[_even(apart[left, worst], weights, seed)]  # fewer: a feature above the limit is not even
        cost[names[worst]] += len(left) - len(kept)
        left = kept
    return [rows[place] for place in left.tolist()], cost


def _apart(rows: Sequence[PairRow]) -> tuple[list[str], NDArray[np.float64]]:
    """Names of all features that count, and chosen minus rejected: [pairs, features]; the letters come last."""
    found: list[list[float]] = []
    names: list[str] = []
    for row in rows:
        names, values = [], []
        for family, count in FAMILIES.items():
            one, other = count(row.better), count(row.worse)
            names += [f"{family}: {name}" for name in one]
            values += [one[name] - other[name] for name in one]
        found.append([*values, _letters(row)])
    return [*names, LETTERS_CUE], np.array(found)


def _letters(row: PairRow) -> float:
    """Which two letters the sides conclude on, signed by which of them is the chosen one; 0 for one and the same."""
    one, other = last_letter(row.better), last_letter(row.worse)
    return _PAIRS.get((one, other), 0.0) - _PAIRS.get((other, one), 0.0)


def _low(values: NDArray[np.float64], weights: NDArray[np.float64], *, letters: bool = False) -> float:
    """The lower end of the 95 % interval of how often the better direction names the chosen side, by weight.

    Normal, with one pair more that it gets right and one that it gets wrong, so that few pairs tell little. Weights are
    in the units of `weighing`.
    """
    signs = np.sign(values)
    sizes = np.log2(np.abs(values), where=values != 0, out=np.zeros_like(values)) if letters else np.zeros_like(values)
    right = np.zeros_like(values)
    for size in np.unique(sizes):  # each two letters have a direction of their own
        here = sizes == size
        right[here] = signs[here] * (1 if weights[here] @ signs[here] >= 0 else -1)
    scores, weights = np.append((right + 1) / 2, [0.0, 1.0]), np.append(weights, [1.0, 1.0])
    mean = np.average(scores, weights=weights)
    spread = np.average((scores - mean) ** 2, weights=weights)
    return float(mean - _Z * math.sqrt(spread) / math.sqrt(weights.sum()))


def _even(values: NDArray[np.float64], weights: NDArray[np.float64], seed: int) -> NDArray[np.intp]:
    """The places that stay: all ties, and at every size of the difference as much weight of either direction."""
    buckets: defaultdict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for place, value in enumerate(values):
        if value:
            buckets[round(math.log(abs(value)) / _STEP)][int(value > 0)].append(place)
    rng, kept = random.Random(seed), np.flatnonzero(values == 0).tolist()
    for size in sorted(buckets):
        if (weights == 1).all():
            fewer, more = sorted(buckets[size], key=len)
            kept += fewer + rng.sample(more, len(fewer))
        else:
            light, heavy = sorted(buckets[size], key=lambda places: float(weights[places].sum()))
            kept += light + _within(float(weights[light].sum()), rng.sample(heavy, len(heavy)), weights)
    return np.array(sorted(kept), np.intp)


def _within(room: float, places: Sequence[int], weights: NDArray[np.float64]) -> list[int]:
    """Those of the places, in their order, that fit into so much weight together."""
    kept = []
    for place in places:
        if weights[place] <= room * (1 + 1e-9):
            kept.append(place)
            room -= weights[place]
    return kept
