"""Pairs fit to train on: every reason to drop one, balanced lengths, the held-out part, the rows, the cues."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.prompts import COT_CHOICE
from gaokerena.questions import Question
from tests.real_data import data_folder
from tests.training.toy import OPTIONS, benchmark, pair, questions, write
from training.decontaminate import Reference
from training.documents import held_out, question_key
from training.manifest import read_json, read_jsonl
from training.mini import make
from training.pairs import _BUCKET, balance_lengths, build, cues, fault
from training.sources import PublishedPair, reference

ASKED = "فشار خون بیماری در نخستین دیدار بالا بوده است؛ گام بعدی چیست؟"
CHOSEN = "یک بار سنجش کافی نیست و باید در نوبت دیگری تکرار شود. بنابراین گزینهٔ [B] درست است."
REJECTED = "فشار بالا همیشه خطرناک است و باید زود دست به کار شد. بنابراین گزینهٔ [C] درست است."


def published(chosen: str = CHOSEN, rejected: str = REJECTED, asked: str = ASKED, number: int = 0) -> PublishedPair:
    return PublishedPair(f"pair-{number}", Question(text=asked, options=OPTIONS, gold="B"), chosen, rejected, 3)


class TestFault:
    def test_a_good_pair_has_none(self) -> None:
        assert fault(published(), Reference()) is None

    @pytest.mark.parametrize(
        ("chosen", "rejected", "reason"),
        [
            ("", REJECTED, "chosen: short"),
            (CHOSEN, "گزینهٔ [C].", "rejected: short"),
            (CHOSEN + " 漢字", REJECTED, "chosen: foreign_script"),
            (CHOSEN, "موتورik " + REJECTED, "rejected: mixed_script_word"),
            ("the pressure should be measured again, so " + CHOSEN[-20:], REJECTED, "chosen: not_persian"),
            (CHOSEN + r" \text{فشار}", REJECTED, "chosen: formula"),
            ("استدلال دانشجو نادرست بود. " + CHOSEN, REJECTED, "chosen: names the student or the correction"),
            ("نسخهٔ اصلاح شده: " + CHOSEN, REJECTED, "chosen: names the student or the correction"),
            (CHOSEN.replace("[B]", "[D]"), REJECTED, "chosen: does not reach the key"),
            (CHOSEN.partition("بنابراین")[0], REJECTED, "chosen: does not reach the key"),
            (CHOSEN, REJECTED.replace("[C]", "[B]"), "rejected: reaches the key or chooses nothing"),
            (CHOSEN, REJECTED.partition("بنابراین")[0], "rejected: reaches the key or chooses nothing"),
        ],
    )
    def test_every_reason_to_drop_a_pair(self, chosen: str, rejected: str, reason: str) -> None:
        assert fault(published(chosen, rejected), Reference()) == reason

    @pytest.mark.parametrize("tested", [ASKED, CHOSEN, REJECTED, "نمونه: " + CHOSEN + " تمام."])
    def test_what_is_tested_may_not_be_trained_on(self, tested: str) -> None:
        references = Reference()
        references.add("ibmsee_2023", [tested])
        assert fault(published(), references) == "shares_8_gram_with_ibmsee_2023"

    def test_the_teachers_words_are_looked_for_in_the_preferred_answer_alone(self) -> None:
        assert fault(published(rejected="یک دانشجو می‌داند. " + REJECTED), Reference()) is None


SIZES = st.lists(st.tuples(st.integers(40, 900), st.integers(40, 900)), max_size=60)


class TestBalance:
    @staticmethod
    def of_sizes(sizes: list[tuple[int, int]]) -> list[PublishedPair]:
        return [published("آ" * one, "ب" * other, number=number) for number, (one, other) in enumerate(sizes)]

    @staticmethod
    def by_size(pairs: list[PublishedPair]) -> dict[int, Counter[bool]]:
        """At every size of the difference: how often the chosen answer is the longer one, and how often not."""
        found: dict[int, Counter[bool]] = {}
        for one in pairs:
            difference = math.log(len(one.chosen) / len(one.rejected))
            found.setdefault(int(abs(difference) / _BUCKET), Counter())[difference > 0] += 1
        return found

    @given(SIZES)
    def test_either_side_is_longer_equally_often_at_every_size(self, sizes: list[tuple[int, int]]) -> None:
        pairs = self.of_sizes(sizes)
        kept = balance_lengths(pairs, 1)
        counts = self.by_size(kept)
        assert all(count[True] == count[False] for count in counts.values())
        most = sum(2 * min(count[True], count[False]) for count in self.by_size(pairs).values())
        assert len(kept) == most, "the most pairs that can be kept"
        numbers = [int(one.id.rpartition("-")[2]) for one in kept]
        assert numbers == sorted(set(numbers)), "each once, in their order"

    def test_a_length_cue_is_gone_and_the_seed_decides_which_pairs_stay(self) -> None:
        rng = random.Random(4)
        sizes = [(rng.randint(300, 900), rng.randint(200, 500)) for _ in range(400)]
        pairs = self.of_sizes(sizes)
        assert cues((one.chosen, one.rejected) for one in pairs)["characters"] > 0.85
        kept = balance_lengths(pairs, 1)
        assert cues((one.chosen, one.rejected) for one in kept)["characters"] == 0.5
        assert kept == balance_lengths(pairs, 1)
        assert kept != balance_lengths(pairs, 2)


class TestCues:
    def test_each_feature_is_read_at_its_better_direction_and_ties_count_half(self) -> None:
        sides = [("ب", "MRI ب"), ("ب\nپ", "CT"), ("پ", "پ"), ("**ب**", "ب")]
        assert cues(sides) == {
            "upper_case_latin": 0.75,  # says rejected twice, two ties: right for the chosen one on 1 of 4
            "characters": 0.625,  # chosen longer twice, rejected once, one tie
            "lines": 0.625,
            "bold_marks": 0.625,
            "latin_share": 0.75,
        }

    def test_no_pairs_show_no_cue(self) -> None:
        assert set(cues([]).values()) == {0.5}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stage `pairs` run on toy pairs as published: the preferred answers in lower case."""
    folder = tmp_path_factory.mktemp("pairs")
    template = "بیماری {age} ساله با سردرد و تهوع به درمانگاه آمده است؛ نخستین کار درست چیست؟"
    asked = [*islice(questions(template, away=False), 16), *islice(questions(template, away=True), 4)]
    rows = [
        pair(
            one, OPTIONS, "B", _sized(CHOSEN, 160 + 40 * (place % 2)).lower(), _sized(REJECTED, 200 - 40 * (place % 2))
        )
        for place, one in enumerate(asked)
    ]
    rows += [rows[0], pair("پرسش آزمون با هشت واژهٔ تازه و یگانه چیست؟", OPTIONS, "B", CHOSEN, REJECTED)]
    rows += [pair("پرسشی که پاسخش نرسید، چیست؟", OPTIONS, "D", CHOSEN, REJECTED)]
    tested = [benchmark("mmlu_fa", "پرسش آزمون با هشت واژهٔ تازه و یگانه چيست", ("سل", "آسم", "سرفه", "تب"), "A")]
    write(folder / "data", preference_pairs=rows, benchmarks=tested)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAOKERENA_DATA", str(folder / "data"))
        make(folder / "run", "pairs")
    return folder / "run" / "pairs"


