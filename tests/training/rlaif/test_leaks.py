"""The leak check: whatever names the key is caught, in every disguise tried; good guidance passes."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.questions import LETTERS, Letter, Question
from training.rlaif.calls import Call
from training.rlaif.leaks import leak, ruled_out
from training.rlaif.questions import Task
from training.rlaif.self_correction import critique_fault

OPTIONS = ("هپارین", "وارفارین", "آلتپلاز", "کلوپیدوگرل")
GUIDANCE = (
    "در گام سوم یافته‌های آزمایش را نادیده گرفته‌اید.",
    "مکانیسم اثر را با زمان اثر جابه‌جا فهمیده‌اید و نتیجه از همان‌جا کج شده است.",
    "از خود بپرسید بیمار باردار به چه چیزی بیش از همه نیاز دارد.",
    "پاسخ شما درست نیست، زیرا خطر خونریزی را نسنجیده‌اید.",
    "راه درست از عملکرد کلیه آغاز می‌شود؛ دو نشانه را کنار هم بگذارید.",
    "سن بیمار، ویتامین K و نیمه‌عمر دارو را دوباره مرور کنید.",
)
LATIN = ("گزینهٔ {}", "گزینه ی {}", "حرف {}", "[{}]", "({})", "«{}»", "**{}**", "پاسخ: {}", "option {}", "{}", "_{}_")
PERSIAN = dict(zip(LETTERS, ("الف", "ب", "ج", "د"), strict=True))
ORDINALS: dict[Letter, tuple[str, ...]] = {
    "A": ("گزینهٔ اول", "نخستین گزینه", "گزینه‌ی ۱", "گزینهٔ یک", "مورد شمارهٔ ۱", "(1)", "option one", "the first option"),
    "B": ("گزینهٔ دوم", "دومین گزینه", "گزینهٔ ۲", "گزینه دو", "شمارهٔ دو", "[۲]", "option 2", "گزینهٔ دوّم"),
    "C": ("گزینهٔ سوم", "سومین گزینه", "گزینهٔ ٣", "پاسخ سوم", "شماره ۳", "«۳»", "third choice", "گزینه‌ سه"),
    "D": (
        "گزینهٔ چهارم",
        "آخرین گزینه",
        "گزینهٔ آخر",
        "گزینهٔ ۴",
        "مورد چهارم",
        "(۴)",
        "last option",
        "گزینهٔ پایانی چهارم",
    ),
}
letters = st.sampled_from(LETTERS)


def question(gold: Letter) -> Question:
    return Question(text="برای پیشگیری از لخته در زن باردار کدام دارو بهتر است؟", options=OPTIONS, gold=gold)


@st.composite
def guidance(draw: st.DrawFn) -> list[str]:
    return draw(st.lists(st.sampled_from(GUIDANCE), max_size=4, unique=True))


def among(draw: st.DataObject, sentences: list[str], said: str) -> str:
    """`said` somewhere among the sentences."""
    place = draw.draw(st.integers(0, len(sentences)))
    return " ".join([*sentences[:place], f"به {said} بیندیشید.", *sentences[place:]])


@given(guidance(), letters)
def test_good_guidance_is_no_leak(said: list[str], gold: Letter) -> None:
    assert leak(" ".join(said), question(gold)) is None


@given(st.data(), guidance(), letters, st.sampled_from(LATIN), st.booleans())
def test_the_keys_letter_is_caught(
    data: st.DataObject, said: list[str], gold: Letter, form: str, persian: bool
) -> None:
    name = PERSIAN[gold] if persian else gold
    assert leak(among(data, said, form.format(name)), question(gold)) == "names_letter"


@given(st.data(), guidance(), letters)
def test_the_keys_place_is_caught(data: st.DataObject, said: list[str], gold: Letter) -> None:
    form = data.draw(st.sampled_from(ORDINALS[gold]))
    assert leak(among(data, said, form), question(gold)) == "names_letter"


@given(st.data(), guidance(), letters, st.sampled_from(("{}", "«{}»", "{}‌ها", "داروی {}ی", "**{}**", "{}،")))
def test_the_keys_text_is_caught(data: st.DataObject, said: list[str], gold: Letter, form: str) -> None:
    text = form.format(OPTIONS[LETTERS.index(gold)])
    assert leak(among(data, said, text), question(gold)) == "names_text"


DISGUISES = (
    lambda text: text.replace("ک", "ك").replace("ی", "ي"),
    lambda text: f"{text}\u200c",
    lambda text: text.replace("ر", "رّ"),
    lambda text: text.replace("ا", "اـ"),
    lambda text: "\u202b" + text + "\u202c",
)


@given(st.data(), guidance(), letters, st.sampled_from(DISGUISES))
def test_spelling_does_not_hide_the_key(data: st.DataObject, said: list[str], gold: Letter, disguise: object) -> None:
    text = disguise(OPTIONS[LETTERS.index(gold)])  # type: ignore[operator]
    assert leak(among(data, said, text), question(gold)) == "names_text"


@pytest.mark.parametrize("shape", ["𝐁", "Ⓑ", "Ｂ", "Β", "В", "🄱"])
def test_other_shapes_of_a_letter_are_seen_through(shape: str) -> None:
    assert leak(f"به گزینهٔ {shape} بیندیشید.", question("B")) == "names_letter"


@given(guidance(), letters)
def test_ruling_out_the_three_others_gives_it_away(said: list[str], gold: Letter) -> None:
    others = [letter for letter in LETTERS if letter != gold]
    by_letter = " ".join([*said, f"گزینه‌های [{others[0]}]، [{others[1]}] و [{others[2]}] را کنار بگذارید."])
    assert leak(by_letter, question(gold)) in ("eliminates", "announces")
    drugs = [OPTIONS[LETTERS.index(letter)] for letter in others]
    by_text = " ".join([*said, f"{drugs[0]}، {drugs[1]} و {drugs[2]} در اینجا جایی ندارند."])
    assert leak(by_text, question(gold)) in ("eliminates", "announces")


@given(letters, letters)
def test_the_wrong_option_chosen_may_be_spoken_of(gold: Letter, other: Letter) -> None:
    said = leak(f"برای گزینهٔ [{other}] دلیلی نیاورده‌اید و خطر آن را نسنجیده‌اید.", question(gold))
    assert said == ("names_letter" if other == gold else None)


@pytest.mark.parametrize(
    "text",
    [
        "پاسخ صحیح دارویی است که از جفت نمی‌گذرد.",
        "جواب درست همان داروی تزریقی است.",
        "The correct answer is the injected drug.",
        "گزینهٔ درست: داروی تزریقی با وزن مولکولی بالا.",
        "باید داروی تزریقی را انتخاب می‌کردید.",
    ],
)
def test_announcing_without_a_name_is_caught(text: str) -> None:
    assert leak(text, question("A")) == "announces"


def test_most_of_a_long_keys_own_words_give_it_away() -> None:
    options = ("شکستگی ساده با گچ‌گیری", "عفونت استخوان ران", "تومور بدخیم غضروف", "نکروز آواسکولار سر فمور")
    asked = Question(text="علت درد لگن در بیمار چیست؟", options=options, gold="D")
    assert leak("به نکروز آواسکولار توجه نکرده‌اید.", asked) == "names_text"
    assert leak("به خون‌رسانی آن ناحیه توجه نکرده‌اید.", asked) is None


def test_a_letter_the_question_itself_uses_is_no_option() -> None:
    options = ("تیامین", "نیاسین", "فولات", "کوبالامین")
    asked = Question(text="علامت کمبود ویتامین B در الکلی‌ها بیشتر از کدام است؟", options=options, gold="B")
    assert leak("نقش ویتامین B در سوخت‌وساز را مرور کنید.", asked) is None
    assert leak("گزینهٔ B را مرور کنید.", asked) == "names_letter"


def test_what_several_critiques_and_choices_rule_out_is_added_up() -> None:
    said = ["گزینهٔ [B] دلیلی ندارد.", "گزینهٔ [C] هم دلیلی ندارد."]
    assert [leak(one, question("A")) for one in said] == [None, None]
    assert ruled_out(said, [], question("A")) == {"B", "C"}
    assert ruled_out(said, ["D", None, "B"], question("A")) == {"B", "C", "D"}
    assert ruled_out(["وارفارین را کنار بگذارید."], ["A"], question("A")) == {"B"}


def test_a_critique_that_leaves_only_the_key_is_refused() -> None:
    call = Call.model_construct(end="stop")
    fault = partial(critique_fault, Task(question("A"), ""), GUIDANCE[0] + " گزینهٔ [C] هم دلیلی ندارد.", call)
    assert fault() is None
    assert fault(given=["گزینهٔ [B] دلیلی ندارد."]) is None
    assert fault(given=["گزینهٔ [B] دلیلی ندارد."], chosen=["D"]) == "eliminates"


@pytest.mark.parametrize(("said", "gold"), [("گزینهٔ III", "C"), ("گزینهٔ ماقبل آخر", "C"), ("گزینهٔ IV", "D")])
def test_places_in_other_words_are_caught(said: str, gold: Letter) -> None:
    assert leak(f"به {said} بیندیشید.", question(gold)) == "names_letter"


def test_a_question_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="has no key"):
        leak("هرچه.", Question(text="چرا؟"))
