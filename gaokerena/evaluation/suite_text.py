"""What the text of a suite says besides its questions: figures that are not there, leftovers, and orthography.

    findings = [*figures(suite), *leftovers(suite), *orthography(suite)]

A figure is missed where the text points at one (`missing_figure`): «در شکل زیر», «در عکس مشاهده می‌شود», «عکس را
می‌فرستم», "shown in the photograph". A picture whose findings are told («عکس قفسهٔ سینه طبیعی است») is not missed; how
many questions name one is a note. Hits read by hand: 1 of 1 right in the choice suites (among 237 mentions of pictures
read there no other was seen), 5 of 5 in MF3QA test and dev, which the rule was written on; on text it was not written
for, 41 of 43 in 22,000 translated MedMCQA questions and 42 of the first 45 in MF3QA train. How many it misses is not
measured.

Orthography is counted and never repaired: models were asked with the text as it is. Not covered: spelling, wrong
translations, text in the wrong column.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from gaokerena.evaluation.suite_findings import Finding, Severity, at, excerpt, visible
from gaokerena.evaluation.suites import Item, Suite
from gaokerena.letters import foreign_script, mixed_script_word
from gaokerena.persian import BIDI_CONTROLS, normalize_for_key

_PICTURE = "شکل|تصویر|تصاویر|عکس|نمودار|جدول"
_SCAN = f"{_PICTURE}|گراف|شجره نامه|نوار قلب|ecg|منحنی|رادیوگرافی|گرافی|کلیشه|اسلاید|سونوگرافی|اسکن"
_ENGLISH = "figure|image|picture|photograph|photo|diagram|table|graph"
_POINTED = "زیر|بالا|مقابل|روبرو|روبه رو|فوق|پیوست|ضمیمه|ارایه شده|داده شده|نشان داده شده"
_SENT = r"ارسال\w*|بارگذاری|اپلود|پیوست|ضمیمه|می ?(?:ز|ذ|گذ)ارم|می ?فرستم|فرستادم|فرستاده ام"
_MISSING = (
    rf"(?<!به )(?<!\w)(?:{_SCAN})(?: ?های?)?(?: شماره| ی)?(?: \d+)? (?:{_POINTED})(?!\w)",
    rf"در (?:این |ان )?(?:{_PICTURE})(?: ?ها)? (?:مشاهده|دیده|ملاحظه|نشان داده|مشخص)(?: شده| ?می)",
    r"(?:با توجه به|مطابق|طبق|بر ?اساس) (?:شکل|تصویر|تصاویر)(?: \d+)?(?! ?های)(?!\w)",
    rf"(?<!\w)(?:عکس|تصویر|تصاویر)(?: ?ها| ?های| ?هایش|ش|شو)?(?: \w+){{0,4}} (?:{_SENT})(?!\w)",
    r"(?<!\w)این ?(?:هم|م) (?:عکس|تصویر)(?!\w)",
    rf"\b(?:shown|seen|depicted|illustrated) (?:in|on) the (?:\w+ )?(?:{_ENGLISH})\b",
    rf"\b(?:{_ENGLISH}) (?:below|above|shown)\b",
)
_FIGURE = re.compile("|".join(f"(?:{pattern})" for pattern in _MISSING))
_NAMED = re.compile(r"(?<!\w)(?:عکس|تصویر|تصاویر|نوار قلب|ecg|رادیوگرافی|سی تی اسکن|mri|سونوگرافی)")
_LEFTOVER = re.compile(
    r"^(?:ترجمه(?:ٔ|[ \u200c]?ی)? ?(?:پرسش|سوال|سؤال)|(?:متن )?(?:پرسش|سوال|سؤال) ?:|"
    r"translat(?:ed|ion)|question:|here is |sure[,!])"
)
_SEAM = re.compile(r"[\u0621-\u064a\u067e-\u06cc](?=[A-Za-z])|[A-Za-z](?=[\u0621-\u064a\u067e-\u06cc])")
_PRESENTATION = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]")
_DIGITS = {"ASCII": "0123456789", "Persian": "۰۱۲۳۴۵۶۷۸۹", "Arabic-Indic": "٠١٢٣٤٥٦٧٨٩"}
_AS_IT_IS = "nothing: ask it as published, and normalise only where texts are compared"
_COUNTED: dict[str, Callable[[str], int]] = {
    "Arabic ye": lambda text: text.count("ي"),
    "Arabic kaf": lambda text: text.count("ك"),
    "bidi controls": lambda text: sum(map(text.count, BIDI_CONTROLS)),
    "presentation forms": lambda text: len(_PRESENTATION.findall(text)),
    "Arabic-Indic digits": lambda text: sum(map(text.count, "٠١٢٣٤٥٦٧٨٩")),
    "tatweel": lambda text: text.count("ـ"),
    "missing blanks between Persian and Latin": lambda text: len(_SEAM.findall(text)),
}


def missing_figure(text: str) -> str | None:
    """The words of `text` that point at a figure, table or picture that is not there; None if there are none."""
    found = _FIGURE.search(normalize_for_key(text))
    return found[0] if found else None


def figures(suite: Suite) -> Iterator[Finding]:
    """Questions that cannot be answered without a figure, and a count of those that name a picture."""
    named: list[Item] = []
    for item in suite.items:
        folded = normalize_for_key(item.text)
        if found := _FIGURE.search(folded):
            message = f"points at a figure that is not there ({found[0]}): {excerpt(item.text)}"
            yield at(item, "missing figure", "warning", message, "report the score with and without it")
        elif _NAMED.search(folded):
            named.append(item)
    if named:
        yield _about(suite, "picture named", "note", named, "{} name a picture that is not needed", "nothing")


def leftovers(suite: Suite) -> Iterator[Finding]:
    """Questions that begin with what a translator or a program left there."""
    for item in suite.items:
        if found := _LEFTOVER.match(" ".join(item.text.lower().split())):
            message = f"begins with {excerpt(found[0])}, which is no part of the question: {excerpt(item.text)}"
            yield at(item, "glued text", "warning", message, "ask it as published, and name it in the report")


def orthography(suite: Suite) -> Iterator[Finding]:
    """Counts of characters that only look alike, of digits in several scripts, and words that mix scripts."""
    texts = [(item, "\n".join((item.text, *item.options))) for item in suite.items]
    for name, count in _COUNTED.items():
        counts = [(item, count(text)) for item, text in texts]
        total = sum(number for _, number in counts)
        if total:
            holding = [item for item, number in counts if number]
            yield _about(suite, name, "note", holding, f"{name} {total:,} times, in {{}}")
    yield from _digits(suite)
    yield from _words(suite, texts)


def _words(suite: Suite, texts: list[tuple[Item, str]]) -> Iterator[Finding]:
    """Words that change their script in the middle, and letters of a third script."""
    mixed = {item: word for item, text in texts if (word := mixed_script_word(text))}
    if mixed:
        some = ", ".join(list(mixed.values())[:3])
        yield _about(suite, "mixed script", "note", list(mixed), f"{{}} hold a word in two scripts ({some})")
    foreign = {item: letter for item, text in texts if (letter := foreign_script(text))}
    if foreign:
        some = ", ".join(dict.fromkeys(foreign.values()))
        yield _about(suite, "foreign script", "warning", list(foreign), f"{{}} hold letters of a third script ({some})")


def _digits(suite: Suite) -> Iterator[Finding]:
    """Subjects that write their digits in more than one script, each at least one time in twenty."""
    for subject in suite.subjects:
        items = [item for item in suite.items if item.subject == subject]
        text = Counter("".join(part for item in items for part in (item.text, *item.options)))
        counts = {name: sum(text[digit] for digit in digits) for name, digits in _DIGITS.items()}
        used = {name: count for name, count in counts.items() if count * 20 >= sum(counts.values()) > 0}
        if len(used) > 1:
            said = ", ".join(f"{count:,} {name}" for name, count in used.items())
            yield Finding(
                "digits", "note", suite.name, f"subject {visible(subject)} mixes digits: {said}", _AS_IT_IS, subject
            )


def _about(suite: Suite, kind: str, severity: Severity, items: list[Item], said: str, step: str = _AS_IT_IS) -> Finding:
    """One finding about many items, with the first places; `{}` in `said` is how many."""
    rows = tuple(item.row for item in items)
    first = ", ".join(map(str, rows[:5])) + (", …" if len(rows) > 5 else "")
    count = f"{len(rows):,} question" + ("s" if len(rows) > 1 else "")
    return Finding(kind, severity, suite.name, f"{said.replace('{}', count)} (rows {first})", step, rows=rows)
