"""Comparisons against scipy, statsmodels and published tables, and by hand where questions are missing or twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar

from gaokerena.evaluation.alignment import Alignment, align
from gaokerena.evaluation.answers import Group
from gaokerena.evaluation.cells import Decision
from gaokerena.evaluation.decisions import decisions_of
from gaokerena.evaluation.paired import comparisons_of, on
from gaokerena.evaluation.rules import one_hot
from tests.evaluation.recorded_cases import ITEMS, group, item


def sides(both: int, only_a: int, only_b: int, neither: int) -> tuple[Decision, Decision, Alignment]:
    """Two decisions with so many questions right on both sides, on one, on none."""
    right_a = np.array([1] * both + [1] * only_a + [0] * only_b + [0] * neither)
    right_b = np.array([1] * both + [0] * only_a + [1] * only_b + [0] * neither)
    count = len(right_a)
    made = Alignment("s", subjects=["قلب"] * count, texts=[item(0)] * count, gold=[0] * count)
    made.numbers = {(name, "cot"): np.arange(count) for name in "ab"}
    decided = [
        Decision("s", name, "cot", "sc3of5", ("قلب",) * count, np.arange(count), np.zeros(count, np.int8),
                 one_hot(np.where(right > 0, 0, 1)), 5)
        for name, right in (("a", right_a), ("b", right_b))
    ]  # fmt: skip
    return decided[0], decided[1], made


def compared(*table: int) -> dict[str, Any]:
    one, other, made = sides(*table)
    return comparisons_of([(one, other)], made, seed=1)[0]


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.integers(0, 25)] * 4).filter(sum))
def test_mcnemars_exact_p_is_scipys_and_statsmodels(table: tuple[int, int, int, int]) -> None:
    both, only_a, only_b, neither = table
    found = compared(*table)
    assert (found["test"], found["discordant"]) == ("mcnemar_exact", [only_a, only_b])
    theirs = mcnemar([[both, only_a], [only_b, neither]], exact=True).pvalue if only_a + only_b else 1.0
    assert found["p"] == pytest.approx(theirs)
    if only_a + only_b:
        assert found["p"] == pytest.approx(binomtest(only_a, only_a + only_b).pvalue)
    assert found["difference"] == pytest.approx(100 * (only_a - only_b) / sum(table), abs=1e-5)
    assert found["n"] == sum(table)


def test_agrestis_prime_minister() -> None:
    """Agresti, Categorical Data Analysis, section 11.1: 794, 150, 86, 570 of 1,600; the difference is 0.04 with the
    interval 0.021 to 0.059, and z squared is 17.36: p below 0.0001."""
    found = compared(794, 150, 86, 570)
    assert found["accuracy"] == pytest.approx([59.0, 55.0])
    assert found["difference"] == pytest.approx(4.0)
    assert found["ci95"] == pytest.approx([2.1, 5.9], abs=0.12)
    assert found["p"] == pytest.approx(3.1e-5, rel=0.25)
    assert mcnemar([[794, 150], [86, 570]], exact=False, correction=False).statistic == pytest.approx(17.36, abs=0.005)


def test_bentur_before_and_after() -> None:
    """Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13:91 (2013), table 1: 1, 1, 7, 12; the exact
    conditional test gives 0.0703."""
    assert compared(1, 1, 7, 12)["p"] == pytest.approx(0.0703, abs=5e-5)


def test_the_other_way_round_is_the_same_with_another_sign() -> None:
    one, other, made = sides(20, 9, 4, 7)
    there, back = comparisons_of([(one, other), (other, one)], made, seed=1)
    assert there["difference"] == -back["difference"]
    assert there["ci95"] == pytest.approx([-bound for bound in back["ci95"][::-1]])
    assert there["p"] == back["p"]
    assert (there["a"], there["b"]) == ("a", "b") == (back["b"], back["a"])


def test_means_over_runs_are_compared_by_sign_flips() -> None:
    signs = ["AAAAB", "ABBBB", "AAABB", "BBBBB", "AAAAA", "AABBB"] * 4
    other = ["AAABB", "ABBBB", "AABBB", "BBBBB", "AAAAB", "ABBBB"] * 4
    found = single(group(signs, "A" * 24, "r"), group(other, "A" * 24, "v"))
    assert (found["test"], found["discordant"]) == ("sign_flip", None)
    assert found["difference"] == pytest.approx(100 * 4 * 0.2 / 6, abs=1e-5)
    assert found["accuracy"] == pytest.approx([100 * 15 / 30, 100 * 11 / 30], abs=1e-5)
    assert found["ci95"][0] > 0
    assert found["p"] == pytest.approx(1 / 10_001, abs=2e-4)  # all 16 differences are positive: exactly 2 / 2 ** 16


def single(one: Group, other: Group, *more: Group, rule: str = "single") -> dict[str, Any]:
    """The comparison of two groups by one rule, others about."""
    groups = [one, other, *more]
    made = align(groups)
    decided = {d.model: d for d in decisions_of(groups, made, {}, [], seed=1) if d.rule == rule}
    return comparisons_of([(decided[one.model], decided[other.model])], made, seed=1)[0]


def straight(model: str, signs: str, gold: str, texts: Sequence[Any] | None = None, **more: Any) -> Group:
    return group([*signs], gold, model, "straight", texts=texts, **more)


def test_what_a_side_was_not_asked_is_wrong_there_and_counted() -> None:
    """aya was asked three of the four that v and r were asked."""
    one, other = straight("v", "BBAA", "BBCB"), straight("aya", "BAC", "BBC")
    found = single(one, other, straight("r", "BBCB", "BBCB"))
    assert (found["n"], found["unanswered"], found["discordant"]) == (4, [0, 1], [1, 1])
    assert found["accuracy"] == [50.0, 50.0]
    found = single(other, straight("v", "BBAB", "BBCB"), straight("r", "BBCB", "BBCB"))
    assert (found["n"], found["unanswered"], found["difference"]) == (4, [1, 0], -25.0)
    assert found["difference_answered"] == 0.0, "each has one of the three that both answered"


def test_one_question_in_two_wordings_that_were_not_matched_counts_on_neither_side() -> None:
    """The last question of v and of aya may be one; nobody was asked both. Two share the odd wording: still so."""
    anew = ("What is the antidote in such a poisoning?", "Naloxone", "Acetylcysteine", "Atropine", "Flumazenil")
    v, r = straight("v", "BBCA", "BBCB"), straight("r", "BBCB", "BBCB")
    aya = straight("aya", "BBCB", "BBCB", [*ITEMS[:3], anew])
    assert single(v, aya, r)["n"] == 3
    qwen = straight("qwen", "BBCB", "BBCB", [*ITEMS[:3], anew])
    found = single(v, aya, r, qwen)
    assert (found["n"], found["unanswered"], found["difference"]) == (3, [0, 0], 0.0)
    assert single(aya, qwen, v, r)["n"] == 4


def test_two_questions_somebody_was_asked_together_are_two() -> None:
    v, aya = straight("v", "BBC", "BBC"), straight("aya", "BBB", "BBB", [*ITEMS[:2], ITEMS[3]])
    found = single(v, aya, straight("r", "BBCB", "BBCB"))
    assert (found["n"], found["unanswered"]) == (4, [1, 1])


def test_what_nobody_else_was_asked_is_left_out() -> None:
    v, r = straight("v", "BBCB", "BBCB"), straight("r", "BBC", "BBC")
    assert single(v, r)["n"] == 3


def test_only_common_subjects_are_compared() -> None:
    v = straight("v", "BACB", "BBCB", subjects=("قلب", "قلب", "ریه", "ریه"))
    r = straight("r", "BB", "BB", subjects=("قلب", "قلب"))
    found = single(v, r, straight("aya", "CB", "CB", ITEMS[2:4], subjects=("ریه", "ریه")))
    assert (found["n"], found["difference"]) == (2, -50.0)
    groups = [r, straight("aya", "CB", "CB", ITEMS[2:4], subjects=("ریه", "ریه"))]
    made = align(groups)
    one, other = decisions_of(groups, made, {}, [], seed=1)
    assert comparisons_of([(one, other)], made, seed=1) == []


def test_a_repeated_question_counts_once_by_its_first_answer() -> None:
    aya = straight("aya", "BBCA", "BBCB", [*ITEMS[:3], ITEMS[1]])
    v = straight("v", "BBCB", "BBCB")
    made = align([aya, v])
    decided = {one.model: one for one in decisions_of([aya, v], made, {}, [], seed=1)}
    number = made.numbers["v", "straight"]
    assert on(decided["aya"], number).tolist()[:3] == [1.0, 1.0, 1.0]
    assert np.isnan(on(decided["aya"], number)[3])
    late = straight("aya", "BACB", "BBCB", [*ITEMS[:3], ITEMS[1]])
    made = align([late, v])
    decided = {one.model: one for one in decisions_of([late, v], made, {}, [], seed=1)}
    assert on(decided["aya"], made.numbers["v", "straight"])[1] == 0.0


def test_scores_go_to_their_question_whatever_the_order_of_rows() -> None:
    """v has the second and fourth question right, r, asked in another order, the second alone."""
    v = straight("v", "ABAB", "BBCB")
    r = straight("r", "AABA", "BCBB", [ITEMS[3], ITEMS[2], ITEMS[1], ITEMS[0]])
    found = single(v, r)
    assert (found["accuracy"], found["discordant"]) == ([50.0, 25.0], [1, 0])
    assert single(r, v)["discordant"] == [0, 1]


def test_names_say_what_differs() -> None:
    groups = [group(["AAABB"] * 4, "AAAA", "r"), group(["AABBB"] * 4, "AAAA", "r", "straight")]
    made = align(groups)
    by_rule = {(d.prompting, d.rule): d for d in decisions_of(groups, made, {}, [], seed=1)}
    found = comparisons_of([(by_rule["cot", "sc3of5"], by_rule["straight", "single"])], made, seed=1)[0]
    assert (found["rule"], found["prompting"]) == ("sc3of5 vs single", "cot vs straight")
    assert (found["a_rule"], found["b_rule"], found["a_prompting"]) == ("sc3of5", "single", "cot")
    assert found["suite"] == "s"
