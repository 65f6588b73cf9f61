"""Whether a model's text may become the chosen side of a pair, and if not, why (a key of the prompts' `reasons`).

    text = cleaned(call.reply)
    fault = chain_fault(text, ended=call.end, task=task, beside=rejected)      # None: it may

A chain of thought must be whole, Persian, in the usual letter case, stand for itself (no word of a correction, a key,
an explanation or an earlier answer), and end at the key by the option reader. The checks are strict on purpose: a good
text that is refused costs a call, a bad one that is taken is trained on. Words that the question has are no trace.

Not covered: whether what it says is true, and a trace in words nobody thought of.
"""

from __future__ import annotations

import re

from gaokerena.letters import PERSIAN
from gaokerena.options import read_option
from gaokerena.persian import normalize_for_key, tidy
from gaokerena.prompts import inert
from gaokerena.thinking_tags import Tag, TagScanner
from training.casing import Casing
from training.documents import defect
from training.rlaif.questions import Task

_ENDS = re.compile(
    r"[.!?؟…](?:[\s*_»\"'”’)\]]*)\Z"
    r"|(?:\A|\n)\W*(?:(?:پاسخ|جواب|گزینه|نتیجه)[^\n]{0,40}?)?\W[A-D](?![A-Za-z0-9])[^\n]{0,100}\Z"
)
"""A sentence that ends, or a last line that names an option («پاسخ: [B] هپارین»)."""
_LATIN_RUN = re.compile(rf"(?:[A-Za-z][A-Za-z'’-]*[^A-Za-z{PERSIAN}\n]+){{7}}[A-Za-z]")
"""Eight Latin words with no Persian letter between them: a passage in another language, not a name."""


def cleaned(reply: str) -> str:
    """A reply as it may stand in a pair: tidy, without template tokens and without a thought in tags."""
    return tidy(inert(_without_thought(reply)))


def _without_thought(reply: str) -> str:
    scanner = TagScanner()
    said: list[str] = []
    thinking = False
    for piece in [*scanner.feed(reply), *scanner.finish()]:
        if isinstance(piece, Tag):
            said = [] if piece is Tag.CLOSE and not thinking else said  # the opening tag stood in the template
            thinking = piece is Tag.OPEN
        elif not thinking:
            said.append(piece)
    return "".join(said)


def form_fault(text: str, ended: str) -> str | None:
    """What is wrong with the form of any text of a model: empty, cut off, not Persian, broken words."""
    if not text:
        return "empty"
    if ended != "stop" or not _ENDS.search(text):
        return "cut_off"
    if _LATIN_RUN.search(text):
        return "not_persian"
    return "repeats" if repeats(text) else defect(text)


_SENTENCE = re.compile(r"[.؟?!\n]+")
_PHRASE = 5
"""Words from which a sentence said twice is a loop, not a turn of phrase."""


def repeats(text: str) -> bool:
    """Whether a sentence stands in `text` twice: a model that runs in a circle."""
    keys = [normalize_for_key(sentence) for sentence in _SENTENCE.split(text)]
    long = [key for key in keys if len(key.split()) >= _PHRASE]
    return len(set(long)) < len(long)


def chain_fault(text: str, ended: str, task: Task, beside: str) -> str | None:
    """Why `text` must not be the chosen answer to `task` over the text `beside`; None when it may."""
    if fault := form_fault(text, ended):
        return fault
    if lower_cased(text, (task.question.text, *task.question.options, task.explanation, beside)):
        return "lower_cased"
    if reveals(text, task):
        return "reveals"
    return key_fault(text, task)


def key_fault(text: str, task: Task) -> str | None:
    """Why `text` does not end at the key; None when it does."""
    options = task.question.options
    reading = read_option(text, options, question=task.question.text)
    if reading.choice is None:
        return "no_option"
    if reading.choice != task.gold:
        return "misses_key"
    said = f" {normalize_for_key(reading.quote)} "
    named = [f" {normalize_for_key(option)} " in said for option in options]
    own = named["ABCD".index(task.gold)]
    return "contradicts" if any(named) and not own else None


_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9]*")
_LOWER_OPTION = re.compile(r"(?:گزینه|پاسخ|جواب)[ٔ‌ی\s«\[(\"'*]{0,6}[a-d](?![A-Za-z0-9])|[\[(][a-d][\])]")
_NO_VOWEL = re.compile(r"[b-df-hj-np-tv-xz]{2,5}\d?")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNITS = _words(
    "mg ml kg cm mm dl hr hrs mcg ng pg mmhg mmol mol vs bpm cc gr km nm pm th nd rd st pp ppm by dr sp spp ssp"
)
_ACRONYMS = _words(
    "aids hiv dna rna mrna trna mri ct ecg ekg eeg emg icu nicu ivf iud acth tsh adh gh igg igm iga ige ana copd ards "
    "dic ttp itp hus aml cml cll nsaid nsaids ssri ssris tca maoi bcg opv ipv dpt mmr hpv ebv cmv hsv atp adp gaba ach "
    "bmi gfr esr crp ldl hdl vldl pcos gerd ercp"
)
_MANY = 6


def lower_cased(text: str, beside: tuple[str, ...]) -> bool:
    """Whether Latin in `text` lost its capitals: the cue that told the published pairs' sides apart.

    An option's letter, an acronym, or a word that the texts `beside` write with a capital stands in lower case; or many
    Latin words and no capital at all.
    """
    if _LOWER_OPTION.search(text):
        return True
    words = _WORD.findall(text)
    lower = {word for word in words if word.islower()}
    if any(word in _ACRONYMS or (_NO_VOWEL.fullmatch(word) and word not in _UNITS) for word in lower):
        return True
    usual = Casing.learn(beside, least=1)
    if any(usual.restore(word) != word for word in lower if len(word) > 1):
        return True
    return len(words) >= _MANY and len(lower) == len(words)


