"""Persian text: one key for comparing, one tidy form for showing.

`normalize_for_key` is aggressive and for machines (search, hashing, duplicates, decontamination); `tidy` changes only
what a careful Persian typist would have typed otherwise. Neither touches a digit inside a Latin token (`HbA1c`, `B12`).
Both are idempotent and take any string, lone surrogates and control characters included.

    python -c "from gaokerena.persian import tidy; print(tidy('كتاب\u200f‌هاي'))"

Not covered: inserting a missing ZWNJ (`می شود`), which needs a lexicon; spelling; indentation (`tidy` trims each line,
so it is for prose, not for nested lists or code); words broken by stray blanks.
"""

from __future__ import annotations

import re
import unicodedata

from gaokerena.letters import PERSIAN as _PERSIAN
from gaokerena.letters import foreign_script, mixed_script_word, persian_share

__all__ = [
    "BIDI_CONTROLS", "ZWNJ", "ascii_digits", "foreign_script", "mixed_script_word", "normalize_for_key",
    "persian_digits", "persian_share", "tidy",
]  # fmt: skip

ZWNJ = "\u200c"
BIDI_CONTROLS = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

_LETTERS = str.maketrans(
    {"ي": "ی", "ى": "ی", "ك": "ک", "ڪ": "ک", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۀ": "هٔ", "ۂ": "هٔ", "۔": "."}
)
_KEY_LETTERS = str.maketrans(
    {"ة": "ه", "ۃ": "ه", "آ": "ا", "أ": "ا", "إ": "ا", "ٱ": "ا", "ؤ": "و", "ئ": "ی", "ے": "ی", "ۓ": "ی", "٪": "%"}
)
_ARABIC_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹")
_ASCII_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٫", "01234567890123456789.")
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")

_PRESENTATION = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]+")
_BREAK = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile(f"[{BIDI_CONTROLS}\u00ad\u034f\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb]")
# A left-to-right mark or a soft hyphen between two Persian letters is a ZWNJ typed with the wrong key: so in 414 of
# 414 places of the public corpora looked at; U+FEFF and the embeddings there are noise.
_WRONG_ZWNJ = re.compile(f"(?<=[{_PERSIAN}])[\u00ad\u200b\u200e\u200f{ZWNJ}]+(?=[{_PERSIAN}])")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_MARK = "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
_MARKS = re.compile(f"[{_MARK}]")
_DASH = re.compile(f"(?<![{_PERSIAN}\u064b-\u065fـ])ـ+(?![{_PERSIAN}ـ])")  # a tatweel typed for a dash
_KEY_NOISE = re.compile(r"(?<=\d)[,٬](?=\d{3}(?!\d))")
_KEY_PUNCTUATION = re.compile(r"(?<!\d)\.|\.(?!\d)|[^\w+%<>=≤≥±.]|_")
_KEY_SIGNS = re.compile(r"([+%<>=≤≥±])")
_ARABIC_FIGURE = re.compile(r"[A-Za-z0-9٠-٩.,٫٬/+\-]+")
_ARABIC_DIGIT = re.compile("[٠-٩]")
_LATIN = re.compile("[A-Za-z]")
_ZWNJ_RUN = re.compile(f"{ZWNJ}{{2,}}")
_ZWNJ_EDGE = re.compile(f"(?<![^\\W_]|[{_MARK}]){ZWNJ}|{ZWNJ}(?![^\\W_]|[{_MARK}])")
# A ZWNJ beside a blank: the typist meant one word where a prefix or a suffix of ours is on that side.
_ZWNJ_PREFIX = re.compile(f"(?<![^\\W_{ZWNJ}])(ن?می){ZWNJ} +(?=[{_PERSIAN}])")
_ZWNJ_SUFFIX = re.compile(f"(?<=[{_PERSIAN}]) +{ZWNJ}(?=(?:ها|های|هایی|هایش|هایم|هایشان|تر|ترین)(?![^\\W_{ZWNJ}]))")
_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_SPACE_BEFORE_PUNCTUATION = re.compile(r" +([،؛؟!»]|(?<!\d ):)(?!\S)")


def normalize_for_key(text: str) -> str:
    """The form two spellings of one text share: for search keys, hashes and duplicates, never for people.

    Folds ye, kaf, he, alef and hamza shapes, presentation forms, vowel marks, tatweel, digits of three scripts (to
    ASCII), letter case and punctuation; a ZWNJ counts as a space. Signs that carry meaning stay as words
    of their own (`+ % < > = ≤ ≥ ±`). A missing blank (`500mg`, `میشود`) makes another key.
    """
    text = _INVISIBLE.sub("", _WRONG_ZWNJ.sub(" ", _CONTROL.sub("", _BREAK.sub("\n", text))))
    text = unicodedata.normalize("NFKC", _DASH.sub(" ", text).replace("ـ", "")).translate(_LETTERS)
    text = _MARKS.sub("", text.replace("ـ", "")).translate(_KEY_LETTERS)
    text = unicodedata.normalize("NFC", text.translate(_ASCII_DIGITS).casefold()).translate(_KEY_LETTERS)
    text = _KEY_PUNCTUATION.sub(" ", _MARKS.sub("", _KEY_NOISE.sub("", text)))
    return " ".join(_KEY_SIGNS.sub(r" \1 ", text).split())


def tidy(text: str) -> str:
    """The form shown to people: Persian ye, kaf and digits for their Arabic twins, ZWNJ only inside words.

    Bidi and control characters and tatweel go (a mark typed in place of a ZWNJ becomes one); line breaks, ASCII
    digits, Latin text and punctuation stay.
    """
    text = _CONTROL.sub("", _BREAK.sub("\n", text))
    text = _INVISIBLE.sub("", _WRONG_ZWNJ.sub(ZWNJ, text))
    text = _PRESENTATION.sub(lambda run: unicodedata.normalize("NFKC", run[0]), _DASH.sub("-", text))
    text = unicodedata.normalize("NFC", text.replace("ـ", ""))
    text = text.translate(_LETTERS)
    if _ARABIC_DIGIT.search(text):
        text = _ARABIC_FIGURE.sub(_persian_figure, text)
    text = _ZWNJ_PREFIX.sub(rf"\1{ZWNJ}", _SPACES.sub(" ", _ZWNJ_RUN.sub(ZWNJ, text)))
    text = _ZWNJ_EDGE.sub("", _ZWNJ_SUFFIX.sub(ZWNJ, text))
    text = unicodedata.normalize("NFC", text.replace("ی\u0654", "ئ"))
    text = _SPACE_BEFORE_PUNCTUATION.sub(r"\1", _SPACES.sub(" ", text))
    return "\n".join(line.strip() for line in text.split("\n")).strip()


def _persian_figure(match: re.Match[str]) -> str:
    return match[0] if _LATIN.search(match[0]) else match[0].translate(_ARABIC_DIGITS)


def ascii_digits(text: str) -> str:
    """Digits of the Persian and Arabic scripts as ASCII digits; one character for one, so offsets stay."""
    return text.translate(_ASCII_DIGITS)


def persian_digits(value: object) -> str:
    """`value` as text with Persian digits, for figures of our own (a count, a duration), never for a model's text."""
    return str(value).translate(_PERSIAN_DIGITS)
