"""The folding of words and the reading of text queries: pure functions, without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.server.inside.folding import words
from annotation.server.inside.text_query import EVERYTHING, MOST_WORDS, Leaf, TooManyWordsError, parse
from gaokerena.persian import normalize_for_key
from tests.annotation.server.search.spellings import SPELLINGS

_HARD = "ابكکيیى‌ةهۀ ۱٢3آأؤئَّـ\u200b\u200e\u200f\u00adaA"


@pytest.mark.parametrize("word", SPELLINGS)
def test_all_spellings_of_a_word_fold_to_one(word: str) -> None:
    assert {words(spelling) for spelling in SPELLINGS[word]} == {words(word)}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("نیم‌فاصله", "نیم فاصله"),
        ("كتاب‌هاي ۲٬۴۰۰ صفحه‌ای", "کتاب های 2400 صفحه ای"),
        ("HbA1c ۷٫۵٪", "hba1c 7 5"),
        ("user_id=3", "user id 3"),
        ("می\u200eرود", "می رود"),
        ("a\u200eb", "ab"),
        ("۱ـ۲", "1 2"),
        ("مـــؤثّر", "موثر"),
        ("🙂 « … » \x00 \ud800", ""),
    ],
)
def test_hand_worked_foldings(text: str, folded: str) -> None:
    assert words(text) == folded


@given(st.text() | st.text(_HARD))
def test_folding_is_idempotent_and_can_be_stored(text: str) -> None:
    folded = words(text)
    assert words(folded) == folded
    assert folded.encode().decode() == folded


@given(st.text(_HARD))
def test_what_the_project_calls_one_key_is_one_spelling_here(text: str) -> None:
    """The server knows nothing of this project, so it has a folding of its own; on Persian they agree."""
    assert words(normalize_for_key(text)) == words(text)


A, B, C, D = (Leaf(name) for name in "abcd")


@pytest.mark.parametrize(
    ("typed", "program"),
    [
        ("a b", [A, B, "and"]),
        ("a + b", [A, B, "and"]),
        ("a b | c", [A, B, "and", C, "or"]),
        ("a | b c", [A, B, "or", C, "and"]),
        ("a | (b c)", [A, B, C, "and", "or"]),
        ("a -b", [A, B, "not", "and"]),
        ("-(a | b)", [A, B, "or", "not"]),
        ("--a", [A]),
        ("- a", [A]),
        ("a-b", [Leaf("a b")]),
        ('"a  B"~3', [Leaf("a b")]),
        ("a*", [Leaf("a", prefix=True)]),
        (r"a\*", [A]),
        (r"a\\*", [Leaf("a", prefix=True)]),
        ("a~2", [A]),
        ("*", [EVERYTHING]),
        ("", []),
        ("!!! ()", []),
        ("| a", [A]),
        ("a | !!! b", [A, B, "and"]),
        ("((a) b", [A, B, "and"]),
        ("a) b", [A, B, "and"]),
        ('a "b', [A, B, "and"]),
        ('"a (b" c)', [Leaf("a b"), C, "and"]),
        ("NEAR(a b)", [Leaf("near"), A, B, "and", "and"]),
        ("a\\", [A]),
    ],
)
def test_queries_are_read_as_in_stock(typed: str, program: list[object]) -> None:
    """Worked by hand from the rules of Elasticsearch's simple_query_string with AND between words."""
    assert parse(typed) == program


@given(st.text('ab"+|-()*~\\ \t') | st.text())
def test_any_text_is_a_query_whose_program_is_whole(typed: str) -> None:
    depth = 0
    for step in parse(typed):
        depth += 1 if isinstance(step, Leaf) else 0 if step == "not" else -1
        assert depth >= 1
    assert depth <= 1


@given(st.text())
def test_a_leaf_is_no_fts_syntax(typed: str) -> None:
    for step in parse(typed):
        if isinstance(step, Leaf) and step != EVERYTHING:
            assert all(word.isalnum() for word in step.words.split(" "))
            assert step.match == f'"{step.words}"' + " *" * step.prefix


def test_a_very_long_query_is_refused_and_a_deep_one_is_not() -> None:
    with pytest.raises(TooManyWordsError, match="1024"):
        parse("a " * (MOST_WORDS + 1))
    assert len(parse("(a " * MOST_WORDS + ")" * MOST_WORDS)) == 2 * MOST_WORDS - 1