_TEXT = r"(?:پاسخ|جواب|استدلال|راه\s?حل|متن|نوشته|زنجیره|تحلیل|نتیجه\s?گیری)\w*"
_PREVIOUS = r"(?:قبلی|پیشین|نخستین|اولیه|ارائه\s?شده|داده\s?شده|ایشان|شما|او|دانشجو\w*)"
_SHOWN = r"(?:پاسخ|جواب|متن|نوشته)\w*\s(?:ی\s)?(?:بالا|فوق|مذکور|یاد\s?شده)"
_MENDED = r"(?:تصحیح|اصلاح|بازنویسی|ویرایش|بازنگری|تجدید\s?نظر)"
_NEAR = r"(?:\W+\w+){0,2}\W+"
_TRACES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"دانش\s?(?:جو|آموخته)\w*",
        rf"(?:{_TEXT}\s(?:ی\s)?{_PREVIOUS}|{_SHOWN})(?!\w)",
        rf"{_MENDED}\w*{_NEAR}{_TEXT}",
        rf"{_TEXT}{_NEAR}{_MENDED}",
        rf"{_MENDED}\s?شده\s?:",
        r"(?<!\w)(?:یادداشت|پاسخ\s?نامه|کلید\s(?:آزمون|سوال|پرسش|پاسخ|سوالات))\w*",
        r"(?:طبق|بر\s?اساس|با\s?توجه\s?به|مطابق|بنا\s?بر|در)\sکلید(?!\w)",
        r"توضیح(?:ات)?(?:\sی)?\s(?:(?:ارائه|داده)\s?شده|موجود|همراه)(?!\w)",
        r"(?:گزینه|پاسخ|جواب)\w*(?:\sی)?\s(?:صحیح|درست)(?:\sکه)?\s(?:به\sمن\s)?(?:داده|ارائه|اعلام|تعیین|مشخص|معلوم|"
        r"ذکر)\s?شده",
        r"از\s(?:پیش|قبل)\s(?:معلوم|مشخص|می\s?دان)",
        r"(?:اشتباه|خطا|لغزش)(?:\s?\w+){0,2}\s(?:قبلی|پیشین|اولیه|شما|من|او|قبل)(?!\w)",
        r"(?:قبلا|پیش\s?تر|پیشتر)\s(?:گفتم|نوشتم|انتخاب\s?کرد|اشتباه)",
        r"اشتباه\s(?:کرد(?:م|ید|ه\s?(?:ام|اید|بودم))|گفتم|گرفتم)",
        r"(?:گفتید|فرمودید|اشاره\s?کرد(?:ید|ه\s?اید)|راهنمایی\s?(?:شما|تان)|نقد\s?(?:شما|تان)|تذکر\s?(?:شما|تان)"
        r"|بازخورد\s(?:شما|تان)|نکته\w*\s(?:شما|گفته\s?شده|ذکر\s?شده)|نکاتی?\s(?:که\s)?(?:شما|گفته\s?شد|ذکر\s?شد|مطرح\s?شد))",
        r"پوزش|عذر\s?خواهی|معذرت|ببخشید|متشکرم|سپاس\s?گزارم|ممنون",
        r"(?<!\w)(?:آن|همان)\s(?:شخص|فرد|کس|نوشته|نویسنده|متن|استدلال|راه\s?حل)(?!\w)",
        r"(?<!\w)این\s(?:نوشته|نویسنده|متن|استدلال|راه\s?حل)(?!\w)",
        r"(?<!\w)(?:آن|این)\sپاسخ\s(?:نا\s?)?(?:درست|صحیح)|(?<!\w)نویسنده|داوطلب|(?<!\w)نوشته\s(?:ی\s)?کس",
        r"(?:کس|شخص|فرد)ی?\sکه(?:\s\w+){0,6}?\s(?:برگزید|انتخاب\s?کرد|رسیده|نرسید)",
        r"از\s(?:راه|مسیر)\s(?:درست|صحیح)\s(?:بیرون|دور|خارج|منحرف)|لغزیده",
        r"(?:گام|بخش)\w*(?:\s\w+){0,3}?\s(?:آن|این)\s(?:نا\s?)?درست",
        r"می\s?(?:دانیم|دانستیم|دانسته)(?:\sکه)?\s(?:گزینه|پاسخ|جواب)",
        r"از\s(?:پیش|قبل)\s(?:داده|گفته|دانسته)|گفته\sشد(?:\sکه)?\sگزینه",
        r"\bwrong step\b",
        r"زنجیره\s?(?:ی\s)?(?:فکر|افکار|تفکر)\s?(?:ی\s)?(?:ارائه|داده|شما|او|قبلی)",
        r"\b(?:student|teacher|corrected|correction|previous|answer key|given answer|provided|original answer)\b",
    )
)
_FOLD = re.compile(r"[\u200c\u0640\u064b-\u0652\u0654\u0670*_`#]+")


def reveals(text: str, task: Task) -> bool:
    """Whether `text` lets on that it corrects, was corrected, or knew the key or the explanation.

    A trace that stands in the question or its options too (a student with a cough) says nothing.
    """
    own = _folded(" ".join((task.question.text, *task.question.options)))
    folded = _folded(text)
    return any(match[0] not in own for trace in _TRACES for match in trace.finditer(folded))


def _folded(text: str) -> str:
    """One spelling for the patterns: ZWNJ and marks as blanks, one blank between words, lines kept apart."""
    return re.sub(r"[ \t]+", " ", _FOLD.sub(" ", tidy(text)))
