"""Which model the doctors hold better: the share of questions it wins, with what the doctors' errors leave open.

    for duel in duels(consensus(judged), {row.item.id: row.item for row in judged}, seed=1): print(duel.share)

The posteriors of `consensus` hold left and right equally likely, which is right for one blind item; their mean is drawn
towards an even score, the more the less sure the doctors are. So here each two models have shares of their own (the
first better, the second better, neither), and shares, truths and error rates are drawn in turn (Gibbs sampling), truths
from the shares as the models sat. What comes out is said of questions like these, not of these questions alone.

With few items and doctors little better than chance the shares stay drawn to what `imagined` takes doctors for: 100
items judged by two of accuracy .6 gave .69 for .76, and 82 % of the 95 % intervals held it (docs/LOG.md).

Not covered: subjects, and models that no doctor saw side by side (no ranking follows).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.alpha import TAIL
from annotation.consensus import Consensus
from annotation.dawid_skene import DRAWS, FIRST, SMOOTHING, drawn, drawn_confusion, expected, imagined
from annotation.items import Item
from gaokerena.statistics import Interval

Array = NDArray[np.float64]
BEFORE = 1 / 2
"""Items that each outcome is taken to have had beforehand (Jeffreys' prior)."""
TURNED = (1, 0, 2)
"""The outcomes with the sides exchanged."""


@dataclass(frozen=True, slots=True)
class Duel:
    """Two models: over how many items, how many each wins and neither (expected), and the first one's share.

    «Neither» counts half in the share.
    """

    first: str
    second: str
    items: int
    wins: tuple[float, float, float]
    share: Interval


def duels(found: Consensus, items: Mapping[str, Item], *, seed: int) -> list[Duel]:
    """Every two models that met, sorted by their names."""
    seats = [items[name].models for name in found.items]
    pairs = sorted({(min(seat), max(seat)) for seat in seats})
    group = np.array([pairs.index((min(seat), max(seat))) for seat in seats])
    turned = np.array([seat != pairs[place] for seat, place in zip(seats, group, strict=True)])
    shares, often = _drawn(found, np.eye(len(pairs))[group], turned, seed)
    made = []
    for place, (first, second) in enumerate(pairs):
        if first != second:
            scores = shares[:, place] @ np.array([1, 0, 1 / 2])
            low, high = np.quantile(scores, [TAIL, 1 - TAIL])
            wins = tuple(map(float, often[:, place].mean(axis=0)))
            share = Interval(float(scores.mean()), float(low), float(high))
            made.append(Duel(first, second, int((group == place).sum()), (wins[0], wins[1], wins[2]), share))
    return made


def _drawn(found: Consensus, member: Array, turned: NDArray[np.bool_], seed: int) -> tuple[Array, Array]:
    """Draws of the shares and of how many items had each outcome: both [draws, pairs, outcomes], as the models are.

    `member` [items, pairs] says by a 1 which pair an item is of, `turned` [items] where its first model sat right.
    """
    generator = np.random.default_rng(seed)
    before = imagined(len(TURNED), SMOOTHING)
    posterior = found.fitted.posterior
    shares, often = [], []
    for number in range(FIRST + DRAWS):
        truth = drawn(generator, posterior)
        confusion = drawn_confusion(generator, found.counts, truth, before)
        count = member.T @ np.where(turned[:, None], truth[:, TURNED], truth)
        share = generator.standard_gamma(count + BEFORE)
        share /= share.sum(axis=1, keepdims=True)
        prior = member @ share
        posterior = expected(found.counts, np.where(turned[:, None], prior[:, TURNED], prior), confusion)
        if number >= FIRST:
            shares.append(share)
            often.append(count)
    return np.array(shares), np.array(often)
