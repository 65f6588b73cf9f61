"""Personal identifiers out of free text: the one scrubber used wherever text is stored or leaves.

    scrub("کد ملی من ۰۴۹۹۳۷۰۸۹۹ است").text      "کد ملی من [کد ملی] است"

National id (check digit), mobile and landline numbers, bank card (Luhn), SHEBA (mod 97), e-mail, links, account
handles, postal code and file numbers behind their name. Digits of every script, the usual separators, characters that
are not seen between the digits. Behind its own name («کد ملی», «شماره کارت») a number with a wrong check digit goes
too: a typing error is still a person's number. Doses, laboratory values, dates, counts and codes of diseases stay, so
separators are accepted only where identifiers have them, and ten bare digits only with the right check digit.

A text without identifiers comes back as the same object. `scrub` never raises and is idempotent.

Not covered: names, addresses, numbers written in words or as pictures, identifiers of other countries.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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
_SIGNS = {"٫": ".", "＠": "@", "﹫": "@", "＋": "+", "\u00a0": " "}
_VIEW = {**_DIGITS, **{ord(sign): meant for sign, meant in _SIGNS.items()}}
_UNSEEN = (
    "\u00ad\u034f\u061c\u064b-\u0655\u0640\u180e\u200b\u200d-\u200f\u202a-\u202e\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff"
)
_HIDDEN = re.compile(
    rf"(?<=\d)[{_UNSEEN}\u200c]+(?=\d)|(?<=\d)[\ufe0f\u20e3]+|[\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]+"
)
_WORTH_A_LOOK = re.compile(r"\d{2}|\d\D{1,3}\d|@|[A-Za-z][.][A-Za-z]|://|[A-Za-z]{3}|[＠﹫]")


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
    """Whether sixteen ASCII digits pass the Luhn check (ISO/IEC 7812)."""
    if len(digits) != 16 or not digits.isdecimal() or len(set(digits)) == 1:
        return False
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(digits)]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def valid_sheba(digits: str) -> bool:
    """Whether the 24 ASCII digits after `IR` pass ISO 13616's mod-97 check."""
    return len(digits) == 24 and digits.isdecimal() and int(digits[2:] + "1827" + digits[:2]) % 97 == 1


_SEP = r"[ \-‐‑–_.]{0,2}"
_ONE = r"[ \-‐‑–_.]"
_EDGE = r"(?<!\d)(?<!\d[.,/٬،])"  # not in the middle of a number, nor behind a decimal point
_END = r"(?!\d)(?![.,/٬]\d)"
_COUNTRY = rf"(?:\+|00){_SEP}98{_SEP}"
_AMOUNTS = r"IU|U/|units?|واحد|mg|mcg|µg|g\b|mL|ml|cfu|copies|cells?|سلول|عدد|نسخه|نفر|ریال|تومان|تومن|دلار|×|x10"
_NO_AMOUNT = rf"(?!\s{{0,2}}(?:{_AMOUNTS}))"


def _not_round(digits: str) -> bool:
    return "00000" not in digits


def _spread(first: str, more: int) -> str:
    """`first` and `more` digits, each behind the same separator: 0-9-1-2, ۰ ۹ ۱ ۲."""
    return rf"{first}(?P<sep>{_ONE}{{1,2}})\d(?:(?P=sep)\d){{{more - 1}}}"


def _loose(count: int) -> str:
    return rf"(?:{_SEP}\d){{{count}}}"


def _named(names: str, number: str) -> str:
    """`number` at most twenty signs behind one of `names`; only the number is taken out."""
    return rf"(?:{names})[^\d\n@\[\]]{{0,20}}?{_EDGE}(?P<it>{number})(?!\d)"


_MAILBOX = r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}"
_DOMAIN = r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,6}"
_URL_CHARS = r"(?:[!#-;=?-~]*[A-Za-z0-9/=#&_-])"
_SERVICES = r"تلگرام|اینستاگرام|اینستا|ایتا|روبیکا|سروش|بله|telegram|instagram|insta"
_AREA = r"(?:1[1-7]|2[1-8]|3[1-8]|4[145]|5[1468]|6[16]|7[1-7]|8[1-7])"
_PHONE_NAMES = (
    r"شماره\s?(?:ی\s?)?(?:تلفن|تماس|همراه|موبایل|من|مطب|منزل|خونه)|"
    r"تلفن|موبایل|فکس|واتس\s?(?:اپ|آپ)|تماس|ایتا|روبیکا"
)
_PHONE_SHAPES = r"(?!(?:13|14|19|20)\d\d[ -])(?:0?9\d{8,10}|[1-9]\d{6,10}|\d{3,4}[ -]\d{4,8}|\d{3,4}(?:[ -]\d{3,4}){2})"
_RECORD_NAMES = (
    r"شماره\s?(?:ی\s?)?(?:پرونده|بیمه|شناسنامه|گذرنامه|پاسپورت|دانشجویی|پرسنلی|نظام\s?پزشکی)|"
    r"کد\s?(?:رهگیری|پیگیری|بیمه)|نظام\s?پزشکی"
)
_NATIONAL_SHAPES = rf"\d{{10}}|\d{{3}}{_ONE}\d{{6}}{_ONE}\d|\d{{8,9}}|{_spread('[0-9]', 9)}"
_OWNER = rf"(?:م|ام|\s(?:من|ما|{_SERVICES}|پیج))*\s?[:=]?\s?"

