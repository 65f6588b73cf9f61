"""The checks of a text that may be chosen: each fault alone is found, and good texts of many kinds pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.questions import Question
from tests.training.rlaif.cases import chain, task, wrong
from training.rlaif.form import cleaned, form_fault
from training.rlaif.questions import Task
from training.rlaif.texts import chain_fault, lower_cased
from training.rlaif.traces import reveals
from training.rlaif.wording import CURRENT, load

ONE = task(0)
GOOD = chain(ONE)


def fault(text: str, ended: str = "stop") -> str | None:
    return chain_fault(cleaned(text), ended, ONE, wrong(ONE))


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.removesuffix("."),
        GOOD + "\n\n**پاسخ:** [A] آسپرین",
        GOOD.replace("نخست", "MRI و CT نشان می‌دهند که نخست"),
        GOOD.replace("نخست", "دوز 5 mg/kg است و Helicobacter pylori نقشی ندارد. نخست"),
        GOOD.replace("نخست", "اصلاح الکترولیت‌ها و تصحیح کم‌آبی لازم است. نخست"),
        GOOD.replace("نخست", "بازخورد منفی هورمون را مهار می‌کند. نخست"),
        GOOD.replace("نخست", "با توجه به توضیحات بالا، نخست"),
        GOOD.replace("نخست", "هموگلوبین <7 و >5 است. قضیهٔ Guillain-Barré syndrome of the young نیست. نخست"),
        GOOD.replace("نخست", "خیلی خیلی زود باید دید: مسألهٔ تأثیر دارو، ذات‌الریه و سوءتغذیه. نخست"),
    ],
)
def test_good_texts_pass(text: str) -> None:
    if not text.endswith((".", "آسپرین")):
        assert fault(text) is None or fault(text) == "cut_off"
    else:
        assert fault(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        ("گزینهٔ [A] درست است.", "short"),
        (GOOD[:-15], "cut_off"),
        (GOOD + " و همچنین", "cut_off"),
        ("The answer is clearly [A], because it is safe for this patient.", "not_persian"),
        (GOOD.replace("نخست", "First we have to look at what the patient really needs now. نخست"), "not_persian"),
        (GOOD.replace("بیمار", "пациент"), "foreign_script"),
        (GOOD.replace("بیمار", "بیمarar"), "mixed_script_word"),
        (GOOD + "\n" + GOOD.split("\n")[0], "repeats"),
        ("الجواب الصحيح هو الأسبرين لأن المريض يعاني من الحمى.\nلذلك فإن الإجابة الصحيحة هي [A].", "not_persian"),
        ("المريض يعاني من الحمى والألم وهذا الدواء آمن نسبيا مقارنة بالأدوية الأخرى.\n" + GOOD, "not_persian"),
        (GOOD + "\nمریض کے لیے یہ دوا محفوظ ہے۔", "not_persian"),
        (GOOD.replace("نخست", "The answer is safe for him. نخست"), "not_persian"),
        (GOOD.replace("با سنجیدن", "این دارو برای بیمار خوب است، " * 3 + "با سنجیدن"), "repeats"),
        (GOOD.replace("با سنجیدن", "خوب " * 4 + "با سنجیدن"), "repeats"),
        (f"<start_of_turn>model\n{GOOD}", "markup"),
        (f"<|im_start|>assistant\n{GOOD}", "markup"),
        (f"◁think▷کلید روشن است◁/think▷{GOOD}", "markup"),
        (f"<scratchpad>طرح</scratchpad>{GOOD}", "markup"),
        (f"دستیار: {GOOD}", "markup"),
        (f"```\n{GOOD}\n```\nپاسخ: [A]", "markup"),
        (GOOD.replace("[A]", "[a]"), "lower_cased"),
        (GOOD.replace("نخست", "در mri و ecg چیزی نیست. نخست"), "lower_cased"),
        (GOOD.replace("نخست", "aspirin، heparin، warfarin، alteplase، insulin، glucagon. نخست").replace("[A]", "الف"),
         "lower_cased"),
        (GOOD.replace("[A] آسپرین", "[B] استامینوفن"), "misses_key"),
        (GOOD.replace("[A] آسپرین", "[A] مورفین"), "contradicts"),
    ],
)  # fmt: skip
def test_each_fault_is_found(text: str, expected: str) -> None:
    assert fault(text) == expected


def test_a_text_of_dashes_is_read_in_one_pass() -> None:
    """A pattern that could part the dashes in many ways took minutes."""
    text = f"{GOOD}\n" + "-".join(("a", "-" * 3_000, "b", "-" * 3_000, "c"))
    assert form_fault(text, "stop") == "cut_off"
    assert form_fault(f"{text}.", "stop") is None


def test_what_the_server_says_of_the_end_counts() -> None:
    assert fault(GOOD, "length") == "cut_off"
    assert form_fault(GOOD, "stop") is None


TRACES = (
    "پاسخ دانشجو نادرست بود.", "در پاسخ قبلی، گام دوم اشتباه است.", "متن اصلاح‌شده: چنین است.",
    "این پاسخ اصلاح شده است.", "تصحیح استدلال چنین است.", "طبق یادداشت، این دارو کم‌خطر است.",
    "بر اساس کلید، گزینه روشن است.", "همان‌طور که در پاسخ‌نامه آمده، چنین است.", "گزینهٔ صحیح داده شده را می‌پذیریم.",
    "از پیش معلوم است که کدام درست است.", "اشتباه شما در گام نخست است.", "پوزش می‌خواهم، اشتباه کردم.",
    "همان‌طور که اشاره کردید، سن مهم است.", "با توجه به راهنمایی شما چنین است.", "زنجیرهٔ فکر ارائه‌شده نادرست است.",
    "The student was wrong.", "As in the provided explanation.", "توضیح ارائه‌شده روشن است.", "استدلال او نادرست است.",
    "نوشتهٔ بالا نادرست است.", "نوشتهٔ آن شخص در گام دوم کج شده است.", "آن شخص در گام دوم سراغ عضله رفته است.",
    "نویسنده در گام دوم به بیراهه رفته است.", "گام دوم آن نادرست است.", "آن نوشته تا اینجا پذیرفتنی است.",
    "این استدلال در گام دوم کج می‌شود.", "گام دوم از راه درست بیرون رفته است.", "چون می‌دانیم گزینهٔ درست همین است.",
    "همان‌گونه که گفته شد گزینهٔ A درست است.", "پاسخ از قبل داده شده است.", "فردی که دومی را برگزیده شتاب کرده است.",
    "در متن یاد شده به سن توجه نشده است.", "نوشتهٔ کسی که به گزینهٔ درست نرسیده چنین است.", "آن پاسخ نادرست است.",
    "حتماً، راه‌حل از نو نوشته شد.", "بر پایهٔ قاعده‌های گفته‌شده می‌نویسم.", "طبق درخواست شما، راه‌حل چنین است.",
    "همان‌گونه که خواسته بودید، چنین است.", "با توجه به گزینهٔ درست، چنین می‌اندیشیم.", "نسخهٔ درست‌شده چنین است.",
    "برخلاف آنچه نوشته شده بود، سن مهم است.", "خطای اصلی در تحلیل بالا روشن است.", "پاسخ تازه چنین است.",
    "چون گزینهٔ درست A اعلام شده، چنین است.", "پاسخ صحیح که در اختیار داریم A است.", "حق با شماست.",
    "به‌اشتباه گزینهٔ B انتخاب شده بود.", "با اصلاح این خطا به نتیجه می‌رسیم.", "طبق توضیحات، سن مهم است.",
    "همان‌طور که در توضیح آمده، سن مهم است.", "من در ابتدا B را انتخاب کردم.", "ابتدا فکر می‌کردم B درست است.",
    "حالا که دوباره فکر می‌کنم، سن مهم است.", "این بار دقیق‌تر بررسی می‌کنم.", "بار دیگر پرسش را مرور می‌کنم.",
    "با توجه به نکته‌ها، سن مهم است.", "در راه‌حل پیشنهادی، گام دوم نادرست بود.",
    "The wrong step was the second.", "پاسخ داوطلب شتاب‌زده است.", "همان نوشته نادرست است.",
)  # fmt: skip
PROMPTS_NOUNS = ("نوشتهٔ کسی", "آن شخص", "آن نوشته", "یادداشت", "از راه درست بیرون")
"""What the prompt calls the student's text, its writer, the explanation and the slip: a teacher repeats these."""


