"""Surface features of an answer, by family: what a text looks like, not what it says.

    FAMILIES["length"]("…")                 # {"characters": 812.0, "words": 141.0, "lines": 9.0}

A family here is a function from a text to named numbers. Opening words, closing words and phrases are no such lists:
they are mined in the audit (`mining`).

Not covered: meaning. A model that reads may still tell two authors apart where no feature here does.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gaokerena.persian import ZWNJ
from gaokerena.questions import LETTERS

Features = dict[str, float]

_MARKS = {
    "full stops": ".",
    "commas": "،",
    "Latin commas": ",",
    "semicolons": "؛",
    "colons": ":",
    "question marks": "؟",
    "exclamation marks": "!",
    "round brackets": "(",
    "square brackets": "[",
    "guillemets": "«",
    "straight quotes": '"',
    "dashes": "–—",
    "hyphens": "-",
    "ellipses": "…",
}
_UPPER, _LOWER = re.compile("[A-Z]"), re.compile("[a-z]")
_SQUARE, _ROUND = re.compile(r"\[\s*[A-Da-d]\s*\]"), re.compile(r"\(\s*[A-Da-d]\s*\)")
_QUOTED, _BARE = re.compile(r"«\s*[A-Da-d]\s*»"), re.compile(r"(?<![\[(«A-Za-z0-9])[A-D](?![\])»A-Za-z0-9])")
_SMALL = re.compile(r"(?<![\[(«A-Za-z0-9])[a-d](?![\])»A-Za-z0-9])")
_PERSIAN_OPTION = re.compile(r"گزینه(?:ٔ|‌ی| ی)?\s*[\[(«\"]?\s*(?:الف|ب|ج|د)(?![\w‌])")
_ANY_LETTER = re.compile(r"(?<![A-Za-z0-9])[A-Da-d](?![A-Za-z0-9])")
_BULLET, _NUMBERED = re.compile(r"^\s*[-*•]\s", re.M), re.compile(r"^\s*[\d۰-۹]+\s*[.)\-]\s", re.M)
_HEADING, _TABLE = re.compile(r"^\s*#{1,6}\s", re.M), re.compile(r"^\s*\|", re.M)


def letter_case(text: str) -> Features:
    """Upper and lower case of Latin letters."""
    upper, lower = len(_UPPER.findall(text)), len(_LOWER.findall(text))
    return {
        "upper-case letters": upper,
        "has an upper-case letter": float(upper > 0),
        "upper-case share": upper / max(1, upper + lower),
    }


def length(text: str) -> Features:
    """How long a text is."""
    return {"characters": len(text), "words": len(text.split()), "lines": text.count("\n") + 1}


def punctuation(text: str) -> Features:
    """Marks, as counts and per hundred characters, and how the text ends."""
    found: Features = {}
    for name, marks in _MARKS.items():
        count = sum(map(text.count, marks))
        found[name] = count
        found[f"{name} per 100 characters"] = 100 * count / max(1, len(text))
    return found | {"ends with a mark": float(text.rstrip()[-1:] in (*'.!؟…:»)"',))}


def script(text: str) -> Features:
    """Latin letters, digits of both scripts, ZWNJ, Arabic ye and kaf."""
    size = max(1, len(text))
    latin = len(_UPPER.findall(text)) + len(_LOWER.findall(text))
    ascii_digits, persian = sum(map(text.count, "0123456789")), sum(map(text.count, "۰۱۲۳۴۵۶۷۸۹"))
    return {
        "Latin letters": latin,
        "Latin share": latin / size,
        "ASCII digits": ascii_digits,
        "Persian digits": persian,
        "ASCII share of digits": ascii_digits / max(1, ascii_digits + persian),
        "ZWNJ per 100 characters": 100 * text.count(ZWNJ) / size,
        "Arabic ye and kaf": text.count("ي") + text.count("ك"),
        "bracketed Latin": len(re.findall(r"\([^()]*[A-Za-z]{3}[^()]*\)", text)),
    }


def last_letter(text: str) -> str:
    """The last option letter a text names, in upper case; empty where it names none."""
    letters = _ANY_LETTER.findall(text)
    return letters[-1].upper() if letters else ""


def option_letters(text: str) -> Features:
    """How options are written (A, [A], (A), «A», الف), and which letter comes last."""
    last = last_letter(text)
    return {
        "options as [A]": len(_SQUARE.findall(text)),
        "options as (A)": len(_ROUND.findall(text)),
        "options as «A»": len(_QUOTED.findall(text)),
        "options as A": len(_BARE.findall(text)),
        "options as a": len(_SMALL.findall(text)),
        "options as الف": len(_PERSIAN_OPTION.findall(text)),
        **{f"last letter is {letter}": float(last == letter) for letter in LETTERS},
    }


def markdown(text: str) -> Features:
    """Marks of markdown."""
    return {
        "bold marks": text.count("**"),
        "headings": len(_HEADING.findall(text)),
        "bullets": len(_BULLET.findall(text)),
        "numbered lines": len(_NUMBERED.findall(text)),
        "code marks": text.count("`"),
        "table rows": len(_TABLE.findall(text)),
        "blank lines": text.count("\n\n"),
    }


FAMILIES: dict[str, Callable[[str], Features]] = {
    "letter case": letter_case,
    "length": length,
    "punctuation": punctuation,
    "script": script,
    "option letters": option_letters,
    "markdown": markdown,
}