_Check = Callable[[str], bool] | None
_RULES: tuple[tuple[str, re.Pattern[str], _Check], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE), check)
    for kind, pattern, check in (
        (
            "email",
            rf"{_MAILBOX}(?:\s?@\s?|\s?[\[({{]\s?(?:at|ات|ات‌ساین)\s?[\])}}]\s?){_DOMAIN}\s?\.\s?[A-Za-z]{{2,12}}",
            None,
        ),
        ("email", rf"{_MAILBOX}\s?@\s?(?:gmail|yahoo|hotmail|outlook)\b", None),
        (
            "link",
            rf"(?:https?://|www\.|(?<![A-Za-z0-9.-])(?:t|telegram|wa)\.me/){_URL_CHARS}"
            rf"(?:(?<=[/=_-])[^\s،؛»)\]]+)?",
            None,
        ),
        (
            "link",
            r"(?<![A-Za-z0-9@._-])(?:[A-Za-z0-9-]{2,63}\.){1,6}(?:ir|com|org|net|edu|gov)(?![A-Za-z0-9-])"
            rf"(?:/{_URL_CHARS}?(?:(?<=[/=_-])[^\s،؛»)\]]+)?)?",
            None,
        ),
        ("handle", r"(?<![A-Za-z0-9_@.])@[A-Za-z_][A-Za-z0-9_.]{2,31}(?<!\.)", None),
        (
            "handle",
            rf"(?:آیدی|ایدی|یوزرنیم|username|پیج|{_SERVICES}){_OWNER}"
            r"(?P<it>(?!(?:telegram|instagram|insta|whatsapp)\b)[A-Za-z][A-Za-z0-9.]*[0-9_][A-Za-z0-9_.]{0,31}(?<!\.))",
            None,
        ),
        ("handle", r"(?<![A-Za-z0-9_@.])[A-Za-z][A-Za-z0-9_.]{3,31}@(?![A-Za-z0-9])", None),
        ("handle", rf"(?:آیدی|ایدی|یوزرنیم){_OWNER}(?P<it>[A-Za-z][A-Za-z0-9_.]{{3,31}}(?<!\.))", None),
        ("sheba", rf"(?<![A-Za-z])IR{_SEP}\d{_loose(23)}(?!\d)", valid_sheba),
        ("sheba", _named(r"شبا", rf"(?:IR{_SEP})?\d{_loose(23)}"), None),
        ("card", rf"{_EDGE}[2-9]\d{{3}}(?:{_SEP}\d{{4}}){{3}}{_END}", valid_card),
        ("card", rf"{_EDGE}{_spread('[2-9]', 15)}{_END}", valid_card),
        ("card", _named(r"شماره\s?کارت|کارت", rf"\d{{4}}(?:{_SEP}\d{{4}}){{3}}"), None),
        (
            "mobile",
            rf"(?<!\d)(?<!\d\.)(?:{_COUNTRY}(?:\(?0\)?{_SEP})?|98{_SEP}|0{_ONE}?)9\d\d\)?{_loose(7)}(?!\d)",
            None,
        ),
        ("mobile", rf"{_EDGE}{_spread('0', 10)}{_END}", lambda digits: digits[1] == "9"),
        (
            "phone",
            rf"(?<!\d)(?<!\d\.)(?:{_COUNTRY}\(?0?{_AREA}\)?|\(0{_AREA}\)|0{_AREA})[\s/\-–_]{{0,3}}[1-9]\d{_loose(6)}{_END}",
            None,
        ),
        ("phone", rf"{_EDGE}{_spread('0', 10)}{_END}", lambda digits: digits[1] in "12345678"),
        (
            "phone",
            _named(_PHONE_NAMES, _PHONE_SHAPES),
            None,
        ),
        ("postal_code", _named(r"کد\s?پستی", rf"\d{{5}}{_SEP}\d{{5}}"), None),
        ("national_id", _named(r"(?:کد|شماره)\s?(?:ی\s?)?ملی", _NATIONAL_SHAPES), None),
        ("national_id", rf"{_EDGE}(?:\d{{10}}|\d{{3}}-\d{{6}}-\d){_END}{_NO_AMOUNT}", valid_national_id),
        ("mobile", rf"{_EDGE}9[0-49]\d[ -]?(?:\d{{7}}|\d{{3}}[ -]\d{{4}}){_END}{_NO_AMOUNT}", _not_round),
        ("mobile", rf"{_EDGE}09\d{{8}}(?:\d\d)?{_END}", None),  # one digit too few or too many
        (
            "record",
            _named(_RECORD_NAMES, r"[A-Z]?\d{4,15}"),
            None,
        ),
        ("long_number", rf"(?<![A-Za-z]){_EDGE}\d{{13,30}}(?![A-Za-z]){_END}{_NO_AMOUNT}", _not_round),
    )
)


def scrub(text: str) -> Scrubbed:
    """`text` with every identifier replaced by its placeholder, and the count of each kind."""
    found: Counter[str] = Counter()
    while _WORTH_A_LOOK.search(text) and (spans := _spans(text)):
        found.update(kind for _, _, kind in spans)
        text = _replaced(text, spans)
    return Scrubbed(text, dict(found))


def _spans(text: str) -> list[tuple[int, int, str]]:
    """Where identifiers stand in `text`, in order: begin, end, kind."""
    view, places = _seen(text)
    spans: list[tuple[int, int, str]] = []
    for kind, pattern, check in _RULES:
        hits = list(_hits(view, pattern, check))
        for begin, end in reversed(hits):
            spans.append((places[begin], places[end], kind) if places else (begin, end, kind))
            view = view[:begin] + "\x00" * (end - begin) + view[end:]
    return sorted(spans)


def _hits(view: str, pattern: re.Pattern[str], check: _Check) -> Iterator[tuple[int, int]]:
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
    pieces: list[str] = []
    last = 0
    for begin, end, kind in spans:
        pieces += [text[last:begin], PLACEHOLDERS[kind]]
        last = end
    return "".join(pieces) + text[last:]
