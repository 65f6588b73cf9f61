"""The figures of free-form judging, against numbers worked by hand and against scipy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from gaokerena.evaluation.freeform import Pair
from gaokerena.evaluation.freeform_length import firth, length_effect, penalised
from gaokerena.evaluation.freeform_score import Verdict, Winner, score
from gaokerena.statistics import bootstrap_mean, wilson


def verdict(
    question: str, ab: Winner | None, ba: Winner | None, *, a: str = "پاسخ", b: str = "پاسخ", **fields: Any
) -> Verdict:
    return Verdict(Pair(question, fields.pop("run", 0), "پرسش", a, b, **fields), (ab, ba))


def logit(share: float) -> float:
    return math.log(share / (1 - share))


HAND = [
    verdict("1", "a", "a"), verdict("2", "a", "a"), verdict("3", "a", "a"), verdict("4", "b", "b"),
    verdict("5", "tie", "tie"), verdict("6", "a", "b"), verdict("7", "b", "a"), verdict("8", "a", "b"),
    verdict("9", "a", "tie"), verdict("10", None, "a"),
]  # fmt: skip


def test_ten_pairs_by_hand() -> None:
    """3 wins, 1 loss, 1 tie, 3 flipped and 1 half-tie of nine that could be read: (3 + 0.5 x 5) / 9."""
    report = score(HAND, seed=1)
    assert report["pairs"] == {
        "judged": 10, "questions": 10, "a_wins": 3, "b_wins": 1, "ties": 1, "flipped": 3, "half": 1, "unreadable": 1
    }  # fmt: skip
    assert report["win_rate"]["estimate"] == pytest.approx(100 * 5.5 / 9)
    assert report["win_rate"]["n"] == 9
    assert report["win_rate_bounds"] == pytest.approx([55.0, 65.0])
    drawn = bootstrap_mean([1, 1, 1, 0, 0.5, 0.5, 0.5, 0.5, 0.5], seed=1)
    assert report["win_rate"]["ci95"] == pytest.approx([100 * drawn.low, 100 * drawn.high])
    assert report["sign_test"] == {"test": "mcnemar_exact", "a": 3, "b": 1, "p": pytest.approx(10 / 16)}
    assert report["consistency"]["estimate"] == pytest.approx(100 * 5 / 9)
    # Of each consistent win one call is won by the first shown: 4 of 8. Flipped a-b: both; b-a: none. 9: its one call.
    assert report["position"]["first_wins"]["estimate"] == pytest.approx(100 * (4 + 2 + 2 + 0 + 1) / 15)
    assert (report["position"]["always_first"], report["position"]["always_second"]) == (2, 1)
    assert report["position"]["p"] == 1.0


def test_a_judge_that_always_says_first_wins_nothing_and_is_found_out() -> None:
    report = score([verdict(str(number), "a", "b") for number in range(40)], seed=1)
    assert report["win_rate"]["estimate"] == 50.0
    assert report["consistency"]["estimate"] == 0.0
    assert report["position"]["first_wins"]["estimate"] == 100.0
    low, high = report["position"]["first_wins"]["ci95"]
    assert low == pytest.approx(100 * wilson(40, 40).low), "a share of 100 % still has an interval"
    assert high == 100.0
    assert report["position"]["p"] < 1e-9


def test_ties_alone_have_an_interval_too() -> None:
    report = score([verdict(str(number), "tie", "tie") for number in range(6)], seed=1)
    half = wilson(6, 12)
    assert report["win_rate"]["estimate"] == 50.0
    assert report["win_rate"]["ci95"] == pytest.approx([100 * half.low, 100 * half.high])
    assert report["position"]["first_wins"] is None


def test_a_judge_that_prefers_the_longer_is_found_out_by_length() -> None:
    """a is longer three times out of four, so a seems to win 75 %; at equal length nothing is left of it."""
    long, short = "واژه " * 40, "واژه " * 20
    verdicts = [
        verdict(str(number), *(("a", "a") if number % 4 else ("b", "b")), a=long if number % 4 else short,
                b=short if number % 4 else long)
        for number in range(80)
    ]  # fmt: skip
    report = score(verdicts, seed=1)
    length = report["length"]
    assert report["win_rate"]["estimate"] == 75.0
    assert report["consistency"]["estimate"] == 100.0
    assert (length["a_longer"], length["b_longer"]) == (60, 20)
    assert length["longer_wins"]["estimate"] == 100.0
    assert length["longer_wins"]["ci95"][0] > 90
    assert length["win_rate_a_longer"]["estimate"] == 100.0
    assert length["win_rate_b_longer"]["estimate"] == 0.0
    assert length["win_rate_near"] is None
    # Firth in each of the two groups: (k + 1/2) / (n + 1); the intercept is the middle of their logits.
    ratio = math.log2(len(long.strip()) / len(short.strip()))
    up, down = logit(60.5 / 61), logit(0.5 / 21)
    assert length["win_rate_at_equal_length"]["estimate"] == pytest.approx(100 * expit((up + down) / 2), abs=1e-4)
    assert length["log_odds_per_doubling"]["estimate"] == pytest.approx((up - down) / (2 * ratio), abs=1e-4)
    low, high = length["win_rate_at_equal_length"]["ci95"]
    assert low < 50 < high, "no pair of equal length was seen, so nothing is known of it"
    assert length["log_odds_per_doubling"]["ci95"][0] > 2


def test_a_judge_that_does_not_look_at_length_is_not_accused() -> None:
    generator = np.random.default_rng(4)
    verdicts = []
    for number in range(300):
        a, b = ("واژه " * int(words) for words in generator.integers(10, 80, 2))
        winner: Winner = "a" if generator.random() < 0.7 else "b"
        verdicts.append(verdict(str(number), winner, winner, a=a, b=b))
    length = score(verdicts, seed=1)["length"]
    low, high = length["log_odds_per_doubling"]["ci95"]
    assert low < 0 < high
    low, high = length["win_rate_at_equal_length"]["ci95"]
    assert 60 < low < 70 < high < 80


def test_runs_of_one_question_are_one_cluster() -> None:
    """Ten questions with the same answer ten times over know as much as ten questions."""
    once = [verdict(str(number), *(("a", "a") if number < 6 else ("b", "b"))) for number in range(10)]
    ten = [verdict(str(number), *(("a", "a") if number < 6 else ("b", "b")), run=run)
           for number in range(10) for run in range(10)]  # fmt: skip
    one, many = score(once, seed=1), score(ten, seed=1)
    assert many["win_rate"]["ci95"] == one["win_rate"]["ci95"]
    assert (
        many["sign_test"]
        == one["sign_test"]
        == {"test": "mcnemar_exact", "a": 6, "b": 4, "p": pytest.approx(0.754, abs=1e-3)}
    )


def test_groups_are_told_apart_only_where_there_are_several() -> None:
    verdicts = [verdict("1", "a", "a", source="kqa"), verdict("2", "b", "b", source="kqa"),
                verdict("3", "a", "a", source="isovisit")]  # fmt: skip
    groups = score(verdicts, seed=1)["groups"]
    assert [(group["by"], group["name"], group["win_rate"]["estimate"]) for group in groups] == [
        ("source", "isovisit", 100.0), ("source", "kqa", 50.0)
    ]  # fmt: skip


def test_nothing_readable_gives_no_figure_instead_of_an_error() -> None:
    report = score([verdict("1", None, None)], seed=1)
    assert report["win_rate"] is None
    assert report["length"]["win_rate_at_equal_length"] is None
    assert report["win_rate_bounds"] == [0.0, 100.0]
    assert report["pairs"]["unreadable"] == 1


def noisy(seed: int, pairs: int = 60) -> tuple[Any, Any]:
    """Ratios and scores, a fifth of them ties."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=pairs)
    return x, np.where(generator.random(pairs) < 0.2, 0.5, generator.random(pairs) < expit(0.4 + 0.9 * x))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_regression_is_the_maximum_that_scipy_finds(seed: int) -> None:
    x, y = noisy(seed)
    best = minimize(lambda beta: -penalised(x, y, np.ones(60), *beta), np.zeros(2), options={"gtol": 1e-8})
    assert firth(x, y, np.ones(60)) == pytest.approx(tuple(best.x), abs=1e-4)


