"""Seats, gold items and duplicates: fair, seeded, far apart, and not to be told from the rest."""

from __future__ import annotations

from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.candidates import item_key
from annotation.gold import Gold
from annotation.items import Item
from annotation.judged import mirror
from annotation.mixing import Mixing, gold_item, gold_key, item_of, mixed
from gaokerena.expert_verdicts import GRADES
from gaokerena.questions import Question
from tests.annotation.push_cases import pair_of, shown

KEY = b"k" * 32


def mains(number: int, seed: int = 1) -> list[Item]:
    return [item_of(pair_of(place), ("random",), KEY, seed) for place in range(number)]


def golds(number: int, seed: int = 1) -> list[Item]:
    made = [
        Gold(
            Question(text=f"پرسش {place}؟"),
            shown(f"خوب {place}", "gold-left"),
            shown(f"بد {place}", "gold-right"),
            "left",
        )
        for place in range(number)
    ]
    return [gold_item(gold, KEY, seed) for gold in made]


def test_seats_are_drawn_fairly_and_again_the_same() -> None:
    left = sum(item.sides["left"].model == "gaokerena-v1.0" for item in mains(400))
    assert 160 < left < 240  # four standard deviations
    assert [item.id for item in mains(50)] == [item.id for item in mains(50)]
    assert [item.sides for item in mains(50)] != [item.sides for item in mains(50, seed=2)]


def test_an_item_knows_what_it_was_made_of_whoever_sits_where() -> None:
    for place, item in enumerate(mains(20)):
        assert item_key(KEY, item) == pair_of(place).key(KEY)


def test_a_gold_grade_turns_with_the_seats() -> None:
    better = {item.gold: {side for side in item.sides if item.sides[side].model == "gold-left"} for item in golds(40)}
    assert better == {"left": {"left"}, "right": {"right"}}
    assert all(mirror(mirror(grade)) == grade for grade in GRADES)
    for item in golds(10):
        first, second = item.sides["left"], item.sides["right"]
        assert item_key(KEY, item) == gold_key(KEY, Gold(item.question, first, second, "equal"))


@given(st.integers(0, 120), st.integers(0, 8), st.integers(1, 40), st.floats(0, 0.5), st.integers(0, 5))
@settings(deadline=None, max_examples=60)
def test_twins_are_far_apart_and_nothing_is_lost(
    comparisons: int, gold: int, distance: int, rate: float, seed: int
) -> None:
    mixing = Mixing(seed=seed, duplicates=rate, distance=distance)
    items = mixed(mains(comparisons), golds(gold), mixing, key=KEY)
    places = dict(zip((item.id for item in items), count()))
    assert len(places) == len(items)
    plain = [item.id for item in items if item.kind == "comparison"]
    assert plain == [item.id for item in mains(comparisons)]
    assert sum(item.kind == "gold" for item in items) == gold
    twins = [item for item in items if item.kind == "duplicate"]
    assert len(twins) == min(int(rate * comparisons + 0.5), max(0, comparisons - distance + 1))
    for twin in twins:
        assert twin.twin is not None
        assert places[twin.id] - places[twin.twin] >= distance


def test_small_pushes_reach_the_rates_together() -> None:
    mixing = Mixing(duplicates=0.2, gold=0.1, distance=8)
    sent: list[Item] = []
    for start in range(0, 60, 6):
        new, gold = mains(start + 6)[start:], golds(6)[: mixing.missing("gold", 6, sent)]
        sent += mixed(
            new, [one.model_copy(update={"id": f"{one.id}{start}"}) for one in gold], mixing, key=KEY, earlier=sent
        )
    places = {item.id: place for place, item in enumerate(sent)}
    assert len(places) == len(sent)
    twins = [item for item in sent if item.kind == "duplicate"]
    assert (len(twins), sum(item.kind == "gold" for item in sent)) == (12, 6)
    assert len({twin.twin for twin in twins}) == 12
    assert all(places[twin.id] - places[twin.twin or ""] >= 8 for twin in twins)


def test_a_push_of_nothing_adds_nothing() -> None:
    assert mixed([], [], Mixing(duplicates=0.5, distance=1), key=KEY, earlier=mains(20)) == []


def test_a_twin_never_shows_an_answer_on_the_same_side() -> None:
    items = {item.id: item for item in mixed(mains(60), [], Mixing(duplicates=0.5), key=KEY)}
    twins = [item for item in items.values() if item.twin]
    assert len(twins) == 30
    for item in twins:
        first = items[item.twin or ""]
        assert item.sides["left"] == first.sides["right"]
        assert item.sides["right"] == first.sides["left"]
        assert item.question == first.question


def test_gold_is_spread_over_the_whole_order() -> None:
    items = mixed(mains(100), golds(10), Mixing(duplicates=0), key=KEY)
    places = [place for place, item in enumerate(items) if item.kind == "gold"]
    assert [place // 11 for place in places] == list(range(10))
    assert len({place % 11 for place in places}) > 3


def test_ids_look_alike_whatever_the_item_is() -> None:
    items = mixed(mains(60), golds(6), Mixing(duplicates=0.2), key=KEY)
    assert {item.kind for item in items} == {"comparison", "gold", "duplicate"}
    assert len({(len(item.id), item.id[0]) for item in items}) == 1
