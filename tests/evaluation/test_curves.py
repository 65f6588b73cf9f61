"""Abstention and invariance, worked by hand, and Cohen's kappa as published."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaokerena.evaluation.alignment import align
from gaokerena.evaluation.answers import Group
from gaokerena.evaluation.curves import abstention, invariance, risk_area
from gaokerena.evaluation.resampling import intervals
from gaokerena.statistics import wilson
from tests.evaluation.recorded_cases import ITEMS, group

SIGNS = ["AAAAA", "AAAAB", "BBBAA", "AABBC", "ABCD-", "-----"]


def test_the_points_of_a_curve_by_hand() -> None:
    """Gold is A: clear leads are A with 5, A with 4, B with 3."""
    curve = abstention(group(SIGNS, "A" * 6))
    points = {point["votes"]: point for point in curve["points"]}
    assert list(points) == [1, 2, 3, 4, 5]
    assert [points[k]["n_answered"] for k in points] == [3, 3, 3, 2, 1]
    assert points[3]["coverage"] == pytest.approx(50.0)
    assert points[3]["accuracy"] == pytest.approx(100 * 2 / 3, abs=1e-5)
    assert points[3]["negative_marking"] == pytest.approx(100 * (2 - 1 / 3) / 6, abs=1e-5)
    assert points[4]["accuracy"] == points[5]["accuracy"] == 100.0
    assert points[5]["negative_marking"] == pytest.approx(100 / 6, abs=1e-5)
    interval = wilson(2, 3)
    assert points[3]["ci95"] == pytest.approx([100 * interval.low, 100 * interval.high], abs=1e-5)


def test_a_curve_may_end_in_nothing_answered() -> None:
    last = abstention(group(["AABBC", "ABCDA"], "AA"))["points"][-1]
    assert (last["n_answered"], last["coverage"], last["accuracy"], last["ci95"]) == (0, 0.0, None, None)


def written_out(best: list[int], wrong: list[float]) -> float:
    """The mean area over every order of questions with equal agreement."""
    areas = []
    for order in itertools.permutations(range(len(best))):
        levels = [best[place] for place in order]
        if levels == sorted(levels, reverse=True):
            heard = np.array([wrong[place] for place in order])
            areas.append((heard.cumsum() / np.arange(1, len(heard) + 1)).mean())
    return float(np.mean(areas))


# Gold is A. Agreement 5, 4, 3, 2, 1, 0; wrong 0, 0, 1, 1/2 (a split tie), 3/4, 1.
@pytest.mark.parametrize(
    ("signs", "best", "wrong"),
    [
        (SIGNS, [5, 4, 3, 2, 1, 0], [0, 0, 1, 0.5, 0.75, 1]),
        (["AAAAB", "BBBBA", "CCCCA", "AAAAA", "ABBCC"], [4, 4, 4, 5, 2], [0, 1, 1, 0, 1]),
    ],
)
def test_the_area_is_the_mean_over_all_orders_of_equals(signs: list[str], best: list[int], wrong: list[float]) -> None:
    one = group(signs, "A" * len(signs))
    assert risk_area(one) == pytest.approx(written_out(best, wrong))
    assert abstention(one)["area"] == pytest.approx(100 * risk_area(one), abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("ABCD-", min_size=5, max_size=5), min_size=2, max_size=8), st.integers(0, 99))
def test_the_order_of_questions_is_nothing(signs: list[str], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(signs))
    shuffled = group([signs[place] for place in order], "A" * len(signs))
    assert risk_area(shuffled) == pytest.approx(risk_area(group(signs, "A" * len(signs))))


def both(short: list[str], long: list[str], gold: str) -> dict[str, object]:
    straight, cot = group(short, gold, prompting="straight"), group(long, gold)
    found = invariance(straight, cot, align([straight, cot]), seed=1)
    assert found is not None
    return found


def test_invariance_by_hand() -> None:
    """Gold is A, A, B, B. Straight A, B, B, -; CoT A, A | tie of B and C | C. Together A, A, B, C."""
    found = both(["A", "B", "B", "-"], ["AAABB", "AAAAC", "BBCCD", "CCCBA"], "AABB")
    assert found["n"] == 4
    assert found["agree"] == pytest.approx(100 * (1 + 0 + 0.5 + 0) / 4)
    assert found["accuracy_straight"] == 50.0
    assert found["accuracy_cot"] == pytest.approx(100 * (1 + 1 + 0.5 + 0) / 4)
    assert found["accuracy_both"] == pytest.approx(100 * 3 / 4)
    assert found["gain"] == pytest.approx(12.5)
    assert found["coverage_agree"] == 25.0
    assert found["accuracy_when_agree"] == 100.0
    assert found["accuracy_when_not"] == 50.0
    low, high = intervals(np.array([[0.0], [0.0], [0.5], [0.0]]), seed=1)
    assert found["gain_ci95"] == pytest.approx([100 * low[0], 100 * high[0]], abs=1e-5)
    low, high = intervals(np.array([[1.0], [0.0], [0.5], [0.0]]), seed=1)
    assert found["ci95"] == pytest.approx([100 * low[0], 100 * high[0]], abs=1e-5)


# Cohen, Educational and Psychological Measurement 20 (1960) 37-46, table 1, in hundredths of 200 patients:
# agreement 0.70, by chance 0.41, kappa 0.492.
COHEN = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]


def test_kappa_as_published() -> None:
    pairs = [
        (a, b) for a, row in zip("ABC", COHEN, strict=True) for b, n in zip("ABC", row, strict=True) for _ in range(n)
    ]
    found = both([a for a, _ in pairs], [b * 5 for _, b in pairs], "A" * 200)
    assert found["agree"] == pytest.approx(70.0)
    assert found["kappa"] == pytest.approx(0.492, abs=5e-4)


def test_kappa_has_no_value_where_both_always_say_one_letter() -> None:
    found = both(["A", "A"], ["AAAAA", "AAAAB"], "AB")
    assert found["kappa"] is None
    assert found["accuracy_when_not"] is None
    assert found["coverage_agree"] == 100.0


def test_rows_are_matched_by_content() -> None:
    straight = group(["B", "A"], "BA", prompting="straight", texts=[ITEMS[1], ITEMS[0]])
    cot: Group = group(["AAAAA", "BBBBB", "CCCCC"], "ABC")
    found = invariance(straight, cot, align([straight, cot]), seed=1)
    assert found is not None
    assert (found["n"], found["agree"], found["accuracy_both"]) == (2, 100.0, 100.0)
    other = group(["A"], "A", prompting="straight", texts=[ITEMS[9]], subjects=("قلب",))
    assert invariance(other, cot, align([other, cot]), seed=1) is None
