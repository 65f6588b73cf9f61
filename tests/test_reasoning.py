"""Splitting a chain of thought: prose, tags, streams in any chunks, and the published chains of thought.

The measurement reads GAOKERENA_DATA and prints its figures (`pytest -s -m data tests/test_reasoning.py`).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.engines.base import Reasoning, Text
from gaokerena.options import read_option
from gaokerena.reasoning import Splitter, split, steps
from gaokerena.reasoning_steps import StepCounter
from gaokerena.transcripts import FILE, read
from tests.real_data import data_folder

STEPS = "۱. **علائم:** بیمار خسته است و هموگلوبین پایین دارد.\n۲. **بررسی:** آهن سرم هم پایین است.\n\n"
END = "بنابراین، پاسخ صحیح گزینه [B] است."

# text, where its conclusion begins
PROSE = {
    "the option after the steps": (STEPS + END, END),
    "what follows the conclusion stays in it": (STEPS + END + "\n\nبا پزشک خود مشورت کنید.", END),
    "a heading": (STEPS + "**پاسخ نهایی:**\n[C] افسردگی", "**پاسخ نهایی:**"),
    "a numbered heading": (STEPS + "۳. **نتیجه‌گیری:**\n- آهن کم است.\n\n" + END, "۳. **نتیجه‌گیری:**"),
    "a sentence broken off": (STEPS + "با این حساب، گزینهٔ صحیح عبارت است از:\n\n[D] کمبود ویتامین", "با این حساب"),
    "on the data": (STEPS + "با توجه به این یافته‌ها، گزینه C محتمل‌ترین است.", "با توجه"),
    "the option's words": (STEPS + "بنابراین، پاسخ صحیح کم‌خونی فقر آهن است.\n\nاین بیماری درمان دارد.", "بنابراین"),
    "none of them": (STEPS + "پاسخ صحیح: هیچ‌کدام از گزینه‌ها درست نیست.", "پاسخ صحیح"),
    "a rejected option first": (
        "بنابراین گزینه A نادرست است.\n\n۱. آهن را بررسی می‌کنیم.\n۲. آهن پایین است.\n\n" + END,
        END,
    ),
    "a rejection among the steps": (
        "۱. گزینه A: تب دارد. بنابراین، این گزینه نادرست است.\n۲. گزینه B: با شرح حال می‌خواند.\n\n" + END,
        END,
    ),
    "advice": (STEPS + "بنابراین بهتر است آزمایش آهن بدهید. تا آن روز چای کمتر بنوشید.", "بنابراین بهتر"),
    "advice before more steps is no conclusion": (
        "بنابراین بهتر است از شرح حال آغاز کنیم.\n\n" + STEPS + "در نهایت، آهن تجویز می‌شود.",
        "در نهایت",
    ),
    "a result": (STEPS + "نتیجه: کم‌خونی فقر آهن.", "نتیجه"),
    "last sentence when nothing is recognised": ("تب سه روز مانده است. گلو قرمز است. استراحت کافی است.", " استراحت"),
    "one sentence": ("استراحت کافی است.", "استراحت"),
    "answer first": ("پاسخ صحیح گزینه [A] است.\n\nکم‌کاری تیروئید خستگی می‌آورد.", "پاسخ صحیح"),
    "answer first, then its chain": (
        "پاسخ صحیح گزینه [B] است. زنجیره افکار:\n\n" + STEPS + "بنابراین گزینه [B] پاسخ است.",
        "بنابراین گزینه",
    ),
}


@pytest.mark.parametrize(("text", "begins"), PROSE.values(), ids=PROSE)
def test_the_conclusion_of_prose(text: str, begins: str) -> None:
    parts = split(text)
    assert parts.reasoning + parts.conclusion == text
    assert parts.conclusion.startswith(begins)
    assert len(parts.conclusion) == len(text) - text.index(begins)


LIST = "- آب بنوشید.\n- استراحت کنید."

# The same for answers to a patient, which name no option: text, where its conclusion begins ("": there is none).
FREE = {
    "a heading with its text, then a list": (STEPS + "نتیجه: به پزشک مراجعه کنید.\n" + LIST, "نتیجه"),
    "a final heading, then a list": (STEPS + "پاسخ نهایی: استراحت کنید.\n\n" + LIST, "پاسخ نهایی"),
    "its own numbers": (STEPS + "در نتیجه، این کارها توصیه می‌شود:\n۱. استراحت\n۲. مایعات", "در نتیجه"),
    "its own numbers pass those of the steps": (STEPS + "در نتیجه:\n۱. خواب\n۲. آب\n۳. آهن\n۴. گوشت", "در نتیجه"),
    "a second paragraph": (STEPS + "بنابراین، بهتر است استراحت کنید.\n\nاگر تب ماند به پزشک بروید.", "بنابراین"),
    "a dash after the heading": (STEPS + "نتیجه – کم‌خونی است.\n" + LIST, "نتیجه"),
    "a bold heading": (STEPS + "**جمع‌بندی:** کم‌خونی است.\n" + LIST, "**جمع"),
    "a numbered heading at the end": (STEPS + "۳. نتیجه: کم‌خونی فقر آهن\n" + LIST, "۳. نتیجه"),
    "the number inside the bold marks": (STEPS + "**۳. نتیجه‌گیری:** کم‌خونی است.\n" + LIST, "**۳."),
    "a note after it": (STEPS + "بنابراین، کم‌خونی است.\n\n**نکتهٔ مهم:**\n" + LIST, "بنابراین"),
    "prose, then a headed result": ("تب دارد. گلو قرمز است. نتیجه: سرماخوردگی است.\n" + LIST, " نتیجه"),
    "advice against": (STEPS + "نتیجه: نیازی به جراحی نیست.\n" + LIST, "نتیجه"),
    "a second conclusion joins the first": (
        STEPS + "بنابراین، آهن کم است.\n\nدر نهایت، آهن تجویز می‌شود.\n" + LIST,
        "بنابراین",
    ),
    "the numbers go on": (STEPS + "بنابراین، آهن کم است.\n\n۳. درمان: آهن.\n\nدر نهایت آهن بخورید.", "در نهایت"),
    "the numbers go on after a heading": (STEPS + "۳. نتیجه: آهن کم است\n۴. درمان: آهن.", ""),
    "bullets after bullets": ("- تب دارد.\n- سرفه دارد.\n\nپس عفونت دارد.\n- آزمایش طبیعی است.", ""),
    "named steps go on": (STEPS + "پس، آهن کم است.\n- فریتین هم کم است.\nگام ۳: درمان با آهن.", ""),
    "the body of a step": (
        "**۱. علائم:**\nتب دارد.\n\n**۲. بررسی:**\nدر نتیجه تب، آب بدن کم می‌شود.\n\n۳. درمان: آب.",
        "",
    ),
    "the options are still to be weighed": (STEPS + "بنابراین، آهن کم است.\n\n- [A] آهن: بله.\n- [B] روی: خیر.", ""),
    "the others set aside": (
        STEPS + "بنابراین، آهن کم است.\n\nگزینه‌های دیگر مناسب نیستند:\n- [A] روی\n- [B] مس",
        "بنابراین",
    ),
    "a heading of another kind": (STEPS + "بنابراین، آهن کم است.\n\n## نکته‌ها\n" + LIST, "بنابراین"),
    "a chain is announced": (STEPS + "بنابراین، آهن کم است.\n\nزنجیرهٔ افکار:\n" + LIST, ""),
    "marked headings go on": (
        "## علائم\n- تب\n\nپس، عفونت محتمل است.\n\n## آزمایش\nخون طبیعی است.",
        "خون",
    ),
    "bold headings go on": (
        "**علائم:**\nتب دارد.\n\n**سابقه:**\nدیابت دارد.\n\nپس، عفونت محتمل است.\n\n**آزمایش:**\nخون طبیعی است.",
        "خون",
    ),
    "the body of a bold heading": (
        "**علائم:**\nتب دارد.\n\n**علت:**\nبه طور کلی تب از عفونت است.\n\nسرفه هم هست. گلو قرمز است.",
        " گلو",
    ),
    "a response of the body": (
        "بیمار تب دارد. پاسخ ایمنی بدن فعال شده است. سرفه هم دارد. گلو قرمز است. سرماخوردگی است.",
        " سرماخوردگی",
    ),
    "a response to treatment": (STEPS + "- پاسخ به درمان خوب است.\n- نتیجهٔ آزمایش طبیعی است.\n", ""),
    "a response to the question": (STEPS + "پاسخ به این پرسش: آهن بخورید.", "پاسخ به این"),
}


@pytest.mark.parametrize(("text", "begins"), FREE.values(), ids=FREE)
def test_the_conclusion_of_advice(text: str, begins: str) -> None:
    at = text.rindex(begins) if begins else len(text)
    assert joined([text]) == (text[:at], text[at:])
    assert joined(text) == (text[:at], text[at:])


@pytest.mark.parametrize("end", ["۴. نتیجه‌گیری: پاسخ صحیح گزینه [B] است.", "**پاسخ نهایی: گزینه [B]**", END])
def test_a_note_within_a_step_stays_out_of_the_conclusion(end: str) -> None:
    note = "۳. گزینه A: با تب نمی‌خواند. بنابراین این گزینه نادرست است.\n\n"
    assert split(STEPS + note + end).conclusion == end


def test_a_number_in_bold_marks_stays_with_its_heading() -> None:
    end = "**۳. نتیجه‌گیری:**\n" + END
    assert split(STEPS + end).conclusion == end


def test_a_conclusion_with_a_list_waits_no_longer_than_it_must() -> None:
    splitter = Splitter()
    splitter.feed(STEPS)
    assert splitter.feed("نتیجه: به پزشک مراجعه کنید.\n- آب بنوشید.\n") == []
    concluded = splitter.feed("- استراحت کنید و مایعات گرم بنوشید.\n" * 20)
    assert concluded[0].text.startswith("نتیجه: به پزشک")
    assert all(isinstance(event, Text) for event in concluded)
    assert splitter.feed("- آ") == [Text("- آ")]


def test_further_prose_proves_a_conclusion_at_once() -> None:
    splitter = Splitter()
    splitter.feed(STEPS + "بنابراین، بهتر است استراحت کنید.\n\nاگر تب ماند به پزشک بروید. ")
    assert splitter.feed("ت") == [Text("ت")]


def test_the_next_number_takes_a_conclusion_back_at_once() -> None:
    splitter = Splitter()
    splitter.feed(STEPS + "بنابراین، آهن کم است.\n\n")
    assert [type(event) for event in splitter.feed("۳. علت")] == [Reasoning, Reasoning]


def test_a_list_without_a_conclusion_leaves_it_empty() -> None:
    assert split(STEPS) == type(split(STEPS))(STEPS, "", tuple(STEPS.strip().split("\n")))


@pytest.mark.parametrize(
    "text",
    [STEPS + "بنابراین، با توجه به آهن", STEPS + "نتیجه: آهن کم است.\n- آهن", STEPS + "گلو قرمز", "تب دارد. گلو قرمز"],
)
def test_a_text_cut_off_has_no_conclusion(text: str) -> None:
    assert split(text, cut=True).reasoning == text
    assert split(text, cut=True).conclusion == ""


def test_a_conclusion_reached_survives_the_cut() -> None:
    assert split(STEPS + END + " این بیماری با آهن", cut=True).conclusion == END + " این بیماری با آهن"
    assert split("پاسخ صحیح گزینه [B] است.", cut=True).conclusion == "پاسخ صحیح گزینه [B] است."


TAGGED = {
    "think": ("<think>فکر</think>پاسخ", "فکر", "پاسخ"),
    "thinking": ("<thinking>\nفکر\n</thinking>\n\nپاسخ", "\nفکر\n", "\n\nپاسخ"),
    "reasoning": ("<reasoning>فکر</reasoning>پاسخ", "فکر", "پاسخ"),
    "upper case": ("<THINK>فکر</Think>پاسخ", "فکر", "پاسخ"),
    "cohere": ("<|START_THINKING|>فکر<|END_THINKING|>پاسخ", "فکر", "پاسخ"),
    "headings": ("## Thinking\nفکر\n## Final Response\nپاسخ", "\nفکر\n", "\nپاسخ"),
    "a conclusion inside is thought": (f"<think>{STEPS}{END} شاید.</think>پاسخ", f"{STEPS}{END} شاید.", "پاسخ"),
    "empty": ("<think></think>پاسخ. باز هم پاسخ.", "", "پاسخ. باز هم پاسخ."),
    "several": ("<think>یک</think>میانه<think>دو</think>پایان", "یکدو", "میانهپایان"),
    "unclosed": (f"<think>{STEPS}{END}", f"{STEPS}{END}", ""),
    "orphaned": ("فکر می‌کنم.\nبیشتر.</think>پاسخ", "فکر می‌کنم.\nبیشتر.", "پاسخ"),
    "orphaned after the answer": ("<think>فکر</think>پاسخ</think> ادامه", "فکر", "پاسخ ادامه"),
    "text before": ("بگذارید ببینم.<think>فکر</think>پاسخ", "بگذارید ببینم.فکر", "پاسخ"),
    "in a code fence": (
        "<think>فکر</think>```\n<think>کد</think>\n```\nپاسخ",
        "فکر",
        "```\n<think>کد</think>\n```\nپاسخ",
    ),
    "closing tag in a fence": ("<think>```\n</think>\n```\nفکر</think>پاسخ", "```\n</think>\n```\nفکر", "پاسخ"),
    "in backticks": ("<think>فکر</think>برچسب `<think>` است", "فکر", "برچسب `<think>` است"),
    "not a tag": ("<think>a<b، <thin>، <|START|></think>پاسخ <", "a<b، <thin>، <|START|>", "پاسخ <"),
    "cut inside a tag": ("<think>فکر</thi", "فکر</thi", ""),
}


@pytest.mark.parametrize(("text", "reasoning", "conclusion"), TAGGED.values(), ids=TAGGED)
def test_tags(text: str, reasoning: str, conclusion: str) -> None:
    for pieces in ([text], list(text), [text[:9], text[9:]]):
        assert joined(pieces) == (reasoning, conclusion)


def joined(pieces: Iterable[str], cut: bool = False) -> tuple[str, str]:
    splitter = Splitter()
    events: list[Reasoning | Text] = []
    for piece in pieces:
        events += splitter.feed(piece)
    events += splitter.finish(cut)
    assert all(event.text for event in events)
    reasoning = "".join(event.text for event in events if isinstance(event, Reasoning))
    assert splitter.step_count == len(steps(reasoning))
    return reasoning, "".join(event.text for event in events if isinstance(event, Text))


_MARKS = ("\n", "\n\n", " ", ".", ". ", "۱. ", "2) ", "- ", "* ", "**", "## ", ":", "A. ", "[B]", "«ب»", "12", "\u200c")
_WORDS = ("بنابراین، ", "پاسخ صحیح ", "پاسخ نهایی:", "زنجیره افکار", "نتیجه", "است", "نادرست است", "هیچ‌کدام", "برای ")
_OTHERS = ("گزینه C ", "با توجه به ", "تب دارد", "ﮔﺰﻳﻨﻪ", "گام ۱", "<", "<thi", "nk>", "</think>", "```\n", "`")
_HEADED = (
    "نتیجه: ",
    "در نتیجه، ",
    "پس ",
    "پاسخ ایمنی ",
    "پاسخ به ",
    "این ",
    "گزینه‌های دیگر ",
    "آب بنوشید.",
    "۲. ",
    "گام ۲:",
)
FRAGMENTS = st.sampled_from([*_MARKS, *_WORDS, *_OTHERS, *_HEADED, "## Thinking\n"])


@given(st.lists(FRAGMENTS, max_size=40), st.lists(st.integers(1, 7), min_size=1, max_size=20), st.booleans())
def test_chunks_change_nothing(fragments: list[str], sizes: list[int], cut: bool) -> None:
    text = "".join(fragments)
    pieces, at = [], 0
    while at < len(text):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[at : at + size])
        at += size
    whole = split(text, cut)
    assert joined(pieces, cut) == (whole.reasoning, whole.conclusion)
    assert joined(text, cut) == (whole.reasoning, whole.conclusion)
    if "think" not in text.casefold():
        assert whole.reasoning + whole.conclusion == text


def test_reasoning_streams_as_it_comes() -> None:
    splitter = Splitter()
    written = ""
    for at, character in enumerate(STEPS.rstrip()):
        written += "".join(event.text for event in splitter.feed(character))
        assert at - len(written) < 12, f"held back: {STEPS[len(written) : at]!r}"


def test_a_conclusion_streams_once_it_is_reached() -> None:
    splitter = Splitter()
    splitter.feed(STEPS + END + " ")
    assert splitter.feed("ب") == [Text("ب")]


def test_a_possible_conclusion_is_held_back_and_never_taken_back() -> None:
    splitter = Splitter()
    splitter.feed(STEPS)
    assert splitter.feed("بنابراین، گزینه [A]") == []
    assert splitter.feed(" نادرست است. ") == []
    released = splitter.feed("\n\n۳. آهن را می‌سنجیم")
    assert "".join(event.text for event in released) == "بنابراین، گزینه [A] نادرست است. \n\n۳. آهن را می‌سنجیم"
    assert all(isinstance(event, Reasoning) for event in released)
    assert splitter.step_count == 3


def test_only_the_last_sentence_of_a_paragraph_is_held_back() -> None:
    splitter = Splitter()
    assert splitter.feed("تب سه روز مانده است. ") == []
    assert splitter.feed("گلو") == [Reasoning("تب سه روز مانده است.")]


@pytest.mark.parametrize("opening", ["", STEPS + "نتیجه: آهن کم است.\n"], ids=["bare", "after a candidate"])
@pytest.mark.parametrize("piece", [".", "<", "*", "بنابراین ", "ا", "# ", "1. ", "\n", "- ا\n"])
def test_a_hostile_text_is_split_in_time(piece: str, opening: str) -> None:
    text = opening + piece * (50_000 // len(piece))
    start = time.process_time()
    assert "".join(joined([text])) == text
    assert "".join(joined(text[:5_000])) == text[:5_000]
    assert time.process_time() - start < 5


COUNTED = {
    "": 0,
    "یک جمله.": 1,
    "یک. دو. سه.": 2,
    "بند نخست.\n\nبند دوم.\n\nبند سوم.": 3,
    "- یک\n- دو\n- سه": 3,
    "مقدمه:\n۱. یک\n   - الف\n   - ب\n۲. دو": 2,
    "1) یک\n2) دو": 2,
    "**1. یک**\nمتن\n**2. دو**\nمتن": 2,
    "**گام ۱:** یک\n**گام ۲:** دو\n**گام ۳:** سه": 3,
    "گام اول: یک\nادامه\nگام دوم: دو": 2,
    "## یک\nمتن\n## دو\nمتن": 2,
    "دمای ۳۷٫۵ درجه.\nفشار ۱۲.۵": 1,
}


@pytest.mark.parametrize(("text", "count"), COUNTED.items(), ids=range(len(COUNTED)))
def test_steps_are_counted(text: str, count: int) -> None:
    assert len(steps(text)) == count
    counter = StepCounter()
    for character in text:
        counter.feed(character)
    assert counter.count == count


def test_a_step_keeps_what_belongs_to_it() -> None:
    assert steps("مقدمه\n۱. یک\n- الف\n۲. دو\n") == ("۱. یک\n- الف", "۲. دو")


@given(st.lists(FRAGMENTS, max_size=30))
def test_steps_counted_in_a_stream_are_those_of_the_text(fragments: Sequence[str]) -> None:
    counter = StepCounter()
    for fragment in fragments:
        counter.feed(fragment)
    assert counter.count == len(steps("".join(fragments)))


@pytest.mark.data
def test_published_chains_of_thought() -> None:
    rows = [row for row in read(data_folder() / FILE) if row.prompting == "cot"]
    print()  # noqa: T201
    for model in sorted({row.model for row in rows}):
        mine = [(row, split(row.response)) for row in rows if row.model == model]
        both, same, shares = 0, 0, []
        for row, parts in mine:
            assert parts.reasoning + parts.conclusion == row.response
            both += bool(parts.reasoning.strip() and parts.conclusion.strip())
            shares.append(len(parts.conclusion) / len(row.response))
            of_part = read_option(parts.conclusion, row.options, question=row.question).choice
            same += of_part == read_option(row.response, row.options, question=row.question).choice
        count, share = len(mine), statistics.median(shares)
        print(f"{model:16} both parts {both / count:.4f}, same option {same / count:.4f}, conclusion {share:.3f}")  # noqa: T201
        assert both / count >= (0.975 if model == "gaokerena-v1.0" else 0.99)
        assert same / count >= (0.97 if model == "gaokerena-v1.0" else 0.985)
        assert 0.05 <= share <= 0.30
