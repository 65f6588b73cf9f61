"""pass@k against all subsets written out, a published table's rule, and what guessing gives."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.evaluation.passk import corrected, guessed, pass_at_k, pass_each

COUNTS = st.integers(1, 9).flatmap(lambda asked: st.tuples(st.integers(0, asked), st.just(asked)))


def ints(*values: int) -> np.ndarray:
    return np.array(values)


@given(st.lists(COUNTS, min_size=1, max_size=5), st.data())
def test_the_share_of_subsets_that_hold_a_right_answer(counted: list[tuple[int, int]], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, min(asked for _, asked in counted)))
    expected = []
    for correct, asked in counted:
        runs = [True] * correct + [False] * (asked - correct)
        drawn = list(itertools.combinations(runs, k))
        expected.append(sum(map(any, drawn)) / len(drawn))
    correct, asked = (np.array(side) for side in zip(*counted, strict=True))
    assert pass_each(correct, asked, k) == pytest.approx(expected)
    assert pass_at_k(correct, asked, k) == pytest.approx(sum(expected) / len(expected))


@given(COUNTS)
def test_more_draws_never_hurt(counted: tuple[int, int]) -> None:
    correct, asked = counted
    values = [float(pass_each(ints(correct), ints(asked), k)[0]) for k in range(1, asked + 1)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(correct / asked)
    assert values[-1] == float(correct > 0)


# Chen et al., arXiv 2107.03374, figure 3: 1 - prod(1 - k / arange(n - c + 1, n + 1)), n = 200 as in their evaluation.
@pytest.mark.parametrize("k", [1, 10, 100])
@pytest.mark.parametrize("correct", [0, 1, 57, 150, 200])
def test_the_numerically_stable_form_as_published(correct: int, k: int) -> None:
    n = 200
    stable = 1.0 if n - correct < k else 1.0 - math.prod(1.0 - k / i for i in range(n - correct + 1, n + 1))
    assert pass_each(ints(correct), ints(n), k)[0] == pytest.approx(stable, abs=1e-12)


def test_hand_worked() -> None:
    assert pass_at_k(ints(5, 0, 2), ints(5, 5, 5), 3) == pytest.approx((1 + 0 + 9 / 10) / 3)
    assert pass_each(ints(1), ints(5), 2)[0] == pytest.approx(0.4)
    assert pass_each(ints(1, 1), ints(2, 4), 2).tolist() == pytest.approx([1.0, 0.5])
    assert [guessed(k) for k in (1, 2, 3)] == [0.25, 0.4375, 0.578125]


@pytest.mark.parametrize("k", [1, 2, 5])
def test_a_guesser_is_worth_nothing_in_expectation(k: int) -> None:
    """The expectation over all counts of right guesses, written out with binomial chances."""
    asked = 5
    chance = [math.comb(asked, c) * 0.25**c * 0.75 ** (asked - c) for c in range(asked + 1)]
    each = pass_each(np.arange(asked + 1), np.full(asked + 1, asked), k)
    assert float(np.dot(chance, each)) == pytest.approx(guessed(k))
    assert corrected(float(np.dot(chance, each)), k) == pytest.approx(0.0, abs=1e-12)
    assert corrected(1.0, k) == 1.0
    assert corrected(0.0, k) < 0


def test_more_draws_than_answers_are_refused() -> None:
    with pytest.raises(ValueError, match="pass@3 needs k from 1 to the answers of a question, of which the fewest"):
        pass_each(ints(1, 1), ints(5, 2), 3)
    with pytest.raises(ValueError, match="pass@0"):
        pass_each(ints(1), ints(5), 0)
