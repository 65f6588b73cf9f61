"""Two looks at one model's runs: what abstaining buys, and whether the way of asking changes the choice.

    abstention(group)                            # coverage against accuracy, by how many runs must agree
    invariance(straight, cot, alignment, seed=1)

Abstention: a question is answered when at least k of its n runs agree and no other letter has as many; `area` is the
area under the curve of risk (share wrong of those answered) against coverage, questions taken in order of agreement
(AURC: Geifman and El-Yaniv, arXiv 1705.08500), percent; lower is better.

Invariance: the straight answer against the plurality of the CoT runs; `both` is one vote for the straight answer and
one for each run, ties split; `gain` is against the better of the two alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation.alignment import Alignment
from gaokerena.evaluation.answers import Group
from gaokerena.evaluation.resampling import intervals_of
from gaokerena.evaluation.rules import ABSTAINED, at_least, plurality, pooled, right, votes
from gaokerena.statistics import wilson

Numbers = NDArray[np.float64]


def abstention(group: Group) -> dict[str, Any]:
    """The points of one group's curve, from answering all with a lead to answering only where all runs agree."""
    points = [_point(group, agreed) for agreed in range(1, group.samples + 1)]
    return {
        "suite": group.suite,
        "model": group.model,
        "prompting": group.prompting,
        "points": points,
        "area": round(100 * risk_area(group), 6),
    }


def _point(group: Group, agreed: int) -> dict[str, Any]:
    decided = at_least(group.choices, agreed)
    n, answered = len(decided), int((decided[:, ABSTAINED] == 0).sum())
    correct = round(float(right(decided, group.gold).sum()))
    interval = wilson(correct, answered) if answered else None
    return {
        "votes": agreed,
        "n_answered": answered,
        "coverage": round(100 * answered / n, 6),
        "accuracy": round(100 * correct / answered, 6) if answered else None,
        "ci95": [round(100 * interval.low, 6), round(100 * interval.high, 6)] if interval else None,
        "negative_marking": round(100 * (correct - (answered - correct) / 3) / n, 6),
    }


def risk_area(group: Group) -> float:
    """Mean risk over all coverages, 0 to 1; questions with equal agreement count in expectation, order free."""
    best = votes(group.choices).max(axis=1)
    score = right(plurality(group.choices), group.gold)
    order = np.argsort(-best, kind="stable")
    level, wrong = best[order], 1 - score[order]
    expected = np.empty(len(wrong))
    for votes_ in np.unique(level):
        expected[level == votes_] = wrong[level == votes_].mean()
    return float((expected.cumsum() / np.arange(1, len(expected) + 1)).mean())


def invariance(straight: Group, cot: Group, alignment: Alignment, *, seed: int) -> dict[str, Any] | None:
    """How often the two ways of asking agree, and what both together are worth; None without common questions."""
    common, at_straight, at_cot = np.intersect1d(
        alignment.numbers[straight.name], alignment.numbers[cot.name], return_indices=True
    )
    if not len(common):
        return None
    gold, short, long = cot.gold[at_cot], straight.choices[at_straight], cot.choices[at_cot]
    one, many, both = plurality(short), plurality(long), pooled([short, long])
    agree = (one[:, :ABSTAINED] * many[:, :ABSTAINED]).sum(axis=1)
    scores = [right(decided, gold) for decided in (one, many, both)]
    better = scores[0] if scores[0].mean() > scores[1].mean() else scores[1]
    together = agree > 0.5
    bounds = intervals_of([agree, scores[2] - better], seed=seed)
    return {
        "suite": cot.suite,
        "model": cot.model,
        "n": len(common),
        "agree": _percent(agree.mean()),
        "ci95": [_percent(bound) for bound in bounds[0]],
        "kappa": _kappa(one, many, float(agree.mean())),
        "accuracy_straight": _percent(scores[0].mean()),
        "accuracy_cot": _percent(scores[1].mean()),
        "coverage_agree": _percent(together.mean()),
        "accuracy_when_agree": _percent(scores[1][together].mean()) if together.any() else None,
        "accuracy_when_not": _percent(scores[1][~together].mean()) if not together.all() else None,
        "accuracy_both": _percent(scores[2].mean()),
        "gain": _percent((scores[2] - better).mean()),
        "gain_ci95": [_percent(bound) for bound in bounds[1]],
    }


def _kappa(one: Numbers, many: Numbers, agreed: float) -> float | None:
    """Cohen's kappa of the chosen letters (Cohen 1960); split ties count by their shares."""
    chance = float((one[:, :ABSTAINED].mean(axis=0) * many[:, :ABSTAINED].mean(axis=0)).sum())
    return round((agreed - chance) / (1 - chance), 6) if chance < 1 else None


def _percent(share: float) -> float:
    return round(100 * float(share), 6)
