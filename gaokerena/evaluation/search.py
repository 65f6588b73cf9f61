"""Search for a better decision rule on recorded answers, without scoring any rule on questions that chose it.

    found = search(groups, alignment, finals, seed=1)     # the groups of one suite

Candidates, all from the answers of the sampled models and their straight answers:

- votes: every set of groups, a straight answer counting as one to three runs, shares taken as they are or squared (a
  model that agrees with itself then weighs more);
- weighted: one weight a group, learned (`learned.weights`), for each strength of the penalty;
- cascade: every order of the models, straight answers first or not at all, every margin (`learned.cascade_with`).

Nested cross-validation: in each outer fold the candidate that did best on the other folds decides (for `weighted`, best
on inner folds of them); of equals the one that takes fewer answers. The nested accuracy is what such a search is worth
on new questions; the best candidate's own accuracy on all questions is printed beside it as `apparent` and is too high.

Not covered: rules that read the answers' text, other models than those recorded.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation.alignment import Alignment
from gaokerena.evaluation.answers import Group
from gaokerena.evaluation.cells import Decision
from gaokerena.evaluation.decisions import common, over
from gaokerena.evaluation.learned import INNER, OUTER, RIDGES, Stage, cascades, folds, shares, stagings, weights
from gaokerena.evaluation.rules import Choices, Decided, right, split_best

Numbers = NDArray[np.float64]
Gold = NDArray[np.int8]
STRAIGHT_VOTES = (1.0, 2.0, 3.0)
POWERS = (1.0, 2.0)
ANY = "any"
"""The search over all families together."""


@dataclass(frozen=True)
class Candidate:
    """A fixed rule: what it decides on every question, and how many answers it takes of each."""

    family: str
    name: str
    decided: Decided
    cost: Numbers


@dataclass
class Nested:
    """What a search gave: decisions on questions the choice did not see, and what was chosen how often."""

    family: str
    candidates: int
    decision: Decision
    cost: Numbers
    chosen: Counter[str] = field(default_factory=Counter)
    apparent: tuple[str, float] = ("", 0.0)


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


def search(groups: Sequence[Group], alignment: Alignment, *, seed: int) -> list[Nested]:
    """The nested searches of one suite: each family alone, and all together. Empty without two sampled groups."""
    sampled = [group for group in groups if group.samples > 1]
    models = {group.model for group in sampled}
    members = (*sampled, *(group for group in groups if group.model in models and group.samples == 1))
    if len(members) < 2 or not sampled:
        return []
    numbers, choices = common(members, alignment)
    gold = np.array(alignment.gold, np.int8)[numbers]
    pool = Pool(members, numbers, gold, tuple(choices), np.stack([shares(chosen) for chosen in choices], axis=1))
    fixed = [*_votes(pool), *_cascades(pool)]
    families = [("votes", [c for c in fixed if c.family == "votes"], False),
                ("cascade", [c for c in fixed if c.family == "cascade"], False),
                ("weighted", [], True), (ANY, fixed, True)]  # fmt: skip
    return [_nested(pool, alignment, name, list(part), learn, seed) for name, part, learn in families if part or learn]


def _votes(pool: Pool) -> list[Candidate]:
    found = []
    straight = np.array([group.samples == 1 for group in pool.members])
    for size in range(1, len(pool.members) + 1):
        for members in itertools.combinations(range(len(pool.members)), size):
            mixed = 0 < straight[list(members)].sum() < size
            for votes, power in itertools.product(STRAIGHT_VOTES if mixed else (1.0,), POWERS if size > 1 else (1.0,)):
                weight = np.where(straight, votes, pool.costs)
                used = np.zeros(len(weight))
                used[list(members)] = weight[list(members)]
                decided = split_best(np.einsum("g,qgo->qo", used, pool.features**power))
                names = "+".join(f"{pool.members[m].model}:{pool.members[m].prompting}" for m in members)
                marks = (f", straight ×{votes:g}" if mixed else "") + (", shares squared" if power > 1 else "")
                cost = np.full(len(pool.gold), pool.costs[list(members)].sum())
                found.append(Candidate("votes", names + marks, decided, cost))
    return found


def _cascades(pool: Pool) -> list[Candidate]:
    stages = [Stage(group.model, chosen) for group, chosen in zip(pool.members, pool.choices, strict=True)]
    short = [stage for stage in stages if stage.choices.shape[1] == 1]
    runs = [stage for stage in stages if stage.choices.shape[1] > 1]
    return [Candidate("cascade", *found) for found in cascades(stagings(short, runs))]


def _nested(
    pool: Pool, alignment: Alignment, family: str, candidates: list[Candidate], learn: bool, seed: int
) -> Nested:
    """Choose on the other folds, decide on this one."""
    gold = pool.gold
    scores = np.column_stack([right(c.decided, gold) for c in candidates]) if candidates else np.empty((len(gold), 0))
    costs = np.array([c.cost.mean() for c in candidates])
    decided, cost, chosen = np.zeros((len(gold), 5)), np.zeros(len(gold)), Counter[str]()
    fold = folds(gold, OUTER, seed)
    for number in range(OUTER):
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        ridges = _ridge_scores(pool, train, seed) if learn else {}
        best = _best(scores[train].mean(axis=0), costs, ridges, float(pool.costs.sum()))
        if isinstance(best, int):
            decided[test], cost[test] = candidates[best].decided[test], candidates[best].cost[test]
            chosen[candidates[best].name] += 1
        else:
            beta = weights(pool.features[train], gold[train], best)
            decided[test] = split_best(np.einsum("g,qgo->qo", beta, pool.features[test]))
            cost[test] = pool.costs.sum()
            chosen[f"weights, ridge {best:g}"] += 1
    decision = over(pool.members, f"search: {family}", pool.numbers, decided, alignment)
    apparent = _apparent(pool, candidates, scores, costs, learn)
    return Nested(family, len(candidates) + (len(RIDGES) if learn else 0), decision, cost, chosen, apparent)


def _ridge_scores(pool: Pool, train: NDArray[np.intp], seed: int) -> dict[float, float]:
    """Share right on inner folds of the training questions, for each penalty."""
    features, gold = pool.features[train], pool.gold[train]
    fold = folds(gold, INNER, seed)
    found = {}
    for ridge in RIDGES:
        total = 0.0
        for number in range(INNER):
            learn, score = fold != number, fold == number
            beta = weights(features[learn], gold[learn], ridge)
            total += float(right(split_best(np.einsum("g,qgo->qo", beta, features[score])), gold[score]).sum())
        found[ridge] = total / len(gold)
    return found


def _best(fixed: Numbers, costs: Numbers, ridges: dict[float, float], learned_cost: float) -> int | float:
    """The place of the best fixed candidate, or the penalty of the best learned one; of equals the cheapest."""
    options: list[tuple[float, float, int | float]] = [
        (-round(float(score), 9), float(cost), place)
        for place, (score, cost) in enumerate(zip(fixed, costs, strict=True))
    ]
    options += [(-round(score, 9), learned_cost, ridge) for ridge, score in ridges.items()]
    return min(options, key=lambda option: option[:2])[2]


def _apparent(
    pool: Pool, candidates: Sequence[Candidate], scores: Numbers, costs: Numbers, learn: bool
) -> tuple[str, float]:
    """The best candidate on all questions and its share right there: an optimistic figure, for contrast."""
    found = []
    if candidates:
        place = int(np.lexsort((costs, -scores.mean(axis=0)))[0])
        found.append((candidates[place].name, float(scores[:, place].mean())))
    if learn:
        for ridge in RIDGES:
            beta = weights(pool.features, pool.gold, ridge)
            decided = split_best(np.einsum("g,qgo->qo", beta, pool.features))
            found.append((f"weights, ridge {ridge:g}", float(right(decided, pool.gold).mean())))
    return max(found, key=lambda item: item[1])
