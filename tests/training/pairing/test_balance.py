"""Balancing single cues: both ways equally often at every size, nothing where nothing tells, each two letters alike."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.pairing.samples import exchangeable, pair, planted
from training.pair_rows import PairRow
from training.pairing.audit import audit
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


def weighing(longer: tuple[int, float], shorter: tuple[int, float]) -> list[PairRow]:
    """So many pairs of a weight whose chosen side is the longer one, and the shorter one; else nothing tells."""
    ways = [("درد شدید", "درد", *longer), ("درد", "درد شدید", *shorter)]
    return [
        pair(f"{better}-{number}", better, worse, asked=f"{better} {number} چیست؟", weight=weight)
        for better, worse, count, weight in ways
        for number in range(count)
    ]


def weight_for(rows: Sequence[PairRow], text: str) -> float:
    return math.fsum(row.weight for row in rows if row.better == text)


def test_uneven_weights_on_even_rows_are_balanced_by_weight() -> None:
    rows = weighing((60, 1.0), (60, 0.1))
    assert not audit(rows)["passed"]
    kept, cost = balance(rows, limit=0.6, seed=1)
    assert Counter(row.better for row in kept) == {"درد شدید": 6, "درد": 60}
    assert cost.total() == 54
    assert balance(kept, limit=0.6, seed=3) == (kept, Counter())


def test_what_is_even_by_weight_costs_nothing_however_many_rows_there_are() -> None:
    rows = weighing((20, 1.0), (100, 0.2))
    assert balance(rows, limit=0.6, seed=1) == (rows, Counter())


def test_whole_pairs_that_do_not_fit_make_room_for_those_that_do() -> None:
    rows = [*weighing((40, 1.0), (40, 0.3)), pair("small", "درد شدید", "درد", weight=0.25)]
    kept, _ = balance(rows, limit=0.6, seed=1)
    assert weight_for(kept, "درد") == pytest.approx(12)
    assert 11 < weight_for(kept, "درد شدید") <= 12 + 1e-9


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
