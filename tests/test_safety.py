"""Red flags: measured on sentences written before the patterns, and the ways a sign is not meant."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.safety import DATA, emergency_numbers, lacks_urgent_referral, red_flags
from gaokerena.statistics import wilson
from gaokerena.ui.examples import EXAMPLES

CASES = tomllib.loads((Path(__file__).parent / "red_flag_cases.toml").read_text("utf-8"))
RULES = tomllib.loads((DATA / "red_flags.toml").read_text("utf-8"))


def kinds(text: str) -> list[str]:
    return [flag.kind for flag in red_flags(text)]


@pytest.mark.parametrize("half", ["tuning", "held_out"])
def test_recall_and_precision(half: str, capsys: pytest.CaptureFixture[str]) -> None:
    dangers = [(kind, text) for kind, texts in CASES[half].items() if kind != "silent" for text in texts]
    raised = [text for _, text in dangers if kinds(text)]
    right = [text for kind, text in dangers if kind in kinds(text)]
    alarms = [text for text in CASES[half]["silent"] if kinds(text)]
    lines = []
    for name, hits, of in [
        ("recall", len(raised), len(dangers)),
        ("recall of the right kind", len(right), len(dangers)),
        ("precision", len(raised), len(raised) + len(alarms)),
    ]:
        found = wilson(hits, of)
        lines.append(f"{half}: {name} {hits}/{of} = {hits / of:.3f} [{found.low:.3f}, {found.high:.3f}]")
    with capsys.disabled():
        print("", *lines, sep="\n")  # noqa: T201
    missed = [text for _, text in dangers if text not in raised]
    assert len(raised) / len(dangers) >= 0.95, missed
    assert len(right) / len(dangers) >= 0.90
    assert len(raised) / (len(raised) + len(alarms)) >= 0.90, alarms


def test_the_set_is_what_it_claims_to_be() -> None:
    halves = {half: [text for texts in CASES[half].values() for text in texts] for half in ("tuning", "held_out")}
    assert sum(map(len, halves.values())) >= 150
    assert not set(halves["tuning"]) & set(halves["held_out"])
    for half in halves:
        assert set(CASES[half]) == {row["kind"] for row in RULES["class"]} | {"silent"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("درد پشت جناغ دارم", "cardiac"),
        ("پشت جناغش درد شدید دارد و عرق سرد کرده", "cardiac"),
        ("درد به بازوی چپش می‌زند و عرق سرد کرده است", "cardiac"),
        ("قفسه سینه‌م درد می‌کنه", "cardiac"),
        ("دست چپم خیلی درد می‌کنه و عرق سرد کردم", "cardiac"),
        ("نفسم بالا نمیاد", "breathing"),
        ("می‌خوام خودمو بکشم", "suicide"),
        ("میخوام خودم رو بکشم", "suicide"),
        ("قرص زیاد خوردم", "poisoning"),
        ("مادربزرگم کلونازپام خورده و بیش از حد خواب‌آلود است", "poisoning"),
        ("پدرم بیهوش شده و جواب نمیده", "breathing"),
    ],
)
def test_what_must_never_be_missed(text: str, kind: str) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    ("danger", "harmless"),
    [
        ("درد قفسه سینه دارم", "درد قفسه سینه ندارم"),
        ("درد قفسه سینه دارم", "بدون درد قفسه سینه"),
        ("درد قفسه سینه دارم", "نه درد قفسه سینه دارم نه چیز دیگر"),
        ("پدرم سکته کرد", "پدرم پارسال سکته کرد"),
        ("پدرم الان سکته کرد", "پدرم ده سال پیش سکته کرد"),
        ("پسرم تشنج می‌کند", "پسرم تشنج نمی‌کند"),
        ("نوزادم تب دارد", "نوزادم تب ندارد"),
        ("سکته کرده‌ام، علائمش بدتر شده", "علائم سکته چیست؟"),
        ("تنگی نفس دارم، چه کار کنم؟", "علت تنگی نفس چیست؟"),
        ("خون‌ریزی شدید دارم", "خون‌ریزی ندارم"),
    ],
)
def test_what_is_denied_past_or_general_stays_silent(danger: str, harmless: str) -> None:
    assert kinds(danger)
    assert not kinds(harmless)


@pytest.mark.parametrize(
    "text",
    [
        "تب نوزادم قطع نمی‌شود",
        "خونش بند نمی‌آید",
        "از پارسال درد قفسه سینه دارم و الان بدتر شده",
        "تب ندارم ولی درد قفسه سینه دارم",
        "پارسال سکته کردم، الان دوباره صورتم کج شده",
        "کدام دارو را بخورم؟ قفسه سینه‌ام درد می‌کند",
        "۱- درد قفسه سینه دارم ۲- عرق سرد ۳- تهوع، تشخیص چیست؟ من ۵۰ ساله‌ام",
    ],
)
def test_a_denial_elsewhere_does_not_silence(text: str) -> None:
    assert kinds(text)


def test_the_page_warns_at_its_own_examples_of_an_emergency() -> None:
    flagged = {example.en: [flag.kind for flag in red_flags(example.question.text)] for example in EXAMPLES}
    assert {field: kinds for field, kinds in flagged.items() if kinds} == {
        "Cardiology": ["cardiac"],
        "Obstetrics": ["pregnancy"],
    }


def test_signs_far_apart_do_not_add_up() -> None:
    near, far = "باردارم. لخته دیدم.", "باردارم. {} لخته‌های عکس واضح نیست.".format("هوا خوب است و پیاده‌روی می‌کنم. " * 6)
    assert kinds(near) == ["pregnancy"]
    assert not kinds(far)


EXAMINATION = "مرد ۵۵ ساله‌ای با درد قفسه سینه و تعریق مراجعه کرده است. {}"


def test_an_examination_question_is_silent_and_the_same_case_told_is_not() -> None:
    assert kinds(EXAMINATION.format("چه باید کرد؟")) == ["cardiac"]
    assert not kinds(EXAMINATION.format("کدام اقدام ارجح است؟\nA) آسپرین\nB) هپارین\nC) نیترات\nD) اکسیژن"))
    assert not kinds(EXAMINATION.format("محتمل‌ترین تشخیص کدام است؟ الف) MI ب) GERD ج) PE د) تنش عضلانی"))


@pytest.mark.parametrize("text", [text for kind in CASES["tuning"] for text in CASES["tuning"][kind]])
def test_the_way_of_typing_does_not_matter(text: str) -> None:
    arabic = text.translate(str.maketrans("یک۰۱۲۳۴۵۶۷۸۹", "يك٠١٢٣٤٥٦٧٨٩"))
    assert kinds(arabic) == kinds(text)
    assert kinds("\u202e" + text.replace("\u200c", "\u200f") + "\u202c") == kinds(text)
    assert kinds(text.replace(" ", "  ").replace("\u200c", " ")) == kinds(text)


def test_each_flag_says_whom_to_call() -> None:
    numbers = emergency_numbers()
    for row in RULES["class"]:
        assert row["reason"]
        assert row["numbers"][0] == "115"
        assert set(row["numbers"]) <= set(numbers) - {"190"}
    (flag,) = red_flags("می‌خوام خودمو بکشم")
    assert (flag.kind, flag.advice, flag.numbers) == ("suicide", "urgent_suicide", ("115", "123", "1480"))
    assert flag.sign in {sign["id"] for row in RULES["class"] for sign in row["signs"]}


def test_emergency_numbers_were_confirmed_within_a_year() -> None:
    """When this fails: look each number up again, then write the day into data/emergency_numbers.toml."""
    numbers = emergency_numbers()
    assert next(iter(numbers)) == "115"
    assert set(numbers) == {"115", "123", "1480", "190"}
    for number in numbers.values():
        assert number.source
        assert number.evidence <= number.verified_on <= date.today()
        assert date.today() - number.verified_on <= timedelta(days=366), number.number


CARDIAC, SUICIDE = red_flags("قفسه سینه‌م درد می‌کنه"), red_flags("می‌خوام خودمو بکشم")


@pytest.mark.parametrize(
    ("answer", "lacking"),
    [
        ("فوراً با ۱۱۵ تماس بگیرید.", False),
        ("همین الان به نزدیک‌ترین بیمارستان بروید", False),
        ("باید هرچه سریع‌تر به پزشک مراجعه کنید.", False),
        ("به اورژانس مراجعه کنید", False),
        ("Call 115 now", False),
        ("اگر این علائم را دارید، بلافاصله با اورژانس تماس بگیرید.", False),
        ("استراحت کنید و یک مسکن بخورید.", True),
        ("در صورت ادامه، به پزشک مراجعه کنید.", True),
        ("نیازی به اورژانس نیست، استراحت کنید.", True),
        ("لازم نیست فوراً به پزشک مراجعه کنید.", True),
        ("در صورت بدتر شدن به اورژانس بروید.", True),
        ("دوز دارو ۱۱۵۰ میلی‌گرم است.", True),
        ("", True),
    ],
)
def test_answers_that_send_nobody_to_urgent_care(answer: str, lacking: bool) -> None:
    assert lacks_urgent_referral(CARDIAC, answer) is lacking
    assert not lacks_urgent_referral((), answer)


def test_the_crisis_line_counts_only_for_its_kind() -> None:
    answer = "با ۱۲۳ یا ۱۴۸۰ صحبت کنید."
    assert not lacks_urgent_referral(SUICIDE, answer)
    assert lacks_urgent_referral(CARDIAC, answer)


@given(st.one_of(st.text(), st.text(st.characters(exclude_categories=()))))
def test_every_string_is_survived(text: str) -> None:
    assert isinstance(red_flags(text), tuple)
    assert isinstance(lacks_urgent_referral(CARDIAC, text), bool)


@pytest.mark.parametrize("piece", ["علت چیست ", "درد سینه ", "نفسم بالا نمیاد، ", "الف) ", "خودم ", "a", "قرص زیاد "])
@pytest.mark.timeout(20)
def test_hostile_length_takes_no_catastrophic_time(piece: str) -> None:
    red_flags(piece * (100_000 // len(piece)))
