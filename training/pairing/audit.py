"""The shortcut audit: can a surface cue tell which side of a pair was chosen?

    found = audit(read_pairs(path), limit=0.60, seed=1)
    found["passed"], found["reason"], found["families"], found["cues"]

Tried are single features, a logistic regression for each family, and one on all families together (`features`,
`mining`, `classify`), each cross-validated over questions. Its accuracy is the share of pairs whose chosen side it
names, a pair without the feature counting half; its interval is a bootstrap over questions. The rule: a cue fails when
the lower end of its 95 % interval is above the limit. Fewer than LEAST pairs cannot pass: too few to tell.

Many cues are tried, so one may fail by chance where the limit is 0.5; at 0.60 chance alone needs few pairs, see
docs/pairs.md for how often it happens.

Not covered: what a reader of meaning could use; whether a cue is a shortcut or deserved (a doctor may like short
answers). The audit says what tells; a person decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from gaokerena.evaluation.resampling import intervals
from gaokerena.persian import normalize_for_key
from training.audit_gate import LIMIT, SCHEMA
from training.documents import question_key
from training.errors import TrainingError
from training.pair_rows import PairRow
from training.pairing.classify import FOLDS, Scores, folds, single, single_mined, together
from training.pairing.features import FAMILIES
from training.pairing.mining import MINED, grams, words
from training.pairing.questions import question_of

LEAST = 30
"""Pairs below which nothing can be said."""
RESAMPLES = 2000
SHOWN = 12
"""Cues of a family that the report names, at most."""
_EXCERPT = 40
"""Characters shown on either side of a phrase."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One rule and how often it names the chosen side."""

    name: str
    family: str
    kind: str
    """`feature`: one feature; `family`: all of a family; `all`: all families together."""
    accuracy: float
    low: float
    high: float
    more_in: str = ""
    """Of a single feature: the side that has more of it."""
    wins: float = 0.0
    """Of a single feature: the share of pairs in which that side has more."""
    ties: float = 0.0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """The rules of one family: single ones by name with scores [pairs, names], and what they look at."""

    name: str
    names: list[str]
    apart: Scores
    singles: Scores
    whole: csr_matrix | None
    """The mined matrix, for learned families; None where `apart` is all there is."""


def audit(rows: Sequence[PairRow], *, limit: float = LIMIT, seed: int = 1) -> dict[str, Any]:
    """What the audit of `rows` found, ready for JSON; equal rows and seed give equal findings.

    Raises TrainingError for no pairs, or a limit that is not between 0.5 and 1.
    """
    if not rows:
        raise TrainingError("no pairs to audit; `python -m training pairs build` makes some")
    if not 0.5 <= limit < 1:
        raise TrainingError(f"a limit of {limit}: give a share of pairs from 0.5 to below 1, for example {LIMIT}")
    questions = [question_key(question_of(row)) for row in rows]
    cues = _cues(rows, questions, seed)
    failed = [cue for cue in cues if cue.low > limit]
    reason = _reason(len(rows), failed, limit)
    return {
        "schema": SCHEMA,
        "pairs": len(rows),
        "questions": len(set(questions)),
        "limit": limit,
        "confidence": 0.95,
        "seed": seed,
        "folds": FOLDS,
        "passed": reason is None,
        "reason": reason,
        "failed": [f"{cue.family}: {cue.name}" if cue.kind == "feature" else cue.name for cue in failed],
        "detectable": detectable(len(set(questions)), limit),
        "families": [asdict(cue) for cue in cues if cue.kind != "feature"],
        "cues": [asdict(cue) for cue in cues if cue.kind == "feature"],
    }


def detectable(questions: int, limit: float) -> float:
    """About the smallest accuracy that fails with so many questions: below it a cue may pass unseen."""
    return round(min(1.0, limit + 1.96 * math.sqrt(limit * (1 - limit) / questions)), 3)


def _reason(pairs: int, failed: Sequence[Cue], limit: float) -> str | None:
    if pairs < LEAST:
        return f"{pairs} pairs are too few to tell (at least {LEAST})"
    if not failed:
        return None
    worst = max(failed, key=lambda cue: (cue.kind == "feature", cue.low))
    more = f"; so do {len(failed) - 1} more" if len(failed) > 1 else ""
    named = f"{worst.family}: {worst.name}" if worst.kind == "feature" else worst.name
    return f"{named} tells {100 * worst.accuracy:.2f} % of the pairs apart (limit {100 * limit:.0f} %){more}"


