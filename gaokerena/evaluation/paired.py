"""Comparisons: two decisions on the same questions, with a paired interval and a test.

    comparisons_of([(r_sc, aya_sc), ...], alignment, seed=1)

Questions are those of the subjects both were asked in, matched by content; one that a side has no answer to counts as
wrong there, and is counted (`difference_answered` is of the others). Left out are questions no other model was asked,
and what may be one question in two wordings: each side lacks the other's, and no model was asked both.

`difference` is a minus b in percentage points, `ci95` by a bootstrap over questions. `p` is McNemar's exact test where
both sides choose whole letters, else a sign-flip test on the differences of each question.

Not covered: correction for the number of comparisons (`evaluate` adds Holm's over all suites).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation.alignment import Alignment
from gaokerena.evaluation.cells import Decision, constant
from gaokerena.evaluation.resampling import intervals_of, sign_flips_of
from gaokerena.statistics import mcnemar_exact

Scores = NDArray[np.float64]


def comparisons_of(
    pairs: Sequence[tuple[Decision, Decision]], alignment: Alignment, *, seed: int
) -> list[dict[str, Any]]:
    """One entry a pair; pairs without a subject in common are left out."""
    made, differences = [], []
    for one, other in pairs:
        common = _common(one, other, alignment)
        if not len(common):
            continue
        a, b = on(one, common), on(other, common)
        entry = _named(one, other) | _counted(a, b, one, other)
        made.append(entry)
        differences.append(np.nan_to_num(a) - np.nan_to_num(b))
    fractions = [place for place, entry in enumerate(made) if entry["test"] == "sign_flip"]
    drawn = zip(differences, intervals_of(differences, seed=seed), strict=True)
    for entry, (values, bounds) in zip(made, drawn, strict=True):
        entry["ci95"] = [round(100 * bound, 6) for bound in constant(values, -1.0, 1.0) or bounds]
    for place, p in zip(fractions, sign_flips_of([differences[place] for place in fractions], seed=seed), strict=True):
        made[place]["p"] = p
    return made


def _common(one: Decision, other: Decision, alignment: Alignment) -> NDArray[np.int64]:
    """Questions of the subjects both were asked in, that at least one was asked; without what may be there twice.

    A question only one side was asked, and one only the other was, may be one in two wordings, unless some model was
    asked both.
    """
    subjects = np.array(alignment.subjects)
    shared = list(set(one.subjects) & set(other.subjects))
    mine, theirs = np.setdiff1d(one.numbers, other.numbers), np.setdiff1d(other.numbers, one.numbers)
    left_out = alignment.in_two_wordings(mine, theirs).tolist()
    either = np.union1d(one.numbers, other.numbers)
    either = either[np.isin(subjects[either], shared)]
    return either[~np.isin(either, [*left_out, *alignment.lonely])]


def on(decision: Decision, questions: NDArray[np.int64]) -> Scores:
    """The decision's score on each question; nan where it was not asked. A repeated question counts once, as first."""
    numbers, first = np.unique(decision.numbers, return_index=True)
    place = np.minimum(np.searchsorted(numbers, questions), len(numbers) - 1)
    scores = np.where(numbers[place] == questions, decision.scores[first[place]], np.nan)
    return scores.astype(np.float64)


def _named(one: Decision, other: Decision) -> dict[str, Any]:
    return {
        "a": one.model,
        "b": other.model,
        "suite": one.suite,
        "rule": one.rule if one.rule == other.rule else f"{one.rule} vs {other.rule}",
        "prompting": one.prompting if one.prompting == other.prompting else f"{one.prompting} vs {other.prompting}",
        "a_rule": one.rule,
        "b_rule": other.rule,
        "a_prompting": one.prompting,
        "b_prompting": other.prompting,
    }


def _counted(a: Scores, b: Scores, one: Decision, other: Decision) -> dict[str, Any]:
    right_a, right_b = np.nan_to_num(a), np.nan_to_num(b)
    both = ~np.isnan(a - b)
    entry: dict[str, Any] = {
        "n": len(a),
        "unanswered": [int(np.isnan(a).sum()), int(np.isnan(b).sum())],
        "accuracy": [round(100 * float(right_a.mean()), 6), round(100 * float(right_b.mean()), 6)],
        "difference": round(100 * float((right_a - right_b).mean()), 6),
        "difference_answered": round(100 * float((a - b)[both].mean()), 6) if both.any() else None,
        "ci95": None,
        "p": None,
        "test": "sign_flip",
        "discordant": None,
    }
    if one.whole and other.whole:
        only_a, only_b = int((right_a > right_b).sum()), int((right_b > right_a).sum())
        entry |= {"p": mcnemar_exact(only_a, only_b), "test": "mcnemar_exact", "discordant": [only_a, only_b]}
    return entry
