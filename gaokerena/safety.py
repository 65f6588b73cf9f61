"""Red flags in a visitor's words, before any model answers: signs for which 115 comes first.

    red_flags("قفسه سینه‌م درد می‌کنه")          (RedFlag(kind="cardiac", numbers=("115",), ...),)
    lacks_urgent_referral(flags, answer)        True when an answer to such a question sends nobody anywhere

Patterns, with the reason for each class, are data (`data/red_flags.toml`); telephone numbers too
(`data/emergency_numbers.toml`). They meet a normal form of the text: spelling folded, prefixes and endings joined to
their word, so that formal, colloquial and hurried typing look alike. A sign does not count where it is denied («درد
ندارم»), past («پارسال سکته کرد»), asked about in general («علائم سکته چیست؟») or part of an examination question.
Recall comes first: a false alarm costs a banner. tests/test_safety.py measures both on sentences written beforehand.

Not covered: diagnosis, languages other than Persian, spelling errors inside a word, irony, and anything a person
leaves unsaid. A missing flag never means that there is no danger; the page must say so.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from gaokerena.persian import normalize_for_key, tidy

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class RedFlag:
    """One kind of danger found; `advice` is the key of the text to show, `numbers` whom to call, first one first.

    `sign` names the pattern of the data file that fired, for logs; it holds nothing of the visitor's text.
    """

    kind: str
    advice: str
    numbers: tuple[str, ...]
    sign: str


@dataclass(frozen=True, slots=True)
class EmergencyNumber:
    """A telephone number that the page may show, with where and when it was last confirmed."""

    number: str
    name_fa: str
    name_en: str
    use: str
    source: str
    evidence: date
    verified_on: date


@dataclass(frozen=True, slots=True)
class _Sign:
    id: str
    patterns: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None
    can_be_denied: bool


@dataclass(frozen=True, slots=True)
class _Class:
    kind: str
    numbers: tuple[str, ...]
    signs: tuple[_Sign, ...]


def red_flags(text: str) -> tuple[RedFlag, ...]:
    """The dangers named in `text`, one flag a kind, in the order of the data file; () for none or for any odd input."""
    plain = _plain(text)
    if not plain or _examination(text, plain):
        return ()
    heard = [sentence for sentence in plain.split(" . ") if not _general(sentence)]
    told = " . ".join(_present(sentence) for sentence in heard)
    flags = []
    for kind in _classes():
        sign = next((sign for sign in kind.signs if _holds(sign, told)), None)
        if sign:
            flags.append(RedFlag(kind.kind, f"urgent_{kind.kind}", kind.numbers, sign.id))
    return tuple(flags)


def lacks_urgent_referral(flags: Sequence[RedFlag], answer_text: str) -> bool:
    """Whether `answer_text` sends nobody to urgent care although `flags` were raised. False without flags."""
    if not flags:
        return False
    urgent, weak, also = _referral()
    plain = weak.sub(" ", _plain(answer_text))
    wanted = [*urgent, *(pattern for flag in flags for pattern in also.get(flag.kind, ()))]
    return not any(pattern.search(plain) for pattern in wanted)


@cache
def emergency_numbers() -> dict[str, EmergencyNumber]:
    """Numbers by number, 115 first, as in `data/emergency_numbers.toml`."""
    rows = tomllib.loads((DATA / "emergency_numbers.toml").read_text("utf-8"))
    return {number: EmergencyNumber(number=number, **row) for number, row in rows.items()}


# The normal form ------------------------------------------------------------------------------------------------------

_SENTENCE = re.compile(r"(?<!\d)[.:]|[.:](?!\d)|[!?؟؛;\n…]")
_CLAUSE = re.compile(r"[،,()«»\[\]—–]")
_BREAK = re.compile(r"(?<!همین) (?=(?:ولی|اما|لیکن|اکنون|الان|حالا|که (?:الان|حالا)|و (?:الان|حالا|من))\b)")
_PREFIX = re.compile(r"\b(ن?می|بی) (?=\w)")
_ENDING = re.compile(
    r"(?<=[^\W\d]) (م|ام|ت|ات|ش|اش|ی|ای|ایم|مون|مان|شون|شان|تون|تان|ها|های|هایش|هایم|هاش|هام|ست|مه|شه)\b"
)


def _plain(text: str) -> str:
    """The normal form of `text`: words folded and joined, ` , ` between clauses, ` . ` between sentences."""
    sentences = []
    for sentence in _SENTENCE.split(tidy(text)):
        clauses = [_joined(normalize_for_key(clause)) for clause in _CLAUSE.split(sentence)]
        if words := " , ".join(clause for clause in clauses if clause):
            sentences.append(_BREAK.sub(" , ", words))
    return " . ".join(sentences)


def _joined(words: str) -> str:
    return _ENDING.sub(r"\1", _PREFIX.sub(r"\1", words))


# What is not meant ----------------------------------------------------------------------------------------------------

_RELATIVE = (
    r"(?:مادر|پدر|بابا|مامان|همسر|شوهر|زن|خانم|پسر|دختر|بچه|بچ|نوزاد|برادر|خواهر|دوست|عمه|خاله|دایی|عمو)(?:بزرگ)?"
    r"(?:م|ام|مون|مان)\b"
)
_PERSONAL = re.compile(
    rf"\b(?:من|ما|مرا|منو|خودم\w*|دارم|داریم|هستم|شدم|کردم|گرفتم|خوردم|زدم|میکنم|میشم|میشوم|میخوام|میخواهم|نمیتونم|"
    rf"نمیتوانم|ندارم|کنم|بودم|افتادم|بخورم|برم|بروم|بزنم|بدم|بدهم|بگیرم)\b|"
    rf"\b(?:سینه|قلب|سر|دست|پا|نفس|شکم|دل|گلو|صورت|چشم|زبان|زبون|بدن|مدفوع|خون)(?:م|ام)\b|"
    rf"\b{_RELATIVE}|\w+ ?ام شده|چی?کار کن|چه کار کن"
)
_TOPIC = (
    r"علایم|علامت\w*|نشانه\w*|علت\w*|دلیل|تفاوت|فرق|مکانیسم|پاتوفیزیولوژی|تعریف|عوارض|درمان|روش\w*|پیشگیری|انواع|نقش|اثر\w*|"
    r"عوامل|شیوع|تشخیص|داروی|داروها\w*"
)
_ASKED = r"چیست|چیه|چیا|کدام\w*|کدوم|چگونه|چطور|چه|چند|شامل|توضیح|بیان|شرح|دارد|هستند|است|میشود"
_TOPICS = re.compile(rf"\b(?:{_TOPIC})\b")
_QUESTION = re.compile(rf"\b(?:{_ASKED})\b")
_GENERAL = re.compile(r"\b(?:توضیح دهید|شرح دهید|چرا بعضی\w*|ایا (?:\S+ ){0,6}ارثی)")
_OPTION = re.compile(r"(?:^|[\s(\[])(الف|[ابجد]|[A-Da-d]|[1-4۱-۴١-٤])\s?[)\].\-:–]")
_WHICH = re.compile(r"\b(?:کدام(?: ?ی?ک)?|کدامیک|گزینه|صحیح|تشخیص|محتمل\w*|اقدام|درمان|ارجح|انتی ?دوت|مطرح)\b")
_PAST = re.compile(
    r"(?<!از )\b(?:پارسال|پیرارسال|(?:سال|سالها|ماه|ماهها) (?:ها )?(?:پیش|قبل|گذشته)|سابقه\w*|در گذشته|قدیم\w*|بچگی\w*|"
    r"سال \d{2,4}|فوت|مرحوم|خدا ?بیامرز)\b"
)
_NOW = re.compile(r"\b(?:الان|حالا|اکنون|امروز|امشب|دیشب|دوباره|باز|هنوز|از صبح|ناگهان\w*|یهو\w*)\b")
_DENIAL = re.compile(r"(?:(?:ندار|نداشت|نیست|نبود|نشد|نکرد|نزد|نخورد|نگرفت|نیومد)\w*|نمی ?(?:ش|کن|گیر|ا|یا)\w+)$")
_LASTING = frozenset(("قطع", "بند", "پایین", "خوب", "بهتر", "کم", "کمتر", "تموم", "تمام", "متوقف", "رفع", "برطرف"))
_VERB = re.compile(r"(?:دار(?:م|ی|د|ه|یم|ند|ن)|(?:داشت|هست|بود|شد|کرد|گرفت|خورد|زد)\w*|است|می ?\w+)$")
_REACH = 120  # characters around a find in which a denial is looked for
_BARE_DENIAL = re.compile(r"\b(?:نه|بدون|بی|عدم|فاقد)(?: \S+)?$")


def _examination(text: str, plain: str) -> bool:
    """A multiple-choice or case question: options or «کدام», and nobody who speaks of himself or his own."""
    options = len({match[1] for match in _OPTION.finditer(text)})
    return (options >= 3 or "کدام" in plain) and bool(_WHICH.search(plain)) and not _PERSONAL.search(plain)


def _general(sentence: str) -> bool:
    """A question about the thing as such, not about anybody."""
    topic = _TOPICS.search(sentence)
    asked = _GENERAL.search(sentence) or (topic and _QUESTION.search(sentence, topic.end()))
    return bool(asked) and not _PERSONAL.search(sentence)


def _present(sentence: str) -> str:
    """The clauses of `sentence` that speak of now."""
    clauses = sentence.split(" , ")
    return " , ".join(clause for clause in clauses if not _PAST.search(clause) or _NOW.search(clause))


def _holds(sign: _Sign, told: str) -> bool:
    if sign.unless and sign.unless.search(told):
        return False
    finds = [
        [match.start() for match in pattern.finditer(told) if _affirmed(sign, told, match)] for pattern in sign.patterns
    ]
    window: int = _rules()["reach"]["window"]
    return any(all(_near(at, other, window) for other in finds[1:]) for at in finds[0])


def _near(place: int, others: Sequence[int], window: int) -> bool:
    """Whether one of the ascending `others` is at most `window` away from `place`."""
    first = bisect_left(others, place - window)
    return first < len(others) and others[first] <= place + window


def _affirmed(sign: _Sign, told: str, match: re.Match[str]) -> bool:
    """Whether the words around `match` leave it standing: no «نه» or «بدون» before it, no denial as the next verb."""
    before = told[max(0, match.start() - _REACH) : match.start()].rsplit(" , ", 1)[-1].rsplit(" . ", 1)[-1]
    if _BARE_DENIAL.search(before.strip()):
        return False
    if not sign.can_be_denied:
        return True
    after = re.split(r" [.,](?: |$)", told[match.end() : match.end() + _REACH], maxsplit=1)[0]
    words = [match[0].split()[-1], *after.split()[:4]]
    for last, word in zip(["", *words], words, strict=False):
        if _DENIAL.match(word):
            return last in _LASTING
        if _VERB.match(word):
            return True
    return True


# The data -------------------------------------------------------------------------------------------------------------

_FOLD = str.maketrans({"آ": "ا", "أ": "ا", "ؤ": "و", "ئ": "ی", "ة": "ه", "ي": "ی", "ك": "ک"})


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads((DATA / "red_flags.toml").read_text("utf-8").translate(_FOLD))


@cache
def _classes() -> tuple[_Class, ...]:
    return tuple(_Class(row["kind"], tuple(row["numbers"]), tuple(_signs(row["signs"]))) for row in _rules()["class"])


def _signs(rows: Sequence[dict[str, Any]]) -> Iterator[_Sign]:
    for row in rows:
        unless = _compiled(row["unless"]) if "unless" in row else None
        yield _Sign(row["id"], tuple(map(_compiled, row["all"])), unless, row.get("denied", True))


def _compiled(pattern: str) -> re.Pattern[str]:
    words: dict[str, str] = _rules()["words"]
    for name, meaning in words.items():
        pattern = pattern.replace(f"{{{name}}}", meaning)
    return re.compile(rf"(?<!\w)(?:{pattern})")


@cache
def _referral() -> tuple[tuple[re.Pattern[str], ...], re.Pattern[str], dict[str, tuple[re.Pattern[str], ...]]]:
    rules = _rules()["referral"]
    also = {kind: tuple(map(_compiled, patterns)) for kind, patterns in rules["also"].items()}
    return tuple(map(_compiled, rules["urgent"])), _compiled(rules["weak"]), also
