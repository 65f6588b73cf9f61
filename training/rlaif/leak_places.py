"""The options that a text names by number, by place or by a letter's spoken name: «گزینهٔ سوم», «سومی», «گزینهٔ سی».

    placed(plain(text))        # {"C"}; `leaks._plain` gives the spelling the patterns are written for

A place counts beside a word for an option; by itself only where no noun stands before it («به سومی برگردید», but not
«نکتهٔ سومی»). A number counts as a name where nothing that could be counted follows it («گزینهٔ سه را», but not «سه روز»,
«این گزینه سه ایراد دارد»). Steps of an argument, degrees, trimesters and answers given earlier have places as well:
those are no options.

Not covered: «گزینهٔ ای» for A, which reads as «گزینه‌ای»; an option by the one named before it in another sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gaokerena.questions import LETTERS, Letter

_NOUNS = {
    r"(?:گزینه|مورد|شماره|حرف|ردیف|option|choice|number|letter)": "",
    r"(?:پاسخ|جواب|انتخاب|answer)": r"(?!\s?(?:ی\s)?(?:شما|تان|خود|خودتان)(?!\w))",
}
"""Words for an option, and what must not follow its place: «پاسخ نخست شما» is what the student said."""
_BETWEEN = (
    r"(?:ی|ها|های|هایی|شماره|شماره ی|حرف|همان|یعنی|که|در|جای|جایگاه|ردیف|مکان|رتبه|مقام|صحیح|درست|نهایی|پایانی|اصلی"
    r"|آن|این|است|عدد|با|برابر|number|letter|no|is|the)"
)
_GAP = rf"[^\w\n]{{0,4}}(?:{_BETWEEN}[^\w\n]{{1,3}}){{0,3}}?"
_ENDED = r"(?:ی|ین(?!\s?\w)|ش|یه|ی\s?اش)?"
"""«سومی», «سومین» with nothing after it («آخرین وعده» counts meals), «سومش», «سومیه», «سومی‌اش»."""
_LAST = "(?:آخر|اخر)"
_ORDINALS: dict[Letter, str] = {
    "A": rf"(?:اول|یکم|نخست){_ENDED}|آغازین|ابتدایی|بالایی|بالا\s?ترین|i|1st|first|one",
    "B": rf"دوم{_ENDED}|ثانی|(?:دو|2)\s?(?:تا\s)?مانده\sبه\s{_LAST}|ii|2nd|second|two",
    "C": rf"سوم{_ENDED}|ثالث|ما\s?قبل\s?{_LAST}(?:ی|ین)?|(?:یکی|یک|1)\sمانده\sبه\s{_LAST}"
    rf"|(?:یکی|یک|1)\sبه\s{_LAST}\sمانده|iii|3rd|third|three",
    "D": rf"(?:چهارم|{_LAST}){_ENDED}|رابع|واپسین|پایانی|انتهایی|پایینی|پایین\s?ترین|نهایی\sفهرست"
    r"|iv|4th|fourth|four|last",
}
_NUMBERS: dict[Letter, str] = {"A": "یک|1", "B": "دو|2", "C": "سه|3", "D": "چهار|4"}
_PERSIAN: dict[Letter, str] = {"A": "الف", "B": "ب", "C": "ج", "D": "د"}
_SPOKEN: dict[Letter, str] = {"A": "", "B": "بی", "C": "سی|جیم", "D": "دی|دال"}
_ALONE: dict[Letter, str] = {
    "A": r"اولی(?:ش|ه|\sاش)?|اولین\sمورد|the\sfirst(?:\sone)?",
    "B": r"دومی(?:ش|ه|\sاش)?|دومین\sمورد|دو\s?تا\sمانده\sبه\s[آا]خر|the\ssecond(?:\sone)?",
    "C": r"سومی(?:ش|ه|\sاش)?|سومین\sمورد|ما\s?قبل\s?[آا]خر(?:ی|ین)?|یکی\s(?:مانده\sبه\s[آا]خر|به\s[آا]خر\sمانده)"
    r"|(?:the\s)?third\sone|the\sthird",
    "D": r"چهارمی(?:ش|ه|\sاش)?|چهارمین\sمورد|[آا]خری(?:ش|ه|\sاش)?|[آا]خرین\sمورد"
    r"|the\sfourth(?:\sone)?|the\slast(?:\sone)?",
}
_BEFORE_NOUN: dict[Letter, str] = {
    "A": r"اولین|نخستین|یکمین|بالا\s?ترین|first",
    "B": r"دومین|second",
    "C": r"سومین|third",
    "D": r"چهارمین|[آا]خرین|واپسین|پایین\s?ترین|fourth|last",
}
"""The forms of a place that stand before what they count: «سومین گزینه», never «سه گزینه»."""
_FROM_END: dict[Letter, str] = {"A": "چهارم", "B": "سوم", "C": "دوم", "D": "اول|نخست"}
_WHICH = r"(?<!\w)گزینه\w*(?:\sای)?\sکه\s"
_ENDS = {
    "A": r"(?:سر|صدر|آغاز|ابتدای?|اول|بالای?)",
    "D": r"(?:ته|انتهای?|[آا]خر|پایان|پایین)",
}
_COUNTS_NOTHING = (
    r"(?!\s?و\s(?:نیم|یک|دو|سه|چهار|پنج|شش|هفت|هشت|نه)(?!\w))(?!\s?تا\s(?:یک|دو|سه|چهار|پنج|شش|\d+)(?!\w))(?=\s*(?:\Z|[^\w\s%٪/+-]|\n|(?:را|است|هم|نیز|و|یا|که|در|از|با|به"
    r"|برای|چرا|چه|نیست|نمی|می|بیشتر|دقت|توجه|نگاه|فکر|دوباره|باید|بهتر|درست|صحیح|مناسب|مطرح|پاسخ|جواب|یعنی|تا|ولی|اما"
    r"|بود|باشد|بیندیش\w*|برگرد\w*)(?!\w)))"
)
_BEFORE_ALONE = re.compile(
    r"(?:\A|[^\w\s]|\n|(?<!\w)(?:به|از|در|با|روی|سراغ|همان|یعنی|و|یا|نه|ولی|اما|پس|بر|که|این|آن|بلکه|جز|شاید|چرا|دوباره"
    r"|برای|فقط|تنها|حتی|هم|نیز|درباره|درباره ی|مورد|سوی|طرف|میان|بین))\s*\Z"
)
_IDIOMS = re.compile(
    r"حرف\s(?:اول|نخست)\sرا\s(?:می\s?)?زن|(?:انتخاب|first)\s(?:اول|نخست|choice)|(?:اولین|نخستین)\sانتخاب"
    r"|(?<!\w)دال\sبر(?!\w)"
)
_RUN_OF_POINTS = re.compile(
    r"(?<!\w)(?:دو|سه|چهار|چند|بین|میان|تفاوت|فرق|تمایز)(?!\w)[^؟?!]{0,160}?(?<!\w)اولی(?!\w)"
    r"[^؟?!]{0,160}?(?<!\w)دومی(?!\w)(?:[^؟?!]{0,160}?(?<!\w)سومی(?!\w)(?:[^؟?!]{0,160}?(?<!\w)چهارمی(?!\w))?)?"
)
_OPTION = re.compile(r"گزینه|پاسخ|جواب|option")
_BRACKETED: dict[Letter, re.Pattern[str]] = {
    letter: re.compile(rf"[\[(«]\s*{number}\s*[\])»]") for number, letter in enumerate(LETTERS, 1)
}


def _beside(letter: Letter) -> re.Pattern[str]:
    """A word for an option, then its place; «سومین گزینه»; «گزینه‌ای پس از دومی»; «سرِ فهرست گزینه‌ها»."""
    place, number, spoken = _ORDINALS[letter], _NUMBERS[letter], _SPOKEN[letter]
    forms = list[str]()
    for noun, unless in _NOUNS.items():
        named = rf"(?:(?:{place})(?!\w){unless}|(?:{number})(?!\w){_COUNTS_NOTHING})"
        forms.append(rf"(?<!\w){noun}\w*{_GAP}{named}")
        forms.append(rf"(?<!\w)(?:{_BEFORE_NOUN[letter]})[^\w\n]{{0,4}}{noun}\w*{unless}")
    if spoken:
        forms.append(
            rf"(?<!\w)(?:گزینه|حرف|پاسخ|جواب)(?:\sی)?\s(?:حرف\s)?[«\"'(\[]?(?:{spoken})(?!\w){_COUNTS_NOTHING}"
        )
        forms.append(rf"[«\"'(\[]\s?(?:{spoken})\s?[»\"')\]]")
    if letter in _ENDS:
        forms.append(rf"(?<!\w){_ENDS[letter]}\s(?:فهرست|لیست)\s(?:ی\s)?گزینه")
        forms.append(rf"{_WHICH}در\s{_ENDS[letter]}\s(?:فهرست|لیست)")
    forms.append(
        rf"{_WHICH}(?:در\s)?(?:جای\s|جایگاه\s|ردیف\s)?(?:{place})\s(?:آمده|امده|نوشته|قرار|است|هست|فهرست)(?!\w)"
    )
    forms.append(rf"(?<!\w)گزینه\w*(?:\sی)?\s(?:{_FROM_END[letter]})\sاز\s(?:پایین|ته|آخر|اخر|انتها)(?!\w)")
    forms += _by_neighbour(letter)
    return re.compile("|".join(forms), re.IGNORECASE)


def _by_neighbour(letter: Letter) -> Iterator[str]:
    """«گزینهٔ پس از دومی», «بعد از گزینهٔ B»."""
    for step, word in ((-1, "بعد|پس"), (1, "قبل|پیش")):
        place = LETTERS.index(letter) + step
        if 0 <= place < len(LETTERS):
            other = LETTERS[place]
            neighbour = rf"(?:{_ORDINALS[other]}|{_NUMBERS[other]}|{_named(other)})(?!\w)"
            yield rf"(?<!\w)گزینه\w*\s(?:(?:ی|ای|که)\s){{0,2}}(?:{word})\sاز\s(?:گزینه\w*{_GAP})?{neighbour}"
            yield rf"(?<!\w)(?:{word})\sاز\sگزینه\w*{_GAP}{neighbour}"


def _named(letter: Letter) -> str:
    return rf"[\[(«]?(?:{letter}|{_PERSIAN[letter]})"


def _ranges(text: str) -> Iterator[Letter]:
    """«گزینه‌های دوم تا چهارم», «گزینه‌ای میان B و D», «سه گزینهٔ آخر»: every option between."""
    for match in _RANGE.finditer(text):
        ends = [_index(match[name]) for name in ("one", "other")]
        inner = match["between"] is not None
        yield from LETTERS[min(ends) + inner : max(ends) + 1 - inner]
    for match in _SEVERAL.finditer(text):
        count = 2 + ("سه" in match["count"] or "3" in match["count"])
        yield from LETTERS[:count] if match["first"] else LETTERS[-count:]


def _index(said: str) -> int:
    return next(place for place, letter in enumerate(LETTERS) if re.fullmatch(_any(letter), said, re.IGNORECASE))


def _any(letter: Letter) -> str:
    return rf"(?:{_ORDINALS[letter]}|{_NUMBERS[letter]}|{letter}|{_PERSIAN[letter]})"


_ONE = "|".join(map(_any, LETTERS))
_RANGE = re.compile(
    rf"(?<!\w)(?:(?:گزینه\s?های|options)\s|(?P<between>گزینه\w*(?:\s(?:ی|ای|های|که))*\s(?:میان|بین)\s(?:گزینه\w*\s)?))"
    rf"[\[(«]?(?P<one>{_ONE})[\])»]?\s(?(between)و|(?:تا|to))\s(?:گزینه\w*\s)?[\[(«]?(?P<other>{_ONE})(?!\w)",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"(?<!\w)(?P<count>دو|سه|[23])\sگزینه\w*(?:\sی)?\s(?:(?P<first>اول|نخست|ابتدایی|آغازین|بالایی)"
    r"|(?:آخر|اخر|پایانی|انتهایی|پایینی))(?!\w)"
)
_BESIDE = {letter: _beside(letter) for letter in LETTERS}
_BY_ITSELF = {letter: re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) for letter, words in _ALONE.items()}


def placed(text: str) -> Iterator[Letter]:
    """Each option that `text` names by number, place or spoken letter."""
    text = _IDIOMS.sub("…", _RUN_OF_POINTS.sub(_unless_of_options, text))
    listed = bool(_BRACKETED["A"].search(text) and _BRACKETED["B"].search(text))  # (۱) …، (۲) …: points, not options
    yield from _ranges(text)
    for letter in LETTERS:
        alone = any(_stands_alone(text, match) for match in _BY_ITSELF[letter].finditer(text))
        bracketed = not listed and _BRACKETED[letter].search(text)
        if alone or bracketed or _BESIDE[letter].search(text):
            yield letter


def _unless_of_options(match: re.Match[str]) -> str:
    return match[0] if _OPTION.search(match[0]) else "…"


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    """Whether the place belongs to no noun before it, nor, where it is English, to one after it («the third month»)."""
    english = match[0].isascii() and re.match(r"\s[A-Za-z]", text[match.end() :])
    return not english and bool(_BEFORE_ALONE.search(text[: match.start()]))
