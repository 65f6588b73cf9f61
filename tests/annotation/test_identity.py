"""Names of models go out of answers, and words that only look like names stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.identity import PLACEHOLDER, Masker

MASKER = Masker(["gaokerena-v1.0", "qwen2.5-7b-instruct", "v", "r", "mini", "echo"])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("من گوکرنا هستم و کمک می‌کنم.", f"من {PLACEHOLDER} هستم و کمک می‌کنم."),
        ("من گوکرنا-V هستم.", f"من {PLACEHOLDER} هستم."),
        ("من دستیار پزشکی گوکرنا هستم.", f"من دستیار پزشکی {PLACEHOLDER} هستم."),
        ("نام من آیا است.", f"نام من {PLACEHOLDER} است."),
        ("من آیا هستم، یک مدل زبانی.", f"من {PLACEHOLDER} هستم، یک مدل زبانی."),
        ("من مدل V هستم.", f"من مدل {PLACEHOLDER} هستم."),
        ("مدلی که توسط شرکت Cohere ساخته شده است", f"مدلی که توسط شرکت {PLACEHOLDER} ساخته شده است"),
        ("ساخته‌شده توسط گوگل", f"ساخته‌شده توسط {PLACEHOLDER}"),
        ("I am Qwen, created by Alibaba Cloud.", f"I am {PLACEHOLDER}, created by {PLACEHOLDER}."),
        ("پاسخ GAOKERENA-v1.0 و Aya Expanse 8b:", f"پاسخ {PLACEHOLDER} و {PLACEHOLDER}:"),
        ("Qwen2.5-7B-Instruct", PLACEHOLDER),
        ("من گوكرنا هستم", f"من {PLACEHOLDER} هستم"),
        ("من آيا هستم", f"من {PLACEHOLDER} هستم"),
        ("من **آیا** هستم", f"من **{PLACEHOLDER}** هستم"),
        ("من «آیا» هستم", f"من «{PLACEHOLDER}» هستم"),
        ("گوکِـرنا\u064f گفت", f"{PLACEHOLDER} گفت"),
        ("گائوکرنا می‌گوید استراحت کنید", f"{PLACEHOLDER} می‌گوید استراحت کنید"),
        ("گوکرناست، گوکرنام، گوکرنای ۸ میلیاردی", f"{PLACEHOLDER}ست، {PLACEHOLDER}م، {PLACEHOLDER}ی ۸ میلیاردی"),
        ("به‌عنوان Aya، مدلی از Cohere، می‌گویم", f"به‌عنوان {PLACEHOLDER}، مدلی از {PLACEHOLDER}، می‌گویم"),
        ("توسعه‌یافته توسط Cohere For AI", f"توسعه‌یافته توسط {PLACEHOLDER}"),
        ("C4AI، Command R و Med-Gemma", f"{PLACEHOLDER}، {PLACEHOLDER} و {PLACEHOLDER}"),
        ("من Ａｙａ هستم", f"من {PLACEHOLDER} هستم"),
    ],
)
def test_a_model_does_not_name_itself(text: str, left: str) -> None:
    assert MASKER.mask(text).text == left


@pytest.mark.parametrize(
    "text",
    [
        "آیا باید قرص بخورم؟",
        "من آیا باید قرص بخورم؟",
        "GPT و SGPT بالا است.",
        "AYA patients and cells that cohere",
        "Claude Bernard فیزیولوژیست بود.",
        "لید V1 تا V6 و موج R",
        "mini-mental، mini-cog و echo قلب",
        "من یک مدل زبانی هستم و جای پزشک را نمی‌گیرم.",
        "متا آنالیز و متابولیسم",
        "نتیجه توسط متا آنالیز تأیید شد.",
        "shown by meta analysis",
        "هیپوفیز آنتروپیک",
        "ساخت انسولین در پانکراس",
        "لید ششم به عنوان V6، و echo به عنوان معیار",
        "من آیا (با این تب) باید بروم؟",
        "مدلی از متا آنالیز شبکه‌ای",
        "**دارو** را *هرگز* دو برابر نکنید.",
    ],
)
def test_medicine_stays_as_it_is(text: str) -> None:
    masked = MASKER.mask(text)
    assert masked.text == text
    assert masked.count == 0


def test_names_the_ledger_knows_go_too() -> None:
    assert Masker([]).mask("پاسخ medbot-7x") == Masker(["v"]).mask("پاسخ medbot-7x")
    assert Masker(["medbot-7x"]).mask("پاسخ medbot-7x و medbot-7xl").text == f"پاسخ {PLACEHOLDER} و medbot-7xl"


def test_what_was_taken_out_is_counted() -> None:
    assert MASKER.mask("من گوکرنا هستم؛ گوکرنا!").count == 2


PIECES = st.sampled_from(
    [
        *("من", " ", "گوکرنا", "گوكرنا", "*", "\u0650", "«", "»", "ست", "هستم", "آیا", "V", "-", "\u200c", "توسط"),
        *("گوگل", "ساخته", ".", "gpt-4", "qwen", "\n"),
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = MASKER.mask(text).text
    assert MASKER.mask(once).text == once
