"""Keys: letters mean themselves, numbers count from where the whole suite says, and no row is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.evaluation.suite_files import SuiteError
from gaokerena.evaluation.suite_keys import key_base, read_key
from gaokerena.persian import persian_digits
from gaokerena.questions import LETTERS

PLACES = st.lists(st.integers(0, 3), max_size=30)
DRESSED = st.sampled_from(["{}", " {} ", "({})", "{}.0", "[{}]", "«{}»", "{}.", "\u202b{}\u202c"])


@pytest.mark.parametrize(
    ("key", "letter"),
    [("A", "A"), (" d ", "D"), ("(b)", "B"), ("الف", "A"), ("ب", "B"), ("ج", "C"), ("د)", "D"), ("\u200fالف", "A")],
)
def test_letters_mean_themselves(key: str, letter: str) -> None:
    assert read_key(key, None) == read_key(key, 0) == read_key(key, 1) == letter


@pytest.mark.parametrize("key", ["", " ", "E", "AB", "الفب", "12", "-1", "3.5", "none", "؟", "A/B"])
def test_what_is_no_key_is_not_read(key: str) -> None:
    assert read_key(key, 0) is None
    assert read_key(key, 1) is None


@given(PLACES, DRESSED, st.sampled_from([0, 1]), st.booleans())
def test_numbers_count_from_where_the_suite_says(places: list[int], dress: str, base: int, persian: bool) -> None:
    decisive = 0 if base == 0 else 3
    keys = [dress.format(persian_digits(place + base) if persian else place + base) for place in (*places, decisive)]
    assert key_base(keys) == base
    assert [read_key(key, key_base(keys)) for key in keys] == [LETTERS[place] for place in (*places, decisive)]


@given(st.lists(st.sampled_from("123"), min_size=1))
def test_keys_that_cannot_tell_are_refused(keys: list[str]) -> None:
    with pytest.raises(SuiteError, match=r"kopp: keys are .* alone, .*: --keys 0 or --keys 1"):
        key_base(keys, where="kopp")


@given(st.lists(st.sampled_from("01234")).map(lambda keys: [*keys, "0", "4"]))
def test_keys_of_both_kinds_are_refused(keys: list[str]) -> None:
    with pytest.raises(SuiteError, match="hold both 0 and 4"):
        key_base(keys)


@given(st.lists(st.sampled_from([*"ABCDabcd", "الف", "ب", "ج", "د", "", "?", "5", "9"])))
def test_letters_and_rubbish_say_nothing_about_numbers(keys: list[str]) -> None:
    assert key_base(keys) is None


@given(st.text(max_size=8), st.sampled_from([None, 0, 1]))
def test_any_text_is_a_letter_or_nothing(key: str, base: int | None) -> None:
    assert read_key(key, base) in {*LETTERS, None}  # type: ignore[arg-type]


def test_a_number_without_a_base_is_no_key() -> None:
    assert read_key("2", None) is None
    assert read_key("0", 1) is None
    assert read_key("4", 0) is None
