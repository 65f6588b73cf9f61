"""Persian text: one key for all spellings, one tidy form, and nothing odd for any input."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.persian import (
    BIDI_CONTROLS,
    ZWNJ,
    ascii_digits,
    foreign_script,
    mixed_script_word,
    normalize_for_key,
    persian_digits,
    persian_share,
    tidy,
)
from tests.real_data import data_folder

ODD = "سيیىكکهۀەةہھۂآأإٱؤئےۓـ۔٠١٥۰۱۵015.,٫٬/+-%٪ :!؟،»«ABab" + BIDI_CONTROLS + ZWNJ
ODD += "\u0654\u0653\u0655\u064b\u0651\u0670\u200b\u00ad\ufeff\u00a0\t\n\r\v\x85\u2028İıßſﬁµ²½ﷺﹰﻼﺝﮔ"
ODD += "\ud800\udfff\uffff\u0300é()<>≤±"
anything = st.one_of(st.text(st.sampled_from(ODD), max_size=30), st.text(st.characters(exclude_categories=())))
LATIN_TOKENS = [
    "HbA1c",
    "B12",
    "COVID-19",
    "500mg",
    "T4",
    "CD4+",
    "IL-6",
    "2.5mL",
    "1.73m2",
    "5-FU",
    "x۵y",
    "B١٢",
    "٥٠٠mg",
]


@given(anything)
def test_tidying_twice_is_tidying_once(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


@given(anything)
def test_a_key_is_its_own_key(text: str) -> None:
    assert normalize_for_key(normalize_for_key(text)) == normalize_for_key(text)


@given(anything)
def test_tidying_does_not_change_the_key(text: str) -> None:
    assert normalize_for_key(tidy(text)) == normalize_for_key(text)


@given(anything)
def test_what_comes_out_can_be_stored_and_is_free_of_controls(text: str) -> None:
    for shown in (tidy(text), normalize_for_key(text)):
        shown.encode()
        assert not set(shown) & set(BIDI_CONTROLS + "\x00\x0b\x7f\ufeff\u2028")


@given(anything)
def test_every_reader_of_letters_survives_every_string(text: str) -> None:
    assert 0 <= persian_share(text) <= 1
    for found in (foreign_script(text), mixed_script_word(text)):
        assert found is None or found in text


@given(st.lists(st.sampled_from([*LATIN_TOKENS, "سلام", "۵", "٥", "(", "قرص"]), max_size=8))
def test_digits_inside_a_latin_token_stay(words: list[str]) -> None:
    kept = [word for word in tidy(" ".join(words)).split() if any("A" <= letter <= "z" for letter in word)]
    assert kept == [word for word in words if word in LATIN_TOKENS]


@given(st.text(st.sampled_from("سلام دنیا قرص 500mg B12 ۱۲۳،.؟"), max_size=40), st.randoms())
def test_spelling_variants_share_a_key(text: str, draw: random.Random) -> None:
    other = {"ی": "يىی", "ک": "كڪ", "ا": "آأإٱ", "ه": "ةەہھ", "۱": "1١", "۲": "2٢", "۳": "3٣"}
    varied = "".join(draw.choice(other.get(character, character)) for character in text)
    for mark in ("\u064e", "ـ", "\u2066", "\ufeff"):
        varied = varied.replace("ل", f"ل{mark}" if mark != "ـ" else "ل")
    assert normalize_for_key(varied) == normalize_for_key(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("كتاب‌هاي پزشكي", "کتاب های پزشکی"),
        ("ﻣﻌﺪﻩ", "معده"),
        ("ﻻزم", "لازم"),
        ("مي\u200fشود", "می‌شود"),
        ("خانهٔ", "خانۀ"),
        ("مسأله", "مساله"),
        ("مُسَكِّن", "مسکن"),
        ("۱٬۲۰۰", "1,200"),
        ("١٢٠/٨٠", "120/80"),
        ("۷٫۵٪", "7.5 %"),
        ("TSH<5", "tsh < ۵"),
        ("سلام!", "«سلام»"),
        ("سیستم ـ عصبی", "سیستم - عصبی"),
        ("ســـــلام", "سلام"),
    ],
)
def test_two_spellings_of_one_text(one: str, other: str) -> None:
    assert normalize_for_key(one) == normalize_for_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("2.5", "25"), ("1/5", "15"), ("≤ 5", "≥ 5"), ("Rh+", "Rh"), ("5%", "5"), ("پدر", "پسر"), ("۲‌۵", "۲۵")],
)
def test_two_meanings_keep_two_keys(one: str, other: str) -> None:
    assert normalize_for_key(one) != normalize_for_key(other)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("كتاب هاي", "کتاب های"),
        ("ﺩﺭ ﻣﻌﺪﻩ", "در معده"),
        ("می\u200eشود و قرص\u200fهای پیش\u00adبینی", "می‌شود و قرص‌های پیش‌بینی"),
        ("را\ufeffهنما", "راهنما"),
        ("\u202bبیشتری\u202c \u202bمی\u202c شود", "بیشتری می شود"),
        ("می‌ شود و حفره ‌های", "می‌شود و حفره‌های"),
        ("از‌ موعد ‌دهنده", "از موعد دهنده"),
        ("می‌‌شود‌.", "می‌شود."),
        ("۲۰‌ساله", "۲۰‌ساله"),
        ("حلقۀ مهره", "حلقهٔ مهره"),
        ("ضایعهٔ‌ای", "ضایعهٔ‌ای"),
        ("سیستم ـ عصبی", "سیستم - عصبی"),
        ("ســـلام", "سلام"),
        ("٢٥سالمه و B١٢ و ٥٠٠mg", "۲۵سالمه و B١٢ و ٥٠٠mg"),
        ("سلام  ،خوبید ؟", "سلام ،خوبید؟"),
        ("نسبت ۱ : ۲", "نسبت ۱ : ۲"),
        ("HbA1c 7.5% و 1,200 mg", "HbA1c 7.5% و 1,200 mg"),
        ("خط\u2028دوم\r\nسوم\rچهارم", "خط\nدوم\nسوم\nچهارم"),
        ("الف\x00ب\ud800ج", "البج".replace("ب", "فب")),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ],
)
def test_the_tidy_form(typed: str, shown: str) -> None:
    assert tidy(typed) == shown


def test_digits_of_our_own() -> None:
    assert persian_digits(12.5) == "۱۲.۵"
    assert ascii_digits("۱۲٣٤٫۵") == "1234.5"
    assert len(ascii_digits(ODD)) == len(ODD)


@pytest.mark.parametrize(
    ("text", "share"), [("", 1.0), ("۱۲۳!", 1.0), ("سلام", 1.0), ("abcd", 0.0), ("آب ab", 0.5), ("ﻣﻌﺪﻩ", 1.0)]
)
def test_the_share_of_persian_letters(text: str, share: float) -> None:
    assert persian_share(text) == share


@pytest.mark.parametrize(
    ("text", "letter"), [("این 典型 است", "典"), ("это", "э"), ("שלום", "ש"), ("दर्द", "द"), ("문제", "문")]
)
def test_letters_of_other_scripts_are_found(text: str, letter: str) -> None:
    assert foreign_script(text) == letter


@pytest.mark.parametrize(
    "text", ["درد café naïve", "10 µg α-TNF Ω Å ½ ² ① ℃ ﷺ", "پښتو ہے", "😀 🙏 ✓ → ≤ ×", "ʻOkina ɡ", ""]
)
def test_units_accents_and_signs_are_not_foreign(text: str) -> None:
    assert foreign_script(text) is None


@pytest.mark.parametrize(
    "word",
    [
        "موتورik",
        "تibia",
        "گاستroduodenal",
        "epidemiolojiک",
        "هیپoproteinیمی",
        "neurologیکی",
        "فEV",
        "hematوژن",
        "کاربapenem",
    ],
)
def test_a_word_that_slips_into_another_script(word: str) -> None:
    assert mixed_script_word(f"بیمار {word} دارد") == word


@pytest.mark.parametrize(
    "text",
    [
        "500mgدر روز",
        "ویتامینD",
        "ویتامینهای B",
        "vitaminهای",
        "NSAIDها",
        "ssriها",
        "آمپولhcg زدم",
        "tshبالا",
        "هپاتیتB",
        "کیستmmدر",
        "وLH",
        "بیماریprogressive",
        "سندرمWPW",
        "HIVی",
        "DNAپلیمراز",
        "pcoهستم",
        "B12و D3",
        "نوع 2diabetes",
        "mg در",
        "HbA1c",
        "یاIUI",
        "درInfraclavicular",
    ],
)
def test_a_blank_left_out_is_no_slip(text: str) -> None:
    assert mixed_script_word(text) is None


@pytest.mark.parametrize(
    "piece", ["ا" * 100_000, ZWNJ * 100_000, " " * 100_000, "ـ" * 100_000, "1," * 50_000, "اa" * 50_000, "می‌ " * 25_000]
)
@pytest.mark.timeout(10)
def test_hostile_length_takes_linear_time(piece: str) -> None:
    for work in (tidy, normalize_for_key, foreign_script, mixed_script_word, persian_share):
        work(piece)


@pytest.mark.data
def test_the_corpora_stay_what_they_are() -> None:
    """On real rows: idempotent, no word lost, and at least 20 MB a minute (training reads 60 MB)."""
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(data_folder() / "mf3qa.parquet", columns=["Answer"]).column("Answer").to_pylist()[::12]
    texts = [text for text in rows if text]
    start = time.process_time()
    shown = [tidy(text) for text in texts]
    keys = [normalize_for_key(text) for text in texts]
    seconds = time.process_time() - start
    assert [tidy(text) for text in shown] == shown
    assert [normalize_for_key(text) for text in shown] == keys
    assert sum(len(text.encode()) for text in texts) / 1e6 / seconds * 60 > 20