def _cues(rows: Sequence[PairRow], questions: Sequence[str], seed: int) -> list[Cue]:
    """Every rule with its accuracy: all together, the families, their single features."""
    chosen, rejected = [row.better for row in rows], [row.worse for row in rows]
    fold = folds(questions, seed)
    families = [*_counted(chosen, rejected, fold), *_mined(chosen, rejected, fold)]
    numbers = [family for family in families if family.whole is None]
    mined = [family.whole for family in families if family.whole is not None]
    none = np.zeros((len(rows), 0))
    columns = [together(np.hstack([family.apart for family in numbers]), mined, fold)]
    for family in families:
        own = ([], family.apart) if family.whole is None else ([family.whole], none)
        columns.append(together(own[1], own[0], fold))
    singles = np.hstack([family.singles for family in families])
    scores = np.column_stack([*columns, singles])
    low, high = _intervals(scores, questions, seed)
    found = [Cue("all together", "all", "all", *_told(scores, low, high, 0))]
    found += [
        Cue(family.name, family.name, "family", *_told(scores, low, high, place))
        for place, family in enumerate(families, 1)
    ]
    place = len(found)
    for family in families:
        here = range(place, place + len(family.names))
        found += _named(family, scores, low, high, here, rows)
        place = here.stop
    return found


def _counted(chosen: Sequence[str], rejected: Sequence[str], fold: NDArray[np.int64]) -> list[Family]:
    """The families that count, as chosen minus rejected."""
    families = []
    for name, count in FAMILIES.items():
        ones, others = [count(text) for text in chosen], [count(text) for text in rejected]
        names = list(ones[0])
        apart = np.array([[one[each] - other[each] for each in names] for one, other in zip(ones, others, strict=True)])
        families.append(Family(name, names, apart, single(apart, fold), None))
    return families


def _mined(chosen: Sequence[str], rejected: Sequence[str], fold: NDArray[np.int64]) -> list[Family]:
    """The families that are learned."""
    families, ones, others = [], words(chosen), words(rejected)
    for name in MINED:
        names, apart = grams(ones, others, name)
        columns, scores = single_mined(apart, fold)
        dense = apart[:, columns].toarray()
        families.append(Family(name, [names[column] for column in columns], dense, scores, apart))
    return families


def _intervals(scores: Scores, questions: Sequence[str], seed: int) -> tuple[Scores, Scores]:
    """95 % intervals of the columns' means; questions are drawn, not pairs."""
    names = {name: place for place, name in enumerate(dict.fromkeys(questions))}
    index = np.array([names[name] for name in questions])
    sums = np.zeros((len(names), scores.shape[1]))
    np.add.at(sums, index, scores)
    sizes = np.repeat(np.bincount(index)[:, None].astype(np.float64), scores.shape[1], axis=1)
    return intervals(sums, seed=seed, sizes=sizes, resamples=RESAMPLES)


def _told(scores: Scores, low: Scores, high: Scores, column: int) -> tuple[float, float, float]:
    return round(float(scores[:, column].mean()), 4), round(float(low[column]), 4), round(float(high[column]), 4)


def _named(
    family: Family, scores: Scores, low: Scores, high: Scores, columns: range, rows: Sequence[PairRow]
) -> list[Cue]:
    """The family's single features that tell most, with what they look like."""
    found = []
    for place, column in enumerate(columns):
        plus, minus = (family.apart[:, place] > 0).mean(), (family.apart[:, place] < 0).mean()
        cue = Cue(
            family.names[place],
            family.name,
            "feature",
            *_told(scores, low, high, column),
            more_in="chosen" if plus >= minus else "rejected",
            wins=round(float(max(plus, minus)), 4),
            ties=round(float((family.apart[:, place] == 0).mean()), 4),
        )
        found.append((cue, place))
    best = sorted(found, key=lambda item: -item[0].low)[:SHOWN]
    return [_shown(cue, family, place, rows) for cue, place in best]


def _shown(cue: Cue, family: Family, place: int, rows: Sequence[PairRow]) -> Cue:
    """The cue with up to two texts that have it (mined), or the values in two pairs (counted)."""
    sign = 1 if cue.more_in == "chosen" else -1
    where = np.flatnonzero(family.apart[:, place] * sign > 0)[:2]
    texts = [rows[row].better if sign > 0 else rows[row].worse for row in where]
    if family.whole is None:
        found = tuple(f"{family.apart[row, place]:+g} in chosen ({rows[row].id})" for row in where)
    else:
        last = family.name == "closing words"
        found = tuple(
            f"{_excerpt(text, cue.name, last)} ({rows[row].id})" for row, text in zip(where, texts, strict=True)
        )
    return replace(cue, examples=found)


def _excerpt(text: str, gram: str, last: bool) -> str:
    """The words around `gram` in the normalised text, where it was counted."""
    flat = f" {normalize_for_key(text)} "
    place = flat.rfind(f" {gram} ") if last else flat.find(f" {gram} ")
    return flat[max(0, place - _EXCERPT) : place + len(gram) + _EXCERPT].strip()
