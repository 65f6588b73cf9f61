"""What a verifier is shown and how its letter is read: the question, five passages, which of them is least wrong.

    text = verifier_turn(question, {"V": "…", "W": "…", …})
    read_label("متن [X]")                        # "X"

The wording is this project's own. The passages carry letters from the end of the alphabet, which no option has, and
stand between lines of their own that no passage can imitate. Unlike in the papers the question is shown with them.

Not covered: passages together longer than the verifier's context (such a question fails and is listed).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gaokerena.persian import tidy
from gaokerena.prompts import inert
from gaokerena.questions import LETTERS, Question

VERSION = "2026-11-21"
"""Changes with every change of wording; rows carry it."""

LABELS = ("V", "W", "X", "Y", "Z")
OPENING = (
    "در زیر یک پرسش چهارگزینه‌ای پزشکی و پنج متن آمده است. هر متن کوشیده است به همین پرسش پاسخ دهد و ممکن است درست یا "
    "نادرست باشد. نام متن‌ها V، W، X، Y و Z است؛ این نام‌ها ربطی به گزینه‌های A تا D ندارند."
)
BEGIN, END = "=== آغاز متن {} ===", "=== پایان متن {} ==="
CLOSING = (
    "کدام متن کمترین گفتهٔ نادرست را دارد؟ درستی پزشکی گفته‌ها را بسنجید، نه بلندی متن یا شیوهٔ نگارش آن را. تنها نام "
    "همان متن را بنویسید: یکی از حرف‌های V، W، X، Y یا Z، بی هیچ توضیحی."
)

_FENCE = re.compile("={3,}")
_ALONE = re.compile(r"\W*(?:متن\W*)?([V-Zv-z])\W*")
_NAMED = re.compile(r"(?:متن|حرف|پاسخ)(?![^\W_])\W{0,4}([V-Z])(?![A-Za-z0-9]|-[A-Za-z])|[\[(«]([V-Z])[\])»]")


def verifier_turn(question: Question, passages: Mapping[str, str]) -> str:
    """The user turn; `passages` maps each label to its text, in the order shown."""
    lines = [OPENING, "", f"پرسش: {inert(tidy(question.text))}", ""]
    lines += [f"[{letter}] {inert(tidy(option))}" for letter, option in zip(LETTERS, question.options, strict=False)]
    for label, passage in passages.items():
        lines += ["", BEGIN.format(label), _FENCE.sub("==", inert(passage.strip())), END.format(label)]
    return "\n".join([*lines, "", CLOSING])


def read_label(text: str) -> str | None:
    """The label that `text` chooses: alone on its first line, or the only one named as a passage. None else."""
    first = text.strip().split("\n")[0]
    if alone := _ALONE.fullmatch(first):
        return alone[1].upper()
    named = {found for match in _NAMED.finditer(text) for found in match.groups() if found}
    return named.pop() if len(named) == 1 else None
