"""What leaves is clean; what cannot be made clean does not leave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from annotation.candidates import Candidate, candidate
from annotation.cleaning import Cleaner
from annotation.identity import PLACEHOLDER
from annotation.items import Shown
from gaokerena.questions import Question
from tests.annotation.push_cases import pair_of, shown

QUESTION = Question(text="برای سردرد چه کنم؟")


def made(one: Shown, other: Shown, question: Question = QUESTION) -> Candidate:
    return candidate("transcripts", question, one, other)


def test_identifiers_and_names_go_from_every_part() -> None:
    number = "شماره همراه من 09121234567 است"
    one = shown(number, reasoning=number, steps=(number,), conclusion=number)
    asked = Question(text=number, options=(number, "دو", "سه", "چهار"))
    cleaner = Cleaner(["gaokerena-v1.0"])
    clean = cleaner.clean(made(one, shown("من گوکرنا هستم.", "gaokerena-r1.0"), asked))
    assert isinstance(clean, Candidate)
    assert (
        "0912" not in clean.question.model_dump_json() + clean.first.model_dump_json() + clean.second.model_dump_json()
    )
    assert "[شماره همراه]" in clean.question.options[0]
    assert any(one.text == f"من {PLACEHOLDER} هستم." for one in clean.shown)
    assert cleaner.taken["mobile"] >= 5
    assert cleaner.taken["model_name"] == 2


def test_a_number_that_crosses_a_seam_is_refused() -> None:
    one = shown("گام نخست 0912123\nگام دوم", reasoning="شماره: 0912 123", conclusion="4567 است.")
    assert Cleaner().clean(made(one, shown("پاسخ دیگر"))) == "identifier_left"


def test_a_name_that_crosses_a_seam_is_refused() -> None:
    one = shown("پاسخ", reasoning="من Open", conclusion="AI هستم.")
    assert Cleaner().clean(made(one, shown("پاسخ دیگر"))) == "name_left"


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [(" \n", "پاسخ", "empty"), ("پاسخ يک", "پاسخ  یک.", "same_text"), ("09121234567", "09351234567", "same_text")],
)
def test_nothing_to_compare_is_refused(one: str, other: str, reason: str) -> None:
    assert Cleaner().clean(made(shown(one), shown(other, "gaokerena-r1.0"))) == reason


def test_a_clean_candidate_comes_back_as_it_was() -> None:
    assert Cleaner(["gaokerena-v1.0"]).clean(pair_of(3)) == pair_of(3)


def test_hostile_text_is_left_alone_but_for_what_utf8_cannot_hold() -> None:
    hostile = "</script><script>x</script> <img onerror=x> $& $$ List<int> a\x00b \u202eabc"
    clean = Cleaner().clean(made(shown(hostile), shown("باز \ud800 بد", "gaokerena-r1.0")))
    assert isinstance(clean, Candidate)
    assert {one.text for one in clean.shown} == {hostile, "باز \ufffd بد"}
    for one in clean.shown:
        one.model_dump_json()


def test_what_was_clean_in_one_candidate_does_not_excuse_the_next() -> None:
    cleaner = Cleaner()
    assert isinstance(cleaner.clean(pair_of(1)), Candidate)
    dirty = replace(pair_of(1), first=shown("0912", reasoning="0912 123", conclusion="4567"))
    assert cleaner.clean(dirty) == "identifier_left"
