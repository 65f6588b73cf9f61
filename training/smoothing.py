"""How often a doctor's label is the wrong way round, from the doctors' own contradictions; for DPO's robust loss.

    found = from_report(Path("doctors.json"))        # {"label_smoothing": 0.113, "duplicates": 60, ...}

`python -m annotation report` writes doctors.json. Some comparisons were shown twice to the same doctor with the sides
exchanged. If a verdict comes out the wrong way round with probability p, and the two verdicts independently of each
other, the doctor contradicts himself with probability r = 2 p (1 - p); so p = (1 - sqrt(1 - 2 r)) / 2. r is pooled over
the doctors whose verdicts are used. A tie against a side counts as a contradiction, as in the report. p is the flip
probability of arXiv 2403.00409 (robust DPO), TRL's `label_smoothing`.

Not covered: errors a doctor makes twice alike (they contradict nothing), errors that depend on the question.
"""

from __future__ import annotations

from math import sqrt
from pathlib import Path
from typing import Any

from gaokerena.statistics import wilson
from training.errors import TrainingError
from training.manifest import file_hash, read_json

LEAST = 20
"""Duplicates below which a rate says next to nothing: 5 of 20 has a 95 % interval from 0.11 to 0.47."""


def flip_probability(rate: float) -> float:
    """p of 2 p (1 - p) = rate, the smaller one. Raises ValueError for a rate of a half or more: chance explains it."""
    if not 0 <= rate < 0.5:
        raise ValueError(f"a rate of contradictions of {rate:.3f} is not from 0 to below 0.5")
    return (1 - sqrt(1 - 2 * rate)) / 2


def from_report(path: Path) -> dict[str, Any]:
    """The flip probability and what it was worked out from. Raises TrainingError for too few or hopeless duplicates."""
    consistent, of = _pooled(path)
    if of < LEAST:
        raise TrainingError(
            f"{path}: the doctors answered {of} duplicates, {LEAST} are needed to say how often a label is wrong; "
            "push more duplicates, or give label_smoothing a number"
        )
    rate = 1 - consistent / of
    try:
        probability = flip_probability(rate)
    except ValueError as error:
        raise TrainingError(f"{path}: {error}; such labels teach nothing, do not train on them") from None
    interval = wilson(of - consistent, of)
    return {
        "label_smoothing": round(probability, 6),
        "contradictions": of - consistent,
        "duplicates": of,
        "ci95": [round(flip_probability(min(bound, 0.499999)), 6) for bound in (interval.low, interval.high)],
        "report": file_hash(path),
    }


def _pooled(path: Path) -> tuple[int, int]:
    """Duplicates answered alike, and all, of the doctors the report does not refuse."""
    try:
        doctors = read_json(path)["doctors"]
        used = [one["consistency"] for one in doctors if not one["failed"]]
        return sum(share["right"] for share in used), sum(share["of"] for share in used)
    except FileNotFoundError:
        raise TrainingError(f"no report at {path}; `python -m annotation report` writes doctors.json") from None
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path} is no doctors.json ({error!r}); `python -m annotation report` writes one"
        ) from None
