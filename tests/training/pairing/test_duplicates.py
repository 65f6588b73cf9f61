"""Repeated pairs and questions: exact, swapped, near; the hashing against the real overlap of all pairs."""

from __future__ import annotations

import random
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.pairing.samples import WORDS, answer, pair
from training.pair_rows import PairRow
from training.pairing.duplicates import alone, question_groups
from training.pairing.near import groups, jaccard, near, shingles

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

    def test_swapped_sides_contradict(self) -> None:
        assert left(pair("a", CHOSEN, REJECTED), pair("b", REJECTED, CHOSEN))[1] == {"b": "contradicts an earlier pair"}

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
