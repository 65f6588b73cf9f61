"""Personal identifiers out of free text: the one scrubber used wherever text is stored or leaves.

National id (check digit), mobile and landline numbers, bank card (Luhn), SHEBA (mod 97), e-mail, links and account
handles, with digits of three scripts and the usual separators. Each is replaced by a typed Persian placeholder.

Not covered: names, addresses, file numbers without a known form. `scrub` never raises and is idempotent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from gaokerena.persian import ascii_digits

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
}

_SEPARATOR = r"[ \-_.\u200c\u00a0]{0,2}"
_HIDDEN = re.compile("[\u200b\u200d-\u200f\u2060\u2066-\u2069\u202a-\u202e\u061c\u00ad]")


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text without identifiers, and how many of each kind were taken out."""

    text: str
    found: dict[str, int] = field(default_factory=dict)


def valid_national_id(digits: str) -> bool:
    """Whether ten ASCII digits carry the right check digit (sum of d_i * (10 - i) for nine digits, mod 11)."""
    if len(digits) != 10 or not digits.isdecimal() or len(set(digits)) == 1:
        return False
    remainder = sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9])) % 11
    return int(digits[9]) == (remainder if remainder < 2 else 11 - remainder)


def valid_card(digits: str) -> bool:
    """Whether sixteen ASCII digits pass the Luhn check."""
    if len(digits) != 16 or not digits.isdecimal() or len(set(digits)) == 1:
        return False
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(digits)]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def valid_sheba(digits: str) -> bool:
    """Whether the 24 ASCII digits after `IR` pass ISO 13616's mod-97 check."""
    return len(digits) == 24 and digits.isdecimal() and int(digits[2:] + "1827" + digits[:2]) % 97 == 1


def _digits(count: str) -> str:
    return rf"(?:\d{_SEPARATOR}){{{count}}}"


def _run(count: int) -> str:
    return _digits(str(count - 1)) + r"\d"


_RULES: tuple[tuple[str, re.Pattern[str], Callable[[str], bool] | None], ...] = (
    ("email", re.compile(r"[\w.+\-]+\s?@\s?[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}"), None),
    (
        "link",
        re.compile(
            r"(?:https?://|www\.|(?:t|telegram)\.me/|instagram\.com/|wa\.me/)[^\s،؛»)\]]+"
            r"|(?<![\w@.])[a-z0-9\-]+(?:\.[a-z0-9\-]+)*\.(?:ir|com|org|net|info|me|co)(?:/[^\s،؛»)\]]*)?(?![A-Za-z0-9])",
            re.IGNORECASE,
        ),
        None,
    ),
    ("handle", re.compile(r"(?<![\w@])@[A-Za-z_][A-Za-z0-9_.]{3,31}"), None),
    ("sheba", re.compile(rf"(?<![A-Za-z])IR{_SEPARATOR}{_run(24)}(?!\d)", re.IGNORECASE), valid_sheba),
    ("card", re.compile(rf"(?<!\d){_run(16)}(?!\d)"), valid_card),
    (
        "mobile",
        re.compile(rf"(?<!\d)(?:(?:\+|00){_SEPARATOR}98{_SEPARATOR}(?:0{_SEPARATOR})?|98{_SEPARATOR}|0{_SEPARATOR})?9{_SEPARATOR}{_run(9)}(?!\d)"),
        None,
    ),
    ("phone", re.compile(rf"(?<!\d)(?:(?:\+|00)98{_SEPARATOR}|0)[1-8]\d{_SEPARATOR}{_run(8)}(?!\d)"), None),
    ("postal_code", re.compile(rf"(?<=کد پستی)[\s:]*{_run(10)}(?!\d)|(?<=کدپستی)[\s:]*{_run(10)}(?!\d)"), None),
    ("national_id", re.compile(rf"(?<!\d){_run(10)}(?!\d)"), valid_national_id),
)


def scrub(text: str) -> Scrubbed:
    """`text` with every identifier replaced by its placeholder, and the count of each kind."""
    found: Counter[str] = Counter()
    text = _HIDDEN.sub("", text) if _HIDDEN.search(text) and any(c.isdecimal() or c == "@" for c in text) else text
    for kind, pattern, check in _RULES:
        text = _replace(text, kind, pattern, check, found)
    return Scrubbed(text, dict(found))


def _replace(text: str, kind: str, pattern: re.Pattern[str], check: Callable[[str], bool] | None, found: Counter[str]) -> str:
    pieces: list[str] = []
    end = 0
    for match in pattern.finditer(ascii_digits(text)):
        if check is not None and not check(re.sub(r"\D", "", match[0])):
            continue
        found[kind] += 1
        pieces += [text[end : match.start()], PLACEHOLDERS[kind]]
        end = match.end()
    return "".join(pieces) + text[end:] if pieces else text
