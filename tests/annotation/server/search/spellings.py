"""Texts whose words the oracle knows: each word of a small vocabulary in any of the ways it may be typed."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

SPELLINGS = {
    "کتاب": ("کتاب", "كتاب", "کـتاب", "کِتاب", "ﻛﺘﺎب"),
    "های": ("های", "هاي", "هاى"),
    "موثر": ("موثر", "مؤثر", "مؤثّر"),
    "اب": ("آب", "اب", "أب"),
    "اشعه": ("اشعه", "اشعة", "اَشعه"),
    "اشعار": ("اشعار", "أشعار"),
    "24": ("24", "۲۴", "٢٤"),
    "2400": ("2400", "۲۴۰۰", "۲٬۴۰۰", "2,400"),
    "hba1c": ("HbA1c", "hba1c", "ＨbA1c"),
    "cafe": ("café", "Cafe", "CAFÉ"),
    "near": ("NEAR", "near"),
    "or": ("OR", "or"),
}
"""Canonical word → spellings that must find one another. `24` begins `2400`; `near` and `or` are FTS5's operators."""

_GAPS = (
    " ",
    "  ",
    "\u200c",
    "\n",
    "\t",
    " — ",
    "، ",
    ". ",
    "؟ ",
    ": ",
    " («",
    "» ",
    "' ",
    " <b> ",
    " \x00 ",
    " \u202e ",
)
# « — », brackets and the like part words; the bidi control and NUL must do no harm. `<b>` is a word of its own.
_IN_GAPS = {" <b> ": ["b"]}

words = st.sampled_from(sorted(SPELLINGS))


@st.composite
def spelled(draw: st.DrawFn, sequence: Sequence[str]) -> str:
    """`sequence` of canonical words, each in some spelling, with plain blanks."""
    return " ".join(draw(st.sampled_from(SPELLINGS[word])) for word in sequence)


@st.composite
def texts(draw: st.DrawFn, least: int = 0) -> tuple[str, list[str]]:
    """A text of up to six words, and the words it holds."""
    said: list[str] = []
    text = draw(st.sampled_from(("", "🙂", "«", "*", '"')))
    for word in draw(st.lists(words, min_size=least, max_size=6)):
        gap = draw(st.sampled_from(_GAPS))
        text += draw(st.sampled_from(SPELLINGS[word])) + gap
        said += [word, *_IN_GAPS.get(gap, [])]
    return text, said
