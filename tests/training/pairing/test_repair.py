"""Repair of one pair: letter case, every reason to drop it, both sides in one hand."""

from __future__ import annotations

import pytest

from gaokerena.options import read_option
from tests.training.pairing.samples import pair
from training.casing import Casing
from training.decontaminate import Reference
from training.pair_rows import PairRow, Source
from training.pairing.features import FAMILIES
from training.pairing.questions import question_of
from training.pairing.repair import cased, fault, one_hand

CHOSEN = "یک بار سنجش کافی نیست و باید در نوبت دیگری تکرار شود. بنابراین گزینهٔ [B] درست است."
REJECTED = "فشار بالا همیشه خطرناک است و باید زود دست به کار شد. بنابراین گزینهٔ [C] درست است."


def taught(chosen: str = CHOSEN, rejected: str = REJECTED, source: Source = "teacher_correction") -> PairRow:
    return pair("p", chosen, rejected, gold="B", source=source)


class TestCase:
    casing = Casing({"mri": "MRI"})

    def test_both_sides_follow_one_convention_once(self) -> None:
        row = cased(pair("p", "در mri و Ct", "در MRI و ct و Mri"), self.casing)
        assert row is not None
        assert (row.better, row.worse) == ("در MRI و ct", "در MRI و ct و MRI")
        assert row.provenance["repairs"] == ["letter case"]
        assert cased(row, Casing({"mri": "mRi"})) is row, "a row repaired before stays"

    def test_sides_that_were_apart_in_case_alone_are_no_pair(self) -> None:
        assert cased(pair("p", "در mri", "در MRI"), self.casing) is None


class TestFault:
    def test_a_good_pair_has_none(self) -> None:
        assert fault(taught(), Reference()) is None
        assert fault(taught(), None) is None

    @pytest.mark.parametrize(
        ("chosen", "rejected", "reason"),
        [
            ("بله", REJECTED, "chosen: short"),
            (CHOSEN + " 漢字", REJECTED, "chosen: foreign_script"),
            (CHOSEN, "موتورik " + REJECTED, "rejected: mixed_script_word"),
            ("the pressure should be measured again, so " + CHOSEN[-20:], REJECTED, "chosen: not_persian"),
            ("استدلال دانشجو نادرست بود. " + CHOSEN, REJECTED, "chosen: names the student or the correction"),
            (CHOSEN.replace("[B]", "[D]"), REJECTED, "chosen: does not reach the key"),
            (CHOSEN, REJECTED.replace("[C]", "[B]"), "rejected: reaches the key"),
        ],
    )
    def test_every_reason_to_drop_a_pair(self, chosen: str, rejected: str, reason: str) -> None:
        assert fault(taught(chosen, rejected), None) == reason

    def test_a_rejected_side_that_chooses_nothing_is_a_fair_one(self) -> None:
        row = taught(CHOSEN, REJECTED.partition("بنابراین")[0])
        assert fault(row, None) is None
        assert one_hand(row) == (None, "one hand: the rejected side chooses nothing")

    def test_people_may_prefer_the_better_of_two_right_answers_and_speak_of_students(self) -> None:
        right = REJECTED.replace("[C]", "[B]")
        assert fault(taught("دانشجو بود. " + CHOSEN, right, "expert"), None) is None
        assert fault(taught(CHOSEN.replace("[B]", "[D]"), right, "expert"), None) == "chosen: does not reach the key"
        assert fault(pair("p", REJECTED, right), None) is None, "without a key nothing is asked of it"

    @pytest.mark.parametrize("tested", [CHOSEN, REJECTED, "فشار خون بیماری در نخستین دیدار بالا بوده است"])
    def test_what_is_tested_may_not_be_trained_on(self, tested: str) -> None:
        references = Reference()
        references.add("ibmsee_2023", [tested.replace("ی", "ي")])
        assert fault(taught(), references) == "shares_8_gram_with_ibmsee_2023"


class TestOneHand:
    def test_the_rejected_side_is_the_chosen_text_with_the_wrong_conclusion(self) -> None:
        chosen = CHOSEN.replace("بنابراین", "\n\n### **نتیجه‌گیری:**\n- **بنابراین") + "**\n(سنجش دوباره)"
        row, reason = one_hand(taught(chosen))
        assert reason is None
        assert row is not None
        body = "یک بار سنجش کافی نیست و باید در نوبت دیگری تکرار شود."
        assert row.better == f"{body}\n\nبنابراین پاسخ درست گزینهٔ [B] است."
        assert row.worse == f"{body}\n\nبنابراین پاسخ درست گزینهٔ [C] است."
        assert row.provenance["repairs"] == ["one hand"]
        assert one_hand(row) == (row, None), "once is enough"

    def test_no_feature_but_the_last_letter_tells_the_sides_apart(self) -> None:
        row, _ = one_hand(taught())
        assert row is not None
        for name, count in FAMILIES.items():
            one, other = count(row.better), count(row.worse)
            assert {key for key in one if one[key] != other[key]} <= {"last letter is B", "last letter is C"}, name
        options = question_of(row).options
        assert [read_option(text, options).choice for text in (row.better, row.worse)] == ["B", "C"]

    @pytest.mark.parametrize(
        ("chosen", "reason"),
        [
            ("گزینهٔ [B] درست است. " + CHOSEN.partition("بنابراین")[0] * 2, "one hand: reasons after the conclusion"),
            ("پاسخ گزینهٔ [B] است.", "one hand: no reasoning before the conclusion"),
        ],
    )
    def test_why_it_cannot_be_done(self, chosen: str, reason: str) -> None:
        assert one_hand(taught(chosen)) == (None, reason)
