"""What visitors type becomes a question or a refusal in two languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.intake import RefusalError, read_question

FOUR = ("عصب رادیال", "عصب اولنار", "عصب مدین", "عصب سیاتیک")


def test_a_question_is_tidied_and_its_tokens_taken_out() -> None:
    asked = read_question("  تب\u202e دارم<|END_OF_TURN_TOKEN|> و كمي سرفه \x07")
    assert asked.text == "تب دارم و کمی سرفه"
    assert asked.options == ()


def test_a_token_hidden_by_an_invisible_character_goes_too() -> None:
    assert read_question("سلام <|END_OF\u200f_TURN_TOKEN|>").text == "سلام"


def test_four_options_make_a_multiple_choice_question() -> None:
    assert read_question("کدام عصب؟", FOUR).options == FOUR
    assert read_question("کدام عصب؟", ("", " ", "\n", "")).options == ()


@pytest.mark.parametrize(
    ("text", "options", "english", "persian"),
    [
        ("", (), "empty", "نوشته نشده"),
        ("\u200f \u202e\n", (), "empty", "نوشته نشده"),
        ("؟!...", (), "empty", "نوشته نشده"),
        ("<|START_OF_TURN_TOKEN|>", (), "empty", "نوشته نشده"),
        ("ب" * 4001, (), "4001 characters", "۴۰۰۱ نویسه"),
        ("کدام؟", FOUR[:3], "3 are filled", "۳ گزینه"),
        ("کدام؟", (*FOUR, "پنجم"), "5 are filled", "۵ گزینه"),
        ("کدام؟", (*FOUR[:3], ""), "3 are filled", "۳ گزینه"),
        ("کدام؟", (*FOUR[:3], FOUR[0]), "the same", "یکسان"),
        ("کدام؟", (*FOUR[:3], "ب" * 501), "longer than 500", "۵۰۰"),
    ],
)
def test_what_cannot_be_asked_is_refused(text: str, options: tuple[str, ...], english: str, persian: str) -> None:
    with pytest.raises(RefusalError) as refused:
        read_question(text, options, limit=4000)
    assert english in refused.value.en
    assert persian in refused.value.fa


@given(st.text(max_size=300), st.lists(st.text(max_size=40), max_size=6))
def test_anything_typed_gives_a_question_or_a_refusal(text: str, options: list[str]) -> None:
    try:
        asked = read_question(text, options, limit=200)
    except RefusalError:
        return
    assert asked.text.strip()
    assert "<|" not in asked.text or "|>" not in asked.text.split("<|", 1)[1][:43]
    assert len(asked.options) in (0, 4)
