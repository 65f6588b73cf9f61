"""Two adapters on the same questions: old and new values side by side, an interval, a test, and whether it is worse.

    told = compare([0, 1, 1, 0], [1, 1, 1, 0], questions, unit="share", seed=1)
    worse(told)

A question counts once: several pairs or draws of one question are averaged before anything is drawn or flipped. The
interval is a percentile bootstrap over questions; the test McNemar's exact one where every question's value is 0 or 1,
else a sign-flip test (both as in `gaokerena.evaluation.paired`).

Not covered: correction for the number of comparisons: a gate that looks twice refuses a little more often.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation.resampling import intervals_of, sign_flips_of
from gaokerena.statistics import discordant, mcnemar_exact
from training.errors import TrainingError

ONE_SIDED = 0.05
"""The chance at which an adapter that is as good as the old one is called worse."""

GATE_SHUTS = 5
"""Questions that must get worse, and none better, before anything can be called worse: 2 ** -5 is below ONE_SIDED."""

TWO_SIDED = 0.05
"""The chance at which an adapter that is as good as the old one is called better or worse by that test."""

Values = NDArray[np.float64]
Unit = Literal["share", "nats"]


def compare(
    old: Sequence[float], new: Sequence[float], questions: Sequence[str], *, unit: Unit, seed: int
) -> dict[str, Any]:
    """`n` questions, means `old` and `new`, their `difference` (new minus old) with `ci95`, `p` (two-sided), `test`.

    Shares are in per cent, nats as they are. Raises TrainingError for no values or lists of different lengths.
    """
    if not old or not len(old) == len(new) == len(questions):
        raise TrainingError(f"nothing to compare: {len(old)} old and {len(new)} new values, {len(questions)} questions")
    one, other = _by_question(old, questions), _by_question(new, questions)
    scale = 100.0 if unit == "share" else 1.0
    difference = other - one
    ((low, high),) = intervals_of([difference], seed=seed)
    return {
        "unit": "%" if unit == "share" else "nats",
        "n": len(difference),
        "values": len(old),
        "old": round(scale * float(one.mean()), 4),
        "new": round(scale * float(other.mean()), 4),
        "difference": round(scale * float(difference.mean()), 4),
        "ci95": [round(scale * low, 4), round(scale * high, 4)],
        **_tested(one, other, unit, seed),
    }


def _by_question(values: Sequence[float], questions: Sequence[str]) -> Values:
    """The mean of each question's values, in the order the questions first come."""
    found: dict[str, list[float]] = {}
    for value, question in zip(values, questions, strict=True):
        found.setdefault(question, []).append(float(value))
    return np.array([np.mean(some) for some in found.values()], np.float64)


def _tested(one: Values, other: Values, unit: Unit, seed: int) -> dict[str, Any]:
    whole = set(np.concatenate([one, other]).tolist()) <= {0.0, 1.0}
    if unit == "share" and whole:
        only_new, only_old = discordant((other == 1).tolist(), (one == 1).tolist())
        return {"p": mcnemar_exact(only_new, only_old), "test": "mcnemar_exact", "discordant": [only_old, only_new]}
    return {"p": sign_flips_of([other - one], seed=seed)[0], "test": "sign_flip", "discordant": None}


def worse(told: dict[str, Any]) -> bool:
    """Whether the new one is worse, by the lower tail of the test at ONE_SIDED."""
    return bool(told["difference"] < 0 and told["p"] / 2 < ONE_SIDED)


def better(told: dict[str, Any]) -> bool:
    """Whether the new one is better, by the two-sided test: what is lenient enough to refuse by would boast."""
    return bool(told["difference"] > 0 and told["p"] < TWO_SIDED)
