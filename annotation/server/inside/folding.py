"""The searchable words of a text: one spelling for the many ways Persian (and Latin) is typed.

    python -c "from folding import words; print(words('كتاب‌هاي ۲٬۴۰۰ صفحه‌ای'))"   # کتاب های 2400 صفحه ای

Used on both sides of the text index: on what is stored and on what is asked for, so that both agree. Words are runs
of letters and digits; punctuation, signs and emoji are not searchable. Not covered: a missing blank or ZWNJ (`میشود`
for `می شود`), word stems, and scripts that write vowels as marks of their own (they are dropped, on both sides).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["words"]

VERSION = "1"
"""Change it with every change of `words`: the text index is then made again at the next start."""

_SHAPES = {"ي": "ی", "ى": "ی", "ے": "ی", "ك": "ک", "ڪ": "ک", "ة": "ه", "ۃ": "ه", "ہ": "ه", "ھ": "ه", "ە": "ه", "ٱ": "ا"}
_DIGITS = dict(zip("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789", strict=True))


class _Fold(dict[int, str | int | None]):
    """A table for `str.translate` that learns: marks go, the shapes above fold, all else stays."""

    def __missing__(self, code: int) -> int | None:
        kept = None if unicodedata.category(chr(code)) == "Mn" else code
        self[code] = kept
        return kept


_FOLD = _Fold({ord(c): to for c, to in (_SHAPES | _DIGITS | {"٬": ",", "٫": ".", "_": " "}).items()})

_LETTER = "ء-غف-يٮ-ۓۺ-ۿپچژکگی"
# A mark typed with the wrong key between two Persian letters stands for a ZWNJ; so does a ZWNJ itself.
_JOINT = re.compile(f"(?<=[{_LETTER}])[\u00ad\u200b\u200c\u200e\u200f]+(?=[{_LETTER}])|\u200c")
_DASH = re.compile(f"(?<![{_LETTER}\u064b-\u065fـ])ـ+(?![{_LETTER}ـ])")  # a tatweel typed for a dash
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2069\u206a-\u206f\ufeff\ufff9-\ufffb]"
)
_GROUPED = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> str:
    """The words of `text` in one spelling, in their order, parted by single blanks; "" when it has none.

    Ye, kaf, he and alef shapes, presentation forms, vowel marks and other accents, tatweel, digits of three scripts
    (to ASCII), grouped digits (`1,200`) and letter case are folded; a ZWNJ parts words. Takes any string, lone
    surrogates and control characters included, and is idempotent.
    """
    return " ".join(filter(None, [_short(chunk) if len(chunk) <= _SHORT else _folded(chunk) for chunk in text.split()]))


def _folded(chunk: str) -> str:
    """The words of a text without white space. No rule looks past white space, so each chunk folds alone."""
    text = _DASH.sub(" ", _INVISIBLE.sub("", _JOINT.sub(" ", chunk))).replace("ـ", "")
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join(_WORD.findall(_GROUPED.sub("", text.translate(_FOLD))))


_SHORT = 32
_short = lru_cache(maxsize=32_768)(_folded)  # a language has few words: most chunks of a text were folded before
