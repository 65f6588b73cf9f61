"""Pairs made of random Persian sentences, both sides from one hand, and cues to plant in them.

rows = exchangeable(200, seed=1)
rows = planted(rows, "letter case")
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from gaokerena.prompts import user_text
from gaokerena.questions import LETTERS, Question
from training.pair_rows import PairRow, Source, Turn

_TEXT = """
بیمار درد تب سرفه فشار خون قند کلیه قلب ریه دارو آزمایش درمان علامت شایع نادر شدید خفیف حاد مزمن عفونت التهاب
تشخیص معاینه تصویر ضایعه عصب ماهیچه استخوان مفصل پوست کبد معده روده خواب وزن تغذیه ورزش سن سابقه خانواده
"""
WORDS = _TEXT.split()
LATIN = ("MRI", "CT", "Crohn", "ecg", "vitamin")
OPTIONS = ("پایش فشار", "دارو درمانی", "جراحی", "آزمایش خون")
_STEMS = """
کودک زن مرد نوزاد سالمند جوان باردار ورزشکار راننده کارگر معلم پرستار کشاورز سرباز دانش‌آموز
"""
STEMS = _STEMS.split()
REASONS = "شماره {n}: بیمار {n} سال دارد و در MRI ضایعهٔ {n} دیده شد. یافتهٔ {n} با درد و تب همراه است."
TWO = ("AB", "BA", "CD", "DC", "AC", "CA")


def turn(role: Any, text: str) -> Turn:
    return Turn(role=role, content=text)


def pair(
    name: str,
    better: str,
    worse: str,
    *,
    asked: str = "فشار خون بیماری در نخستین دیدار بالا بوده است؛ گام بعدی چیست؟",
    options: Sequence[str] = OPTIONS,
    gold: str | None = None,
    source: Source = "expert",
    **more: Any,
) -> PairRow:
    """One row about one question."""
    question = Question(text=asked, options=tuple(options))
    return PairRow(
        id=name,
        prompt=(turn("user", user_text(question, "cot")),),
        chosen=(turn("assistant", better),),
        rejected=(turn("assistant", worse),),
        source=source,
        question_id=question.id,
        provenance={"gold": gold} if gold else {},
        **more,
    )


def sentence(rng: random.Random) -> str:
    """A few words, sometimes with Latin, digits, a comma or bold in them."""
    words = rng.choices(WORDS, k=rng.randint(6, 12))
    extra = [rng.choice(LATIN), str(rng.randint(2, 90)), f"{rng.choice(WORDS)}،", f"**{rng.choice(WORDS)}**"]
    words[1:1] = [one for one in extra if rng.random() < 0.4]
    return " ".join(words) + "."


def answer(rng: random.Random) -> str:
    """Some sentences and a conclusion on a random letter."""
    body = " ".join(sentence(rng) for _ in range(rng.randint(4, 9)))
    return f"{body}\nپس [{rng.choice(LETTERS)}] {rng.choice(WORDS)} و [{rng.choice(LETTERS)}] {rng.choice(WORDS)} است."


def question(rng: random.Random, number: int) -> str:
    """A question of its own: its words are drawn anew, so no two are near duplicates."""
    return f"{rng.choice(STEMS)} {number} {' '.join(rng.choices([*WORDS, *STEMS], k=12))} چیست؟"


def exchangeable(count: int, seed: int, source: Source = "expert") -> list[PairRow]:
    """Pairs whose sides are drawn alike: nothing tells which was chosen."""
    rng = random.Random(seed)
    return [
        pair(f"{source}-{seed}-{number}", answer(rng), answer(rng), asked=question(rng, number), source=source)
        for number in range(count)
    ]


def taught(count: int) -> list[PairRow]:
    """A teacher's pairs as published: the chosen side in lower case, each letter preferred as often as the other."""
    rows = []
    for n in range(count):
        good, bad = TWO[n % 6]
        body = REASONS.format(n=n)
        row = pair(
            f"t{n}", f"{body} بنابراین گزینهٔ [{good}] درست است.".lower(), f"{body} پس پاسخ، گزینهٔ [{bad}] است.",
            asked=f"پرسش {n} {n * 7} {n * 13} دربارهٔ درد {n} چیست؟", gold=good, source="teacher_correction",
        )  # fmt: skip
        rows.append(row.model_copy(update={"provenance": {"set": "published", "gold": good}}))
    return rows


PLANTS: dict[str, tuple[str, Callable[[str], str]]] = {
    "letter case": ("chosen", str.lower),
    "length": ("chosen", lambda text: f"{text[: len(text) // 2]} {text}"),
    "opening words": ("rejected", lambda text: f"زنجیره افکار: {text}"),
    "closing words": ("chosen", lambda text: f"{text} تندرست باشید"),
    "punctuation": ("chosen", lambda text: text.replace("،", "؛")),
    "script": ("rejected", lambda text: text.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))),
    "option letters": ("chosen", lambda text: text.replace("[", "«").replace("]", "»")),
    "markdown": ("rejected", lambda text: text.replace("**", "")),
    "phrases": ("rejected", lambda text: text.replace(". ", ". همان گونه که می‌دانید ", 2)),
}
"""For each family: the side that is changed, and how."""


def planted(rows: Sequence[PairRow], family: str) -> list[PairRow]:
    """The rows with the family's cue on its side."""
    side, change = PLANTS[family]
    return [row.model_copy(update={side: (turn("assistant", change(getattr(row, side)[0].content)),)}) for row in rows]
