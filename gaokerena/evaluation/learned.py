"""Decision rules with something to learn, scored only on questions they did not learn from.

    weighted(features, gold, seed=1)             # decided [questions, 5]
    cascade(stagings(short, runs), gold, seed=1)

Outer folds are scored, inner folds choose the settings: nested cross-validation (Stone, J. R. Stat. Soc. B 36 (1974);
Cawley and Talbot, JMLR 11 (2010)). Folds are drawn by question, gold letters spread evenly, from a seed.

- weighted: each model and prompting has a weight; an option's score is the weighted sum of the shares of answers that
  chose it. Weights maximise the likelihood of the gold letters under a softmax over the four options (conditional
  logit, McFadden 1974) with a ridge penalty that the inner folds choose. Options carry no intercept, so a skewed key
  teaches nothing.
- cascade: one group of answers after another; a stage settles a question when its best letter leads the second by more
  than a margin, else the next stage's votes are added, and the last stage always settles. The other folds choose the
  order of the models, whether straight answers come first, and the margins; of equals the one that takes fewer answers.

Not covered: learning from the questions' text.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from gaokerena.evaluation.answers import NOT_ASKED
from gaokerena.evaluation.rules import Choices, Decided, right, split_best, votes

OUTER, INNER = 10, 5
RIDGES = (0.01, 0.1, 1.0, 10.0, 100.0)
MARGINS = (0.0, 0.2, 0.4, 0.6, 0.8)
"""Leads of the best letter over the second, as shares of the answers heard so far; 0 settles at once unless tied."""

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
    gold: Gold, fit: Callable[[NDArray[np.intp], NDArray[np.intp]], Decided], *, outer: int, seed: int
) -> Decided:
    """Each fold decided by what `fit` (questions to learn from, questions to decide) learned from the others."""
    fold = folds(gold, outer, seed)
    decided = np.zeros((len(gold), 5))
    for number in range(outer):
        learn, score = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if len(score):
            decided[score] = fit(learn, score)
    return decided


def weighted(features: Numbers, gold: Gold, *, seed: int, outer: int = OUTER) -> Decided:
    """`features` [questions, groups, 4] are each group's shares."""

    def fit(learn: NDArray[np.intp], score: NDArray[np.intp]) -> Decided:
        ridge = best_ridge(features[learn], gold[learn], seed)
        return split_best(np.einsum("g,qgo->qo", weights(features[learn], gold[learn], ridge), features[score]))

    return nested(gold, fit, outer=outer, seed=seed)


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


def best_ridge(features: Numbers, gold: Gold, seed: int) -> float:
    """The penalty whose weights choose best on inner folds; of equals the strongest."""
    fold = folds(gold, INNER, seed)
    scored = {}
    for ridge in RIDGES:
        total = 0.0
        for number in range(INNER):
            learn, score = fold != number, fold == number
            beta = weights(features[learn], gold[learn], ridge)
            decided = split_best(np.einsum("g,qgo->qo", beta, features[score]))
            total += float(right(decided, gold[score]).sum())
        scored[ridge] = total
    return max(RIDGES, key=lambda ridge: (round(scored[ridge], 9), ridge))


@dataclass(frozen=True)
class Stage:
    """A group of answers that is asked only where the stages before have not settled."""

    name: str
    choices: Choices


def stagings(short: Sequence[Stage], sampled: Sequence[Stage]) -> list[list[Stage]]:
    """Every order of the sampled models, after all straight answers (one stage) and without them."""
    first = [Stage("straight", np.concatenate([stage.choices for stage in short], axis=1))] if short else []
    heads = [first, []] if first else [[]]
    return [[*head, *order] for order in itertools.permutations(sampled) for head in heads]


def cascades(orders: Sequence[Sequence[Stage]]) -> list[tuple[str, Decided, Numbers]]:
    """Every order with every margin: its name, what it decides, how many answers each question takes."""
    found = []
    for stages in orders:
        steps, heard = " → ".join(stage.name for stage in stages), _heard(stages)
        margins = itertools.product(MARGINS, repeat=len(stages) - 1)
        found += [(f"{steps}, margins {chosen}", *_settled(heard, chosen)) for chosen in margins]
    return found


def cascade(orders: Sequence[Sequence[Stage]], gold: Gold, *, seed: int, outer: int = OUTER) -> tuple[Decided, Numbers]:
    """What the cascade decides, and how many answers each question took: ([questions, 5], [questions])."""
    runs = [(decided, cost) for _, decided, cost in cascades(orders)]
    scores = np.column_stack([right(decided, gold) for decided, _ in runs])
    costs = np.column_stack([cost for _, cost in runs])
    taken = np.zeros(len(gold))

    def fit(learn: NDArray[np.intp], score: NDArray[np.intp]) -> Decided:
        best = _best_and_cheapest(scores[learn], costs[learn])
        taken[score] = runs[best][1][score]
        return runs[best][0][score]

    return nested(gold, fit, outer=outer, seed=seed), taken


def cascade_with(stages: Sequence[Stage], margins: Sequence[float]) -> tuple[Decided, Numbers]:
    """The cascade with given margins, one for each stage but the last."""
    return _settled(_heard(stages), margins)


@dataclass(frozen=True)
class _Heard:
    """After each stage: the lead of the best letter [stages, questions], its choice, the answers so far."""

    lead: Numbers
    decided: Decided
    asked: Numbers


def _heard(stages: Sequence[Stage]) -> _Heard:
    counts = np.cumsum([votes(stage.choices) for stage in stages], axis=0)
    asked = np.cumsum([(stage.choices != NOT_ASKED).sum(axis=1) for stage in stages], axis=0)
    ordered = np.sort(counts, axis=2)
    lead = (ordered[:, :, -1] - ordered[:, :, -2]) / np.maximum(asked, 1)
    decided = np.stack([split_best(count.astype(float)) for count in counts])
    return _Heard(lead, decided, asked.astype(float))


def _settled(heard: _Heard, margins: Sequence[float]) -> tuple[Decided, Numbers]:
    """What the first stage decides that leads by its margin; the last stage decides the rest."""
    least = np.array([*(max(margin, 1e-9) for margin in margins), -1.0])
    stage = (heard.lead > least[:, None]).argmax(axis=0)
    questions = np.arange(heard.lead.shape[1])
    return heard.decided[stage, questions], heard.asked[stage, questions]


def _best_and_cheapest(scores: Numbers, costs: Numbers) -> int:
    """The column with the most right; of equals the one that took the fewest answers."""
    order = np.lexsort((costs.sum(axis=0), -np.round(scores.sum(axis=0), 9)))
    return int(order[0])
