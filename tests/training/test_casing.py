"""One convention of letter case for both sides: case tells nothing any more."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.casing import Casing
from training.pairs import cues

NATURAL = [
    "بیماری Crohn با MRI دیده می‌شود و Crohn را با mRNA اشتباه نگیرید.",
    "در MRI و CT، ویتامین B12 دیده نمی‌شود؛ B12 را با pH بسنجید. pH مهم است.",
    "آزمایش HbA1c و CT و mRNA؛ HbA1c هر سه ماه. Parkinson هم هست.",
]
LATIN = ["MRI", "CT", "Crohn", "HbA1c", "pH", "mRNA", "B12"]


@pytest.fixture(scope="module")
def casing() -> Casing:
    return Casing.learn(NATURAL)


def test_words_come_back_as_they_are_usually_written(casing: Casing) -> None:
    lowered = "در crohn با mri و ct و hba1c و mrna و b12 و ph"
    assert casing.restore(lowered) == "در Crohn با MRI و CT و HbA1c و mRNA و B12 و pH"


def test_both_sides_end_up_alike(casing: Casing) -> None:
    assert casing.restore("mri یا PARKINSON") == casing.restore("MRI یا parkinson") == "MRI یا parkinson"


def test_a_form_seen_once_is_not_trusted_and_the_most_frequent_wins() -> None:
    casing = Casing.learn(["Gaba GABA GABA", "Once"])
    assert casing.restore("gaba once ONCE") == "GABA once once"
    assert Casing.learn(["Once"], least=1).restore("once") == "Once"


@pytest.mark.parametrize(
    ("given", "restored"),
    [
        ("[a] و [ d ]", "[A] و [ D ]"),
        ("گزینه b درست است", "گزینه B درست است"),
        ("گزینهٔ «c» درست است", "گزینهٔ «C» درست است"),
        ("گزینه‌ی d.", "گزینه‌ی D."),
        ("پاسخ صحیح: a", "پاسخ صحیح: A"),
        ("(b)", "(B)"),
        ("hepatitis b و ویتامین d", "hepatitis b و ویتامین d"),
        ("گزینه beta و [alpha]", "گزینه beta و [alpha]"),
        ("[e]", "[e]"),
    ],
)
def test_only_option_letters_become_upper_case(given: str, restored: str) -> None:
    assert Casing({}).restore(given) == restored


@given(st.text(max_size=60))
def test_restoring_twice_is_restoring_once_and_changes_case_alone(text: str) -> None:
    casing = Casing.learn(NATURAL)
    once = casing.restore(text)
    assert casing.restore(once) == once
    assert once.lower() == text.lower()


def test_the_cue_of_the_published_pairs_goes() -> None:
    """Preferred answers lower-cased and rejected ones not, as published: case tells all before and nothing after."""
    rng = random.Random(2)

    def answer() -> str:
        words = [rng.choice([*LATIN, "تب", "درد", "خون", "سپس"]) for _ in range(30)]
        return f"{' '.join(words)}. بنابراین گزینهٔ [{rng.choice('ABCD')}] درست است."

    sides = [(answer().lower(), answer()) for _ in range(600)]
    casing = Casing.learn(rejected for _, rejected in sides)
    repaired = [(casing.restore(chosen), casing.restore(rejected)) for chosen, rejected in sides]
    assert cues(sides)["upper_case_latin"] > 0.99
    assert cues(repaired)["upper_case_latin"] < 0.56, "within three standard errors (0.06) of a coin"
    assert all(any(letter.isupper() for letter in chosen) for chosen, _ in repaired), "restored, not removed"
