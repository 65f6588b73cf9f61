"""Repeated pairs and questions: exact, swapped, near; the hashing against the real overlap of all pairs."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaokerena.prompts import user_text
from gaokerena.questions import Question
from tests.training.pairing.samples import WORDS, answer, pair, turn
from training.pair_rows import PairRow, write_pairs
from training.pairing.duplicates import alone, question_groups
from training.pairing.near import groups, jaccard, near, shingles
from training.round_plan import Round
from training.round_publish import label_rows

CHOSEN = " ".join(WORDS[:30])
REJECTED = " ".join(WORDS[10:40])


def left(*rows: PairRow) -> tuple[list[str], dict[str, str]]:
    """The ids that stay, and why the others go."""
    why: dict[str, str] = {}
    kept = alone(rows, lambda row, reason: why.update({row.id: reason}))
    return [row.id for row in kept], why


class TestAlone:
    def test_a_pair_in_another_spelling_is_a_duplicate_and_the_first_stays(self) -> None:
        other = CHOSEN.replace("ی", "ي").replace("ک", "ك")
        kept, why = left(pair("a", CHOSEN, REJECTED), pair("b", other, f"  {REJECTED}"))
        assert (kept, why) == (["a"], {"b": "duplicate"})

    def test_pairs_that_prefer_opposite_marks_contradict_each_other(self) -> None:
        text, other = "درد شدید است.", "درد شدید است"
        assert left(pair("a", text, other), pair("b", other, text))[0] == []
        assert left(pair("a", text, other), pair("b", text, other))[1] == {"b": "duplicate"}

    def test_a_few_other_words_make_a_near_duplicate(self) -> None:
        assert left(pair("a", CHOSEN, REJECTED), pair("b", CHOSEN + " است", REJECTED))[1] == {"b": "near duplicate"}

    def test_another_chosen_answer_or_another_question_is_another_pair(self) -> None:
        rng = random.Random(1)
        rows = [pair("a", CHOSEN, REJECTED), pair("b", answer(rng), REJECTED)]
        rows += [pair("c", CHOSEN, REJECTED, asked="آیا در بارداری می‌توان این دارو را بی‌دغدغه مصرف کرد یا نه؟")]
        assert left(*rows)[0] == ["a", "b", "c"]

    def test_a_near_duplicate_of_one_that_went_may_stay(self) -> None:
        words = [f"واژه{number}" for number in range(120)]
        texts = [" ".join(words[start : start + 100]) for start in (0, 7, 14)]
        one, other, last = (shingles(text, 5) for text in texts)
        assert jaccard(one, last) < 0.8 < jaccard(one, other), "neighbours are near, the ends are not"
        rows = [pair(str(place), text, text + " پایان") for place, text in enumerate(texts)]
        assert left(*rows)[0] == ["0", "2"]


class TestNear:
    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 50))
    def test_what_is_found_is_near_and_little_near_is_missed(self, seed: int) -> None:
        rng = random.Random(seed)
        base = [rng.choices(WORDS, k=60) for _ in range(3)]
        texts = []
        for _ in range(12):
            words = list(rng.choice(base))
            for _ in range(rng.randint(0, 6)):
                words[rng.randrange(60)] = rng.choice(WORDS)
            texts.append(" ".join(words))
        sets = [shingles(text, 3) for text in texts]
        found = set(near(texts, size=3, least=0.7))
        assert all(jaccard(sets[one], sets[other]) >= 0.7 for one, other in found)
        sure = {(one, other) for one, other in combinations(range(12), 2) if jaccard(sets[one], sets[other]) >= 0.8}
        assert len(sure - found) <= 0.1 * len(sure)

    def test_groups_join_what_is_linked(self) -> None:
        assert groups(6, [(0, 2), (4, 2), (3, 5)]) == [0, 1, 0, 3, 0, 3]
        assert groups(0, []) == []

    def test_short_and_empty_texts(self) -> None:
        assert list(near(["درد", "درد", "", "تب", ""], size=3, least=0.7)) == [(0, 1), (2, 4)]


def test_one_question_with_other_options_and_a_near_one_are_one_group() -> None:
    asked = "کودکی پنج ساله با تب و سرفه و درد گوش از دو روز پیش به درمانگاه آمده است؛ نخستین گام کدام است؟"
    rows = [
        pair("a", CHOSEN, REJECTED, asked=asked),
        pair("b", CHOSEN, REJECTED, asked=asked, options=("یک", "دو", "سه", "چهار")),
        pair("c", CHOSEN, REJECTED, asked=asked.replace("کودکی", "کودک")),
        pair("d", CHOSEN, REJECTED, asked="پیامد شایع دیابت کدام است؟", options=("یک", "دو", "سه", "چهار")),
    ]
    assert question_groups(rows) == [0, 0, 0, 3]


def vote(name: str, better: str = CHOSEN, worse: str = REJECTED, weight: float = 1.0, **more: Any) -> PairRow:
    """A doctor's vote, with what leads back to its label."""
    told = {"verdict_ids": [f"w{name}"], "judges": ["d1"], "item_id": f"i{name}", "comparison_id": f"c{name}"}
    made = pair(name, better, worse, weight=weight, **more)
    return made.model_copy(update={"provenance": told})


