"""Models' names out of their own answers: a doctor who reads «من گوکرنا هستم» no longer judges blind.

    Masker(["gaokerena-r1.0"]).mask("من گوکرنا هستم")        Masked("من [نام دستیار] هستم", 1)

Two kinds of words. `NAMES` belong to models and their makers alone and go wherever they stand; so do the names that
models carry in the ledger, unless they are words of their own («v», «mini», «echo»). `SELF` and `MAKERS` mean something
else too («آیا» asks a question, GPT is a liver enzyme, AYA are young patients, V1 is a chest lead) and go only where a
model names itself («من آیا هستم») or its maker («مدلی که توسط گوگل ساخته شده»). That a text is a machine's is no secret
and stays.

Not covered: style by which a reader may recognise a model, and names no list holds; add them to `NAMES`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

PLACEHOLDER = "[نام دستیار]"

_GAP = r"[\s\u200c_-]{0,2}"
NAMES: tuple[str, ...] = (
    r"گوکا?رنا", rf"gao{_GAP}kerena", r"gokarena", rf"aya{_GAP}expanse", rf"آیا{_GAP}اکسپنس",
    r"command[- ]r\+|command-r",
    rf"cohere{_GAP}(?:labs|for{_GAP}ai)(?:/\S+)?", r"qwen", rf"tongyi{_GAP}qianwen", r"chat\s?gpt", r"gpt[- ]?[3-5]o?",
    rf"چت{_GAP}جی{_GAP}پی{_GAP}تی", r"open\s?ai", rf"اوپن{_GAP}ای{_GAP}آی", r"(?:med)?gemma", r"deepmind",
    rf"دیپ{_GAP}مایند", rf"persian{_GAP}mind", r"parsinlu", r"medmobile", rf"dorna{_GAP}llama", r"llama", r"mixtral",
    r"deep\s?seek", rf"دیپ{_GAP}سیک", r"chatglm", r"biomistral", r"meditron",
)  # fmt: skip
"""Patterns of names that mean nothing else; a version behind the name («-v1.0», «2.5-7b») goes with it."""

MAKERS: tuple[str, ...] = (
    r"cohere", r"کوهیر", rf"علی{_GAP}بابا", r"alibaba(?:\s+cloud)?", r"گوگل", r"google", r"متا", r"meta", r"مایکروسافت",
    r"microsoft", r"میسترال", r"mistral(?:\s+ai)?", r"hugging\s?face", r"anthropic", r"آنتروپیک",
)  # fmt: skip
"""Patterns of firms that a model may say it was made by."""

SELF: tuple[str, ...] = (
    *MAKERS, r"آیا", r"aya", r"کلود", r"claude", r"جم[ی]?نای", r"gemini", r"کوئن", r"کیوون", rf"جی{_GAP}پی{_GAP}تی",
    r"gpt",
    r"لاما", r"phi", r"bard", r"بارد", r"grok", r"kimi", r"yi", r"mini", r"echo", r"base", r"پژواک", r"مرال", r"maral",
    r"درنا", r"dorna", r"[vr]",
)  # fmt: skip
"""Patterns of names that are also words; taken out of «من … هستم» only."""

_VERSION = r"(?:[\s\u200c_+-]{0,2}(?:v?\d+(?:\.\d+)*[a-z]?|[vr](?:\d+(?:\.\d+)*)?|\d+b|instruct|chat|it)(?![\w]))*"
_START, _END = r"(?<![\w@./-])", r"(?![\w@])"
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


def _claim(before: str, names: Iterable[str], after: str = "") -> re.Pattern[str]:
    return re.compile(rf"{before}(?P<it>{_START}(?:{'|'.join(names)}){_VERSION}{_END}){after}", re.IGNORECASE)


_CLAIMS = (
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
        words = sorted({re.escape(name) for name in models if _own(name)}, key=len, reverse=True)
        always = "|".join((*words, *NAMES))
        self._always = re.compile(rf"{_START}(?:{always}){_VERSION}{_END}", re.IGNORECASE)

    def mask(self, text: str) -> Masked:
        """`text` with every name replaced by `PLACEHOLDER`; the same object where there is none."""
        count = 0
        for claim in _CLAIMS:
            text, found = claim.subn(_without_name, text)
            count += found
        masked, found = self._always.subn(PLACEHOLDER, text)
        return Masked(masked, count + found)


def _own(name: str) -> bool:
    """Whether a model's name is no word of any language: it has a digit beside letters, or is long and hyphenated."""
    return len(name) > 4 and bool(re.search(r"[a-z]", name, re.IGNORECASE)) and bool(re.search(r"[\d_+/-]", name))


def _without_name(match: re.Match[str]) -> str:
    start, end = match.span("it")
    return match[0][: start - match.start()] + PLACEHOLDER + match[0][end - match.start() :]
