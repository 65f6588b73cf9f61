"""Rules that name the chosen side by surface features, tried on pairs they were not learned from.

    rules = learned(families, {"": every_place}, fold, weights)        # one rule for all pairs
    rules = learned(families, {"cot": some, "straight": others}, …)    # learned anew for each kind of prompt

A rule learned for each kind of prompt may say "longer" for one and "shorter" for another: that is how a policy uses a
prompt that gives the winner away.

Not covered: how sure the accuracies are (`cues`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.pairing.classify import Scores, single, single_mined, together
from training.pairing.contrasts import Family
from training.pairing.prompt_kinds import Groups


@dataclass(frozen=True)
class Singles:
    """A family's features as rules of their own."""

    family: Family
    names: list[str]
    apart: Scores
    """[pairs, names], chosen minus rejected."""
    scores: Scores
    """[pairs, names]: 1 right, 0 wrong, 1/2 where the rule says nothing."""


@dataclass(frozen=True)
class Rules:
    """All rules: whole ones [pairs, 1 + families], all families together first, and the single ones by family."""

    groups: Groups
    wholes: Scores
    singles: list[Singles]


def learned(families: Sequence[Family], groups: Groups, fold: NDArray[np.int64], weights: Scores) -> Rules:
    """The rules, learned in each of the groups by itself; the groups hold every pair once."""
    wholes = np.full((len(fold), 1 + len(families)), 0.5)
    for places in groups.values():
        wholes[places] = _wholes([_part(family, places) for family in families], fold[places], weights[places])
    return Rules(groups, wholes, [_singles(family, groups, fold, weights) for family in families])


def _part(family: Family, places: NDArray[np.intp]) -> Family:
    counted = None if family.counted is None else family.counted[places]
    mined = None if family.mined is None else family.mined[places]
    return Family(family.name, family.names, counted, mined)


def _wholes(families: Sequence[Family], fold: NDArray[np.int64], weights: Scores) -> Scores:
    """All families together, then each: [pairs, 1 + families]."""
    none = np.zeros((len(fold), 0))

    def rule(some: Sequence[Family]) -> Scores:
        numbers = [family.counted for family in some if family.counted is not None]
        mined = [family.mined for family in some if family.mined is not None]
        return together(np.hstack([none, *numbers]), mined, fold, weights)

    return np.column_stack([rule(families), *(rule([family]) for family in families)])


def _singles(family: Family, groups: Groups, fold: NDArray[np.int64], weights: Scores) -> Singles:
    if family.counted is not None:
        scores = np.full(family.counted.shape, 0.5)
        for places in groups.values():
            scores[places] = single(family.counted[places], fold[places], weights[places])
        return Singles(family, family.names, family.counted, scores)
    assert family.mined is not None
    return _mined_singles(family, family.mined, groups, fold, weights)


def _mined_singles(
    family: Family, mined: csr_matrix, groups: Groups, fold: NDArray[np.int64], weights: Scores
) -> Singles:
    """The grams that some group would name; where a group does not name one, it says nothing there."""
    found = [single_mined(mined[places], fold[places], weights[places]) for places in groups.values()]
    columns = np.unique(np.concatenate([named for named, _ in found]))
    scores = np.full((len(fold), len(columns)), 0.5)
    for places, (named, told) in zip(groups.values(), found, strict=True):
        scores[np.ix_(places, np.searchsorted(columns, named))] = told
    return Singles(family, [family.names[column] for column in columns], mined[:, columns].toarray(), scores)
