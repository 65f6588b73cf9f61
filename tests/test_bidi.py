"""Bidi isolation: nothing lost, nothing turned round, and read in order by an independent bidi implementation."""

from __future__ import annotations

import pytest
from bidi import get_display
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.bidi import LRI, PDI, isolate, runs, strip
from gaokerena.persian import BIDI_CONTROLS

PIECES = [
    "سلام",
    "HbA1c",
    "7.5%",
    "۵۰۰",
    "mg",
    "120/80",
    " ",
    "  ",
    "-",
    "+",
    "(",
    ")",
    "\n",
    "،",
    "٪",
    "µg",
    "&",
    "<",
    "0912",
    "٣",
]
mixed = st.lists(st.sampled_from([*PIECES, *BIDI_CONTROLS]), max_size=25).map("".join)
anything = st.one_of(st.text(), st.text(st.characters(exclude_categories=())), mixed)


def left_to_right(text: str) -> list[str]:
    return [piece for piece, ltr in runs(text) if ltr]


def shown(line: str) -> str:
    """What eyes meet on a right-to-left line, left to right, by python-bidi (Unicode Standard Annex 9)."""
    return strip(get_display(line, base_dir="R"))


@given(anything)
def test_strip_gives_the_text_back(text: str) -> None:
    assert strip(isolate(text)) == strip(text)
    assert "".join(piece for piece, _ in runs(text)) == strip(text)


@given(anything)
def test_isolating_twice_is_isolating_once(text: str) -> None:
    assert isolate(isolate(text)) == isolate(text)


@given(anything)
def test_no_piece_is_empty_and_no_run_spans_a_line_end(text: str) -> None:
    for piece, ltr in runs(text):
        assert piece
        assert not (ltr and ("\n" in piece or "\r" in piece or "\u2029" in piece))


@given(anything)
def test_isolates_are_balanced_and_nothing_else_controls_direction(text: str) -> None:
    inside = False
    for character in isolate(text):
        assert not (character in BIDI_CONTROLS and character not in LRI + PDI)
        if character in LRI + PDI:
            assert inside == (character == PDI)
            inside = not inside
    assert not inside


@given(anything)
def test_no_right_to_left_letter_is_put_into_a_run(text: str) -> None:
    for run in left_to_right(text):
        assert not any("\u0621" <= character <= "\u064a" or character in "پچژگکی" for character in run)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("روزانه Metformin 500 mg بخورید", ["Metformin 500 mg"]),
        ("قند HbA1c 7.5% بود", ["HbA1c 7.5%"]),
        ("قند HbA1c ۷٫۵٪ بود", ["HbA1c ۷٫۵٪"]),
        ("فشار 120/80 mmHg بود", ["120/80 mmHg"]),
        ("دوز ۵۰۰ mg و ۱۰ - ۲۰ روز", ["۵۰۰ mg", "۱۰ - ۲۰"]),
        ("ویتامین D ۱۰۰۰ IU روزانه", ["D ۱۰۰۰ IU"]),
        ("سطح 25(OH)D پایین است", ["25(OH)D"]),
        ("پلاکت 150 × 10^9/L بود", ["150 × 10^9/L"]),
        ("سدیم Na+ و کلسیم Ca2+ است.", ["Na+", "Ca2+"]),
        ("هموگلوبین < 7 g/dL", ["< 7 g/dL"]),
        ("تب >38.5°C دارد", [">38.5°C"]),
        ("داروی 5-FU و 2,3-BPG", ["5-FU", "2,3-BPG"]),
        ("تلفن 021 1234 5678 است", ["021 1234 5678"]),
        ("نشانی https://example.com/a?b=c. است", ["https://example.com/a?b=c"]),
        ("سه نوع vitaminهای B12 و D3", ["vitamin", "B12", "D3"]),
        ("مقدار ۵۰۰mgدر روز", ["۵۰۰mg"]),
        ("مهارکنندهٔ TNF-α و µg", ["TNF-α", "µg"]),
        ("باسیل (S. typhi) است", ["S. typhi"]),
    ],
)
def test_what_belongs_together_stays_together(text: str, expected: list[str]) -> None:
    assert left_to_right(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("سال ۱۴۰۲ COVID-19 آمد", ["COVID-19"]),
        ("داروی Aspirin ۳ بار در روز", ["Aspirin"]),
        ("داروی Aspirin 3 قرص در روز", ["Aspirin"]),
        ("ویتامین D ۱۲ را بخورید", ["D"]),
        ("1. آسپرین", []),
        ("1. Aspirin 80 mg", ["Aspirin 80 mg"]),
        ("1. Aspirin 80 mg بخورید", ["Aspirin 80 mg"]),
        ("- 5 عدد قرص", []),
        ("بیمار ۴۵ ساله با ۳ روز تب", []),
        ("۱. خوب\n۲. بد", []),
    ],
)
def test_what_reads_in_order_anyway_stays_outside(text: str, expected: list[str]) -> None:
    assert left_to_right(text) == expected


def test_a_line_without_persian_is_one_run() -> None:
    assert left_to_right("Take two (2) tablets. Then rest!\nسلام") == ["Take two (2) tablets. Then rest!"]


@pytest.mark.parametrize(
    "run",
    [
        "HbA1c 7.5%",
        "120/80 mmHg",
        "۵۰۰ mg",
        "10 - 20",
        "۱۰ - ۲۰",
        "-5",
        "<7",
        "25(OH)D",
        "Na+",
        "INR > 3",
        "p < 0.05",
        "mL/min/1.73m²",
    ],
)
def test_an_independent_bidi_algorithm_shows_the_run_in_order(run: str) -> None:
    line = f"بود {run} است"
    assert f" {run} " in shown(isolate(line))


@pytest.mark.parametrize("run", ["۵۰۰ mg", "10 - 20", "-5", "25(OH)D", "Na+"])
def test_without_isolation_these_runs_are_scrambled(run: str) -> None:
    """Guards the test above: it would pass for nothing if a plain line already read well."""
    assert f" {run} " not in shown(f"بود {run} است")


@pytest.mark.parametrize("override", ["\u202e", "\u202d", "\u2067", "\u2066\u202e", "\u061c\u200f", "\u2069\u2069"])
def test_hostile_controls_are_gone(override: str) -> None:
    assert isolate(f"دوز {override}500 mg بود") == f"دوز {LRI}500 mg{PDI} بود"


def test_every_bidi_control_of_unicode_is_stripped() -> None:
    """The Bidi_Control property of Unicode 15 lists twelve characters."""
    assert len(BIDI_CONTROLS) == len(set(BIDI_CONTROLS)) == 12
    assert strip(f"آ{BIDI_CONTROLS}ب") == "آب"


@pytest.mark.parametrize(
    "piece", ["a" * 100_000, "1-" * 50_000, "(" * 100_000, "a(b" * 30_000, "https://" * 12_500, "۱ " * 50_000]
)
@pytest.mark.timeout(5)
def test_long_hostile_lines_take_linear_time(piece: str) -> None:
    assert strip(isolate("سلام " + piece)) == "سلام " + piece
