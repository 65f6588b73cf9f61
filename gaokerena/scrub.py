"""Personal identifiers out of free text: the one scrubber used wherever text is stored or leaves.

    scrub("کد ملی من ۰۴۹۹۳۷۰۸۹۹ است").text      "کد ملی من [کد ملی] است"

National id (check digit), mobile and landline numbers, bank card (Luhn), SHEBA (mod 97), e-mail, links, account
handles, postal code and file numbers behind their name. Digits of every script, Arabic and Persian letters, the usual
separators, characters that are not seen between the digits. Behind its own name («کد ملی», «شمارهٔ کارت», «شماره‌ی
پرونده») a number with a wrong check digit goes too: a typing error is still a person's number. Doses, laboratory
values, dates, counts and codes of diseases stay, so wide separators are accepted only where a check digit or 09 proves
the number, and ten bare digits only with the right check digit. The shapes are in `gaokerena.scrub_rules`.

A text without identifiers comes back as the same object. `scrub` never raises and is idempotent.

Not covered: names, addresses, numbers written in words or as pictures, identifiers of other countries.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from gaokerena.scrub_rules import RULES, Check

PLACEHOLDERS = {
    "email": "[ایمیل]",
    "link": "[پیوند]",
    "handle": "[نام کاربری]",
    "sheba": "[شماره شبا]",
    "card": "[شماره کارت]",
    "mobile": "[شماره همراه]",
    "phone": "[شماره تلفن]",
    "national_id": "[کد ملی]",
    "postal_code": "[کد پستی]",
    "record": "[شماره پرونده]",
    "long_number": "[شماره]",
}

_DIGITS = {code: str(unicodedata.decimal(chr(code))) for code in range(0x80, 0x20000) if chr(code).isdecimal()}
_SPACES = dict.fromkeys(
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000", " "
)
_HYPHENS = dict.fromkeys("‐‑‒–−﹣－", "-")
_LETTERS = {"ي": "ی", "ى": "ی", "ك": "ک", "ۀ": "ه", "ة": "ه", "ە": "ه", "ھ": "ه"}
_SIGNS = {"٫": ".", "．": ".", "＠": "@", "﹫": "@", "＋": "+", "／": "/", **_SPACES, **_HYPHENS, **_LETTERS}
_VIEW = {**_DIGITS, **{ord(sign): meant for sign, meant in _SIGNS.items()}}  # one for one: places stay
_UNSEEN = (
    "\u00ad\u034f\u061c\u064b-\u0655\u0640\u180e\u200b\u200d-\u200f\u202a-\u202e\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff"
)
_HIDDEN = re.compile(rf"(?<=\d)[{_UNSEEN}\u200c]+(?=\d)|[{_UNSEEN}]+")
_WORTH_A_LOOK = re.compile(r"\d{2}|\d\D{1,4}\d|@|[.．][A-Za-z]|://|[A-Za-z]{3}|[＠﹫]")


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text without identifiers, and how many of each kind were taken out."""

    text: str
    found: dict[str, int] = field(default_factory=dict)


def scrub(text: str) -> Scrubbed:
    """`text` with every identifier replaced by its placeholder, and the count of each kind."""
    found: Counter[str] = Counter()
    while _WORTH_A_LOOK.search(text) and (spans := _spans(text)):
        found.update(kind for _, _, kind in spans)
        text = _replaced(text, [(begin, end, PLACEHOLDERS[kind]) for begin, end, kind in spans])
    return Scrubbed(text, dict(found))


def _spans(text: str) -> list[tuple[int, int, str]]:
    """Where identifiers stand in `text`, in order: begin, end, kind."""
    view, places = _seen(text)
    spans: list[tuple[int, int, str]] = []
    for kind, pattern, check in RULES:
        if hits := list(_hits(view, pattern, check)):
            spans += [(places[begin], places[end], kind) if places else (begin, end, kind) for begin, end in hits]
            view = _replaced(view, [(begin, end, "\x00" * (end - begin)) for begin, end in hits])
    return sorted(spans)


def _hits(view: str, pattern: re.Pattern[str], check: Check) -> Iterator[tuple[int, int]]:
    place = 0
    while match := pattern.search(view, place):
        begin, end = match.span("it" if "it" in pattern.groupindex else 0)
        if check is None or check(re.sub(r"\D", "", match[0])):
            yield begin, end
            place = end
        else:
            place = match.start() + 1


def _seen(text: str) -> tuple[str, list[int]]:
    """`text` as it is read: ASCII digits, no hidden characters; and where each character came from ([]: unmoved).

    One place more than characters: the end of the text, so hidden characters behind an identifier go with it.
    """
    if not _HIDDEN.search(text):
        return text.translate(_VIEW), []
    hidden = {place for match in _HIDDEN.finditer(text) for place in range(*match.span())}
    places = [place for place in range(len(text)) if place not in hidden]
    return "".join(text[place] for place in places).translate(_VIEW), [*places, len(text)]


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> str:
    """`text` with each span, from begin to end, replaced by what is given with it; the spans are in order."""
    pieces: list[str] = []
    last = 0
    for begin, end, instead in spans:
        pieces += [text[last:begin], instead]
        last = end
    return "".join(pieces) + text[last:]
