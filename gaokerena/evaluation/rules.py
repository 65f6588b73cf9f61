"""Decision rules: how the letters of several sampled answers become one choice.

    decided = OWN_RUNS["sc3of5"](choices)       # choices [questions, runs] -> [questions, 5]
    right = decided[np.arange(len(gold)), gold]

A decision is a row of five shares that sum to 1: A, B, C, D, abstained. A rule that always settles on one letter gives
a single 1; ties and the mean over runs give fractions, which are the expected values.

| rule | choice | source |
| --- | --- | --- |
| single | one run; the mean over all runs | |
| sc3of5 | the letter of at least three of the first five runs, else abstain | arXiv 2510.20059, section on inference |
| plurality | the letter of most runs; a tie is split | |
| verifier | sc3of5, and where that abstains what a verifier chose | arXiv 2510.20059 |
| pooled | plurality over the runs of several models together | |

Runs without a readable letter vote for nothing. Not covered: rules that learn (`learned`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation.answers import NO_CHOICE, NOT_ASKED

Choices = NDArray[np.int8]
Decided = NDArray[np.float64]
ABSTAINED = 4
AGREED, OF = 3, 5


def votes(choices: Choices) -> NDArray[np.int64]:
    """How many runs chose each letter: [questions, runs] -> [questions, 4]."""
    return np.stack([(choices == letter).sum(axis=1) for letter in range(4)], axis=1)


def single(choices: Choices) -> Decided:
    """The mean over the runs that were asked; unreadable answers count as abstained."""
    asked = np.maximum((choices != NOT_ASKED).sum(axis=1), 1)
    shares = np.column_stack([votes(choices), (choices == NO_CHOICE).sum(axis=1)]) / asked[:, None]
    shares[(choices == NOT_ASKED).all(axis=1), ABSTAINED] = 1.0
    return np.asarray(shares, np.float64)


def at_least(choices: Choices, agreed: int) -> Decided:
    """The letter that most runs chose where at least `agreed` did and no other letter as many, else abstain."""
    counts = votes(choices)
    best = counts.max(axis=1, initial=0)
    sure = (best >= agreed) & ((counts == best[:, None]).sum(axis=1) == 1) & (best > 0)
    return one_hot(np.where(sure, counts.argmax(axis=1), NO_CHOICE))


def sc3of5(choices: Choices) -> Decided:
    """Self-consistency as published: the letter of at least three of the first five runs, else abstain."""
    return at_least(choices[:, :OF], AGREED)


def plurality(choices: Choices) -> Decided:
    """The letter of most runs; tied letters share the choice, and no readable run at all abstains."""
    return split_best(votes(choices).astype(np.float64))


def pooled(several: Sequence[Choices]) -> Decided:
    """Plurality over all runs of several models on the same questions."""
    return plurality(np.concatenate(several, axis=1))


def verifier(choices: Choices, final: Choices) -> Decided:
    """sc3of5 where it settles; `final` [questions] elsewhere (NO_CHOICE: the verifier settled nothing)."""
    agreed = sc3of5(choices)
    return np.where(agreed[:, [ABSTAINED]] == 1.0, one_hot(final), agreed)


def split_best(scores: NDArray[np.float64]) -> Decided:
    """Letters with the highest score share the choice; where no score is above 0 the rule abstains."""
    best = scores.max(axis=1, keepdims=True)
    tied = (scores >= best - 1e-9) & (best > 0)
    silent = ~tied.any(axis=1)
    shares: Decided = np.column_stack([tied, silent]).astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def one_hot(chosen: NDArray[np.integer]) -> Decided:
    """[questions] letters 0 to 3 or NO_CHOICE -> [questions, 5]."""
    decided = np.zeros((len(chosen), 5))
    decided[np.arange(len(chosen)), np.where(chosen < 0, ABSTAINED, chosen)] = 1.0
    return decided


def right(decided: Decided, gold: NDArray[np.int8]) -> NDArray[np.float64]:
    """The share of each question's choice that is the gold letter: [questions], 0 to 1."""
    share: NDArray[np.float64] = decided[np.arange(len(gold)), gold]
    return share


OWN_RUNS: dict[str, Callable[[Choices], Decided]] = {"single": single, "sc3of5": sc3of5, "plurality": plurality}
"""Rules that need the runs of one model alone."""


def applicable(rule: str, samples: int) -> bool:
    """Whether a rule on a model's own runs says more than `single` does, with that many runs."""
    return rule == "single" or (samples >= OF if rule == "sc3of5" else samples > 1)
