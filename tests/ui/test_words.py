"""Every word of the page exists in both languages, written as a careful typist would; the small HTML around them."""

from __future__ import annotations

import re
import string
import tomllib

import pytest

from gaokerena.attempts import SideState
from gaokerena.comparisons import CHOICES, REASONS, SIDES, Choice
from gaokerena.expert_verdicts import FAULTS, SCALE_HIGH, SCALE_LOW, SCALES
from gaokerena.intake import read_question
from gaokerena.persian import tidy
from gaokerena.questions import Question
from gaokerena.safety import DATA, red_flags
from gaokerena.ui import api, cards, notices, strings, verdict
from gaokerena.ui.cards import Identity
from gaokerena.ui.examples import EXAMPLES
from gaokerena.ui.flow import moment
from gaokerena.ui.strings import SIDE_WORDS, TEXTS, both, pair, say, switched
from gaokerena.ui.suites import NAMES, Suites
from tests.real_data import data_folder

PERSIAN = re.compile("[\u0600-\u06ff]")
EVERY = [
    *TEXTS.items(),
    *((f"{side}-{width}", words) for side, both_ in SIDE_WORDS.items() for width, words in both_.items()),
]
FOREIGN_NAME = {"other_language", "call"}
"""Each language's switch is named in the other; a call is only a figure and a name."""


@pytest.mark.parametrize(("key", "words"), EVERY)
def test_both_languages_say_it(key: str, words: tuple[str, str]) -> None:
    fa, en = words
    if key not in FOREIGN_NAME:
        assert PERSIAN.search(fa)
        assert not PERSIAN.search(en)
    assert tidy(fa) == fa, "Persian ye and kaf, ZWNJ in its place, no stray blanks"
    assert not re.search("[0-9]", re.sub("{.*?}", "", fa)), "Persian digits"
    fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in words]
    assert fields[0] == fields[1]


def test_figures_are_persian_in_persian() -> None:
    assert say("fa", "steps_seconds", n=5, s=12) == "۵ گام · ۱۲ ثانیه"
    assert say("en", "steps_seconds", n=5, s=12) == "5 steps · 12 s"
    assert say("fa", "queued", n=2) == "جایگاه این پاسخ در صف: ۲"


def test_words_are_escaped() -> None:
    assert pair("<ب>", "a & b") == (
        '<span class="t" lang="fa">&lt;ب&gt;</span><span class="t" lang="en">a &amp; b</span>'
    )
    assert switched("left").count("<span class=") == 6


def test_every_text_is_used() -> None:
    source = "".join(path.read_text("utf-8") for path in strings._FILE.parent.glob("*.py"))
    named = set(re.findall(r"""["'](\w+)["']""", source)) | set(REASONS) | {f"strength_{n}" for n in (1, 2, 3)}
    named |= {f"study_{name}" for name in (*SCALES, *FAULTS)}
    named |= {f"study_{scale}_{mark}" for scale in SCALES for mark in range(SCALE_LOW, SCALE_HIGH + 1)}
    assert {key for key in TEXTS if not key.startswith("urgent_")} <= named


def test_examples_can_be_asked_and_cover_several_fields() -> None:
    assert 8 <= len(EXAMPLES) <= 12
    assert len({example.fa for example in EXAMPLES}) == len(EXAMPLES)
    for example in EXAMPLES:
        question = read_question(example.question.text, example.question.options)
        assert question == example.question, "tidy already"
    assert sum(example.question.is_multiple_choice for example in EXAMPLES) >= 2


def test_a_card_shows_nothing_of_a_model_until_it_may() -> None:
    state = SideState(conclusion="بله", finish_reason="stop", seconds=2)
    assert cards.value(state)["who"] == ""
    known = cards.value(state, Identity("R", "gaokerena-r1.0", "cot"))
    assert "gaokerena-r1.0" in known["who"]
    assert "<script" not in cards.value(state, Identity("R", "<script>", "cot"))["who"]


def test_a_card_without_a_chain_of_thought_has_the_same_parts() -> None:
    with_it = cards.value(SideState(reasoning="۱. الف\n", conclusion="بله", steps=("الف",), finish_reason="stop"))
    without = cards.value(SideState(conclusion="بله", finish_reason="stop"))
    same = ("phase", "status", "who", "answer", "copy", "chose", "error")
    assert {key: with_it[key] for key in same} == {key: without[key] for key in same}
    assert "بدون زنجیرهٔ فکر" in without["thoughts"][0]


