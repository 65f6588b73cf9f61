"""Reading the chosen option: hand-written answers, and agreement with the people who read the published ones.

The agreement test reads GAOKERENA_DATA and prints a table (`pytest -s -m data tests/test_options.py`). The rules were
tuned on the half of the questions whose hash is even; the test holds the other half to the same bound.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.options import Reading, read_option
from gaokerena.transcripts import FILE, Transcript, read
from tests.real_data import data_folder

OPTIONS = ("کم‌کاری تیروئید", "کم‌خونی فقر آهن", "افسردگی", "کمبود ویتامین D")
WHICH = "محتمل‌ترین علت خستگی این بیمار کدام است؟"
EXCEPT = "همهٔ موارد زیر از علل خستگی هستند به جز:"

CHOSEN = {
    "brackets": ("پاسخ صحیح گزینه [B] است.", "B"),
    "parenthesis": ("بنابراین، پاسخ (C) است.", "C"),
    "enumerator": ("پاسخ صحیح: D) کمبود ویتامین", "D"),
    "quoted": ("گزینهٔ «A» درست است.", "A"),
    "lower case": ("پاسخ نهایی: [c] افسردگی", "C"),
    "bold": ("بنابراین، پاسخ صحیح **گزینه [B] : کم‌خونی فقر آهن** است.", "B"),
    "persian letter": ("پاسخ درست گزینهٔ الف است.", "A"),
    "persian letter in brackets": ("پاسخ: (ب)", "B"),
    "persian letter with a full stop": ("بنابراین پاسخ این است: ج.", "C"),
    "persian letter alone": ("د", "D"),
    "arabic shapes": ("گزينه ب صحيح است.", "B"),
    "presentation forms": ("ﮔﺰﻳﻨﻪ ﺏ صحیح است.", "B"),
    "ordinal": ("گزینهٔ دوم پاسخ صحیح است.", "B"),
    "ordinal with ye": ("گزینه‌ی چهارم درست است.", "D"),
    "number": ("گزینه ۳ صحیح است.", "C"),
    "letter alone": ("[D]", "D"),
    "full width": ("پاسخ：［Ｂ］", "B"),
    "text": ("بنابراین، پاسخ صحیح **کم‌خونی فقر آهن** است.", "B"),
    "text with other spaces": ("محتمل‌ترین تشخیص کم کاری تیروئید است.", "A"),
    "text inflected": ("بنابراین، محتمل‌ترین علت کم‌خونی‌های فقر آهن است.", "B"),
    "option text alone": ("افسردگی", "C"),
    "negated, then chosen": ("پاسخ صحیح گزینه [A] نیست، بلکه گزینه [B] است.", "B"),
    "neither, nor, but": ("پاسخ درست نه [C] و نه [D]، بلکه [A] است.", "A"),
    "rejected before": ("گزینه A نادرست است. گزینه B هم درست نیست. بنابراین گزینه C پاسخ صحیح است.", "C"),
    "answer first": ("پاسخ صحیح گزینه [A] است.\n\nگزینه [B] نادرست است، زیرا آهن طبیعی است.", "A"),
    "answer first, others listed": (
        "گزینه [C] محتمل است.\n\nگزینه‌های دیگر:\n- [A]: مناسب نیست.\n- [B]: درست به نظر نمی‌رسد.\n- [D]: نادرست است.",
        "C",
    ),
    "list, then conclusion": (
        "- [A]: ممکن است.\n- [B]: این گزینه هم درست است.\n- [C]: نادرست است.\n- [D]: نادرست است."
        "\n\nبنابراین، گزینه [A] مناسب‌ترین است.",
        "A",
    ),
    "only the list judges": (
        "[A] کم‌کاری: نادرست است.\n[B] کم‌خونی: این گزینه درست است.\n[C] افسردگی: نادرست است.\n[D] کمبود: نادرست است.",
        "B",
    ),
    "heading, letter on the next line": ("پس از بررسی:\n\n**پاسخ نهایی:**\n\n[D] : کمبود ویتامین D", "D"),
    "correction at the end": ("پاسخ صحیح گزینه [A] است. نه، با توجه به آهن پایین، پاسخ صحیح گزینه [B] است.", "B"),
    "aside that follows": ("پاسخ صحیح گزینه [B] است، در حالی که گزینه [A] بهترین انتخاب برای بیمار دیگری است.", "B"),
    "vitamin D is no letter": ("کمبود ویتامین D شایع است، اما پاسخ صحیح گزینه [A] است.", "A"),
    "vitamin D beside the letter": ("با توجه به سطح ویتامین D، گزینه [B] محتمل است.", "B"),
    "letter after vitamin": ("پاسخ صحیح گزینه A است. ویتامین D طبیعی است.", "A"),
    "species is no letter": ("بنابراین، برای C. difficile گزینه [B] پاسخ صحیح است، نه درمان C. albicans.", "B"),
    "two options left aside": ("دو گزینهٔ اول را کنار می‌گذاریم. پاسخ صحیح گزینه [D] است.", "D"),
    "english": ("The correct answer is [C].", "C"),
    "three are not, so": ("[A] نیست، [B] نیست، [C] نیست، پس [D].", "D"),
    "three are not": ("گزینهٔ [A] نیست، گزینهٔ [B] نیست، گزینهٔ [C] هم نیست.", "D"),
    "bare letters, not and is": ("پاسخ صحیح الف نیست، ب است.", "B"),
    "bare letters, neither but": ("پاسخ درست نه الف، بلکه ج است.", "C"),
    "must not, but": ("نباید گزینهٔ [A] را انتخاب کرد، بلکه گزینهٔ [B] درست است.", "B"),
    "wrong and right in one line": ("گزینهٔ [A] درست نیست؛ گزینهٔ [D] درست است.", "D"),
    "wrong and right joined": ("گزینهٔ الف نادرست و گزینهٔ ب درست است.", "B"),
    "not to be called wrong": ("نمی‌توان گفت گزینهٔ [A] نادرست است.", "A"),
    "a denial of something else": ("بیمار نمی‌تواند راه برود و گزینهٔ [A] درست است.", "A"),
    "a reason with a denial": ("گزینهٔ [A] را انتخاب می‌کنم، چون آهن کافی نیست.", "A"),
    "a symbol in quotation marks": ("گزینهٔ صحیح [D] است که همان مفهوم «c» در قانون را نشان می‌دهد.", "D"),
    "bold persian letter": ("مناسب‌ترین گام بعدی **ب** (کم‌خونی فقر آهن) است.", "B"),
    "letter with half a bracket in a list": (
        "* **A] کم‌کاری:** مفید است، اما کمکی نمی‌کند.\n\n**پاسخ مناسب:** بهترین تشخیص **افسردگی** است.",
        "C",
    ),
    "least likely": (
        "پاسخ:\n- گزینهٔ **افسردگی (C)** کمترین احتمال را دارد.\n- محتمل‌ترین علت **کم‌کاری تیروئید** است.",
        "A",
    ),
    "the last words deny": (
        "گزینهٔ [C] محتمل‌ترین توضیح برای این علائم نیست. با این حال گزینهٔ [B] درست است.",
        "B",
    ),
    "a second one also": ("بنابراین، گزینهٔ [A] بهترین پاسخ است. گزینهٔ [D] نیز انتخاب مناسبی است.", "A"),
    "others in a list, by their words": (
        "محتمل‌ترین علت **کم‌کاری تیروئید** است.\n\nگزینه‌های دیگر:\n"
        "- **افسردگی**: اگرچه شایع است، محتمل‌ترین علت شمرده نمی‌شود.",
        "A",
    ),
    "letter on the next line": (
        "با سنجیدن گزینه‌های B و D به این نتیجه می‌رسیم که گزینهٔ صحیح\n[B] کم‌خونی فقر آهن\nاست.",
        "B",
    ),
    "words after a bare letter": ("گزینهٔ ب و درمان با آهن.", "B"),
    "of the options left": ("گزینهٔ A درست نیست. از بین گزینه‌های باقی‌مانده، [C] بهترین پاسخ است.", "C"),
    "two, then one of them": ("با توجه به شرح حال، گزینه‌های [A] و [C] محتمل‌اند. گزینهٔ [C] را انتخاب می‌کنم.", "C"),
}
NOT_CHOSEN = {
    "empty": ("", "none"),
    "blank": (" \n\u200c\n", "none"),
    "nothing named": ("برای پاسخ باید آزمایش بیشتری انجام شود.", "none"),
    "the prompt repeated": ("پاسخ صحیح کدام است؟", "none"),
    "announced, not said": ("گزینه A را بررسی کردیم. بنابراین پاسخ این است:", "none"),
    "none of them": ("[A]: نادرست است.\n[B]: نادرست است.\n\nبنابراین هیچ‌کدام از گزینه‌ها صحیح نیستند.", "none"),
    "none, with letters": ("پاسخ صحیح: هیچ‌یک از گزینه‌های A، B، C و D درست نیست.", "none"),
    "two": ("پاسخ صحیح گزینه‌های [A] و [B] است.", "several"),
    "two with or": ("بنابراین، پاسخ صحیح گزینه [A] یا گزینه [C] است.", "several"),
    "two after their words": ("بهترین پاسخ کم‌کاری تیروئید (A) و افسردگی (C) است.", "several"),
    "two with their words": ("پاسخ صحیح [A] کم‌کاری تیروئید و [B] کم‌خونی فقر آهن است.", "several"),
    "three": ("پاسخ صحیح [A]، [B] و [D] است.", "several"),
    "two bare letters": ("گزینه‌های الف و ب درست‌اند.", "several"),
    "two bare letters with or": ("گزینهٔ الف یا ب", "several"),
    "is not right": ("گزینهٔ A درست نیست.", "none"),
    "is wrong": ("گزینهٔ [B] نادرست است؛ آهن طبیعی است.", "none"),
    "the answer is not": ("پاسخ صحیح گزینهٔ [A] نیست.", "none"),
    "cannot be held right": ("نمی‌توان گزینهٔ [C] را درست دانست.", "none"),
    "I do not choose": ("من گزینهٔ الف را انتخاب نمی‌کنم.", "none"),
    "must not be chosen": ("نباید گزینهٔ [A] را انتخاب کرد.", "none"),
    "neither must be chosen": ("نباید گزینهٔ ب یا ج را انتخاب کرد.", "none"),
    "cannot be the answer": ("گزینهٔ ج نمی‌تواند پاسخ باشد.", "none"),
    "not accepted": ("گزینهٔ [A] را نمی‌پذیرم، زیرا با آزمایش سازگار نیست.", "none"),
    "put aside": ("گزینهٔ سوم را کنار می‌گذارم.", "none"),
    "weighed, then wrong": ("گزینهٔ A را بررسی کردیم. گزینهٔ A درست نیست.", "none"),
    "not, but something else": ("پاسخ [D] کمبود ویتامین D نیست، بلکه مهم‌ترین علت کم‌خوابی است.", "none"),
    "must not be chosen, by its words": ("نباید کم‌خونی فقر آهن را انتخاب کرد.", "none"),
}


@pytest.mark.parametrize(("text", "letter"), CHOSEN.values(), ids=CHOSEN)
def test_the_letter_chosen(text: str, letter: str) -> None:
    reading = read_option(text, OPTIONS, question=WHICH)
    assert reading.choice == letter
    assert reading.chosen == (letter,)
    assert reading.reason not in ("none", "several")


@pytest.mark.parametrize(("text", "reason"), NOT_CHOSEN.values(), ids=NOT_CHOSEN)
def test_nothing_chosen(text: str, reason: str) -> None:
    reading = read_option(text, OPTIONS, question=WHICH)
    assert reading.choice is None
    assert reading.reason == reason


def test_the_reading_shows_its_sentence() -> None:
    text = "گزینه [B] کمتر محتمل است. بنابراین، **پاسخ صحیح گزینه [A]** است. این بیماری شایع است."
    reading = read_option(text, OPTIONS, question=WHICH)
    assert reading == Reading("A", "answer", "بنابراین، **پاسخ صحیح گزینه [A]** است.", ("B", "A"), ("A",))


def test_several_are_told() -> None:
    reading = read_option("پاسخ صحیح گزینه‌های [D] و [B] است.", OPTIONS, question=WHICH)
    assert reading.chosen == ("D", "B")
    for text in ("گزینهٔ [A] یا گزینهٔ [B]", "گزینهٔ الف یا ب", "گزینه‌های الف و ب درست‌اند."):
        reading = read_option(text, OPTIONS, question=WHICH)
        assert (reading.choice, reading.reason, reading.chosen) == (None, "several", ("A", "B"))


def test_a_question_for_what_does_not_hold_turns_right_and_wrong() -> None:
    text = "[A]: درست است.\n[B]: درست است.\n\nبنابراین، گزینه [C] نادرست است."
    assert read_option(text, OPTIONS, question=EXCEPT).choice == "C"
    assert read_option(text, OPTIONS, question=WHICH).choice != "C"


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("نمی‌توان گزینهٔ [C] را درست دانست.", "C"),
        ("گزینهٔ [C] درست نیست.", "C"),
        ("همهٔ موارد درست‌اند به جز [C].", "C"),
        ("پاسخ صحیح گزینهٔ [A] نیست، بلکه گزینهٔ [B] است.", "B"),
        ("پاسخ صحیح گزینهٔ [A] نیست.", None),
        ("گزینهٔ [A] را انتخاب نمی‌کنم.", None),
        ("نباید گزینهٔ الف را انتخاب کرد.", None),
    ],
)
def test_there_only_a_denial_of_the_choice_sets_aside(text: str, letter: str | None) -> None:
    assert read_option(text, OPTIONS, question=EXCEPT).choice == letter


def test_a_denial_told_in_the_case_does_not_turn_the_question() -> None:
    case = "بیمار تب ندارد و درد هم نمی‌گوید. " + WHICH
    assert read_option("گزینه [C] نادرست است. گزینه [A] درست است.", OPTIONS, question=case).choice == "A"


def test_an_option_that_says_none_can_be_chosen() -> None:
    options = ("تب", "سرفه", "درد", "هیچ‌یک از موارد فوق")
    assert read_option("بنابراین، پاسخ صحیح [D] هیچ‌یک از موارد فوق است.", options, question=WHICH).choice == "D"


def test_an_option_with_a_denial_of_its_own_can_be_chosen() -> None:
    options = ("دارو", "جراحی", "اکنون درمانی لازم نیست", "بستری")
    text = "گزینه [A] را بررسی کردیم. بنابراین، گزینه [C] اکنون درمانی لازم نیست."
    assert read_option(text, options, question=WHICH).choice == "C"
    assert read_option(text, OPTIONS, question=WHICH).choice != "C"


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("پاسخ صحیح: کاهش نمی‌یابد.", "C"),
        ("پاسخ صحیح: کاهش می‌یابد.", "B"),
        ("بنابراین، پاسخ درست «اثر نمی‌گذارد» است.", "D"),
        ("پاسخ صحیح کاهش نمی‌یابد نیست.", None),
        ("گزینهٔ [C] کاهش نمی‌یابد نادرست است.", None),
    ],
)
def test_a_denial_in_the_words_of_an_option_does_not_deny_it(text: str, letter: str | None) -> None:
    options = ("افزایش می‌یابد", "کاهش می‌یابد", "کاهش نمی‌یابد", "اثر نمی‌گذارد")
    assert read_option(text, options).choice == letter


def test_words_of_an_option_count_only_with_options() -> None:
    text = "بنابراین، پاسخ صحیح کم‌خونی فقر آهن است."
    assert read_option(text).choice is None
    assert read_option(text, OPTIONS).choice == "B"


def test_a_longer_option_wins_over_one_it_holds() -> None:
    options = ("درد شکم", "درد شکم و تب", "تب", "لرز")
    assert read_option("پاسخ صحیح درد شکم و تب است.", options).choice == "B"


@given(st.text(alphabet="ABCDالفبجد[]()گزینهپاسخ صحیح است نیست.\n:*،", max_size=300))
def test_any_text_is_read(text: str) -> None:
    reading = read_option(text, OPTIONS, question=WHICH)
    assert (reading.choice is not None) == (len(reading.chosen) == 1)
    assert reading.quote in text


HOSTILE = ("A و ", "[", "*", ".", "پاسخ صحیح ", "- [A]: x\n- [B]: y\n", "پاسخ:\n- [A]: x\n", "\n", "1. ")
HOSTILE += ("گزینه الف و ب ", "[A]، پس ", "نباید A ", "انتخاب ")


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_text_is_read_in_time(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    start = time.process_time()
    read_option(text, OPTIONS, question=text)
    assert time.process_time() - start < 5


LEAST = {
    ("aya-expanse-8b", "cot"): 0.990,
    ("gaokerena-r1.0", "cot"): 0.985,
    ("gaokerena-v1.0", "cot"): 0.983,
    ("aya-expanse-8b", "straight"): 0.985,
    ("gaokerena-r1.0", "straight"): 0.975,
    ("gaokerena-v1.0", "straight"): 0.988,
    ("qwen2.5-7b-instruct", "straight"): 0.988,
    ("persianmind-v1.0", "straight"): 0.995,
    ("medmobile+parsinlu", "straight"): 0.965,
    ("medmobile+gemma-2b-it", "straight"): 0.960,
}
"""Least agreement on rows a person read as A to D: a little under what was measured."""

Row = tuple[str, str, int, str, Reading]


@pytest.fixture(scope="module")
def transcripts() -> list[Transcript]:
    return list(read(data_folder() / FILE))


@pytest.fixture(scope="module")
def rows(transcripts: list[Transcript]) -> list[Row]:
    return [
        (row.model, row.prompting, _half(row.question), row.annotated_choice or "", _read(row)) for row in transcripts
    ]


def _half(question: str) -> int:
    return int(hashlib.sha256(question.encode()).hexdigest(), 16) % 2


def _read(row: Transcript) -> Reading:
    return read_option(row.response, row.options, question=row.question)


@pytest.mark.data
def test_agreement_with_the_annotators(rows: list[Row]) -> None:
    agreed: dict[tuple[str, str], list[list[bool]]] = defaultdict(lambda: [[], []])
    for model, prompting, half, letter, reading in rows:
        if letter:
            agreed[model, prompting][half].append(reading.choice == letter)
    assert set(agreed) == set(LEAST)
    for key, (tuned, unseen) in sorted(agreed.items()):
        both = tuned + unseen
        share, tuned_share, unseen_share = (sum(part) / len(part) for part in (both, tuned, unseen))
        print(f"{key[0]:24}{key[1]:9} {share:.4f} of {len(both):5}  tuned {tuned_share:.4f}  unseen {unseen_share:.4f}")  # noqa: T201
        assert share >= LEAST[key], key
        assert unseen_share >= LEAST[key] - 0.01, key
    for prompting in ("cot", "straight"):
        every = [hit for (_, kind), parts in agreed.items() if kind == prompting for part in parts for hit in part]
        print(f"{'all':24}{prompting:9} {sum(every) / len(every):.4f} of {len(every):5}")  # noqa: T201
        assert sum(every) / len(every) >= 0.985


@pytest.mark.data
def test_rows_without_a_letter_mostly_give_none(rows: list[Row]) -> None:
    unread = [reading.choice is None for _, _, _, letter, reading in rows if not letter]
    print(f"no letter for {sum(unread) / len(unread):.3f} of {len(unread)} rows without one")  # noqa: T201
    assert sum(unread) / len(unread) >= 0.75


@pytest.mark.data
def test_reading_is_fast(transcripts: list[Transcript]) -> None:
    some = transcripts[::10]
    start = time.process_time()
    for row in some:
        _read(row)
    each = (time.process_time() - start) / len(some)
    print(f"{each * 1e3:.3f} ms of processor time an answer")  # noqa: T201
    assert each < 1e-3
