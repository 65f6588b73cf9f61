"""Two pairs that show a single cue: the words around a phrase, or a feature's difference, with the pair's id.

    examples(singles, place, expected, rows)     # ("… همان گونه که می‌دانید … (pair-7)", …)

Not covered: which cue is worth showing (`cues`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gaokerena.persian import normalize_for_key
from training.pair_rows import PairRow
from training.pairing.classify import Scores
from training.pairing.rules import Singles

_EXCERPT = 40
"""Characters shown on either side of a phrase."""


def examples(singles: Singles, place: int, expected: Scores, rows: Sequence[PairRow]) -> tuple[str, ...]:
    """Up to two pairs that the cue at `place` tells rightly; `expected` [pairs] is 1 where more is of the chosen."""
    apart, name = singles.apart[:, place], singles.names[place]
    where = np.flatnonzero(apart * expected > 0)[:2]
    if singles.family.mined is None:
        return tuple(f"{apart[row]:+g} in chosen ({rows[row].id})" for row in where)
    last = singles.family.name == "closing words"
    texts = [rows[row].better if apart[row] > 0 else rows[row].worse for row in where]
    return tuple(f"{_excerpt(text, name, last)} ({rows[row].id})" for row, text in zip(where, texts, strict=True))


def _excerpt(text: str, gram: str, last: bool) -> str:
    """The words around `gram` in the normalised text, where it was counted."""
    flat = f" {normalize_for_key(text)} "
    place = flat.rfind(f" {gram} ") if last else flat.find(f" {gram} ")
    return flat[max(0, place - _EXCERPT) : place + len(gram) + _EXCERPT].strip()
