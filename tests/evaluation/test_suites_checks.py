"""Every kind of finding is found where it is, and a clean suite has none."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from scipy.stats import chisquare

from gaokerena.evaluation.suite_checks import check, uniform_p
from gaokerena.evaluation.suite_findings import Finding
from gaokerena.evaluation.suite_text import missing_figure
from gaokerena.evaluation.suite_twins import SIMILAR, words
from gaokerena.evaluation.suites import Item, Suite
from gaokerena.persian import normalize_for_key
from tests.evaluation.suite_cases import OPTIONS, TEXTS, item, suite

CLEAN = [item(number) for number in range(5)]


def found(*items: Item) -> dict[str, Finding]:
    """Findings by kind about a clean suite with `items` added; each kind at most once."""
    findings = check([suite(*CLEAN, *items)])
    assert len({finding.kind for finding in findings}) == len(findings), findings
    return {finding.kind: finding for finding in findings}


def only(*items: Item) -> Finding:
    """The single finding."""
    (finding,) = found(*items).values()
    return finding


def other(**changes: object) -> Item:
    """An item that repeats none of the clean ones."""
    text = "علت اصلی نارسایی حاد کلیه پس از خون‌ریزی شدید چیست؟"
    options = ("کاهش خون‌رسانی", "سنگ دوطرفه", "عفونت ادراری", "واکنش دارویی")
    return replace(item(), **{"text": text, "options": options, **changes})  # type: ignore[arg-type]


def test_a_clean_suite_has_no_findings() -> None:
    assert check([suite(*CLEAN, other())]) == []


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"text": " "}, "empty text", "the question has no text"),
        ({"options": ("الف", "", "ج", "د")}, "empty option", "option B is empty"),
        ({"options": ("آهن", "روی", "مس")}, "option count", "3 options, not four"),
        ({"gold": None, "key": ""}, "missing key", "no key"),
        ({"gold": None, "key": "7"}, "unreadable key", "key '7' names no option where keys count from 1"),
        ({"options": (), "gold": None}, "empty reference", "neither options nor an answer"),
        (
            {"options": ("آهن", "روی", "آهن", "مس")},
            "identical options",
            "options A and C are equal.*two letters are right",
        ),
    ],
)
def test_what_cannot_be_scored_is_an_error(changes: dict[str, object], kind: str, said: str) -> None:
    finding = only(other(**changes))
    assert (finding.kind, finding.severity, finding.row) == (kind, "error", 5)
    assert re.search(said, finding.message), finding.message
    assert finding.step


def test_equal_options_that_are_not_keyed_are_a_warning() -> None:
    finding = only(other(options=("مس", "روی", "آهن", "آهن ")))
    assert (finding.kind, finding.severity) == ("identical options", "warning")


def test_options_that_differ_in_case_alone_are_no_twins() -> None:
    finding = only(other(options=("d از DMFT", "D از DMFT", "هیچ‌کدام", "هر دو")))
    assert (finding.kind, finding.severity) == ("similar options", "note")


def test_the_same_question_again() -> None:
    typed = TEXTS[2].replace("آ", "ا").replace(" ", "\u200c", 1) + " ."
    finding = only(replace(item(2), text=typed))
    assert (finding.kind, finding.severity, finding.row) == ("duplicate", "warning", 5)
    assert "the same question as mine row 2" in finding.message


def test_options_in_another_order_with_the_same_key() -> None:
    finding = only(replace(item(2), options=tuple(reversed(OPTIONS[2])), gold="D"))
    assert finding.kind == "duplicate"
    assert "in another order" in finding.message


def test_keys_that_contradict_each_other() -> None:
    kinds = found(replace(item(2), options=tuple(reversed(OPTIONS[2])), gold="A"))
    assert set(kinds) == {"duplicate", "conflicting keys"}
    assert kinds["conflicting keys"].severity == "error"
    assert "«اپی‌نفرین عضلانی» there, «صبر و پایش» here" in kinds["conflicting keys"].message


def test_typing_errors_in_options_make_no_other_question() -> None:
    finding = only(replace(item(2), options=("اپی نفرین عضلنی", "خوراندن اب", "بستن راه هوایی", "صبر")))
    assert "written otherwise" in finding.message


def test_a_stem_that_many_questions_share_is_a_note() -> None:
    stem = "کدام گزینه درست است؟"
    one = replace(other(), text=stem)
    finding = only(one, replace(one, options=("طاعون با کک", "مالاریا با پشه", "هاری با سگ", "سالک با خاکی"), gold="B"))
    assert (finding.kind, finding.severity) == ("same text", "note")


def test_a_question_with_one_word_changed_is_a_near_duplicate() -> None:
    text = other().text.replace("شدید", "سنگین")
    finding = only(other(), replace(other(), text=text))
    assert (finding.kind, finding.severity, finding.row) == ("near duplicate", "warning", 6)


def test_questions_about_one_passage_are_no_near_duplicates() -> None:
    passage = " ".join(f"واژه{number}" for number in range(60))
    one = other(text=f"{passage} نویسنده چه می‌گوید؟")
    assert found(one, replace(one, text=f"{passage} کدام درست است؟", options=("شب", "گرما", "پرنده", "دریا"))) == {}


def test_near_duplicates_are_found_exactly() -> None:
    base = [f"کلمه{number}" for number in range(40)]
    for changed in range(1, 12):
        mixed = [f"تازه{number}" for number in range(changed)] + base[changed:]
        one, two = (item(text=" ".join(text), options=(), gold=None, reference="پاسخ") for text in (base, mixed))
        kinds = {finding.kind for finding in check([suite(one, replace(two, reference="دیگر"))])}
        share = len({*base} & {*mixed}) / len({*base} | {*mixed})
        assert ("near duplicate" in kinds) == (share >= SIMILAR), changed


def test_a_question_of_one_suite_in_another_is_a_leak() -> None:
    moved = replace(item(3), options=(*OPTIONS[3][1:], OPTIONS[3][0]), gold="D")
    findings = check([suite(*CLEAN), suite(other(), moved, name="exam")])
    assert [(one.kind, one.severity, one.suite, one.row) for one in findings] == [("leak", "warning", "exam", 1)]
    assert "in another order as mine row 3" in findings[0].message


def test_a_stem_that_two_suites_share_is_no_leak() -> None:
    moved = replace(item(3), options=("زمین", "آسمان", "باران", "جنگل"))
    assert check([suite(*CLEAN), suite(moved, name="exam")]) == []


def test_training_rows_in_a_test_are_said_once() -> None:
    free = [replace(one, options=(), gold=None, reference=f"پاسخ {one.row}") for one in CLEAN]
    (finding,) = check([suite(*free[:3], other(options=(), gold=None, reference="x")), suite(*free, name="mine:train")])
    assert (finding.kind, finding.rows) == ("leak", (0, 1, 2))
    assert finding.message.startswith("3 of 4 questions stand in mine:train, the first in row 0")


def test_subjects_spelled_in_several_ways() -> None:
    typed = [replace(other(), subject=spelling) for spelling in ("تشریح", "تشريح", "\u202bتشر\u202c\u202bیح\u202c")]
    changed = [replace(one, text=f"{TEXTS[0]} {name}", options=(name, *OPTIONS[0][1:])) for one, name in zip(
        typed, ("کلیه و مثانه و حالب", "ریه و نای و نایژه", "قلب و رگ و خون"), strict=True
    )]  # fmt: skip
    finding = found(*changed)["subject spelling"]
    assert finding.severity == "warning"
    assert "3 spellings: تشریح (1), تشريح (1), <202B>تشر<202C><202B>یح<202C> (1)" in finding.message


def test_one_subject_may_not_be_missing() -> None:
    assert only(other(subject="")).kind == "missing subject"


def test_characters_that_look_alike_are_counted() -> None:
    kinds = found(other(text="شكل‌گيري ﻻيه‌ي زايا كدام است؟"))
    assert "Arabic ye 5 times, in 1 question (rows 5)" in kinds["Arabic ye"].message
    assert "Arabic kaf 2 times" in kinds["Arabic kaf"].message
    assert "presentation forms 1 times" in kinds["presentation forms"].message
    assert {finding.severity for finding in kinds.values()} == {"note"}


def test_invisible_marks_blanks_and_scripts() -> None:
    kinds = found(other(text="در موردAttenuation reflexدر گوش\u200e کدام موتورik درست است؟"))
    assert set(kinds) == {"bidi controls", "missing blanks between Persian and Latin", "mixed script"}
    assert "(موتورik)" in kinds["mixed script"].message
    assert only(other(text="علت 血 در ادرار چیست؟")).kind == "foreign script"


def test_digits_of_two_scripts_in_one_subject() -> None:
    finding = only(other(text="بیمار ۵۲ ساله با فشار 130/80 چه درمانی می‌خواهد؟"))
    assert finding.kind == "digits"
    assert finding.message.endswith("mixes digits: 5 ASCII, 2 Persian")


def test_a_source_with_a_tatweel() -> None:
    assert only(other(source="آزمونـ۱")).kind == "label"


def test_text_left_by_a_translator() -> None:
    for start in ("ترجمه پرسش", "ترجمهٔ سؤال ", "Translation: ", "Question: "):
        assert only(other(text=start + "کدام اندام خون را پالایش می‌کند؟")).kind == "glued text"
    assert found(other(text="ترجمهٔ mRNA در کدام اندامک انجام می‌شود؟")) == {}


def test_template_answers_are_counted() -> None:
    free = [replace(one, options=(), gold=None, reference="با پزشک خود مشورت کنید.") for one in CLEAN]
    (finding,) = check([suite(*free)])
    assert (finding.kind, finding.rows) == ("repeated answer", (1, 2, 3, 4))


def test_keys_far_from_even() -> None:
    names = (
        *("سل", "سرخک", "اوریون", "تب‌مالت", "کزاز", "دیفتری", "هاری", "حصبه", "طاعون", "وبا", "مالاریا", "سالک"),
        *("جذام", "تراخم", "فلج", "سیاه‌زخم", "آنفلوانزا", "مننژیت", "هپاتیت", "آبله", "کیست", "ایدز"),
    )
    items = [item(text=f"نشانهٔ {name}؟", options=tuple(f"{name} {n}" for n in "پچژگ"), gold="D") for name in names]
    kinds = {finding.kind: finding for finding in check([suite(*items)])}
    assert "keys are A 0, B 0, C 0, D 22" in kinds["skewed keys"].message
    assert "always D scores 100.0 %" in kinds["skewed keys"].message
    assert check([suite(*items[:19])]) == []


@pytest.mark.parametrize("counts", [[50, 55, 45, 122], [25, 25, 25, 25], [1, 0, 0, 0], [26, 13, 5, 10]])
def test_chi_square_agrees_with_scipy(counts: list[int]) -> None:
    assert uniform_p(counts) == pytest.approx(chisquare(counts).pvalue, rel=1e-9)


def test_chi_square_wants_four_counts() -> None:
    with pytest.raises(ValueError, match=r"four counts, not all zero, not \[1, 2\]"):
        uniform_p([1, 2])


@pytest.mark.parametrize(
    "text",
    [
        "با توجه به شکل زیر، ساختار شمارهٔ ۲ کدام است؟",
        "در نوار قلب زیر چه می‌بینید؟",
        "تشخیص رادیوگرافی زیر چیست؟",
        "معاینه یافته‌هایی را که در عکس مشاهده می‌شود نشان می‌دهد.",
        "یافته‌ها در تصویر نشان داده شده است؛ علت چیست؟",
        "عکس آزمایشم را براتون می‌فرستم، لطفاً نگاه کنید.",
        "The lesion is shown in the photograph. Diagnosis?",
    ],
)
def test_a_figure_that_is_pointed_at(text: str) -> None:
    assert missing_figure(text)


@pytest.mark.parametrize(
    "text",
    [
        "عکس قفسهٔ سینه طبیعی است. تشخیص چیست؟",
        "نوار قلب تاکی‌کاردی سینوسی را نشان می‌دهد.",
        "در کدام استان مالاریا به شکل بومی وجود دارد؟",
        "نتیجه به شکل زیر گزارش می‌شود: قند ۹۰.",
        "کم‌خونی داسی‌شکل با کدام جهش پدید می‌آید؟",
        "بیمار در بلع مشکل زیادی ندارد.",
        "عکس رنگی گرفتم و گفتند لوله‌ها باز است.",
        "تصویربرداری MRI مغز شدت بالا را نشان می‌دهد.",
    ],
)
def test_a_picture_that_is_not_missed(text: str) -> None:
    assert missing_figure(text) is None


def test_a_figure_is_found_in_a_suite() -> None:
    finding = only(other(text="در شکل زیر پیکان کدام رگ را نشان می‌دهد؟"))
    assert (finding.kind, finding.severity) == ("missing figure", "warning")
    assert only(other(text="عکس قفسهٔ سینه طبیعی است؛ علت تنگی نفس چیست؟")).kind == "picture named"


def test_folded_words_are_those_of_the_key() -> None:
    for text in (*TEXTS, "كتاب\u200cهاي HbA1c، pH+٣ و آزمايش‌ها؛ ﻻيه (CO2) «ب»", "سؤال رأي مؤثّر ۀ"):
        assert words(text) == normalize_for_key(text).split()


def test_findings_come_suite_by_suite_the_gravest_first() -> None:
    broken = suite(*CLEAN, other(text="كدام؟", gold=None, key=""), name="b")
    findings = check([suite(other(text="شكل زير"), name="a"), broken])
    assert [finding.suite for finding in findings] == sorted(finding.suite for finding in findings)
    assert [one.severity for one in findings if one.suite == "b"] == ["error", "note"]


def test_nothing_is_changed_by_looking() -> None:
    before: Suite = suite(*CLEAN, other(text="كدام شكل زير؟"))
    check([before])
    assert before == suite(*CLEAN, other(text="كدام شكل زير؟"))
