"""Cells against tables worked by hand and intervals from the literature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaokerena.evaluation.alignment import align
from gaokerena.evaluation.answers import NO_CHOICE, Group
from gaokerena.evaluation.cells import ALL, Decision, cells_of, constant
from gaokerena.evaluation.decisions import decisions_of
from gaokerena.evaluation.resampling import intervals
from gaokerena.evaluation.rules import Decided, one_hot, right
from tests.evaluation.recorded_cases import choices, group


def decision(decided: Decided, gold: np.ndarray, subjects: tuple[str, ...] | None = None, **changes: Any) -> Decision:
    count = len(gold)
    values: dict[str, Any] = {
        "suite": "s", "model": "r", "prompting": "cot", "rule": "x", "subjects": subjects or ("گوارش",) * count,
        "numbers": np.arange(count), "gold": gold, "decided": decided, "samples": 1,
    }  # fmt: skip
    return Decision(**values | changes)


def counted(correct: int, wrong: int, blank: int) -> Decision:
    """A decision with so many of each; the gold letter is always A."""
    chosen = np.array([0] * correct + [1] * wrong + [NO_CHOICE] * blank)
    return decision(one_hot(chosen), np.zeros(len(chosen), np.int8))


def cells_by(groups: list[Group]) -> dict[tuple[str, str, str], dict[str, Any]]:
    decided = decisions_of(groups, align(groups), {}, [], seed=1)
    return {(cell["model"], cell["rule"], cell["subject"]): cell for cell in cells_of(decided, seed=1)}


SIGNS = ["AAAAA", "BBBAA", "CCDD-", "-----", "DDDAA", "ABCD."]
GOLD = "AACCDA"
SUBJECTS = ("قلب", "قلب", "قلب", "قلب", "ریه", "ریه")


@pytest.fixture(scope="module")
def cells() -> dict[tuple[str, str, str], dict[str, Any]]:
    return cells_by([group(SIGNS, GOLD, subjects=SUBJECTS)])


# Shares right, question by question: single 1, .4, .4, 0 | .6, .25; sc3of5 1, 0, -, - | 1, -;
# plurality 1, 0, .5, - | 1, .25.
@pytest.mark.parametrize(
    ("rule", "subject", "n", "correct", "wrong", "abstained"),
    [
        ("single", "قلب", 4, 1.8, 1.0, 1.2),
        ("single", "ریه", 2, 0.85, 1.15, 0),
        ("single", ALL, 6, 2.65, 2.15, 1.2),
        ("sc3of5", "قلب", 4, 1, 1, 2),
        ("sc3of5", "ریه", 2, 1, 0, 1),
        ("sc3of5", ALL, 6, 2, 1, 3),
        ("plurality", "قلب", 4, 1.5, 1.5, 1),
        ("plurality", "ریه", 2, 1.25, 0.75, 0),
        ("plurality", ALL, 6, 2.75, 2.25, 1),
    ],
)
def test_a_tiny_file_by_hand(
    cells: dict[tuple[str, str, str], dict[str, Any]],
    rule: str, subject: str, n: int, correct: float, wrong: float, abstained: float,
) -> None:  # fmt: skip
    cell = cells["r", rule, subject]
    assert (cell["n"], cell["samples"]) == (n, 5)
    assert (cell["correct"], cell["wrong"], cell["abstained"]) == pytest.approx((correct, wrong, abstained))
    assert cell["accuracy"] == pytest.approx(100 * correct / n, abs=1e-5)
    assert cell["negative_marking"] == pytest.approx(100 * (correct - wrong / 3) / n, abs=1e-5)
    if rule == "sc3of5":
        assert all(type(cell[count]) is int for count in ("correct", "wrong", "abstained"))


def test_pass_at_k_by_hand(cells: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    """Right runs: 5, 2, 2, 0 of five | 3 of five, 1 of four; a k counts the questions that have so many runs."""
    heart, lung = cells["r", "single", "قلب"], cells["r", "sc3of5", "ریه"]
    assert heart["pass_at_k"] == pytest.approx({"1": 45.0, "2": 60.0, "3": 70.0, "4": 75.0, "5": 75.0})
    assert lung["pass_at_k"] == pytest.approx({"1": 42.5, "2": 70.0, "3": 87.5, "4": 100.0, "5": 100.0})
    assert heart["pass_at_k_corrected"]["1"] == pytest.approx(100 * (0.45 - 0.25) / 0.75, abs=1e-5)
    assert heart["pass_at_k_corrected"]["2"] == pytest.approx(100 * (0.6 - 0.4375) / 0.5625, abs=1e-5)
    assert list(cells["r", "single", ALL]["pass_at_k"]) == ["1", "2", "3", "4", "5"]


def test_the_micro_average_weighs_questions_not_subjects(cells: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    whole = cells["r", "sc3of5", ALL]["accuracy"]
    assert whole == pytest.approx(100 * 2 / 6, abs=1e-5)
    macro = (cells["r", "sc3of5", "قلب"]["accuracy"] + cells["r", "sc3of5", "ریه"]["accuracy"]) / 2
    assert macro == pytest.approx(37.5)


# Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
@pytest.mark.parametrize(
    ("correct", "n", "published"), [(81, 263, (25.53, 36.62)), (15, 148, (6.24, 16.05)), (0, 20, (0.0, 16.11))]
)
def test_whole_choices_have_wilsons_interval(correct: int, n: int, published: tuple[float, float]) -> None:
    for blank in (0, 7):
        cell = cells_of([counted(correct, n - correct - blank, blank)], seed=1)[-1]
        assert cell["ci95"] == pytest.approx(published, abs=0.005)


def test_equal_scores_still_leave_doubt() -> None:
    """Two runs of three questions, one right each: 50 %, and up to 1 - 0.025^(1/3) of the questions may differ."""
    unseen = 1 - 0.025 ** (1 / 3)
    found = constant(np.full(3, 0.5), 0.0, 1.0)
    assert found == pytest.approx((0.5 - 0.5 * unseen, 0.5 + 0.5 * unseen))
    assert constant(np.array([0.5, 0.5, 0.6]), 0.0, 1.0) is None


def test_fractions_have_a_bootstrap_over_questions(cells: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    low, high = intervals(np.array([[1.0], [0.4], [0.4], [0.0], [0.6], [0.25]]), seed=1)
    assert cells["r", "single", ALL]["ci95"] == pytest.approx([100 * low[0], 100 * high[0]], abs=1e-5)
    assert cells["r", "sc3of5", ALL]["ci95"] == pytest.approx([9.68, 70.0], abs=0.01)  # Wilson, 2 of 6


# Gaokerena-R, negative marking: IBMSEE 65 right, 71 wrong, 32 blank of 168 is 24.60; with a literal 0.33 it is 24.74.
@pytest.mark.parametrize(("counts", "published"), [((65, 71, 32), 24.60), ((25, 75, 0), 0.0), ((0, 0, 9), 0.0)])
def test_negative_marking_costs_exactly_a_third(counts: tuple[int, int, int], published: float) -> None:
    assert cells_of([counted(*counts)], seed=1)[-1]["negative_marking"] == pytest.approx(published, abs=0.005)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("ABCD-", min_size=5, max_size=5), min_size=1, max_size=8), st.data())
def test_every_question_is_right_wrong_or_blank(signs: list[str], data: st.DataObject) -> None:
    gold = data.draw(st.text("ABCD", min_size=len(signs), max_size=len(signs)))
    subjects = tuple(data.draw(st.sampled_from(["قلب", "ریه"])) for _ in signs)
    found = cells_by([group(signs, gold, subjects=subjects)])
    for (_, rule, subject), cell in found.items():
        assert cell["correct"] + cell["wrong"] + cell["abstained"] == pytest.approx(cell["n"], abs=1e-5)
        assert cell["ci95"][0] - 1e-5 <= cell["accuracy"] <= cell["ci95"][1] + 1e-5
        assert cell["negative_marking"] <= cell["accuracy"] + 1e-9
        if subject == ALL:
            parts = [other for (_, name, part), other in found.items() if name == rule and part != ALL]
            for count in ("n", "correct", "wrong", "abstained"):
                assert cell[count] == pytest.approx(sum(part[count] for part in parts), abs=1e-5)


def test_a_decision_over_several_models_has_no_pass_at_k() -> None:
    cell = cells_of([counted(1, 1, 0)], seed=1)[0]
    assert cell["pass_at_k"] is cell["pass_at_k_corrected"] is None


def test_scores_are_the_gold_letters_share() -> None:
    made = decision(np.array([[0.5, 0.5, 0, 0, 0], [0, 0, 0, 0, 1.0]]), np.array([1, 0], np.int8))
    assert made.scores.tolist() == right(made.decided, made.gold).tolist() == [0.5, 0.0]
    assert not made.whole
    assert counted(1, 1, 1).whole
    assert choices(["AB"]).shape == (1, 2)
