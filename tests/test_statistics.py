"""Intervals and tests against published worked examples, hand-worked numbers and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gaokerena.statistics import (
    Interval,
    bootstrap_mean,
    clopper_pearson,
    difference_of_shares,
    discordant,
    mcnemar_exact,
    paired_bootstrap,
    wilson,
)

SHARES = st.integers(1, 400).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


def bounds(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


# Newcombe, Statistics in Medicine 17 (1998) 857-872, table I: methods 3 (Wilson) and 5 (exact).
@pytest.mark.parametrize(
    ("successes", "trials", "score", "exact"),
    [
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ],
)
def test_one_share_as_published(
    successes: int, trials: int, score: tuple[float, float], exact: tuple[float, float]
) -> None:
    assert bounds(wilson(successes, trials)) == pytest.approx(score, abs=5e-5)
    assert bounds(clopper_pearson(successes, trials)) == pytest.approx(exact, abs=5e-5)
    assert wilson(successes, trials).estimate == clopper_pearson(successes, trials).estimate == successes / trials


# Newcombe, Statistics in Medicine 17 (1998) 873-890, table II: method 10.
@pytest.mark.parametrize(
    ("counts", "published"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
    ],
)
def test_a_difference_of_shares_as_published(counts: tuple[int, int, int, int], published: tuple[float, float]) -> None:
    found = difference_of_shares(*counts)
    assert bounds(found) == pytest.approx(published, abs=5e-5)
    swapped = difference_of_shares(*counts[2:], *counts[:2])
    assert bounds(swapped) == pytest.approx((-found.high, -found.low))


@given(share=SHARES, confidence=st.sampled_from([0.8, 0.95, 0.99]))
def test_one_share_as_scipy_has_it(share: tuple[int, int], confidence: float) -> None:
    test = stats.binomtest(*share)
    score, exact = test.proportion_ci(confidence, "wilson"), test.proportion_ci(confidence, "exact")
    assert bounds(wilson(*share, confidence)) == pytest.approx((score.low, score.high), abs=1e-9)
    assert bounds(clopper_pearson(*share, confidence)) == pytest.approx((exact.low, exact.high), abs=1e-9)


@given(share=SHARES)
def test_intervals_hold_their_estimate_and_stay_shares(share: tuple[int, int]) -> None:
    for found in (wilson(*share), clopper_pearson(*share)):
        assert 0 <= found.low <= found.estimate <= found.high <= 1
    narrow, wide = wilson(*share, 0.8), wilson(*share, 0.99)
    assert narrow.high - narrow.low < wide.high - wide.low


def test_mcnemar_by_hand_and_as_published() -> None:
    assert mcnemar_exact(1, 5) == mcnemar_exact(5, 1) == pytest.approx(2 * (1 + 6) / 64)
    assert mcnemar_exact(0, 0) == mcnemar_exact(3, 3) == 1.0
    assert mcnemar_exact(0, 10) == pytest.approx(2 / 1024)
    # Counts of Agresti 2013, section 11.1 (approval of the prime minister, 86 and 150 changed their minds); the exact p
    # is what statsmodels 0.15 gives for them, the book works the large-sample test.
    assert mcnemar_exact(86, 150) == pytest.approx(3.716e-05, rel=1e-3)


@given(first=st.integers(0, 200), other=st.integers(0, 200))
def test_mcnemar_as_scipy_has_it(first: int, other: int) -> None:
    expected = stats.binomtest(first, first + other).pvalue if first + other else 1.0
    assert mcnemar_exact(first, other) == pytest.approx(expected)


def test_discordant_pairs_are_counted_from_each_side() -> None:
    assert discordant([True, True, False, False, True], [True, False, True, False, False]) == (2, 1)
    with pytest.raises(ValueError, match="3 and 2"):
        discordant([True] * 3, [True] * 2)


def test_the_bootstrap_as_scipy_has_it() -> None:
    values = np.random.default_rng(3).exponential(size=120)
    found = bootstrap_mean(values, seed=1, resamples=40_000)
    expected = stats.bootstrap((values,), np.mean, n_resamples=40_000, method="percentile", rng=5).confidence_interval
    assert bounds(found) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert found.estimate == pytest.approx(values.mean())


def test_the_bootstrap_of_few_values_by_hand() -> None:
    # Two values: a resample is 0, 1/2 or 1 with chances 1/4, 1/2, 1/4.
    assert bounds(bootstrap_mean([0, 1], seed=1)) == (0.0, 1.0)
    assert bounds(bootstrap_mean([0, 1], seed=1, confidence=0.4)) == (0.5, 0.5)
    assert bootstrap_mean([4.0], seed=1) == Interval(4.0, 4.0, 4.0)


def test_equal_seeds_give_equal_intervals() -> None:
    values = np.random.default_rng(0).normal(size=300)
    assert bootstrap_mean(values, seed=1) == bootstrap_mean(values, seed=1)
    assert bounds(bootstrap_mean(values, seed=1)) != bounds(bootstrap_mean(values, seed=2))


def test_memory_is_drawn_in_steps_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=50)
    whole = bootstrap_mean(values, seed=1, resamples=1_001)
    monkeypatch.setattr("gaokerena.statistics._DRAWS_AT_ONCE", 50 * 7)
    assert bootstrap_mean(values, seed=1, resamples=1_001) == whole


def test_clusters_widen_what_is_repeated() -> None:
    once = np.random.default_rng(0).integers(0, 2, size=200)
    repeated, names = np.repeat(once, 5), [f"q{number}" for number in np.repeat(np.arange(200), 5)]
    alone, naive = bootstrap_mean(once, seed=1), bootstrap_mean(repeated, seed=1)
    clustered = bootstrap_mean(repeated, seed=1, clusters=names)
    assert bounds(clustered) == pytest.approx(bounds(alone))  # five equal runs tell no more than one
    assert naive.high - naive.low == pytest.approx((alone.high - alone.low) / math.sqrt(5), rel=0.1)


def test_clusters_of_unlike_size_weigh_by_their_values() -> None:
    found = bootstrap_mean([1, 1, 1, 0], seed=1, clusters=["a", "a", "a", "b"])
    assert found == Interval(0.75, 0.0, 1.0)
    # Both clusters are drawn once with chance 1/2; that resample's mean is 3/4, not the mean of means 1/2.
    assert bounds(bootstrap_mean([1, 1, 1, 0], seed=1, clusters=list("aaab"), confidence=0.4)) == (0.75, 0.75)


def test_pairs_are_drawn_together() -> None:
    base = np.random.default_rng(0).normal(size=100) * 50
    found = paired_bootstrap(base + 1, base, seed=1)
    assert bounds(found) == pytest.approx((1.0, 1.0))  # every pair differs by one, however much the values vary
    swapped = paired_bootstrap(base, base + 1, seed=1)
    assert swapped.estimate == pytest.approx(-1.0)


def test_the_paired_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(11)
    hits = 0
    for seed in range(300):
        one = generator.random(150) < 0.6
        other = np.where(generator.random(150) < 0.7, one, generator.random(150) < 0.5)
        truth = 0.6 - (0.7 * 0.6 + 0.3 * 0.5)
        found = paired_bootstrap(one, other, seed=seed, resamples=600)
        hits += found.low <= truth <= found.high
    assert clopper_pearson(hits, 300, 0.999).low <= 0.95 <= clopper_pearson(hits, 300, 0.999).high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wilson(3, 2), "3 of 2 is not a share"),
        (lambda: wilson(0, 0), "0 of 0 is not a share"),
        (lambda: clopper_pearson(-1, 5), "-1 of 5"),
        (lambda: wilson(1, 2, 1.0), r"confidence 1\.0 is not between 0 and 1"),
        (lambda: mcnemar_exact(-1, 2), "neither may be below 0"),
        (lambda: bootstrap_mean([], seed=1), "finite values in one row"),
        (lambda: bootstrap_mean([1.0, math.nan], seed=1), "finite values"),
        (lambda: bootstrap_mean([[1.0], [2.0]], seed=1), "finite values"),
        (lambda: bootstrap_mean([1.0], seed=1, resamples=0), "0 resamples"),
        (lambda: bootstrap_mean([1.0, 2.0], seed=1, clusters=["a"]), "2 values but 1 clusters"),
        (lambda: paired_bootstrap([1.0], [1.0, 2.0], seed=1), "differ in count"),
    ],
)
def test_what_cannot_be_counted_is_refused(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]
