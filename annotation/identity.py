"""Models' names out of their own answers: a doctor who reads «من گوکرنا هستم» no longer judges blind.

    Masker(["gaokerena-r1.0"]).mask("من گوکرنا هستم")        Masked("من [نام دستیار] هستم", 1)

Two kinds of words. `NAMES` belong to models and their makers alone and go wherever they stand; so do the names that
models carry in the ledger, unless they are words of their own («v», «mini», «echo»). `SELF` and `MAKERS` mean something
else too («آیا» asks a question, GPT is a liver enzyme, AYA are young patients, V1 is a chest lead) and go only where a
model names itself («من آیا هستم») or its maker («مدلی که توسط گوگل ساخته شده»). That a text is a machine's is no secret
and stays. Names are read as people read them: Arabic kaf and ye, vowel marks, tatweel, asterisks of Markdown and what
cannot be seen make no difference.

Not covered: style by which a reader may recognise a model, and names no list holds; add them to `NAMES`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

PLACEHOLDER = "[نام دستیار]"

_GAP = r"[\s\u200c_-]{0,2}"
NAMES: tuple[str, ...] = (
    r"گ(?:ا?[ئؤ]?و)کا?رنا", rf"gao{_GAP}kerena", r"gokarena", rf"aya{_GAP}expanse", rf"آیا{_GAP}اکسپنس",
    r"command[- ]r\+?", r"c4ai",
    rf"cohere{_GAP}(?:labs|for{_GAP}ai)(?:/\S+)?", r"qwen", rf"tongyi{_GAP}qianwen", r"chat\s?gpt", r"gpt[- ]?[3-5]o?",
    rf"چت{_GAP}جی{_GAP}پی{_GAP}تی", r"open\s?ai", rf"اوپن{_GAP}ای{_GAP}آی", r"(?:med[- ]?)?gemma", r"deepmind",
    rf"دیپ{_GAP}مایند", rf"persian{_GAP}mind", r"parsinlu", r"medmobile", rf"dorna{_GAP}llama", r"llama", r"mixtral",
    r"deep\s?seek", rf"دیپ{_GAP}سیک", r"chatglm", r"biomistral", r"meditron",
)  # fmt: skip
"""Patterns of names that mean nothing else; a version behind the name («-v1.0», «2.5-7b») goes with it."""

MAKERS: tuple[str, ...] = (
    r"cohere", r"کوهیر", rf"علی{_GAP}بابا", r"alibaba(?:\s+cloud)?", r"گوگل", r"google", r"متا", r"meta", r"مایکروسافت",
    r"microsoft", r"میسترال", r"mistral(?:\s+ai)?", r"hugging\s?face", r"anthropic", r"آنتروپیک",
)  # fmt: skip
"""Patterns of firms that a model may say it was made by."""

ALONE: tuple[str, ...] = (
    r"آیا", r"aya", r"کلود", r"claude", r"جم[ی]?نای", r"gemini", r"کوئن", r"کیوون", rf"جی{_GAP}پی{_GAP}تی",
    r"gpt", r"لاما", r"bard", r"بارد", r"grok", r"kimi", r"مرال", r"maral", r"درنا", r"dorna",
)  # fmt: skip
SELF: tuple[str, ...] = (*MAKERS, *ALONE, r"phi", r"yi", r"mini", r"echo", r"base", r"پژواک", r"[vr]")
"""Patterns of names that are also words; taken out of «من … هستم» only, and `ALONE` of «به‌عنوان …،» too."""

_VERSION = r"(?:[\s\u200c_+-]{0,2}(?:v?\d+(?:\.\d+)*[a-z]?|[vr](?:\d+(?:\.\d+)*)?|\d+b|instruct|chat|it)(?![\w]))*"
_START, _END = r"(?<![\w@./-])", r"(?![\w@])"
_SUFFIX = r"(?=\u200c?(?:ست|ی|ا?م|ها|های|هایی)(?!\w))"
"""What Persian writes onto a name."""
_I = r"(?:من|اینجانب|بنده|نام\s+من|اسم\s+من|نامم|اسمم|این\s+مدل|i\s+am|i['’]m|my\s+name\s+is|this\s+is)"
_KIND = (
    r"(?:(?:,|،|یک|همان|مدل(?:\s+زبانی)?|دستیار(?:\s+\w+)?|هوش\s+مصنوعی|ربات|به\s+نام|با\s+نام|نسخه(?:ٔ|\s*ی)?|"
    r"the|an?|model|assistant|called|named)\s+){0,5}"
)
_ENDING = rf"(?:\s*[،,.!]|\s+(?:هستم|است|می{_GAP}باشم|نام\s+دارم|صدا\s+می)|\s*$)"
_DONE = r"(?:ساخته|توسعه|آموزش|طراحی|ارائه|منتشر)"
_MADE = (
    rf"{_DONE}{_GAP}(?:\w+{_GAP}){{0,2}}(?:توسط|به\s+دست|از\s+سوی)|"
    r"محصول|ساخت(?:ه)?|(?:developed|trained|made|built|created|released)\s+by"
)
_FIRM = r"(?:\s+(?:شرکت|گروه|تیم|آزمایشگاه|مؤسسه(?:ٔ|\s*ی)?|the|team|company))*\s+"


_AS = rf"(?:به{_GAP}عنوان|در{_GAP}نقش|\bas)"


def _claim(before: str, names: Iterable[str], after: str = "") -> re.Pattern[str]:
    name = rf"(?P<it>{_START}(?:{'|'.join(names)}){_VERSION}{_END})"
    return re.compile(rf"{before}[«\"“'(]*{name}[»\"”')]*{after}", re.IGNORECASE)


_CLAIMS = (
    _claim(rf"\b{_AS}\s+{_KIND}", ALONE, r"(?=\s*[،,])"),
    _claim(r"\bمدل(?:\s+زبانی)?ی?\s+از\s+", MAKERS, rf"(?={_ENDING})"),
    _claim(rf"\b{_I}\s+{_KIND}", SELF, rf"(?={_ENDING})"),
    _claim(rf"\b(?:{_MADE}){_FIRM}", MAKERS),
    _claim(rf"\b(?:توسط|به{_GAP}دست|از{_GAP}سوی|by){_FIRM}", MAKERS, rf"(?=\s+{_DONE})"),
)


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without models' names, and how many were taken out."""

    text: str
    count: int = 0


