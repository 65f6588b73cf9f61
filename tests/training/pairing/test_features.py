"""Surface features: hand-worked values, and grams that tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from training.pairing.features import FAMILIES, last_letter, length, letter_case, markdown, option_letters, script
from training.pairing.mining import MINED, closing, grams, opening, phrases, telling, words

TEXT = "## نتیجه\n- **MRI** با ۲ و 13 (ct scan) دیده شد.\n1. گزینهٔ [A]، نه (B) و نه «c».\n\nپس گزینهٔ ب"


def test_hand_worked_values() -> None:
    assert letter_case(TEXT) == {"upper-case letters": 5, "has an upper-case letter": 1, "upper-case share": 5 / 12}
    assert length("یک دو\nسه") == {"characters": 8, "words": 3, "lines": 2}
    found = script(TEXT)
    assert (found["ASCII digits"], found["Persian digits"], found["ASCII share of digits"]) == (3, 1, 0.75)
    assert (found["Latin letters"], found["bracketed Latin"]) == (12, 1)
    found = markdown(TEXT)
    assert [found[name] for name in ("bold marks", "headings", "bullets", "numbered lines", "blank lines")] == [
        2,
        1,
        1,
        1,
        1,
    ]
    found = option_letters(TEXT)
    names = ("options as [A]", "options as (A)", "options as «A»", "options as A", "options as a", "options as الف")
    assert [found[name] for name in names] == [1, 1, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("text", "letter"),
    [("پس [B] و نه C.", "C"), ("گزینهٔ [b]", "B"), ("ویتامین B12 و MRI", ""), ("", ""), ("A" * 3, ""), ("گزینهٔ D", "D")],
)
def test_the_last_letter_is_an_option_and_no_part_of_a_word(text: str, letter: str) -> None:
    assert last_letter(text) == letter
    assert sum(value for name, value in option_letters(text).items() if name.startswith("last")) == bool(letter)


@given(st.text())
def test_any_text_has_all_features_as_finite_numbers(text: str) -> None:
    for count in FAMILIES.values():
        found = count(text)
        assert set(found) == set(count(""))
        assert np.isfinite(list(found.values())).all()


def test_openings_closings_and_phrases() -> None:
    (text,) = words(["پاسخ، درستِ این كار"])
    assert text == ["پاسخ", "درست", "این", "کار"], "normalised"
    assert opening(text) == ["پاسخ", "پاسخ درست", "پاسخ درست این"]
    assert closing(text) == ["کار", "این کار", "درست این کار"]
    assert phrases(text[:3]) == ["پاسخ", "درست", "این", "پاسخ درست", "درست این", "پاسخ درست این"]
    assert all(of([]) == [] for of in MINED.values())


def test_grams_are_what_the_chosen_text_holds_minus_what_the_rejected_holds() -> None:
    names, apart = grams([["آ", "ب"]] * 6, [["ب"]] * 3 + [["پ"]] * 3, "phrases", np.ones(6))
    assert sorted(names) == ["آ", "آ ب", "ب"], "five texts must hold a gram"
    column = dict(zip(names, apart.toarray().T.tolist(), strict=True))
    assert column["آ"] == [1] * 6
    assert column["ب"] == [0, 0, 0, 1, 1, 1]


def test_no_words_make_no_grams() -> None:
    names, apart = grams([[]] * 4, [[]] * 4, "phrases", np.ones(4))
    assert (names, apart.shape) == ([], (4, 0))


def test_what_tells_most_comes_first() -> None:
    apart = csr_matrix(np.array([[1, 1, 0], [1, -1, 0], [1, 1, -1], [1, -1, 0]], np.float64))
    assert telling(apart, np.ones(4)).tolist() == [0, 2, 1]
    assert telling(apart, np.ones(4), top=1).tolist() == [0]


def test_what_tells_most_and_what_is_common_go_by_weight() -> None:
    apart = csr_matrix(np.array([[1, 1], [-1, 1], [1, -1], [-1, -1]], np.float64))
    assert telling(apart, np.ones(4)).tolist() == [0, 1]
    assert telling(apart, np.array([2, 2, 1, 1])).tolist() == [1, 0]
    chosen, rejected = [["آ"]] * 6 + [["ب"]] * 6 + [["پ"]] * 988, [["پ"]] * 1000
    weights = np.where(np.arange(1000) < 6, 10.0, 0.1)
    assert grams(chosen, rejected, "phrases", np.ones(1000))[0] == ["پ"], "six of two thousand texts are few"
    names, apart = grams(chosen, rejected, "phrases", weights)
    assert names == ["آ", "پ"], "but not with a fifth of the weight"
    assert apart.toarray()[:7].tolist() == [[1, -1]] * 6 + [[0, -1]]
