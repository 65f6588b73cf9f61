"""Decision rules with something to learn, scored only on questions they did not learn from.

    weighted(features, gold, seed=1)             # decided [questions, 5]
    nested(gold, fit, seed=1)                    # the same for any rule: `fit` never sees what it decides

Outer folds are scored, inner folds choose the settings: nested cross-validation (Stone, J. R. Stat. Soc. B 36 (1974);
Cawley and Talbot, JMLR 11 (2010)). Folds are drawn by question, gold letters spread evenly, from a seed.

`weighted`: each model and prompting has a weight; an option's score is the weighted sum of the shares of answers that
chose it. Weights maximise the likelihood of the gold letters under a softmax over the four options (conditional logit,
McFadden 1974) with a ridge penalty that the inner folds choose. Options carry no intercept, so a skewed key teaches
nothing.

`Columns`: fixed rules of a family, of which only the scores are held. A score is the gold letter's share of the choice;
tied letters share it, so twelve times it is whole, and sums of twelfths are exact whatever their order.

Not covered: learning from the questions' text; rules that ask one group after another (`cascades`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from gaokerena.evaluation.answers import NOT_ASKED
from gaokerena.evaluation.rules import Choices, Decided, right, split_best, votes

OUTER, INNER = 10, 5
RIDGES = (0.01, 0.1, 1.0, 10.0, 100.0)

Numbers = NDArray[np.float64]
Gold = NDArray[np.int8]


def shares(choices: Choices) -> Numbers:
    """What share of a group's answers chose each letter: [questions, runs] -> [questions, 4]."""
    asked = np.maximum((choices != NOT_ASKED).sum(axis=1, keepdims=True), 1)
    return np.asarray(votes(choices) / asked, np.float64)


def folds(gold: Gold, count: int, seed: int) -> NDArray[np.int64]:
    """The fold of each question, 0 to count - 1; every fold has about the same gold letters."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(gold))
    order = order[np.argsort(gold[order], kind="stable")]
    found = np.empty(len(gold), np.int64)
    found[order] = np.arange(len(gold)) % count
    return found


def nested(
    gold: Gold, fit: Callable[[NDArray[np.intp], NDArray[np.intp]], Decided], *, seed: int, outer: int | None = None
) -> Decided:
    """Each fold decided by what `fit` (questions to learn from, questions to decide) learned from the others."""
    fold = folds(gold, outer or OUTER, seed)
    decided = np.zeros((len(gold), 5))
    for number in range(outer or OUTER):
        learn, score = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if len(score):
            decided[score] = fit(learn, score)
    return decided


def weighted(features: Numbers, gold: Gold, *, seed: int, outer: int | None = None) -> Decided:
    """`features` [questions, groups, 4] are each group's shares."""

    def fit(learn: NDArray[np.intp], score: NDArray[np.intp]) -> Decided:
        ridge = best_ridge(features[learn], gold[learn], seed)
        return by_weights(weights(features[learn], gold[learn], ridge), features[score])

    return nested(gold, fit, outer=outer, seed=seed)


def by_weights(beta: Numbers, features: Numbers) -> Decided:
    """What weights [groups] decide: [questions, 5]."""
    return split_best(np.einsum("g,qgo->qo", beta, features))


def weights(features: Numbers, gold: Gold, ridge: float) -> Numbers:
    """The weight of each group: [groups]. Penalised maximum likelihood; the problem is convex.

    A group that helps nothing may get a weight below 0; then its choice counts against an option.
    """
    rows = features.transpose(0, 2, 1).reshape(-1, features.shape[1])  # one row an option, for plain products
    chosen = features[np.arange(len(gold)), :, gold].sum(axis=0)

    def loss(beta: Numbers) -> tuple[float, Numbers]:
        scores = (rows @ beta).reshape(-1, 4)
        top = scores.max(axis=1, keepdims=True)
        odds = np.exp(scores - top)
        total = odds.sum(axis=1, keepdims=True)
        value = float((np.log(total) + top).sum() - beta @ chosen + ridge * beta @ beta / 2)
        return value, (odds / total).ravel() @ rows - chosen + ridge * beta

    found = minimize(loss, np.ones(features.shape[1]), jac=True, method="L-BFGS-B")
    beta: Numbers = found.x
    return beta if beta.max() > 0 else np.ones_like(beta)


def held_out(features: Numbers, gold: Gold, seed: int) -> tuple[Columns[float], NDArray[np.int64]]:
    """The penalties as rules, each question scored by weights of the other inner folds; and the inner folds.

    The cost of a penalty is minus its strength, so that of equals the strongest is taken.
    """
    fold = folds(gold, INNER, seed)
    scores = np.empty((len(gold), len(RIDGES)), np.float32)
    for number in range(INNER):
        learn, score = fold != number, fold == number
        for column, ridge in enumerate(RIDGES):
            beta = weights(features[learn], gold[learn], ridge)
            scores[score, column] = twelfths(by_weights(beta, features[score]), gold[score])
    costs = np.broadcast_to(-np.array(RIDGES, np.float32), scores.shape)
    return Columns("weighted", RIDGES, scores, costs), fold


def best_ridge(features: Numbers, gold: Gold, seed: int) -> float:
    """The penalty whose weights choose best on inner folds; of equals the strongest."""
    found, _ = held_out(features, gold, seed)
    return found.rules[best_of(*found.sums(np.arange(len(gold))))]


def twelfths(decided: Decided, gold: Gold) -> NDArray[np.float32]:
    """Twelve times the share of each question's choice that is right: whole numbers."""
    return np.rint(12 * right(decided, gold)).astype(np.float32)


Rule = TypeVar("Rule")


@dataclass(frozen=True)
class Columns(Generic[Rule]):
    """Rules of a family. `scores` [questions, rules] are twelfths, `costs` [questions, rules] answers taken."""

    family: str
    rules: Sequence[Rule]
    scores: NDArray[np.float32]
    costs: NDArray[np.float32]

    def sums(self, questions: NDArray[np.intp]) -> tuple[Numbers, Numbers]:
        """Scores and costs over these questions: ([rules], [rules])."""
        here = np.zeros(len(self.scores), np.float32)
        here[questions] = 1
        return (here @ self.scores).astype(np.float64), (here @ self.costs).astype(np.float64)

    def inside(self, questions: NDArray[np.intp], fold: NDArray[np.int64]) -> float:
        """The score of choosing among the rules, out of 1: `fold` [questions] by fold decided by the best of the rest.

        This is what the choice is worth on questions it did not see, so families of any size can be compared by it.
        """
        parts = np.zeros((int(fold.max()) + 1, len(self.scores)), np.float32)
        parts[fold, questions] = 1
        scores, costs = parts @ self.scores, parts @ self.costs
        rest = zip(scores.sum(axis=0) - scores, costs.sum(axis=0) - costs, scores, strict=True)
        return sum(float(here[best_of(score, cost)]) for score, cost, here in rest) / (12 * len(questions))


def best_of(scores: NDArray[np.floating], costs: NDArray[np.floating]) -> int:
    """The place of the highest score; of equals the one that costs least, then the first."""
    return int(np.lexsort((costs, -scores))[0])
