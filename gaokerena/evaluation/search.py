"""Search for a better decision rule on recorded answers, without scoring any rule on questions that chose it.

    found = search(groups, alignment, seed=1)    # the groups of one suite
    found.families, found.left_out, found.why_not

Families of candidates, all from the answers of the sampled models and their straight answers: votes and cascades
(`candidates`), and weighted: one weight a group, learned (`learned.weights`), for each strength of the penalty.

Nested cross-validation: in each outer fold the candidate that did best on the other folds decides (for `weighted`, best
on inner folds of them); of equals the one that takes fewer answers. `any` chooses the family too: by what choosing
inside it was worth on inner folds that the choice did not see, so that a thousand candidates have no head start over
five. The nested accuracy is what such a search is worth on new questions; the best candidate's own accuracy on all
questions is printed beside it as `apparent` and is too high.

One seed draws one set of folds; all of it is done again for the four seeds after it, and `accuracies` holds each.

Not covered: rules that read the answers' text, other models than those recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation.alignment import Alignment
from gaokerena.evaluation.answers import Group
from gaokerena.evaluation.candidates import Pool, Votes, cascades_of, pool_of, votes_of
from gaokerena.evaluation.cascades import Cascade
from gaokerena.evaluation.cells import Decision
from gaokerena.evaluation.decisions import LEAST_TO_LEARN_FROM, over
from gaokerena.evaluation.learned import (
    INNER,
    OUTER,
    RIDGES,
    Columns,
    Numbers,
    best_of,
    by_weights,
    folds,
    held_out,
    weights,
)
from gaokerena.evaluation.rules import Decided, right

WEIGHTED = "weighted"
ANY = "any"
"""The search over all families together."""
SEEDS = 5

Places = NDArray[np.intp]
Fixed = Columns[Votes] | Columns[Cascade]


@dataclass
class Nested:
    """What a search gave: decisions on questions the choice did not see, and what was chosen how often.

    `accuracies` [seeds] are the shares right with the folds of each seed; the decision is the first one's.
    """

    family: str
    candidates: int
    decision: Decision
    cost: Numbers
    chosen: Counter[str]
    accuracies: list[float]
    apparent: tuple[str, float]


@dataclass(frozen=True)
class Found:
    """The searches of one suite: each family alone, and all together. Where nothing was searched, `why_not`."""

    families: list[Nested] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    why_not: str = ""


@dataclass(frozen=True)
class _Pick:
    """What a family chose on some questions; `inside` is what choosing so was worth on inner folds of them."""

    family: str
    name: str
    inside: float
    cost: float
    decide: Callable[[Places], tuple[Decided, Numbers]]


@dataclass
class _Round:
    """One seed's decisions of one family."""

    decided: Decided
    cost: Numbers
    chosen: Counter[str] = field(default_factory=Counter)


def search(groups: Sequence[Group], alignment: Alignment, *, seed: int) -> Found:
    """The nested searches of one suite."""
    pool = pool_of(groups, alignment)
    if pool is None:
        return Found(
            why_not="that takes several answers to a question, and two models or ways of asking in one subject"
        )
    if len(pool.gold) < LEAST_TO_LEARN_FROM:
        least = f"that takes {LEAST_TO_LEARN_FROM} questions that all models were asked, to choose by and to score on"
        return Found(why_not=f"{least}; there are {len(pool.gold)}")
    (votes, some), (cascades, more) = votes_of(pool), cascades_of(pool)
    fixed: list[Fixed] = [votes, cascades]
    rounds = [_round(pool, fixed, each) for each in range(seed, seed + SEEDS)]
    apparent = [_apparent(pool, columns) for columns in fixed] + [_apparent_weights(pool)]
    sizes = [len(votes.rules), len(cascades.rules), len(RIDGES)]
    families = [
        _nested(pool, alignment, family, size, [each[family] for each in rounds], best)
        for family, size, best in (
            *zip(("votes", "cascade", WEIGHTED), sizes, apparent, strict=True),
            (ANY, sum(sizes), max(apparent, key=lambda item: item[1])),
        )
    ]
    return Found(families, [*some, *more])


def _nested(
    pool: Pool, alignment: Alignment, family: str, candidates: int, rounds: list[_Round], apparent: tuple[str, float]
) -> Nested:
    main = rounds[0]
    decision = over(pool.members, f"search: {family}", pool.numbers, main.decided, alignment)
    accuracies = [float(right(each.decided, pool.gold).mean()) for each in rounds]
    return Nested(family, candidates, decision, main.cost, main.chosen, accuracies, apparent)


def _round(pool: Pool, fixed: Sequence[Fixed], seed: int) -> dict[str, _Round]:
    """Choose on the other folds, decide on this one."""
    gold = pool.gold
    made = {
        family: _Round(np.zeros((len(gold), 5)), np.zeros(len(gold)))
        for family in (*(columns.family for columns in fixed), WEIGHTED, ANY)
    }
    fold = folds(gold, OUTER, seed)
    for number in range(OUTER):
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        inner = folds(gold[train], INNER, seed)
        picks = [_pick(columns, train, inner) for columns in fixed] + [_pick_weights(pool, train, seed)]
        best = min(picks, key=lambda pick: (-round(pick.inside, 9), pick.cost))
        for family, pick in [*((pick.family, pick) for pick in picks), (ANY, best)]:
            here = made[family]
            here.decided[test], here.cost[test] = pick.decide(test)
            here.chosen[pick.name] += 1
    return made


def _pick(columns: Fixed, train: Places, inner: NDArray[np.int64]) -> _Pick:
    scores, costs = columns.sums(train)
    place = best_of(scores, costs)
    rule = columns.rules[place]

    def decide(test: Places) -> tuple[Decided, Numbers]:
        decided, cost = rule.decide()
        return decided[test], cost[test]

    inside = columns.inside(train, inner)
    return _Pick(columns.family, rule.name, inside, float(costs[place]) / len(train), decide)


def _pick_weights(pool: Pool, train: Places, seed: int) -> _Pick:
    features, gold = pool.features[train], pool.gold[train]
    tried, inner = held_out(features, gold, seed)
    every = np.arange(len(train))
    ridge = tried.rules[best_of(*tried.sums(every))]
    cost = float(pool.costs.sum())

    def decide(test: Places) -> tuple[Decided, Numbers]:
        return by_weights(weights(features, gold, ridge), pool.features[test]), np.full(len(test), cost)

    return _Pick(WEIGHTED, f"weights, ridge {ridge:g}", tried.inside(every, inner), cost, decide)


def _apparent(pool: Pool, columns: Fixed) -> tuple[str, float]:
    """The best candidate on all questions and its share right there: an optimistic figure, for contrast."""
    scores, costs = columns.sums(np.arange(len(pool.gold)))
    place = best_of(scores, costs)
    return columns.rules[place].name, float(scores[place]) / (12 * len(pool.gold))


def _apparent_weights(pool: Pool) -> tuple[str, float]:
    found = []
    for ridge in RIDGES:
        decided = by_weights(weights(pool.features, pool.gold, ridge), pool.features)
        found.append((f"weights, ridge {ridge:g}", float(right(decided, pool.gold).mean())))
    return max(found, key=lambda item: item[1])
