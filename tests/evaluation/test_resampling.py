"""Bootstrap intervals and sign flips against scipy, against all cases written out, and on simulated truths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from gaokerena.evaluation.resampling import RESAMPLES, intervals, intervals_of, sign_flip, sign_flips_of
from gaokerena.statistics import bootstrap_mean, paired_bootstrap

SCORES = np.random.default_rng(7).choice(
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], size=(150, 3), p=[0.3, 0.1, 0.1, 0.1, 0.1, 0.3]
)


def monte_carlo(column: np.ndarray) -> float:
    """Four standard errors of a 2.5 % quantile of means from `RESAMPLES` draws, for two estimates of it."""
    spread = column.std() / np.sqrt(len(column))
    density = stats.norm.pdf(stats.norm.ppf(0.025)) / spread
    return float(4 * np.sqrt(2 * 0.025 * 0.975 / RESAMPLES) / density)


@pytest.mark.parametrize("column", range(3))
def test_percentile_intervals_are_scipys(column: int) -> None:
    low, high = intervals(SCORES, seed=1)
    theirs = stats.bootstrap(
        (SCORES[:, column],), np.mean, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    near = monte_carlo(SCORES[:, column])
    assert near < 0.01
    assert (low[column], high[column]) == pytest.approx((theirs.low, theirs.high), abs=near)


def test_another_confidence_is_scipys_too() -> None:
    low, high = intervals(SCORES, seed=1, confidence=0.8)
    theirs = stats.bootstrap(
        (SCORES[:, 0],), np.mean, confidence_level=0.8, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_the_interval_of_a_mean_of_three_is_that_of_all_27_draws() -> None:
    values = np.array([0.0, 1.0, 5.0])
    every = [np.mean(drawn) for drawn in itertools.product(values, repeat=3)]
    low, high = intervals(values[:, None], seed=3, confidence=0.6)
    assert (low[0], high[0]) == pytest.approx(np.quantile(every, [0.2, 0.8], method="inverted_cdf"))


def test_unequal_questions_are_drawn_whole() -> None:
    """Sums and sizes of clusters: the interval of `statistics.bootstrap_mean` with clusters."""
    generator = np.random.default_rng(8)
    sizes = generator.integers(1, 6, size=80)
    values = [generator.normal(size / 2, 1.0, size) for size in sizes]
    sums = np.array([value.sum() for value in values])
    low, high = intervals(sums[:, None], seed=1, sizes=sizes[:, None].astype(float))
    whole = bootstrap_mean(np.concatenate(values), seed=9, clusters=np.repeat(np.arange(80), sizes).tolist())
    assert (low[0], high[0]) == pytest.approx((whole.low, whole.high), abs=0.02)
    alone = intervals((sums / sizes)[:, None], seed=1)
    assert abs(alone[0][0] - whole.low) > 0.1, "means of questions would be another figure"


def test_columns_share_draws_and_seeds_repeat_them() -> None:
    low, high = intervals(SCORES, seed=5)
    again = intervals(SCORES[:, [2]], seed=5)
    assert (again[0][0], again[1][0]) == pytest.approx((low[2], high[2]), abs=1e-12)
    assert intervals(SCORES, seed=6)[0].tolist() != low.tolist()
    mixed = intervals_of([SCORES[:, 2], SCORES[:40, 0], SCORES[:, 1]], seed=5)
    assert mixed[0] == pytest.approx((low[2], high[2]), abs=1e-12)
    assert mixed[2] == pytest.approx((low[1], high[1]), abs=1e-12)
    short = intervals(SCORES[:40, [0]], seed=5)
    assert mixed[1] == pytest.approx((short[0][0], short[1][0]), abs=1e-12)


def test_no_questions_are_refused() -> None:
    for empty in (np.empty((0, 2)), np.zeros(3)):
        with pytest.raises(ValueError, match=r"\[questions, columns\] with at least one question, not \("):
            intervals(empty, seed=1)


@pytest.mark.parametrize("shift", [0.0, 0.04, 0.1])
def test_sign_flips_are_scipys(shift: float) -> None:
    one, other = np.random.default_rng(9).random((2, 60))
    one += shift
    ours = float(sign_flip((one - other)[:, None], seed=1)[0])
    theirs = stats.permutation_test(
        (one, other), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples", vectorized=True,
        n_resamples=RESAMPLES, rng=np.random.default_rng(2),
    ).pvalue  # fmt: skip
    assert ours == pytest.approx(theirs, abs=4 * np.sqrt(2 * theirs * (1 - theirs) / RESAMPLES) + 2 / RESAMPLES)


def test_sign_flips_of_few_questions_near_all_of_them() -> None:
    differences = np.array([0.4, 0.2, -0.2, 0.6, 0.4, 0.0, 0.2])
    flips = [abs(np.dot(signs, differences)) for signs in itertools.product((-1, 1), repeat=len(differences))]
    exact = np.mean([total >= abs(differences.sum()) - 1e-9 for total in flips])
    assert float(sign_flip(differences[:, None], seed=1)[0]) == pytest.approx(exact, abs=0.015)


def test_sign_flips_know_no_side_and_never_reach_zero() -> None:
    differences = np.full((40, 1), 0.2)
    assert sign_flip(differences, seed=1)[0] == sign_flip(-differences, seed=1)[0] == 1 / (RESAMPLES + 1)
    assert sign_flip(np.zeros((40, 1)), seed=1)[0] == 1.0
    assert sign_flips_of([differences[:, 0], np.zeros(7)], seed=1) == [1 / (RESAMPLES + 1), 1.0]


def simulated(generator: np.random.Generator, questions: int, gap: float) -> np.ndarray:
    """Differences of two models of five runs each, whose chances on a question go together."""
    chance = generator.beta(1.0, 1.0, questions)
    better = np.clip(chance + gap * 4 * chance * (1 - chance), 0, 1)
    return (generator.binomial(5, better) - generator.binomial(5, chance)) / 5


def test_a_paired_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    """E[4 p (1 - p)] is 2/3 for a uniform chance, so the true difference is two thirds of the gap."""
    generator = np.random.default_rng(11)
    drawn = np.column_stack([simulated(generator, 120, 0.15) for _ in range(400)])
    low, high = intervals(drawn, seed=1, resamples=2_000)
    covered = ((low <= 0.1) & (high >= 0.1)).mean()
    assert 0.92 <= covered <= 0.975  # 95 % within two standard errors of 400 draws, and the bootstrap's small deficit
    assert ((low <= 0.0) & (high >= 0.0)).mean() < 0.6, "a wrong truth is not covered"


def test_sign_flips_reject_a_true_null_as_often_as_they_say() -> None:
    generator = np.random.default_rng(12)
    drawn = np.column_stack([simulated(generator, 60, 0.0) for _ in range(400)])
    rejected = (sign_flip(drawn, seed=1, flips=1_000) < 0.05).mean()
    assert 0.02 <= rejected <= 0.08


def test_the_many_at_once_agree_with_one_at_a_time() -> None:
    one, other = SCORES[:, 0], SCORES[:, 1]
    whole = paired_bootstrap(one, other, seed=3)
    low, high = intervals((one - other)[:, None], seed=4)
    assert (low[0], high[0]) == pytest.approx((whole.low, whole.high), abs=monte_carlo(one - other))
