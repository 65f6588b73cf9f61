"""Persian text: one key for comparing, one tidy form for showing.

`normalize_for_key` is aggressive and for machines (search, hashing, duplicates, decontamination); `tidy` changes only
what a careful Persian typist would have typed otherwise. Neither touches a digit inside a Latin token (`HbA1c`, `B12`).

Not covered: inserting a missing ZWNJ (`می شود`), which needs a lexicon, and spelling.
"""

from __future__ import annotations

import re
import unicodedata

ZWNJ = "\u200c"
BIDI_CONTROLS = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

_LETTERS = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "ڪ": "ک", "ہ": "ه", "ھ": "ه", "ە": "ه"})
_KEY_LETTERS = str.maketrans({"ة": "ه", "ۀ": "ه", "آ": "ا", "أ": "ا", "إ": "ا", "ٱ": "ا", "ؤ": "و", "ئ": "ی"})
_ARABIC_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹")
_ASCII_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٫", "01234567890123456789.")
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")

_PRESENTATION = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]+")
_INVISIBLE = re.compile(f"[{BIDI_CONTROLS}\u00ad\u200b\u2060\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_MARKS = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]")
_KEY_NOISE = re.compile(r"(?<=\d)[,٬](?=\d{3}(?!\d))")
_KEY_PUNCTUATION = re.compile(r"(?<!\d)\.|\.(?!\d)|[^\w+%<>=.]|_")
_ZWNJ_RUN = re.compile(f"{ZWNJ}{{2,}}")
_ZWNJ_EDGE = re.compile(f"(?:(?<![^\\W\\d_]){ZWNJ})|(?:{ZWNJ}(?![^\\W\\d_]))")
_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u3000]+")
_SPACE_BEFORE_PUNCTUATION = re.compile(r" +([،؛؟!:»])(?!\S)")


def normalize_for_key(text: str) -> str:
    """The form two spellings of one text share: for search keys, hashes and duplicates, never for people.

    Folds ye, kaf, he, alef and hamza shapes, presentation forms, vowel marks, tatweel, digits of three scripts (to
    ASCII), letter case and punctuation; a ZWNJ counts as a space. Idempotent.
    """
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).translate(_LETTERS)
    text = _MARKS.sub("", text.replace("ـ", "")).translate(_KEY_LETTERS)
    text = unicodedata.normalize("NFC", text.translate(_ASCII_DIGITS).casefold()).translate(_KEY_LETTERS)
    text = _KEY_NOISE.sub("", text)
    return " ".join(_KEY_PUNCTUATION.sub(" ", _MARKS.sub("", text)).split())


def tidy(text: str) -> str:
    """The form shown to people: Persian ye, kaf and digits for their Arabic twins, ZWNJ only between letters.

    Bidi and control characters and tatweel go; line breaks, ASCII digits, Latin text and punctuation stay. Idempotent.
    """
    text = _CONTROL.sub("", _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    text = _PRESENTATION.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text)
    text = text.translate(_LETTERS).translate(_ARABIC_DIGITS).replace("ـ", "").replace("هٔ", "هٔ")
    text = _ZWNJ_EDGE.sub("", _ZWNJ_RUN.sub(ZWNJ, text))
    text = _SPACE_BEFORE_PUNCTUATION.sub(r"\1", _SPACES.sub(" ", text))
    return "\n".join(line.strip() for line in text.split("\n")).strip()


def ascii_digits(text: str) -> str:
    """Digits of the Persian and Arabic scripts as ASCII digits; one character for one, so offsets stay."""
    return text.translate(_ASCII_DIGITS)


def persian_digits(value: object) -> str:
    """`value` as text with Persian digits, for figures of our own (a count, a duration), never for a model's text."""
    return str(value).translate(_PERSIAN_DIGITS)


def persian_share(text: str) -> float:
    """Share of Arabic-script letters among all letters, 0 to 1; 1.0 for a text without letters."""
    letters = [character for character in text if character.isalpha()]
    if not letters:
        return 1.0
    return sum("\u0600" <= character <= "\u06ff" for character in letters) / len(letters)


def foreign_script(text: str) -> str | None:
    """The first letter that is neither Arabic script, Latin nor Greek (units and symbols use Greek); None if none."""
    for character in text:
        if character.isalpha() and not _FAMILIAR.match(character):
            return character
    return None


def mixed_script_word(text: str) -> str | None:
    """The first word that joins Arabic-script and Latin letters without a break (`موتورik`); None if none."""
    found = _MIXED.search(text)
    return found[0] if found else None


_FAMILIAR = re.compile(r"[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefcA-Za-zªµº\u00c0-\u024f\u0370-\u03ff\u2090-\u209c\u2070-\u207f\u1d2c-\u1d6a\u2100-\u214f]")
_MIXED = re.compile(r"[\u0621-\u064a\u066e-\u06d3]+[a-z]+\w*|[a-z]{2,}[\u0621-\u064a\u066e-\u06d3]+\w*", re.IGNORECASE)