def against(name: str, weight: float = 1.0, **more: Any) -> PairRow:
    return vote(name, REJECTED, CHOSEN, weight, **more)


def settled(*rows: PairRow) -> tuple[list[PairRow], Counter[str]]:
    """What stays, and how many went for each reason; every row is one or the other."""
    why: Counter[str] = Counter()
    kept = alone(rows, lambda row, reason: why.update([f"{row.source}: {reason}"]))
    assert len(kept) + why.total() == len(rows)
    return kept, why


class TestContradictions:
    def test_the_majority_stays_once_wherever_it_stands_weighed_by_how_far_they_agree(self) -> None:
        ten = [vote(f"v{n}", weight=0.8) for n in range(10)]
        for rows in ([against("x", 0.8), *ten], [*ten, against("x", 0.8)], [*ten[:4], against("x", 0.8), *ten[4:]]):
            (row,), why = settled(*rows)
            assert (row.id, row.better) == ("v0", CHOSEN)
            assert row.weight == pytest.approx((10 - 1) / (10 + 1) * 0.8)
            assert why == {"expert: duplicate": 9, "expert: contradicts the majority": 1}

    def test_weights_vote_not_heads(self) -> None:
        (row,), _ = settled(vote("a", weight=0.2), vote("b", weight=0.3), against("c", 0.9))
        assert (row.id, row.better) == ("c", REJECTED)
        assert row.weight == pytest.approx((0.9 - 0.5) / 1.4 * (1.4 / 3))

    def test_agreeing_votes_weigh_exactly_what_each_weighs(self) -> None:
        for weight in (0.1, 0.7, 0.9, 1 / 3):
            (row,), _ = settled(*(vote(f"v{n}", weight=weight) for n in range(7)))
            assert row.weight == weight

    def test_a_tie_drops_all_and_says_so(self) -> None:
        rows = [vote("a", weight=0.1), vote("b", weight=0.2), against("c", 0.3), vote("j", source="judge")]
        kept, why = settled(*rows)
        assert kept == []
        assert why == {
            "expert: contradicted as often as confirmed": 3,
            "judge: a better source contradicts itself": 1,
        }

    def test_a_better_source_wins_over_many_of_a_worse_one_whatever_the_order(self) -> None:
        judged = [against(f"j{n}", source="judge") for n in range(5)]
        for rows in ([*judged, vote("a", weight=0.4)], [vote("a", weight=0.4), *judged]):
            (row,), why = settled(*rows)
            assert row == vote("a", weight=0.4), "the worse source's votes do not weigh"
            assert why == {"judge: contradicts a better source": 5}

    def test_nearly_swapped_sides_contradict_and_nearly_equal_ones_vote(self) -> None:
        rows = [vote("a"), vote("b", REJECTED + " است", CHOSEN), vote("c", CHOSEN + " نیست", REJECTED)]
        (row,), why = settled(*rows)
        assert row.id == "a"
        assert row.weight == pytest.approx(1 / 3)
        assert why == {"expert: contradicts the majority": 1, "expert: near duplicate": 1}

    def test_the_same_comparison_asked_straight_and_with_a_chain_of_thought_is_one(self) -> None:
        question = Question(text="برای تب کودک چه کنم؟")
        rows = []
        for row, how in ((vote("a"), "straight"), (against("b"), "cot")):
            rows.append(row.model_copy(update={"prompt": (turn("user", user_text(question, cast(Any, how))),)}))
        assert settled(*rows)[1] == {"expert: contradicted as often as confirmed": 2}

    def test_earlier_turns_belong_to_the_question(self) -> None:
        asked = vote("a").prompt
        rows = [
            row.model_copy(update={"prompt": (turn("user", first), turn("assistant", "باشد."), *asked)})
            for row, first in (
                (vote("a"), "کودکم پنج سال دارد و از دیروز تب می‌کند."),
                (against("b"), "مادرم هشتاد سال دارد و داروی فشار خون می‌خورد."),
            )
        ]
        assert len(settled(*rows)[0]) == 2

    def test_no_label_behind_the_weight_is_lost(self) -> None:
        (row,), _ = settled(against("x", 0.5), vote("a"), vote("b", CHOSEN + " است"), vote("j", source="judge"))
        assert row.provenance["verdict_ids"] == ["wx", "wa", "wb"]
        assert row.provenance["judges"] == ["d1"]
        assert row.provenance["merged"] == [
            {"id": "x", "weight": 0.5, "agrees": False, "item_id": "ix", "comparison_id": "cx"},
            {"id": "a", "weight": 1.0, "agrees": True, "item_id": "ia", "comparison_id": "ca"},
            {"id": "b", "weight": 1.0, "agrees": True, "item_id": "ib", "comparison_id": "cb"},
        ]
        assert (row.provenance["item_id"], row.provenance["comparison_id"]) == ("ia", "ca")

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(st.booleans(), st.integers(1, 4), st.booleans()), min_size=1, max_size=7), st.randoms())
    def test_no_order_of_rows_changes_who_wins_or_how_much(
        self, said: list[tuple[bool, int, bool]], rng: random.Random
    ) -> None:
        rows = [
            (vote if agrees else against)(f"v{place}", weight=weight / 4, source="public" if public else "judge")
            for place, (agrees, weight, public) in enumerate(said)
        ]
        kept, why = settled(*rows)
        rng.shuffle(rows)
        others, whys = settled(*rows)
        assert [(row.better, row.source) for row in others] == [(row.better, row.source) for row in kept]
        assert [row.weight for row in others] == pytest.approx([row.weight for row in kept])
        assert whys == why
        assert settled(*kept)[0] == kept

    def test_merged_in_two_steps_is_merged_in_one(self) -> None:
        votes = [vote("a"), vote("b"), against("c", 0.5), vote("d"), against("e"), against("f")]
        first, _ = settled(*votes[:4])
        (steps,), _ = settled(*first, *votes[4:])
        (once,), _ = settled(*votes)
        assert (steps.better, steps.weight) == (once.better, pytest.approx(once.weight))
        assert steps.provenance == once.provenance
        (again,), _ = settled(steps, votes[4].model_copy(update={"provenance": {}}), vote("g"))
        assert len(again.provenance["merged"]) == 7, "a vote that comes again counts once"

    def test_a_weight_given_since_weighs_on_every_vote(self) -> None:
        (merged,), _ = settled(vote("a"), vote("b"), against("c"))
        halved = merged.model_copy(update={"weight": merged.weight / 2})
        (row,), _ = settled(halved, against("d", 0.4))
        assert row.better == CHOSEN
        assert row.weight == pytest.approx((1 - 0.9) / 1.9 * (1.9 / 4))
        assert settled(halved, against("d", 0.5))[0] == [], "one against one"


def test_a_rounds_labels_name_every_vote_behind_a_merged_pair(tmp_path: Path) -> None:
    (row,), _ = settled(vote("a"), vote("b"), against("c", 0.5))
    (tmp_path / "build").mkdir()
    write_pairs(tmp_path / "build" / "pairs.jsonl", [row])
    write_pairs(tmp_path / "build" / "held_out.jsonl", [])
    asked = Round(tmp_path / "verdicts.jsonl", "r", tmp_path / "r9", work=tmp_path)
    (label,) = label_rows(asked, asked.settled())
    assert label["verdict_ids"] == ["wa", "wb", "wc"]
    assert [(one["item_id"], one["comparison_id"], one["agrees"]) for one in label["merged"]] == [
        ("ia", "ca", True),
        ("ib", "cb", True),
        ("ic", "cc", False),
    ]
