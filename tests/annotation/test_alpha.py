"""Alpha and kappa against published worked examples, the package krippendorff, statsmodels and plain definitions."""

from __future__ import annotations

import itertools
import random

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from annotation.alpha import alpha, alpha_with_interval, coincidences
from annotation.kappa import kappa, kappa_with_interval

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: four observers, twelve units.
OBSERVERS = ("12332141 2...", "12332241 25.3", ".3332342 251.", "12332441 251.")


def counted(rows: tuple[str, ...], values: str) -> np.ndarray:
    columns = zip(*(row.replace(" ", "") for row in rows), strict=True)
    return np.array([[column.count(value) for value in values] for column in columns])


def test_published_examples() -> None:
    counts = counted(OBSERVERS, "12345")
    assert alpha(counts, "nominal") == pytest.approx(0.743, abs=5e-4)
    assert alpha(counts, "ordinal") == pytest.approx(0.815, abs=5e-4)


def test_published_binary_example() -> None:
    # The same paper, section A: two observers, ten units, binary values; coincidences 10, 4, 4, 2; alpha 0.095.
    counts = [[2, 0]] * 5 + [[1, 1]] * 4 + [[0, 2]]
    assert coincidences(counts).sum(axis=0).tolist() == [[10, 4], [4, 2]]
    assert alpha(counts, "nominal") == pytest.approx(0.095, abs=5e-4)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_agrees_with_the_package(seed: int) -> None:
    draw = random.Random(seed)
    values = draw.randint(2, 5)
    data = np.array([[draw.choice([np.nan, *range(values)]) for _ in range(9)] for _ in range(draw.randint(2, 5))])
    counts = np.stack([(data == value).sum(axis=0) for value in range(values)], axis=1)
    for level in ("nominal", "ordinal"):
        ours = alpha(counts, level)
        if ours is not None:
            theirs = krippendorff.alpha(value_counts=counts, level_of_measurement=level)
            assert ours == pytest.approx(theirs)


def test_nothing_to_disagree_about() -> None:
    assert alpha([[2, 0], [3, 0]], "nominal") is None
    assert alpha([[1, 0], [0, 1]], "nominal") is None  # no unit has two values
    assert alpha_with_interval([[2, 0], [3, 0]], ["a", "b"], "nominal", seed=1) is None


def test_perfect_and_opposite() -> None:
    assert alpha([[2, 0], [0, 2], [2, 0]], "nominal") == 1
    assert alpha([[1, 1]] * 20, "nominal") == pytest.approx(1 - 39 / 20)  # observed 1, expected 2 * 20 * 20 / (40 * 39)


def test_interval_draws_items_not_units() -> None:
    generator = np.random.default_rng(3)
    truth = generator.integers(0, 2, 60)
    said = np.array([[np.where(generator.random() < 0.2, 1 - true, true) for true in truth] for _ in range(2)])
    counts = np.stack([(said == value).sum(axis=0) for value in (0, 1)], axis=1)
    once = alpha_with_interval(counts, [str(place) for place in range(60)], "nominal", seed=1)
    doubled = np.repeat(counts, 4, axis=0)
    together = alpha_with_interval(doubled, [str(place // 4) for place in range(240)], "nominal", seed=1)
    apart = alpha_with_interval(doubled, [str(place) for place in range(240)], "nominal", seed=1)
    assert once
    assert together
    assert apart
    assert together.high - together.low == pytest.approx(once.high - once.low, abs=0.02)
    assert apart.high - apart.low < 0.65 * (once.high - once.low)
    assert once == alpha_with_interval(counts, [str(place) for place in range(60)], "nominal", seed=1)


def test_interval_covers_the_true_value() -> None:
    """A known alpha: two doctors who name one of two equally common values, each wrong at 0.15."""
    true, covered = 1 - 2 * (2 * 0.15 * 0.85), 0
    generator = np.random.default_rng(11)
    for round_ in range(60):
        truth = generator.integers(0, 2, (1, 80))
        said = np.where(generator.random((2, 80)) < 0.15, 1 - truth, truth)
        counts = np.stack([(said == value).sum(axis=0) for value in (0, 1)], axis=1)
        found = alpha_with_interval(counts, list(range(80)), "nominal", seed=round_, resamples=300)
        assert found
        covered += found.low <= true <= found.high
    assert 52 <= covered <= 60


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match=r"\[units, values\]"):
        alpha([1, 2], "nominal")
    with pytest.raises(ValueError, match="name the item"):
        alpha_with_interval([[2, 0], [1, 1]], ["a"], "nominal", seed=1)


# Fleiss, Statistical Methods for Rates and Proportions (1981), table 13.1: 100 patients, three diagnoses; kappa 0.68.
DIAGNOSES = ((75, 1, 4), (5, 4, 1), (0, 0, 10))


def spread(table: tuple[tuple[int, ...], ...]) -> tuple[list[int], list[int]]:
    pairs = [(i, j) for i, row in enumerate(table) for j, often in enumerate(row) for _ in range(often)]
    return [i for i, _ in pairs], [j for _, j in pairs]


def test_published_kappa() -> None:
    one, other = spread(DIAGNOSES)
    assert kappa(one, other, values=3, weighted=False) == pytest.approx(0.68, abs=0.005)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=4, max_size=4))
def test_agrees_with_statsmodels(table: list[list[int]]) -> None:
    square = np.array(table)
    one, other = spread(tuple(map(tuple, table)))
    if min(len(set(one)), len(set(other))) < 2:
        return
    plain = cohens_kappa(square, return_results=False)
    weighted = cohens_kappa(square, weights=np.arange(4), wt="quadratic", return_results=False)
    assert kappa(one, other, values=4, weighted=False) == pytest.approx(plain)
    assert kappa(one, other, values=4, weighted=True) == pytest.approx(weighted)


def test_kappa_interval_is_near_the_asymptotic_one() -> None:
    one, other = spread(DIAGNOSES)
    found = kappa_with_interval(one, other, values=3, weighted=False, seed=2)
    theirs = cohens_kappa(np.array(DIAGNOSES))
    assert found
    assert found.low == pytest.approx(theirs.kappa_low, abs=0.04)
    assert found.high == pytest.approx(theirs.kappa_upp, abs=0.04)


def test_kappa_of_one_value_and_of_wrong_values() -> None:
    assert kappa([1, 1], [1, 1], values=2, weighted=False) is None
    with pytest.raises(ValueError, match="differ in count"):
        kappa([1], [1, 0], values=2, weighted=False)
    for one in ([-1], [2]):
        with pytest.raises(ValueError, match="from 0 to 1"):
            kappa(one, [0], values=2, weighted=False)


def test_order_of_doctors_does_not_matter() -> None:
    for one, other in itertools.permutations(([0, 1, 2, 2, 1], [0, 2, 2, 1, 1])):
        assert kappa(one, other, values=3, weighted=True) == pytest.approx(1 - 5 * 2 / 28)  # by hand
