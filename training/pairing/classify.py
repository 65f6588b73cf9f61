"""How well simple rules tell chosen from rejected on pairs they did not learn from.

    fold = folds(questions, seed=1)
    scores = single(apart, fold, weights)        # [pairs, features]: 1 right, 0 wrong, 1/2 where a feature is equal
    right = together(apart, [], fold, weights)   # [pairs]: a logistic regression on all of them

A rule sees what the chosen text has more of than the rejected (`apart`) and learns which way that points; there is no
intercept, so swapping the sides swaps the answer. Pairs of one question share a fold: none is learned from and tried.
What a pair counts in learning is its weight, in the units of `weighing`.

Not covered: rules of several features that are not linear.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from training.pairing.mining import telling

FOLDS = 5
_EXACT = 9
"""Decimals to which sums of weights are compared, so that their rounding makes no direction."""
STRENGTH = 0.1
"""Inverse of the ridge penalty (scikit-learn's C), for features of unit size."""

Scores = NDArray[np.float64]


def folds(questions: Sequence[str], seed: int) -> NDArray[np.int64]:
    """The fold of each pair, by its question: [pairs], 0 to FOLDS - 1, of like size."""
    names = sorted(set(questions), key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
    place = {name: number % FOLDS for number, name in enumerate(names)}
    return np.array([place[name] for name in questions])


def points(values: Scores) -> Scores:
    """1 where a value points to the chosen side, 0 where to the other, 1/2 where nowhere."""
    found: Scores = (np.sign(values) + 1) / 2
    return found


def single(apart: Scores, fold: NDArray[np.int64], weights: Scores) -> Scores:
    """Each feature [pairs, features] as a rule of its own, its direction learned in the other folds."""
    signs, found = np.sign(apart), np.full(apart.shape, 0.5)
    for number in range(FOLDS):
        here = fold == number
        found[here] = points(signs[here] * np.sign(np.round(weights[~here] @ signs[~here], _EXACT)))
    return found


def single_mined(apart: csr_matrix, fold: NDArray[np.int64], weights: Scores) -> tuple[NDArray[np.intp], Scores]:
    """Each gram that some training folds would name, as a rule of its own: (columns, [pairs, columns]).

    Where the other folds do not name a gram it says nothing: 1/2.
    """
    named = [telling(apart[fold != number], weights[fold != number]) for number in range(FOLDS)]
    columns = np.unique(np.concatenate(named)) if named else np.zeros(0, np.intp)
    dense = apart[:, columns].toarray()
    found = single(dense, fold, weights)
    for number in range(FOLDS):
        found[np.ix_(fold == number, ~np.isin(columns, named[number]))] = 0.5
    return columns, found


def together(numbers: Scores, mined: Sequence[csr_matrix], fold: NDArray[np.int64], weights: Scores) -> Scores:
    """Logistic regression on `numbers` [pairs, features] and the telling grams of each of `mined`: [pairs]."""
    found = np.full(len(fold), 0.5)
    for number in range(FOLDS):
        here, there = fold == number, fold != number
        if here.any() and there.any():
            features = _features(numbers, mined, there, weights)
            found[here] = points(features[here] @ _fitted(features[there], weights[there]))
    return found


def _features(numbers: Scores, mined: Sequence[csr_matrix], learn: NDArray[np.bool_], weights: Scores) -> Scores:
    """Numbers in units of their spread, cut at five, and the grams that tell in the rows to learn from."""
    spread = np.sqrt(np.average(numbers[learn] ** 2, axis=0, weights=weights[learn]))
    scaled = np.clip(numbers / np.where(spread > 0, spread, 1), -5, 5)
    return np.hstack([scaled, *(apart[:, telling(apart[learn], weights[learn])].toarray() for apart in mined)])


def _fitted(apart: Scores, weights: Scores) -> Scores:
    """Coefficients of a penalised logistic regression without intercept.

    Every other pair is seen from the other side: without an intercept the likelihood is the same, and there are the two
    classes that scikit-learn asks for.
    """
    if len(apart) < 2 or not apart.any():
        return np.zeros(apart.shape[1])
    side = np.where(np.arange(len(apart)) % 2, -1.0, 1.0)
    model = LogisticRegression(C=STRENGTH, fit_intercept=False, solver="newton-cholesky")
    found: Scores = model.fit(apart * side[:, None], side, sample_weight=weights).coef_[0]
    return found