class Masker:
    """Masks the listed names and `models`, names that models carry in the ledger."""

    def __init__(self, models: Iterable[str] = ()) -> None:
        words = sorted({re.escape(_fold(name)) for name in models if _own(name)}, key=len, reverse=True)
        always = "|".join((*words, *NAMES))
        name = rf"{_START}(?P<it>(?:{always}){_VERSION})(?:{_END}|{_SUFFIX})"
        self._patterns = (re.compile(name, re.IGNORECASE), *_CLAIMS)

    def mask(self, text: str) -> Masked:
        """`text` with every name replaced by `PLACEHOLDER`; the same object where there is none."""
        count, folded = 0, _fold(text)
        for pattern in self._patterns:
            if spans := [match.span("it") for match in pattern.finditer(folded)]:
                text, count = _replaced(text, spans), count + len(spans)
                folded = _fold(text)
        return Masked(text, count)


def _own(name: str) -> bool:
    """Whether a model's name is no word of any language: it has a digit beside letters, or is long and hyphenated."""
    return len(name) > 4 and bool(re.search(r"[a-z]", name, re.IGNORECASE)) and bool(re.search(r"[\d_+/-]", name))


_SAME = str.maketrans(
    {"ي": "ی", "ى": "ی", "ك": "ک", **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}}
)
_MARKS = r"\u064b-\u065f\u0670\u0640"
_UNREAD = re.compile(rf"[{_MARKS}\u00ad\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff*]")
_BEHIND = re.compile(rf"[{_MARKS}]*")


def _fold(text: str) -> str:
    """`text` as it is read, without the signs that a reader passes over."""
    return _UNREAD.sub("", text.translate(_SAME))


def _replaced(text: str, spans: list[tuple[int, int]]) -> str:
    """`text` with the placeholder for each span of what is read of it."""
    places = [place for place, sign in enumerate(text) if not _UNREAD.match(sign)]  # of each sign that is read
    parts, done = [], 0
    for start, end in spans:
        parts += [text[done : places[start]], PLACEHOLDER]
        behind = _BEHIND.match(text, places[end - 1] + 1)
        done = behind.end() if behind else places[end - 1] + 1
    return "".join((*parts, text[done:]))