def test_the_criterion_is_the_likelihood_and_half_the_log_determinant() -> None:
    """Two pairs at ratio 0 and 1, one won and one lost, chances 1/2 and 3/4: by hand."""
    x, y = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    information = np.array([[1 / 4 + 3 / 16, 3 / 16], [3 / 16, 3 / 16]])
    by_hand = math.log(1 / 2) + math.log(1 / 4) + math.log(np.linalg.det(information)) / 2
    assert penalised(x, y, np.ones(2), 0.0, math.log(3)) == pytest.approx(by_hand)


def test_weights_are_repetitions() -> None:
    x, y, often = np.array([-1.0, 0.5, 2.0, 0.1]), np.array([0.0, 1.0, 1.0, 0.5]), np.array([2.0, 1.0, 3.0, 1.0])
    repeated = often.astype(int)
    alone = firth(np.repeat(x, repeated), np.repeat(y, repeated), np.ones(int(often.sum())))
    assert firth(x, y, often) == pytest.approx(alone, abs=1e-8)


def test_two_groups_have_firths_known_solution() -> None:
    """In a saturated model each group's chance is (wins + 1/2) / (pairs + 1): Heinze and Schemper 2002, section 2."""
    x = np.array([1.0] * 10 + [-1.0] * 8)
    y = np.array([1.0] * 10 + [1.0] * 2 + [0.0] * 6)
    intercept, slope = firth(x, y, np.ones(18))
    assert expit(intercept + slope) == pytest.approx(10.5 / 11, abs=1e-8)
    assert expit(intercept - slope) == pytest.approx(2.5 / 9, abs=1e-8)


