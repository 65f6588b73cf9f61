"""Similarity of vectors: exact cosine by numpy over the stored vectors of the records that a search leaves.

Scores are stock's: (1 + cosine) / 2 for the most similar, (1 - cosine) / 2 for the least. A vector of length zero has
cosine 0 with everything; a stored vector that is not finite is passed over. Cost: reading the vectors, about 0.1 ms
each at 768 numbers. Not covered: an approximate index for millions of vectors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from argilla_server.errors.future import UnprocessableEntityError
from numpy.typing import NDArray

__all__ = ["scores", "wanted"]

_PLACES = 9  # scores that differ by less are one tie, or rounding errors would order equal vectors


def wanted(value: Sequence[float], dimensions: int, name: str) -> NDArray[np.float64]:
    """The vector asked for, shape (dimensions,). Raises UnprocessableEntityError for another length or a NaN."""
    vector = np.asarray(value, dtype=np.float64)
    if vector.shape != (dimensions,):
        raise UnprocessableEntityError(f"vector {name!r} has {dimensions} numbers, the query {vector.size}")
    if not np.isfinite(vector).all():
        raise UnprocessableEntityError(f"the query for vector {name!r} holds a number that is not finite")
    return vector


def scores(stored: Sequence[str], vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """(1 + cosine) / 2 of each stored vector (JSON lists of n numbers) with `vector`, shape (len(stored),).

    NaN for a stored vector that is not finite.
    """
    rows = np.asarray(json.loads(f"[{','.join(stored)}]"), dtype=np.float64).reshape(len(stored), vector.size)
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(rows).all(axis=1))
    cosines = _unit(np.where(finite[:, None], rows, 0.0)) @ _unit(vector[None, :])[0]
    return np.where(finite, np.round((1 + np.clip(cosines, -1, 1)) / 2, _PLACES), np.nan)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows at length one (zero stays zero); scaled by the largest number first, so that no square overflows."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
    scaled = np.divide(rows, largest, out=np.zeros_like(rows), where=largest > 0)
    length = np.linalg.norm(scaled, axis=1, keepdims=True)
    unit: NDArray[np.float64] = np.divide(scaled, length, out=np.zeros_like(scaled), where=length > 0)
    return unit
