"""Balancing single cues: both ways equally often at every size, nothing where nothing tells, each two letters alike."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.pairing.samples import exchangeable, pair, planted
from training.pairing.balance import LETTERS_CUE, balance
from training.pairing.features import last_letter


def test_what_tells_nothing_costs_nothing() -> None:
    rows = exchangeable(80, seed=2)
    assert balance(rows, limit=0.6, seed=1) == (rows, Counter())
    assert balance([], limit=0.6, seed=1) == ([], Counter())


def test_a_length_cue_is_gone_and_its_cost_named() -> None:
    rng = random.Random(4)
    rows = exchangeable(300, seed=4)
    mixed = [one if rng.random() < 0.3 else longer for one, longer in zip(rows, planted(rows, "length"), strict=True)]
    kept, cost = balance(mixed, limit=0.6, seed=1)
    assert set(cost) >= {"length: words"} or set(cost) >= {"length: characters"}
    assert len(kept) + cost.total() == len(mixed)
    longer = sum(len(row.better) > len(row.worse) for row in kept) / len(kept)
    assert 0.35 < longer < 0.65
    assert [row.id for row in kept] == sorted((row.id for row in kept), key=lambda name: int(name.rpartition("-")[2]))
    assert balance(mixed, limit=0.6, seed=1) == (kept, cost)
    assert balance(mixed, limit=0.6, seed=2)[0] != kept
    assert balance(kept, limit=0.6, seed=3) == (kept, Counter()), "balanced pairs stay as they are"


LETTERS = st.lists(st.permutations("ABCD").map(lambda letters: (letters[0], letters[1])), min_size=1, max_size=80)


@settings(max_examples=40, deadline=None)
@given(LETTERS)
def test_of_each_two_letters_either_is_preferred_equally_often(two: list[tuple[str, str]]) -> None:
    rows = [pair(str(n), f"پس {one} است.", f"پس {other} است.") for n, (one, other) in enumerate(two)]
    kept, cost = balance(rows, limit=0.5, seed=1)
    assert len(kept) + cost.total() == len(rows)
    if cost:
        counts = Counter((last_letter(row.better), last_letter(row.worse)) for row in kept)
        biased = {name for name in cost if name != LETTERS_CUE}
        assert biased or all(counts[one, other] == counts[other, one] for one, other in counts)


def test_letters_that_circle_are_balanced_though_no_letter_is_preferred_alone() -> None:
    rows = [pair(str(n), f"پس {'ABC'[n % 3]} است.", f"پس {'BCA'[n % 3]} است.") for n in range(90)]
    kept, cost = balance(rows, limit=0.6, seed=1)
    assert cost == {LETTERS_CUE: 90}
    assert kept == [], "A over B, B over C, C over A: the letters alone decide every pair"
