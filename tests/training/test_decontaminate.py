"""One shared run of eight normalised words is a hit, however it is spelled."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.questions import Question
from tests.training.toy import OPTIONS, benchmark, consultation, write
from training.decontaminate import Reference, bare, forms
from training.sources import reference

TESTED = "خانمی ۳۲ ساله در هفتهٔ بیستم بارداری با تپش قلب و کاهش وزن مراجعه می‌کند؛ نخستین آزمایش کدام است؟"
WORDS = st.lists(st.sampled_from(["تب", "سرفه", "درد", "دارو", "خون", "قلب", "کبد", "ریه"]), max_size=24)


@pytest.fixture
def tested() -> Reference:
    found = Reference()
    found.add("mmlu_fa", [TESTED])
    return found


@pytest.mark.parametrize(
    "text",
    [
        TESTED,
        TESTED.replace("ی", "ي").replace("ک", "ك"),
        TESTED.replace("می‌کند", "می کند"),
        TESTED.replace("۳۲", "32"),
        TESTED.replace("۳۲", "٣٢").replace("هفتهٔ", "هفته"),
        TESTED.replace("؛", " - ").replace("؟", "").replace("آزمایش", "ازمایش"),
        "پرسشی تازه: " + TESTED + " پاسخ دهید.",
        "خانمی ۳۲ ساله در هفتهٔ بیستم بارداری با",
    ],
    ids=["as it is", "arabic letters", "no zwnj", "ascii digits", "arabic digits", "punctuation", "inside", "8 words"],
)
def test_a_spelling_variant_is_a_hit(tested: Reference, text: str) -> None:
    assert tested.hit(text) == "mmlu_fa"


@pytest.mark.parametrize(
    "text",
    [
        "خانمی ۳۲ ساله در هفتهٔ بیستم بارداری مراجعه کرد",
        "خانمی ۳۲ ساله در هفتهٔ بیستم بارداری",
        TESTED.replace("۳۲", "۳۳").replace("بیستم", "دهم").replace("تپش", "درد").replace("مراجعه", "رجوع"),
        "",
    ],
    ids=["seven words shared", "seven words in all", "another case", "empty"],
)
def test_seven_shared_words_are_no_hit(tested: Reference, text: str) -> None:
    assert tested.hit(text) is None


def test_short_texts_count_whole_and_very_short_ones_not() -> None:
    short = Reference()
    short.add("kopp_larger", ["درمان کم‌کاری تیروئید چیست؟", "تب و لرز", "چرا؟"])
    assert short.hit("درمان كم كاري تيروئيد چيست") == "kopp_larger"
    assert short.hit("درمان کم‌کاری تیروئید در کودکان چیست؟") is None
    assert short.hit("تب و لرز") is None
    assert (short.short, short.unseen) == ({"kopp_larger": 1}, {"kopp_larger": 2})


@pytest.mark.parametrize("size", range(4, 8))
@pytest.mark.parametrize("place", ["start", "middle", "end"])
def test_a_short_reference_is_found_inside_a_longer_text(size: int, place: str) -> None:
    reference = "علت زردی چشم نوزاد پس از زایمان"
    asked = " ".join(reference.split()[:size])
    short = Reference()
    short.add("mmlu_fa", [asked + "؟"])
    around = {"start": f"{asked}؟ [A] کم‌خونی", "middle": f"بگویید {asked} کدام است", "end": f"یکی پرسید که {asked}"}
    assert short.hit(around[place]) == "mmlu_fa"
    assert short.hit(around[place].replace("نوزاد", "کودک")) is None
    short.add("later", ["خارش پوست دست چیست"])
    assert short.hit("بگو خارش پوست دست چیست") == "later", "what is added after a look is found too"


def test_marks_our_own_forms_add_do_not_hide_an_overlap() -> None:
    taken = "بیمار باید هر روز دارو را ناشتا بخورد. سپس نیم ساعت دراز نکشد."
    found = Reference()
    found.add("mf3qa_test", [taken])
    steps = "۱. بیمار باید هر روز\n۲. دارو را ناشتا بخورد.\n\nنتیجه: سپس نیم ساعت دراز نکشد."
    assert found.hit(steps) == "mf3qa_test"
    assert bare("[A] تب [B] لرز\n۲. درد ۳. خون") == "تب لرز\nدرد ۳. خون"


@given(WORDS)
def test_a_reference_holds_the_windows_of_eight_words(words: list[str]) -> None:
    found = Reference()
    found.add("set", [" ".join(words)])
    windows = {tuple(words[start : start + 8]) for start in range(len(words) - 7)}
    assert len(found) == (len(windows) if len(words) >= 8 else int(len(words) >= 4))
    assert found.unseen.total() == int(len(words) < 4)


@given(WORDS, WORDS, WORDS)
def test_any_eight_words_taken_over_are_found(before: list[str], taken: list[str], after: list[str]) -> None:
    found = Reference()
    found.add("set", [" ".join(taken)])
    hit = found.hit(" ".join([*before, *taken, *after]))
    assert hit == "set" or len(taken) < 4


def test_the_first_owner_of_a_gram_keeps_it_and_every_text_is_looked_at(tested: Reference) -> None:
    before = len(tested)
    tested.add("ibmsee_2023", [TESTED])
    assert len(tested) == before
    assert tested.hit("متن پاکی که به هیچ آزمونی ربط ندارد", TESTED) == "mmlu_fa"


def test_a_question_is_compared_alone_and_with_its_options() -> None:
    question = Question(text="علت خارش چیست؟", options=("حساسیت", "گرما", "قارچ", "ترس"))
    assert forms(question) == ("علت خارش چیست؟", "علت خارش چیست؟ حساسیت گرما قارچ ترس")


def test_the_reference_holds_the_suites_and_the_dev_and_test_splits(tmp_path: Path) -> None:
    dev = "پس از سه روز تب، اگر کودک بی‌حال شد یا غذا نخورد، همان روز او را نزد پزشک ببرید."
    test = "این دارو را با معدهٔ پر بخورید و تا یک ساعت پس از آن دراز نکشید تا معده آزرده نشود."
    trained = "شب‌ها پیش از خواب یک لیوان شیر گرم بنوشید و از چای پررنگ پرهیز کنید تا بهتر بخوابید."
    data = write(
        tmp_path,
        benchmarks=[benchmark("ibmsee_2023", TESTED, OPTIONS, "B"), benchmark("kopp_larger", "چرا؟", OPTIONS, "A")],
        mf3qa=[
            consultation("کودکم تب دارد", dev, "dev"),
            consultation("معده‌درد دارم", test, "test"),
            consultation("بد می‌خوابم", trained),
        ],
    )
    found = reference(data)
    assert [found.hit(text) for text in (TESTED, dev, test)] == ["ibmsee_2023", "mf3qa_dev", "mf3qa_test"]
    assert found.hit("چرا؟ " + " ".join(OPTIONS)) == "kopp_larger"
    assert found.hit(trained) is None
