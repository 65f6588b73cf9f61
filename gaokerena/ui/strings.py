"""Every word of the page, in Persian and English (`texts.toml`, and `study_texts.toml` for the study's tab).

    say("fa", "ask")             plain text, for a Gradio component
    both("queued", n=3)          HTML that holds both languages; CSS shows the one of <html lang>
    switched("side", …)          as `both`, for words that also differ between wide and narrow screens

HTML carries both languages so that the switch changes answers still streaming and loses nothing; `page.css` hides the
other. Figures are Persian digits in Persian.

Not covered: what models and visitors write, and the text of a red flag's advice (`safety`).
"""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path
from typing import Literal

from gaokerena.persian import persian_digits

Language = Literal["fa", "en"]
LANGUAGES: tuple[Language, Language] = ("fa", "en")

_FILE = Path(__file__).with_name("texts.toml")
_FILES = (_FILE, _FILE.with_name("study_texts.toml"))
TEXTS: dict[str, tuple[str, str]] = {
    key: (words["fa"], words["en"]) for file in _FILES for key, words in tomllib.loads(file.read_text("utf-8")).items()
}

SIDE_WORDS: dict[str, dict[str, tuple[str, str]]] = {
    "right": {"wide": ("پاسخ سمت راست", "Answer on the right"), "narrow": ("پاسخ بالایی", "Upper answer")},
    "left": {"wide": ("پاسخ سمت چپ", "Answer on the left"), "narrow": ("پاسخ پایینی", "Lower answer")},
    "better_right": {
        "wide": ("سمت راست بهتر است", "Right side is better"),
        "narrow": ("بالایی بهتر است", "Upper is better"),
    },
    "better_left": {
        "wide": ("سمت چپ بهتر است", "Left side is better"),
        "narrow": ("پایینی بهتر است", "Lower is better"),
    },
    "much_better_right": {
        "wide": ("سمت راست خیلی بهتر است", "Right side is far better"),
        "narrow": ("بالایی خیلی بهتر است", "Upper is far better"),
    },
    "much_better_left": {
        "wide": ("سمت چپ خیلی بهتر است", "Left side is far better"),
        "narrow": ("پایینی خیلی بهتر است", "Lower is far better"),
    },
}
"""Right and left while the two stand side by side, upper and lower where they are stacked."""

OPTION_NAMES: dict[str, tuple[str, str]] = {"A": ("الف", "A"), "B": ("ب", "B"), "C": ("ج", "C"), "D": ("د", "D")}


def say(language: Language, key: str, **figures: object) -> str:
    """The text of `key`, its `{figures}` filled in; numbers in Persian digits under "fa"."""
    text = TEXTS[key][LANGUAGES.index(language)]
    return text.format(**{name: _figure(language, value) for name, value in figures.items()})


def both(key: str, **figures: object) -> str:
    """HTML with `key` in both languages, escaped."""
    return pair(say("fa", key, **figures), say("en", key, **figures))


def pair(fa: str, en: str) -> str:
    """HTML that shows `fa` or `en` (plain texts, escaped here) by the page's language."""
    return f'<span class="t" lang="fa">{escape(fa)}</span><span class="t" lang="en">{escape(en)}</span>'


def switched(key: str) -> str:
    """HTML of `SIDE_WORDS[key]`: by language, and by whether the columns stand side by side."""
    return "".join(f'<span class="{width}">{pair(*words)}</span>' for width, words in SIDE_WORDS[key].items())


def letter(name: str) -> str:
    """HTML of an option's letter: الف ب ج د, or A to D."""
    return pair(*OPTION_NAMES[name])


def _figure(language: Language, value: object) -> object:
    """A number's digits, or a (Persian, English) pair's fitting half."""
    if isinstance(value, tuple):
        value = value[LANGUAGES.index(language)]
    return persian_digits(value) if language == "fa" and isinstance(value, int) else value