def test_copy_never_holds_the_chain_of_thought() -> None:
    value = cards.value(SideState(reasoning="۱. الف\n", conclusion="بله", finish_reason="stop"))
    assert value["copy"] == "بله"


@pytest.mark.parametrize(
    ("english", "shown"),
    [("The power went out.", "The power went out."), ("", "This answer could not be made. Ask again;")],
)
def test_a_failed_side_speaks_english_on_the_english_page(english: str, shown: str) -> None:
    state = SideState(finish_reason="failed", error="برق رفت.", error_english=english)
    persian, told = re.findall(r'<span class="t" lang="\w\w">(.*?)</span>', cards.value(state)["error"])
    assert persian == "برق رفت."
    assert told.startswith(shown)
    assert not PERSIAN.search(told)
    payload = api.said(state)
    assert payload["error"] == "برق رفت."
    assert payload["error_english"].startswith(shown)


def test_a_clock_set_back_does_not_set_drawings_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = moment()
    monkeypatch.setattr("time.time_ns", lambda: 0)
    assert moment() >= before > 1_600_000_000_000, "milliseconds of the wall clock at the start, then monotonic"


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (CHOICES, ""),
        ((), ""),
        (("left", "both_bad"), "One side wrote nothing"),
        (("both_bad",), "Neither side wrote anything"),
    ],
)
def test_the_bar_says_why_a_verdict_cannot_be_given(choices: tuple[Choice, ...], said: str) -> None:
    value = verdict.value("open", choices=choices)
    assert value["choices"] == list(choices)
    assert bool(value["silent"]) == bool(said)
    assert said in value["silent"]


@pytest.mark.parametrize(
    ("state", "fa"),
    [
        (SideState(), "در انتظار آغاز…"),
        (SideState(queued=4), "جایگاه این پاسخ در صف: ۴"),
        (SideState(conclusion="ب"), "در حال نوشتن…"),
        (SideState(conclusion="ب", finish_reason="stop", seconds=11.6), "پایان یافت · ۱۲ ثانیه"),
        (SideState(conclusion="ب", finish_reason="length", seconds=3), "به بیشینهٔ طول رسید · ۳ ثانیه"),
        (SideState(conclusion="ب", finish_reason="stopped", seconds=0.01), "متوقف شد · ۱ ثانیه"),
        (SideState(finish_reason="failed", seconds=3), "ناتمام ماند · ۳ ثانیه"),
    ],
)
def test_the_status_says_how_it_stands(state: SideState, fa: str) -> None:
    assert f">{fa}<" in cards.status(state)


def test_the_banner_calls_115_first_and_each_number_once() -> None:
    flags = red_flags("می‌خوام خودمو بکشم، یک مشت قرص خوردم و قفسهٔ سینه‌ام درد می‌کند")
    html = notices.red_flags(flags)
    assert re.findall(r'href="tel:(\d+)"', html) == ["115", "123", "1480"]
    assert "۱۱۵ · اورژانس<" in html
    assert html.count("<li>") == len(flags) >= 2
    assert notices.red_flags([]) == ""


def test_every_kind_of_danger_has_its_advice_in_both_languages() -> None:
    kinds = {row["kind"] for row in tomllib.loads((DATA / "red_flags.toml").read_text("utf-8"))["class"]}
    assert {f"urgent_{kind}" for kind in kinds} == {key for key in TEXTS if key.startswith("urgent_")}


def test_a_question_is_shown_as_text() -> None:
    html = notices.asked(Question(text="<b>تب</b>", options=("<i>", "ب", "ج", "د")))
    assert "<b>" not in html
    assert "<i>" not in html
    assert both("asked") in html


def test_the_verdict_frame_offers_everything_a_verdict_may_hold() -> None:
    frame = verdict._frame()
    for choice in (*SIDES, "tie", "both_bad"):
        assert f'name="choice" value="{choice}"' in frame
    for reason in REASONS:
        assert f'name="reasons" value="{reason}"' in frame
    assert frame.count(" checked") == 1


def test_without_data_there_are_no_suites() -> None:
    assert Suites(None).names == ()


@pytest.mark.data
def test_questions_of_each_suite_can_be_drawn() -> None:
    suites = Suites(data_folder())
    assert set(suites.names) == set(NAMES)
    for name in suites.names:
        assert len(suites.draw(name).options) == 4
        assert len(suites._questions[name]) > 100