def test_the_profile_interval_is_where_a_fine_grid_says() -> None:
    x, y = noisy(7)
    fit = length_effect(y, x, list(range(60)))
    assert fit
    slopes, intercepts = np.arange(0.0, 3.0, 0.01), np.arange(-1.0, 2.0, 0.01)
    surface = np.array([[penalised(x, y, np.ones(60), one, other) for other in slopes] for one in intercepts])
    kept = surface >= surface.max() - 3.8415 / 2
    assert (fit.slope.low, fit.slope.high) == pytest.approx(_ends(slopes[kept.any(axis=0)]), abs=0.015)
    ends = expit(np.array(_ends(intercepts[kept.any(axis=1)])))
    assert (fit.at_equal_length.low, fit.at_equal_length.high) == pytest.approx(tuple(ends), abs=0.004)


def _ends(values: Any) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def test_repeated_runs_do_not_make_the_regression_surer() -> None:
    x, y = noisy(5)
    once = length_effect(y, x, list(range(60)))
    thrice = length_effect(np.tile(y, 3), np.tile(x, 3), list(range(60)) * 3)
    assert once
    assert thrice
    assert (thrice.slope.low, thrice.slope.high) == pytest.approx((once.slope.low, once.slope.high), abs=1e-4)


def test_equal_lengths_everywhere_say_nothing_about_length() -> None:
    assert length_effect([1.0, 0.0], [0.0, 0.0], ["1", "2"]) is None
    with pytest.raises(ValueError, match="one of each"):
        length_effect([1.0], [0.0, 1.0], ["1", "2"])


@pytest.mark.parametrize("unit", [0.1, 0.01, 0.002])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_lengths_that_barely_differ_are_no_stumbling_block(unit: float, level: float) -> None:
    """One side wins every time: the interval of the slope holds 0, in whatever unit lengths differ."""
    ratios = [level + unit * step for step in (-1, -0.6, -0.3, 0.1, 0.2, 0.5, 0.9, 1)]
    found = length_effect([0.0] * 8, ratios, range(8))
    assert found
    assert found.slope.low < 0 < found.slope.high
    assert found.at_equal_length.low <= found.at_equal_length.estimate <= found.at_equal_length.high


def test_the_slope_is_in_the_ratios_own_unit() -> None:
    scores, ratios = [1.0, 1, 0, 1, 0, 0], [1.0, 0.5, 0.4, -0.2, -0.7, -1]
    one, tenth = (length_effect(scores, [unit * ratio for ratio in ratios], range(6)) for unit in (1, 0.1))
    assert one
    assert tenth
    assert tenth.slope.estimate == pytest.approx(10 * one.slope.estimate, rel=1e-6)
    assert tenth.at_equal_length.low == pytest.approx(one.at_equal_length.low, rel=1e-4)


def test_lengths_that_are_alike_say_nothing() -> None:
    assert length_effect([0.0, 1, 0], [0.5, 0.5001, 0.5], range(3)) is None