def _sized(answer: str, size: int) -> str:
    """`answer` with an MRI and a filler in front, `size` characters in all: one side is longer, then the other."""
    filler = "در MRI چیزی دیده نشد و باز هم باید سنجید " * 5
    return f"{filler[: size - len(answer) - 2]}. {answer}"


def rows_of(run: Path) -> list[tuple[str, dict[str, Any]]]:
    rows = [(name, row) for name in ("train", "held_out") for row in read_jsonl(run / f"{name}.jsonl")]
    assert len(rows) == 20
    return rows


class TestBuild:
    def test_every_pair_is_kept_or_counted_under_its_reason(self, run: Path) -> None:
        manifest = read_json(run / "manifest.json")
        dropped = manifest["dropped"]
        assert dropped["repeated question"] == 1
        assert dropped["shares_8_gram_with_mmlu_fa"] == 1
        assert dropped["chosen: does not reach the key"] == 1
        assert sum(dropped.values()) + sum(manifest["counts_out"].values()) == 23
        assert manifest["counts_out"] == {"train": 16, "held_out": 4}

    def test_the_held_out_pairs_are_those_of_held_out_questions(self, run: Path) -> None:
        for name, row in rows_of(run):
            text = row["prompt"][0]["content"].partition("\n")[0]
            assert held_out(question_key(Question(text=text))) == (name == "held_out")

    def test_rows_have_the_schema_of_pairs(self, run: Path) -> None:
        keys = {"id", "prompt", "chosen", "rejected", "source", "question_id", "weight", "provenance"}
        for _, row in rows_of(run):
            assert set(row) == keys
            ((asked,), (chosen,), (rejected,)) = row["prompt"], row["chosen"], row["rejected"]
            assert (asked["role"], chosen["role"], rejected["role"]) == ("user", "assistant", "assistant")
            assert asked["content"].endswith(COT_CHOICE)
            assert f"[B] {OPTIONS[1]}" in asked["content"]
            assert (row["source"], row["weight"]) == ("teacher_correction", 1.0)
            assert row["provenance"]["gold"] == "B"
            assert row["provenance"]["part"] == 3
            text = asked["content"].partition("\n")[0]
            assert row["question_id"] == Question(text=text, options=OPTIONS).id

    def test_the_case_of_letters_tells_no_longer_which_side_it_is(self, run: Path) -> None:
        found = read_json(run / "manifest.json")["cues"]
        assert found["before"]["upper_case_latin"] > 0.9
        assert found["after"]["upper_case_latin"] == 0.5
        assert found["after"]["characters"] == 0.5
        assert all("MRI" in row["chosen"][0]["content"] for _, row in rows_of(run))


@pytest.mark.data
@pytest.mark.slow
def test_the_published_pairs_lose_their_cues_of_case_and_length() -> None:
    folder = data_folder()
    dropped: Counter[str] = Counter()
    train, away, found = build(folder, 13, reference(folder), dropped)
    assert found["before"]["upper_case_latin"] > 0.99, "papers: 99.77 % of the pairs"
    assert found["after"]["upper_case_latin"] < 0.6
    assert found["after"]["characters"] < 0.51, "a few pairs of equal length count half"
    assert len(train) + len(away) + sum(dropped.values()) == 11_165, "every published pair is kept or counted"
    assert len(train) > 2000
    assert not {row["question_id"] for row in train} & {row["question_id"] for row in away}
    for row in json.loads(json.dumps(train[:200])):
        assert row["chosen"][0]["content"] != row["rejected"][0]["content"]
