"""Dawid and Skene's model: what an item truly is, and how each judge errs, from nothing but what the judges said.

    fitted = fit(counts, smoothing=SMOOTHING)      # counts [items, judges, classes]: how often a judge said a class
    fitted.posterior                               # [items, classes]
    fitted.confusion                               # [judges, true class, said class], rows add up to 1

Expectation and maximisation in turn: Dawid and Skene, Applied Statistics 28 (1979) 20-28. Classes cannot trade places:
the start is the share of judges who said each class (their majority), and with smoothing each judge is taken to be
right more often than wrong before anything is known of him. Smoothing keeps few verdicts from giving posteriors of 0
and 1; with 0 it is the maximum likelihood of the paper.

How far the error rates can be trusted: `sample` draws them from what the verdicts leave open, truths and rates in turn
(Gibbs sampling; Paun et al., TACL 6 (2018) 571-585, the multinomial model).

Not covered: items of different difficulty, judges who err together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
SMOOTHING = 4.0
"""Verdicts that each judge is taken to have given on each class beforehand."""
RIGHT = 3 / 4
"""Share of them that were right."""
MAX_ROUNDS, CLOSE = 500, 1e-8
DRAWS, FIRST = 1_000, 200
"""Draws that are kept, and those before them that are not."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The model's estimates. `prior` [classes]: how common each class is."""

    posterior: Array
    confusion: Array
    prior: Array

    def accuracy(self) -> Array:
        """How often each judge says the true class: [judges]."""
        shares: Array = np.einsum("k,jkk->j", self.prior, self.confusion)
        return shares


def fit(
    counts: ArrayLike,
    *,
    smoothing: float = 0.0,
    known: Mapping[int, int] | None = None,
    alike: Sequence[int] = (),
    start: Array | None = None,
) -> Fitted:
    """Fit the model to `counts` [items, judges, classes].

    `known` gives the true class of some items, by place (gold). `alike` are classes known to be equally common.
    `start` [items, classes] replaces the majority as the first posterior. Raises ValueError.
    """
    said = np.asarray(counts, dtype=np.float64)
    if said.ndim != 3 or not said.size or (said < 0).any():
        raise ValueError(f"counts are [items, judges, classes] from 0 up, with at least one item, not {said.shape}")
    before = imagined(said.shape[2], smoothing)
    posterior = _fixed(majority(said) if start is None else start.copy(), known)
    rounds, changed = 0, np.inf
    while rounds == 0 or (changed > CLOSE and rounds < MAX_ROUNDS):
        prior, confusion = _maximised(said, posterior, before, smoothing, alike)
        found = _fixed(expected(said, prior, confusion), known)
        changed = float(np.abs(found - posterior).max())
        posterior, rounds = found, rounds + 1
    return Fitted(posterior, confusion, prior)


def sample(
    counts: ArrayLike, fitted: Fitted, *, seed: int, smoothing: float = SMOOTHING, alike: Sequence[int] = (),
    draws: int = DRAWS,
) -> tuple[Array, Array]:  # fmt: skip
    """Draws of (prior [draws, classes], confusion [draws, judges, true, said]), begun at the fit."""
    said = np.asarray(counts, dtype=np.float64)
    generator = np.random.default_rng(seed)
    before = imagined(said.shape[2], smoothing)
    posterior, priors, confusions = fitted.posterior, [], []
    for number in range(FIRST + draws):
        truth = drawn(generator, posterior)
        confusion = drawn_confusion(generator, said, truth, before)
        prior = _level(generator.standard_gamma(truth.sum(axis=0) + smoothing / said.shape[2]), alike)
        prior /= prior.sum()
        posterior = expected(said, prior, confusion)
        if number >= FIRST:
            priors.append(prior)
            confusions.append(confusion)
    return np.array(priors), np.array(confusions)


def drawn(generator: np.random.Generator, posterior: Array) -> Array:
    """One true class for each item, drawn by its posterior: [items, classes] of 0 and 1."""
    places = (generator.random((len(posterior), 1)) > posterior.cumsum(axis=1)).sum(axis=1)
    classes = posterior.shape[1]
    truth: Array = np.eye(classes)[np.minimum(places, classes - 1)]
    return truth


def drawn_confusion(generator: np.random.Generator, said: Array, truth: Array, before: Array) -> Array:
    """Error rates of each judge [judges, true, said], drawn by what he said where `truth` holds."""
    rates: Array = generator.standard_gamma(_tallied(said, truth, before))
    shares: Array = rates / rates.sum(axis=2, keepdims=True)
    return shares


def majority(said: Array) -> Array:
    """The share of each class in what was said of an item: [items, judges, classes] -> [items, classes].

    An item nobody judged gets equal shares.
    """
    votes = said.sum(axis=1)
    total = votes.sum(axis=1, keepdims=True)
    shares: Array = np.divide(votes, total, out=np.full_like(votes, 1 / votes.shape[1]), where=total > 0)
    return shares


def imagined(classes: int, smoothing: float) -> Array:
    """Verdicts imagined beforehand: [true class, said class]."""
    wrong = (1 - RIGHT) / max(classes - 1, 1)
    before: Array = smoothing * (np.eye(classes) * (RIGHT - wrong) + wrong)
    return before


def _fixed(posterior: Array, known: Mapping[int, int] | None) -> Array:
    for place, true in (known or {}).items():
        posterior[place] = 0
        posterior[place, true] = 1
    return posterior


def _maximised(said: Array, truth: Array, before: Array, smoothing: float, alike: Sequence[int]) -> tuple[Array, Array]:
    """(prior [classes], confusion [judges, true, said]) that suit the posterior best."""
    classes = said.shape[2]
    prior = _level(truth.sum(axis=0) + smoothing / classes, alike)
    confusion = _tallied(said, truth, before)
    total = confusion.sum(axis=2, keepdims=True)
    # A judge who never met a class says nothing about it: all answers to it are equally likely.
    shares: Array = np.divide(confusion, total, out=np.full_like(confusion, 1 / classes), where=total > 0)
    return prior / prior.sum(), shares


def _level(often: Array, alike: Sequence[int]) -> Array:
    """`often` with the classes `alike` made equal."""
    if alike:
        often[list(alike)] = often[list(alike)].mean()
    return often


def _tallied(said: Array, truth: Array, before: Array) -> Array:
    """How often each judge said a class when another is true, `before` added: [judges, true, said]."""
    _, judges, classes = said.shape
    spoken: Array = (truth.T @ said.reshape(len(said), -1)).reshape(classes, judges, classes).transpose(1, 0, 2)
    return spoken + before


def expected(said: Array, prior: Array, confusion: Array) -> Array:
    """The posterior [items, classes]; `prior` is one of all items [classes], or of each [items, classes]."""
    with np.errstate(divide="ignore"):
        logs = np.log(confusion)
        logs_prior = np.log(prior)
    # What was said 0 times adds 0, even where it is impossible (log 0).
    said_logs = np.maximum(logs, -1e4).transpose(0, 2, 1).reshape(-1, said.shape[2])
    joint = logs_prior + said.reshape(len(said), -1) @ said_logs
    shares: Array = np.exp(joint - joint.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares
