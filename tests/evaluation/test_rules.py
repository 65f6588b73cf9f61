"""Decision rules against plain-Python oracles that count letters, on any answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.evaluation.answers import NO_CHOICE
from gaokerena.evaluation.rules import (
    ABSTAINED,
    OWN_RUNS,
    applicable,
    at_least,
    one_hot,
    plurality,
    pooled,
    right,
    sc3of5,
    single,
    split_best,
    verifier,
    votes,
)
from tests.evaluation.recorded_cases import choices

SIGNS = "ABCD-."


def tables(runs: st.SearchStrategy[int]) -> st.SearchStrategy[list[str]]:
    """Questions, one string of signs each, all with as many runs."""
    return runs.flatmap(lambda n: st.lists(st.text(SIGNS, min_size=n, max_size=n), min_size=1, max_size=12))


ANY = tables(st.integers(1, 8))
FIVE = tables(st.just(5))


def shares(row: np.ndarray) -> dict[str, float]:
    return {sign: float(share) for sign, share in zip("ABCD-", row, strict=True) if share}


def expected_single(signs: str) -> dict[str, float]:
    asked = Counter(signs.replace(".", ""))
    return {sign: count / asked.total() for sign, count in asked.items()} or {"-": 1.0}


def expected_agreed(signs: str, least: int) -> dict[str, float]:
    ranked = Counter(sign for sign in signs if sign in "ABCD").most_common()
    clear = len(ranked) == 1 or (len(ranked) > 1 and ranked[0][1] > ranked[1][1])
    return {ranked[0][0] if clear and ranked[0][1] >= least else "-": 1.0}


def expected_plurality(signs: str) -> dict[str, float]:
    counts = Counter(sign for sign in signs if sign in "ABCD")
    best = [sign for sign, count in counts.items() if count == max(counts.values())]
    return {sign: 1 / len(best) for sign in best} or {"-": 1.0}


ORACLES: list[tuple[str, Callable[[str], dict[str, float]]]] = [
    ("single", expected_single),
    ("sc3of5", lambda signs: expected_agreed(signs[:5], 3)),
    ("plurality", expected_plurality),
]


@pytest.mark.parametrize(("rule", "oracle"), ORACLES, ids=[name for name, _ in ORACLES])
@given(ANY)
def test_a_rule_on_ones_own_runs(rule: str, oracle: Callable[[str], dict[str, float]], table: list[str]) -> None:
    for row, signs in zip(OWN_RUNS[rule](choices(table)), table, strict=True):
        assert shares(row) == pytest.approx(oracle(signs)), signs


@given(ANY, st.integers(1, 8))
def test_a_letter_needs_so_many_runs_and_no_equal(table: list[str], least: int) -> None:
    for row, signs in zip(at_least(choices(table), least), table, strict=True):
        assert shares(row) == expected_agreed(signs, least), signs


@given(st.lists(FIVE, min_size=2, max_size=4))
def test_pooling_counts_every_run_of_every_model(tables_: list[list[str]]) -> None:
    least = min(map(len, tables_))
    cut = [table[:least] for table in tables_]
    for row, signs in zip(pooled([choices(table) for table in cut]), zip(*cut, strict=True), strict=True):
        assert shares(row) == pytest.approx(expected_plurality("".join(signs)))


@given(FIVE, st.text("ABCD-", min_size=12, max_size=12))
def test_the_verifier_speaks_only_where_runs_do_not_agree(table: list[str], final: str) -> None:
    verified = verifier(choices(table), choices([*final])[: len(table), 0])
    for row, signs, said in zip(verified, table, final, strict=False):
        agreed = expected_agreed(signs, 3)
        assert shares(row) == (agreed if agreed != {"-": 1.0} else {said: 1.0}), signs


@pytest.mark.parametrize("rule", OWN_RUNS)
@given(table=FIVE, seed=st.integers(0, 99))
def test_shares_sum_to_one_and_the_order_of_runs_is_nothing(rule: str, table: list[str], seed: int) -> None:
    decided = OWN_RUNS[rule](choices(table))
    assert decided.shape == (len(table), 5)
    assert decided.sum(axis=1) == pytest.approx(np.ones(len(table)))
    assert (decided >= 0).all()
    mixed = np.random.default_rng(seed).permutation(5)
    np.testing.assert_allclose(OWN_RUNS[rule](choices(table)[:, mixed]), decided)


@pytest.mark.parametrize("rule", OWN_RUNS)
@given(table=FIVE, seed=st.integers(0, 99))
def test_renaming_the_letters_renames_the_choice(rule: str, table: list[str], seed: int) -> None:
    """No letter is preferred, not even in a tie."""
    order = np.random.default_rng(seed).permutation(4)
    given_ = choices(table)
    renamed = np.where(given_ >= 0, order[np.maximum(given_, 0)], given_).astype(np.int8)
    np.testing.assert_allclose(
        OWN_RUNS[rule](renamed)[:, [*order, ABSTAINED]], OWN_RUNS[rule](given_)[:, [0, 1, 2, 3, ABSTAINED]]
    )


def by_hand(rule: Callable[[np.ndarray], np.ndarray], signs: str) -> dict[str, float]:
    return shares(rule(choices([signs]))[0])


def test_hand_worked_decisions() -> None:
    assert by_hand(single, "AAB-.") == {"A": 0.5, "B": 0.25, "-": 0.25}
    assert by_hand(sc3of5, "AABBC") == by_hand(sc3of5, "AABB.") == by_hand(sc3of5, ".....") == {"-": 1.0}
    assert by_hand(sc3of5, "AAA--") == {"A": 1.0}
    assert by_hand(sc3of5, "ABCDDD") == {"-": 1.0}, "only the first five runs count"
    assert by_hand(plurality, "AABBC") == {"A": 0.5, "B": 0.5}
    assert by_hand(plurality, "ABCD-") == dict.fromkeys("ABCD", 0.25)
    assert by_hand(plurality, "-----") == {"-": 1.0}
    assert by_hand(lambda given: at_least(given, 2), "AABB-") == {"-": 1.0}
    assert votes(choices(["AAB-.", "DDDDD"])).tolist() == [[2, 1, 0, 0], [0, 0, 0, 5]]


def test_scores_below_or_at_zero_choose_nothing() -> None:
    scores = np.array([[0.0, 0.0, 0.0, 0.0], [-1.0, -2.0, -1.0, -3.0], [0.3, 0.3 + 1e-12, 0.1, 0.0]])
    assert [shares(row) for row in split_best(scores)] == [{"-": 1.0}, {"-": 1.0}, {"A": 0.5, "B": 0.5}]


def test_one_hot_and_the_share_that_is_right() -> None:
    decided = one_hot(np.array([0, 3, NO_CHOICE]))
    assert [shares(row) for row in decided] == [{"A": 1.0}, {"D": 1.0}, {"-": 1.0}]
    assert right(decided, np.array([0, 0, 0], np.int8)).tolist() == [1.0, 0.0, 0.0]
    assert right(plurality(choices(["AABB."])), np.array([1], np.int8)).tolist() == [0.5]


def applied(samples: int) -> Sequence[str]:
    return [rule for rule in OWN_RUNS if applicable(rule, samples)]


def test_a_rule_applies_where_it_says_more_than_one_run() -> None:
    assert applied(1) == ["single"]
    assert applied(2) == applied(4) == ["single", "plurality"]
    assert applied(5) == applied(10) == ["single", "sc3of5", "plurality"]
