"""Single cues that tell too well, made to point both ways equally often, by leaving out few pairs, greedily.

    kept, cost = balance(rows, limit=0.60, seed=1)       # cost: {"length: words": 812}

At every size of a feature's difference (steps of fifteen per cent), as many pairs are kept in which the chosen side has
more as in which the rejected has; the feature, and every rule that looks at it alone, then tells nothing. The same for
the letter concluded on: as many pairs prefer A over B as B over A. The worst feature comes first, until none is above
the limit by the audit's own rule. Words that are mined are left alone: leaving out pairs for a phrase would only bring
up the next.

Not covered: features together, and the rows' weights; the audit looks at those.
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

_STEP = math.log(1.15)
_Z = 1.96
LETTERS_CUE = "option letters: which letter is concluded on"
_PAIRS: dict[tuple[str | None, ...], float] = {pair: 2.0**place for place, pair in enumerate(combinations(LETTERS, 2))}
"""A value of its own for each two letters, so that each two are balanced by themselves."""


def balance(rows: Sequence[PairRow], *, limit: float, seed: int) -> tuple[list[PairRow], Counter[str]]:
    """(the pairs kept, in their order; how many each feature cost)."""
    names, apart = _apart(rows)
    left = np.arange(len(rows))
    cost: Counter[str] = Counter()
    while len(left):
        tells = np.array([_low(apart[left, column], letters=name == LETTERS_CUE) for column, name in enumerate(names)])
        worst = int(tells.argmax())
        if tells[worst] <= limit:
            break
        kept = left[_even(apart[left, worst], seed)]  # fewer each time: a feature above the limit is not even
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


def _low(values: NDArray[np.float64], *, letters: bool = False) -> float:
    """The lower end of the 95 % interval of how often the better direction names the chosen side.

    Normal, with one pair more that it gets right and one that it gets wrong, so that few pairs tell little.
    """
    signs = np.sign(values)
    sizes = np.log2(np.abs(values), where=values != 0, out=np.zeros_like(values)) if letters else np.zeros_like(values)
    right = np.zeros_like(values)
    for size in np.unique(sizes):  # each two letters have a direction of their own
        here = sizes == size
        right[here] = signs[here] * (1 if signs[here].sum() >= 0 else -1)
    scores = np.append((right + 1) / 2, [0.0, 1.0])
    return float(scores.mean() - _Z * scores.std() / math.sqrt(len(scores)))


def _even(values: NDArray[np.float64], seed: int) -> NDArray[np.intp]:
    """The places that stay: all ties, and at every size of the difference as many of either direction."""
    buckets: defaultdict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for place, value in enumerate(values):
        if value:
            buckets[round(math.log(abs(value)) / _STEP)][int(value > 0)].append(place)
    rng, kept = random.Random(seed), np.flatnonzero(values == 0).tolist()
    for size in sorted(buckets):
        fewer, more = sorted(buckets[size], key=len)
        kept += fewer + rng.sample(more, len(fewer))
    return np.array(sorted(kept), np.intp)