@pytest.mark.parametrize("noun", PROMPTS_NOUNS)
def test_the_prompts_own_words_for_what_must_not_show_are_traces(noun: str) -> None:
    assert noun in load(CURRENT["a"]).texts["correction"]
    assert reveals(f"{noun} در اینجا دیده می‌شود. {GOOD}", ONE)


@pytest.mark.parametrize(
    "said",
    [
        "این فرد باردار است.",
        "این پاسخ ایمنی سریع است.",
        "می‌دانیم که آسپرین خون را رقیق می‌کند.",
        "این بار میکروبی زیاد است.",
        "پس من گزینهٔ [A] را انتخاب کردم.",
    ],
)
def test_a_patient_and_an_immune_response_are_no_trace(said: str) -> None:
    assert not reveals(f"{said} {GOOD}", ONE)


@given(st.sampled_from(TRACES), st.booleans(), st.booleans())
def test_a_trace_of_the_correction_is_found_wherever_it_stands(trace: str, first: bool, marks: bool) -> None:
    trace = trace.replace("پاسخ", "**پاسخ**") if marks else trace
    text = f"{trace} {GOOD}" if first else GOOD.replace("\n", f"\n{trace} ", 1)
    assert reveals(text, ONE)


def test_words_of_the_question_itself_are_no_trace() -> None:
    question = Question(text="دانشجوی پزشکی بیست‌ساله‌ای تب دارد. کدام درست است؟", options=ONE.question.options, gold="A")
    assert not reveals("این دانشجوی پزشکی تب دارد. " + GOOD, Task(question))
    assert reveals("این دانشجوی پزشکی تب دارد. پاسخ دانشجو نادرست است. " + GOOD, Task(question))


def test_a_word_beside_with_its_capital_shows_the_lost_one() -> None:
    assert lower_cased("سندرم crohn را در نظر بگیرید.", ("بیماری Crohn",))
    assert not lower_cased("سندرم Crohn را در نظر بگیرید.", ("بیماری Crohn",))
    assert not lower_cased("دوز ۵ mg از aspirin کافی است.", ("آسپرین",))


def test_cleaning_takes_out_tokens_and_thoughts() -> None:
    said = f"<think>the key is A</think><|START_OF_TURN_TOKEN|>{GOOD}<|END_OF_TURN_TOKEN|>"
    assert cleaned(said) == GOOD
    assert cleaned(f"the key is A</think>\n{GOOD}") == GOOD
    assert cleaned("<think>never ends") == ""


@pytest.mark.parametrize("token", ["<|END_OF_TURN_TOKEN|>", "<|im_end|>\n<|im_start|>user\n", "</s>", "[/INST]"])
def test_what_runs_on_behind_the_first_turn_is_no_part_of_the_reply(token: str) -> None:
    assert cleaned(f"<s>{GOOD}{token}پرسش تازه: کدام دارو بهتر است؟") == GOOD
