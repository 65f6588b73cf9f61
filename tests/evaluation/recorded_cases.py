"""Recorded answers for tests: small groups and files written by hand.

    group(["AAAB-", "C.CCC"], "AC")                  # one string a question, one sign a run: - none read, . not asked
    write(rows_of("r", "cot", ["AAAB-"], "A"), path)
    save(path, r=["AAAB-"], v=["ABCDA"], gold="A")

`ITEMS` are twelve questions with their options, `OTHERWISE` some of them in another translation.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gaokerena.evaluation.answers import NO_CHOICE, NOT_ASKED, Group
from gaokerena.questions import LETTERS
from gaokerena.transcripts import Transcript, write

Text = tuple[str, str, str, str, str]
"""A question and its four options."""

ITEMS: tuple[Text, ...] = (
    ("کدام عصب مغزی حس چشایی دوسوم جلویی زبان را می‌برد؟", "عصب سه‌قلو", "عصب چهره‌ای", "عصب زبانی‌حلقی", "عصب واگ"),
    ("کمبود کدام ویتامین بیماری بری‌بری را پدید می‌آورد؟", "ویتامین A", "ویتامین B1", "ویتامین C", "ویتامین K"),
    ("شایع‌ترین علت زخم دوازدهه کدام است؟", "مصرف قهوه", "استرس روانی", "هلیکوباکتر پیلوری", "کم‌خوابی"),
    ("پادزهر مسمومیت با استامینوفن کدام است؟", "نالوکسان", "ان‌استیل‌سیستئین", "آتروپین", "فلومازنیل"),
    ("در نارسایی حاد کلیه کدام یون خون زودتر خطر می‌آفریند؟", "سدیم", "کلسیم", "منیزیم", "پتاسیم"),
    (
        "زنی ۳۴ ساله با تپش قلب، کاهش وزن و لرزش دست آمده است. ضربان ۱۱۲ در دقیقه و تیروئید بزرگ و نرم است. نخستین "
        "آزمایش کدام است؟",
        "اندازه‌گیری TSH", "اسکن تیروئید", "سونوگرافی گردن", "نمونه‌برداری با سوزن",
    ),
    (
        "مردی ۶۲ ساله با درد فشارندهٔ سینه و تعریق سرد از یک ساعت پیش به اورژانس آورده شده است. در نوار قلب بالا رفتن "
        "قطعهٔ ST در اشتقاق‌های تحتانی دیده می‌شود. کدام رگ بسته شده است؟",
        "شریان کرونری راست", "شریان نزولی جلویی", "شریان چرخشی", "تنهٔ اصلی چپ",
    ),
    (
        "کودکی ۴ ساله از دیشب تب بالا و سفتی گردن دارد و نور آزارش می‌دهد. کشت مایع نخاع دیپلوکوک گرم‌منفی نشان داد. "
        "درمان آغازین کدام است؟",
        "سفتریاکسون", "آموکسی‌سیلین خوراکی", "وانکومایسین تنها", "آسیکلوویر",
    ),
    ("هورمون ضدادراری از کدام بخش ترشح می‌شود؟", "هیپوفیز جلویی", "هیپوفیز پشتی", "تیموس", "غدهٔ فوق‌کلیوی"),
    ("کدام سلول پادتن می‌سازد؟", "ماکروفاژ", "نوتروفیل", "پلاسماسل", "سلول کشندهٔ طبیعی"),
    ("فشار خون بالا در بارداری همراه با دفع پروتئین چه نام دارد؟", "اکلامپسی", "پره‌اکلامپسی", "دیابت بارداری", "هلپ"),
    ("کدام باکتری کزاز می‌آورد؟", "کلستریدیوم تتانی", "استافیلوکوک طلایی", "باسیل سیاه‌زخم", "سالمونلا تیفی"),
)  # fmt: skip
OTHERWISE: dict[int, Text] = {
    5: (
        "خانمی ۳۴ ساله به دلیل تپش قلب، از دست دادن وزن و لرزش دست‌ها مراجعه کرده است. نبض ۱۱۲ در دقیقه و غدهٔ تیروئید "
        "بزرگ و نرم است. اولین آزمایش کدام است؟",
        "سنجش TSH", "اسکن غدهٔ تیروئید", "سونوگرافی از گردن", "نمونه‌برداری سوزنی",
    ),
    6: (
        "آقای ۶۲ ساله‌ای با درد فشارندهٔ قفسهٔ سینه و عرق سرد از یک ساعت قبل به اورژانس آمده است. نوار قلب بالا رفتن قطعهٔ "
        "ST را در اشتقاق‌های تحتانی نشان می‌دهد. کدام رگ مسدود شده است؟",
        "شریان کرونری راست", "شریان نزولی قدامی", "شریان سیرکومفلکس", "تنهٔ اصلی چپ",
    ),
    7: (
        "پسربچه‌ای ۴ ساله از شب گذشته تب بالا و سفتی گردن دارد و از نور آزار می‌بیند. در کشت مایع نخاع دیپلوکوک گرم‌منفی "
        "دیده شد. درمان آغازین چیست؟",
        "سفتریاکسون وریدی", "آموکسی‌سیلین خوراکی", "وانکومایسین به‌تنهایی", "آسیکلوویر",
    ),
}  # fmt: skip
_SIGNS = {letter: number for number, letter in enumerate(LETTERS)} | {"-": NO_CHOICE, ".": NOT_ASKED}


def choices(signs: Sequence[str]) -> np.ndarray:
    """[questions, runs] from one string a question."""
    return np.array([[_SIGNS[sign] for sign in runs] for runs in signs], np.int8)


def group(
    signs: Sequence[str],
    gold: str,
    model: str = "r",
    prompting: str = "cot",
    *,
    texts: Sequence[Text] | None = None,
    subjects: Sequence[str] | None = None,
    indices: Sequence[int] | None = None,
) -> Group:
    """A group of suite `s`; questions are the first of `ITEMS`, or made up when there are more."""
    count = len(gold)
    asked = tuple(texts) if texts is not None else tuple(map(item, range(count)))
    numbers = tuple(indices) if indices is not None else tuple(range(count))
    parts = tuple(subjects) if subjects is not None else ("گوارش",) * count
    return Group("s", model, prompting, parts, numbers, asked, choices([*gold])[:, 0], choices(signs))


def item(number: int) -> Text:
    """One of endlessly many questions that are nothing alike in `normalize_for_key`."""
    if number < len(ITEMS):
        return ITEMS[number]
    return (f"پرسش شمارهٔ {number}؟", *(f"گزینهٔ {number} {letter}" for letter in ["الف", "ب", "ج", "د"]))


def rows_of(
    model: str,
    prompting: str,
    signs: Sequence[str],
    gold: str,
    *,
    suite: str = "s",
    subject: str = "گوارش",
    start: int = 0,
    texts: Sequence[Text] | None = None,
) -> list[Transcript]:
    """The same as rows of a file. A response says the letter that was read, so the option reader reads it too."""
    found = []
    for number, (runs, key) in enumerate(zip(signs, gold, strict=True)):
        text, *options = texts[number] if texts is not None else item(start + number)
        for run, sign in enumerate(runs, 1):
            if sign == ".":
                continue
            said = "نمی‌دانم." if sign == "-" else f"نخست نشانه‌ها را می‌سنجیم. بنابراین پاسخ درست گزینهٔ [{sign}] است."
            found.append(
                Transcript.model_validate(
                    dict(zip(("option_a", "option_b", "option_c", "option_d"), options, strict=True))
                    | {
                        "suite": suite, "subject": subject, "question_index": start + number, "question": text,
                        "gold": key, "model": model, "prompting": prompting, "run": run, "prompt": "بپرس",
                        "response": said, "annotated_choice": None if sign == "-" else sign,
                    }
                )
            )  # fmt: skip
    return found


def save(path: Path, gold: str, **signs: Sequence[str]) -> Path:
    """A file of CoT answers, model by model."""
    write([row for model, runs in signs.items() for row in rows_of(model, "cot", runs, gold)], path)
    return path
