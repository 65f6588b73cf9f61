"""The rules that `search` chooses among: sets of groups that vote together, and cascades, scored question by question.

    pool = pool_of(groups, alignment)
    votes, left_out = votes_of(pool)             # Columns: every rule's score of every question, no decisions held

- votes: every set of groups, a straight answer counting as one to three runs, shares taken as they are or squared (a
  model that agrees with itself then weighs more);
- cascades: every order of the models, straight answers first or not at all, every margin (`cascades`).

Of each family no more than 2,000 rules are made; what that left out is said.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation import cascades
from gaokerena.evaluation.alignment import Alignment
from gaokerena.evaluation.answers import Group
from gaokerena.evaluation.cascades import MOST, Cascade
from gaokerena.evaluation.decisions import common, learning_of
from gaokerena.evaluation.learned import Columns, Gold, Numbers, shares, twelfths
from gaokerena.evaluation.rules import Choices, Decided, split_best

STRAIGHT_VOTES = (1.0, 2.0, 3.0)
POWERS = (1.0, 2.0)


@dataclass(frozen=True)
class Pool:
    """The answers searched over, on common questions. `features` [questions, groups, 4] are shares."""

    members: tuple[Group, ...]
    numbers: NDArray[np.int64]
    gold: Gold
    choices: tuple[Choices, ...]
    features: Numbers

    @property
    def costs(self) -> Numbers:
        """Answers a question takes of each group: [groups]."""
        return np.array([group.samples for group in self.members], float)


def pool_of(groups: Sequence[Group], alignment: Alignment) -> Pool | None:
    """The groups that rules learn from, on their common questions; None without two of them or without questions."""
    members = learning_of(groups)
    numbers, choices = common(members, alignment) if members else (np.array([], np.int64), [])
    if not len(numbers):
        return None
    gold = np.array(alignment.gold, np.int8)[numbers]
    features = np.stack([shares(chosen) for chosen in choices], axis=1)
    return Pool(tuple(members), numbers, gold, tuple(choices), features)


@dataclass(frozen=True)
class Votes:
    """A set of groups that votes; `weights` [groups] are 0 for the others."""

    pool: Pool
    weights: Numbers
    power: float

    @property
    def name(self) -> str:
        used = [place for place, weight in enumerate(self.weights) if weight]
        names = "+".join(":".join(self.pool.members[place].name) for place in used)
        short = [self.weights[place] for place in used if self.pool.members[place].samples == 1]
        mixed = f", straight ×{short[0]:g}" if 0 < len(short) < len(used) else ""
        return names + mixed + (", shares squared" if self.power > 1 else "")

    def decide(self) -> tuple[Decided, Numbers]:
        """What it decides, and how many answers each question takes: ([questions, 5], [questions])."""
        used = np.flatnonzero(self.weights)
        scores = np.einsum("g,qgo->qo", self.weights[used], self.pool.features[:, used] ** self.power)
        return split_best(scores), np.full(len(self.pool.gold), self.pool.costs[used].sum())


def votes_of(pool: Pool) -> tuple[Columns[Votes], list[str]]:
    """The votes, and what was left out: of many groups only pairs, single ones and all together are tried."""
    count, left_out = len(pool.members), []
    sizes: Sequence[int] = range(1, count + 1)
    for fewer in (sizes, sorted({1, 2, count}), sorted({1, count})):
        sizes = fewer
        if sum(math.comb(count, size) for size in sizes) * len(STRAIGHT_VOTES) * len(POWERS) <= MOST:
            break
    if len(sizes) < count:
        left_out.append(f"votes of {_span(sizes, count)} of the {count} groups: over {MOST:,} candidates")
    rules = [rule for size in sizes for rule in _votes(pool, size)]
    scores = np.empty((len(pool.gold), len(rules)), np.float32)
    costs = np.empty(len(rules), np.float32)
    for place, rule in enumerate(rules):
        decided, cost = rule.decide()
        scores[:, place], costs[place] = twelfths(decided, pool.gold), cost[0]
    return Columns("votes", rules, scores, np.broadcast_to(costs, scores.shape)), left_out


def _span(tried: Sequence[int], count: int) -> str:
    missing = [size for size in range(1, count + 1) if size not in tried]
    return f"{missing[0]} to {missing[-1]}" if len(missing) > 1 else str(missing[0])


def _votes(pool: Pool, size: int) -> Iterator[Votes]:
    straight = pool.costs == 1
    for members in itertools.combinations(range(len(pool.members)), size):
        mixed = 0 < straight[list(members)].sum() < size
        for votes, power in itertools.product(STRAIGHT_VOTES if mixed else (1.0,), POWERS if size > 1 else (1.0,)):
            weights = np.zeros(len(straight))
            weights[list(members)] = np.where(straight, votes, pool.costs)[list(members)]
            yield Votes(pool, weights, power)


def cascades_of(pool: Pool) -> tuple[Columns[Cascade], list[str]]:
    """The cascades, and what was left out."""
    orders, left_out = cascades.orders_of(pool.members, pool.choices)
    return cascades.columns(orders, pool.gold), left_out
