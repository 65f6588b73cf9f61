"""From what a visitor typed to a `Question`, or a refusal that says what is wrong and what to do.

    read_question("تب دارم", ["", "", "", ""], limit=4000)      a Question without options
    read_question("   ", [], limit=4000)                        raises RefusalError

Bidi overrides, control characters and chat-template tokens are taken out; what is left must still say something.

Not covered: whether the question is medical or safe to answer (`safety`).
"""

from __future__ import annotations

from collections.abc import Sequence

from gaokerena.persian import persian_digits, tidy
from gaokerena.prompts import inert
from gaokerena.questions import Question

OPTION_LIMIT = 500
"""Characters of one option; the longest published one has fewer than 300."""


class RefusalError(Exception):
    """What a visitor asked for cannot be done; `fa` and `en` say why and what to do next."""

    def __init__(self, fa: str, en: str) -> None:
        super().__init__(f"{fa} ({en})")
        self.fa = fa
        self.en = en


def read_question(text: str, options: Sequence[str] = (), *, limit: int = 4000) -> Question:
    """The question typed; `options` are none (or all blank) or exactly four.

    Raises RefusalError for an empty or overlong text, a number of options other than four, an empty or repeated one.
    """
    _check_length(text, limit)
    asked = _clean(text)
    if not any(character.isalnum() for character in asked):
        raise RefusalError(
            "پرسشی نوشته نشده است. پرسش پزشکی خود را بنویسید و دوباره بفرستید.",
            "The question is empty. Write a medical question and send it again.",
        )
    return Question(text=asked, options=_read_options(options))


def _clean(text: str) -> str:
    return tidy(inert(tidy(text)))


def _check_length(text: str, limit: int) -> None:
    if len(text) > limit:
        raise RefusalError(
            f"پرسش {persian_digits(len(text))} نویسه دارد و بیش از {persian_digits(limit)} نویسه پذیرفته نمی‌شود. "
            "کوتاه‌ترش کنید.",
            f"The question has {len(text)} characters, more than the {limit} that are accepted. Shorten it.",
        )


def _read_options(options: Sequence[str]) -> tuple[str, ...]:
    if any(len(option) > OPTION_LIMIT for option in options):
        raise RefusalError(
            f"هر گزینه باید کوتاه‌تر از {persian_digits(OPTION_LIMIT)} نویسه باشد.",
            f"An option is longer than {OPTION_LIMIT} characters. Shorten it.",
        )
    cleaned = tuple(" ".join(_clean(option).split()) for option in options)
    if not any(cleaned):
        return ()
    filled = sum(map(bool, cleaned))
    if len(cleaned) != 4 or filled != 4:
        raise RefusalError(
            f"پرسش چهارگزینه‌ای چهار گزینه می‌خواهد و {persian_digits(filled)} گزینه نوشته شده است. "
            "همه را پر کنید یا همه را خالی بگذارید.",
            f"A multiple-choice question needs four options and {filled} are filled. Fill all of them or none.",
        )
    if len(set(cleaned)) != 4:
        raise RefusalError(
            "دو گزینه یکسان‌اند. هر گزینه باید با بقیه فرق داشته باشد.",
            "Two options are the same. Make each one different.",
        )
    return cleaned
