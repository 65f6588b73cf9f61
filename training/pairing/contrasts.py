"""What the two sides of pairs differ in, family by family, before anything is learned from it.

    contrasts = contrasts_of(rows)                     # of all rows, each text looked at once
    contrasts = contrasts.part(places)                 # of some, as if there were no others
    contrasts.families()                               # their counted and mined features, chosen minus rejected

Not covered: which of the features tell (`cues`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.documents import question_key
from training.pair_rows import PairRow
from training.pairing.classify import Scores
from training.pairing.features import FAMILIES
from training.pairing.mining import MINED, Words, grams, words
from training.pairing.prompt_kinds import Groups, grouped, prompt_kinds
from training.pairing.questions import question_of
from training.pairing.weighing import by_weight


@dataclass(frozen=True)
class Family:
    """One family's features by name: counted ones [pairs, names] or mined ones, the other being None."""

    name: str
    names: list[str]
    counted: Scores | None = None
    mined: csr_matrix | None = None


@dataclass(frozen=True)
class Contrasts:
    """Pairs and what was counted and read in them; lists and arrays run over the pairs."""

    rows: Sequence[PairRow]
    questions: list[str]
    kinds: list[str]
    """Of prompts."""
    weights: NDArray[np.float64]
    counted: tuple[Family, ...]
    chosen: list[Words]
    rejected: list[Words]

    def part(self, places: NDArray[np.intp]) -> Contrasts:
        """Those pairs alone; what they weigh is counted among themselves."""
        rows = [self.rows[place] for place in places]
        return Contrasts(
            rows,
            [self.questions[place] for place in places],
            [self.kinds[place] for place in places],
            by_weight([row.weight for row in rows]),
            tuple(Family(one.name, one.names, _taken(one.counted, places)) for one in self.counted),
            [self.chosen[place] for place in places],
            [self.rejected[place] for place in places],
        )

    def families(self) -> list[Family]:
        """All families; which words are worth counting depends on the pairs that are here."""
        found = list(self.counted)
        for name in MINED:
            names, apart = grams(self.chosen, self.rejected, name, self.weights)
            found.append(Family(name, names, mined=apart))
        return found

    @property
    def groups(self) -> Groups:
        """The pairs by the kind of their prompt."""
        return grouped(self.kinds, self.weights)

    @property
    def effective(self) -> float:
        """As many pairs of one weight would say as much."""
        return float(self.weights.sum())

    @property
    def effective_questions(self) -> float:
        """As many questions of one weight would say as much: of one question nothing can be tried on another."""
        weight: defaultdict[str, float] = defaultdict(float)
        for question, pair in zip(self.questions, self.weights.tolist(), strict=True):
            weight[question] += pair
        return float(by_weight(list(weight.values())).sum())


def contrasts_of(rows: Sequence[PairRow]) -> Contrasts:
    """Every text counted and cut into words."""
    chosen, rejected = [row.better for row in rows], [row.worse for row in rows]
    return Contrasts(
        rows,
        [question_key(question_of(row)) for row in rows],
        prompt_kinds(rows),
        by_weight([row.weight for row in rows]),
        tuple(_counted(chosen, rejected)),
        words(chosen),
        words(rejected),
    )


def _counted(chosen: Sequence[str], rejected: Sequence[str]) -> list[Family]:
    """The families that count, as chosen minus rejected."""
    families = []
    for name, count in FAMILIES.items():
        ones, others = [count(text) for text in chosen], [count(text) for text in rejected]
        names = list(ones[0])
        apart = np.array([[one[each] - other[each] for each in names] for one, other in zip(ones, others, strict=True)])
        families.append(Family(name, names, apart))
    return families


def _taken(apart: Scores | None, places: NDArray[np.intp]) -> Scores | None:
    return None if apart is None else apart[places]
