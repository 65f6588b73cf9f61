"""Latin words, doses and numbers in reading order inside a right-to-left line.

    isolate("روزانه Metformin 500 mg")     the Latin run between LRI and PDI, for plain text that is only shown
    list(runs("فشار 120/80 mmHg بود"))     [("فشار ", False), ("120/80 mmHg", True), (" بود", False)], for a page
    strip(shown)                           the text again: on copy, in storage, in training

A page escapes each piece of `runs` and wraps those marked True in `<bdi dir="ltr">`. Both functions take out every bidi
control first, so an override typed by a visitor turns nothing round. Bare whole numbers keep their order anyway and
stay outside, also where they count something Persian («Aspirin ۳ بار»); so do list markers. Lines without any
right-to-left letter are one run.

Not covered: Markdown or HTML source (use it on text nodes; an isolate inside a link's address breaks the link), code,
tables, and ranges written in Arabic-Indic digits with blanks (`tidy` turns those digits into Persian ones first).
Rules: Unicode Standard Annex 9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gaokerena.persian import BIDI_CONTROLS

LRI, PDI = "\u2066", "\u2069"

_CONTROLS = str.maketrans("", "", BIDI_CONTROLS)
_LINE = re.compile("[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")

_RTL = "\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff"
_RTL_LETTER = re.compile(rf"(?=[{_RTL}])[^\W\d_]")
_LETTER = rf"(?:(?![{_RTL}])[^\W\d_][\u0300-\u036f]?)"
_MARKER = re.compile(r"\s*(?:[-*•–]|[0-9۰-۹٠-٩]{1,3}[.)-])\s+")
_LINK = r"(?:https?://|www\.)[!-~]*[A-Za-z0-9/#=]"
_INSIDE = r"[-‐‑–/'’.:_@&+#~%^·]"  # joins two halves of one Latin word: COVID-19, IL-6, p.o, mL/min
_WORD = (
    rf"(?:\d+(?=[A-Za-z])|\d+(?:,\d+)*(?:-|\([A-Za-z\d]{{1,6}}\))(?=[A-Za-z]))?{_LETTER}(?:{_LETTER}|\d|[²³¹⁰-ₜ]|"
    rf"{_INSIDE}(?={_LETTER}|\d)|\([A-Za-z\d+,-]{{1,12}}\)(?=[A-Za-z\d]))*(?:[+′″]{{1,2}}|[-−](?![^\W_]))?(?:[²³¹⁰-ₜ]+)?"
)
_FIGURE = r"\d+(?:[.,٫٬/:×^]\d+)*"
_SIGN = r"(?:(?<![\w)\]])[+−×-]|[±<>≤≥~≈≃]\s?=?[ ]?)"
_PERCENT = r"[ ]?[%٪‰°℃℉]"
_RANGE = r"[ ]?[-–—−×±][ ]?"
_NUMBER = rf"{_SIGN}?{_FIGURE}(?:{_PERCENT})?(?:{_RANGE}{_FIGURE}(?:{_PERCENT})?)*"
_ATOM = re.compile(rf"(?P<word>{_LINK}|{_WORD})|(?P<number>{_NUMBER})")

_GAP = re.compile(r" ?[-–—−=<>≤≥±×+/→~≈&·^] ?|[,;:.!?]? ?")
_PHONE_GAP = re.compile(r"[ -]")
_UNIT = re.compile(
    r"(?:[mkµμncdpfM]?(?:g|m|L|l|mol|M|s|Hz|Gy|Sv|V|A|W|J|Pa|cal|bar)|mcg|[kKMG]?IU|[mµk]?U|[mk]?Eq|mOsm|mmHg|cmH2O|"
    r"cc|CC|bpm|hrs?|h|min|secs?|sec|days?|weeks?|wks?|months?|years?|yrs?|mg|ppm|ppb|rpm|dB|C|F|fL|pH|units?|[xX])"
    r"(?![A-Za-z])"
)
_COUNTED = re.compile(
    r" ?(?:بار|عدد|قرص|روز|هفته|ماه|سال|ساعت|دقیقه|ثانیه|نفر|درصد|میلی|گرم|کیلو|میکرو|واحد|سی|کپسول|نوبت|مرتبه|برابر|"
    r"قطره|آمپول|قاشق|لیتر|متر|درجه|مورد|تا|بیمار|نوع)"
)
_PERSIAN_FIGURES = re.compile(r"[۰-۹٠-٩]+")
_BARE = re.compile(r"\d+")


def strip(text: str) -> str:
    """`text` without any bidi control: marks, embeddings, overrides and isolates."""
    return text.translate(_CONTROLS)


def isolate(text: str) -> str:
    """`text` with each left-to-right run between LRI and PDI. Idempotent; `strip` gives `strip(text)` back."""
    return "".join(f"{LRI}{piece}{PDI}" if ltr else piece for piece, ltr in runs(text))


def runs(text: str) -> Iterator[tuple[str, bool]]:
    """Pieces of `strip(text)` in order, none empty, each with whether it is to be shown left to right."""
    held = ""
    for piece, ltr in _pieces(strip(text)):
        if not ltr:
            held += piece
            continue
        if held:
            yield held, False
        held = ""
        yield piece, True
    if held:
        yield held, False


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    for match in _LINE.finditer(text):
        line = match[0]
        start = 0
        for left, right in _spans(line):
            yield line[start:left], False
            yield line[left:right], True
            start = right
        yield line[start:], False


def _spans(line: str) -> Iterator[tuple[int, int]]:
    """Where the left-to-right runs of one line begin and end."""
    if line.isascii() and not any(character.isalnum() for character in line):
        return
    marker = _MARKER.match(line)
    begin = marker.end() if marker else 0
    atoms = list(_ATOM.finditer(line, begin))
    if not _RTL_LETTER.search(line) and any(atom.lastgroup == "word" for atom in atoms):
        yield begin + len(line[begin:]) - len(line[begin:].lstrip()), len(line.rstrip())
        return
    group: list[re.Match[str]] = []
    for atom in atoms:
        if group and not _joined(line, group, atom):
            yield from _span(group)
            group = []
        group.append(atom)
    yield from _span(group)


def _span(group: list[re.Match[str]]) -> Iterator[tuple[int, int]]:
    if group and not (len(group) == 1 and _BARE.fullmatch(group[0][0])):
        yield group[0].start(), group[-1].end()


def _joined(line: str, group: list[re.Match[str]], atom: re.Match[str]) -> bool:
    """Whether `atom` reads on from the run before it."""
    before, gap = group[-1], line[group[-1].end() : atom.start()]
    if atom.lastgroup == "number":
        if before.lastgroup == "number":
            return bool(_PHONE_GAP.fullmatch(gap)) and _phone(group, atom)
        if _COUNTED.match(line, atom.end()):
            return not gap
        if gap == " " and _PERSIAN_FIGURES.fullmatch(atom[0]) and not _unit_follows(line, atom.end()):
            return False
        return bool(_GAP.fullmatch(gap))
    if before.lastgroup == "number" and len(group) == 1:
        return gap in ("", "/") or (gap == " " and (_UNIT.match(atom[0]) is not None or atom[0][0].islower()))
    return bool(_GAP.fullmatch(gap))


def _unit_follows(line: str, place: int) -> bool:
    return line[place : place + 1] == " " and _UNIT.match(line, place + 1) is not None


def _phone(group: list[re.Match[str]], atom: re.Match[str]) -> bool:
    """Groups of digits behind a leading 0 or + are one telephone number."""
    return group[0][0][0] in "0۰٠+" and len(atom[0]) >= 2 and _BARE.fullmatch(atom[0]) is not None
