"""Whether a teacher's critique gives the key away: by its letter or place, by its text, by announcing, by elimination.

    leak(critique, question)        # "names_letter", "names_text", "announces", "eliminates", or None

Strict on purpose: what could be read as the key's name is a leak, for a critique can be written anew. Letter shapes,
digits of three scripts, places (`leak_places`), full-width and mathematical letters, look-alikes of other scripts,
ZWNJ and markup do not hide it. A letter that follows the same word as in the question («ویتامین B») names a thing of
medicine, not an option.

Not covered: the key in other words (a translation, a synonym, a description only it fits), or spelt out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence

from gaokerena.option_cues import LETTER_OF, fold, mentions, unshaped
from gaokerena.options import read_option
from gaokerena.persian import BIDI_CONTROLS, normalize_for_key
from gaokerena.questions import LETTERS, Letter, Question
from training.rlaif.leak_places import placed

_TWINS = str.maketrans("ΑΒАВСԀ🅐🅑🅒🅓🅰🅱🅲🅳", "ABABCDABCDABCD")  # Greek, Cyrillic, white on black
_UNSEEN = re.compile(f"[{BIDI_CONTROLS}\u0640\u064b-\u065f\u0670]")
_SINGLE = re.compile(r"(?<![\w])(?:[A-Da-d]|الف|آ|ا|ب|ج|د)(?![\w])")
_THINGS = re.compile(
    r"(?:ویتامین|هپاتیت|نوع|گروه خونی|آنفلوانزا|انفلوانزا|ایمونوگلوبولین|لنفوسیت|پروتئین|فاکتور|سلول|سلول های"
    r"|سندرم|کمپلکس|vitamin|hepatitis|type|factor)\W{0,3}\Z",
    re.IGNORECASE,
)
"""What a letter names after these is a thing of medicine."""
_ANNOUNCES = re.compile(
    r"(?:پاسخ|جواب|گزینه|انتخاب)\w*\s?(?:ی\s|نهایی\s)?(?:صحیح|درست|نهایی|مورد\s?نظر|برتر)\s?"
    r"(?:همان|یعنی|عبارت|برابر|:|=|،?[^.؟?!\n]{1,80}?\s(?:است|می\s?باشد|خواهد\sبود)(?!\w))"
    r"|(?:correct|right|best|final)\s(?:option|answer|choice|one)\s?(?:is|=|:|was)"
    r"|(?:the\s)?answer\s?(?:is|=|:)|باید\s(?:\w+\s){0,4}را\s(?:انتخاب|برمی\s?گزید)",
    re.IGNORECASE,
)
_ANNOUNCED_NOT = re.compile(r"(?:چیست|کدام)")
_CONTENT = 3
"""Letters a word needs to be a name of its own; numbers count at any length."""
_ENOUGH = 0.6
"""Share of the words that only the key has which gives it away."""


def leak(critique: str, question: Question) -> str | None:
    """How `critique` gives the key of `question` away; None when it does not. Raises ValueError without a key."""
    if question.gold is None:
        raise ValueError(f"question {question.id} has no key to give away")
    gold, text = question.gold, _plain(critique)
    named = set(_letters(text, question))
    if gold in named:
        return "names_letter"
    if _names_text(text, question, gold):
        return "names_text"
    if read_option(text, question.options, question=question.text).choice == gold or _announces(text):
        return "announces"
    return "eliminates" if len(named | _quoted(text, question)) >= 3 else None


def ruled_out(critiques: Sequence[str], chosen: Collection[Letter | None], question: Question) -> set[Letter]:
    """The wrong options that the student has heard named in `critiques` or chose itself and was told to be wrong."""
    texts = [_plain(critique) for critique in critiques]
    named = {letter for text in texts for letter in {*_letters(text, question), *_quoted(text, question)}}
    return {letter for letter in LETTERS if letter != question.gold and (letter in named or letter in chosen)}


def _plain(text: str) -> str:
    """Folded as the option reader folds, with look-alikes replaced; marks go, where `fold` would part a word."""
    text = _UNSEEN.sub("", unicodedata.normalize("NFKC", unshaped(text)).translate(_TWINS))
    return re.sub(r" {2,}", " ", fold(text))


def _letters(text: str, question: Question) -> Iterator[Letter]:
    """Every option that `text` names by letter, number or place."""
    asked = normalize_for_key(" ".join((question.text, *question.options)))
    yield from (mention.letter for mention in mentions(text))
    for match in _SINGLE.finditer(text):
        before = text[: match.start()].split()[-1:]
        thing = normalize_for_key(" ".join((*before, match[0])))
        of_medicine = f" {thing} " in f" {asked} " or _THINGS.search(text[: match.start()])
        if not before or not of_medicine:
            yield LETTER_OF[match[0]]
    yield from placed(_lettered(text, question))


def _lettered(text: str, question: Question) -> str:
    """`text` with a letter wherever an option stands whole: «گزینهٔ پس از وارفارین» is the one behind [B]."""
    named = sorted(zip(map(_plain, question.options), LETTERS, strict=True), key=lambda pair: -len(pair[0]))
    for option, letter in named:
        text = re.sub(rf"(?<!\w){re.escape(option)}(?!\w)", f"[{letter}]", text) if option else text
    return text


def _names_text(text: str, question: Question, gold: Letter) -> bool:
    """Whether the key's text stands in `text`, or most of the words that neither question nor other options have."""
    said = normalize_for_key(text)
    asked = f" {normalize_for_key(question.text)} "
    own = normalize_for_key(question.options[LETTERS.index(gold)])
    if own and f" {own} " in f" {said} " and f" {own} " not in asked:
        return True
    others = {
        word
        for letter, option in zip(LETTERS, question.options, strict=True)
        if letter != gold
        for word in normalize_for_key(option).split()
    }
    rare = {word for word in own.split() if word not in others and f" {word} " not in asked and _counts(word)}
    words = said.split()
    found = sum(any(_same(word, other) for other in words) for word in rare)
    return bool(rare) and found / len(rare) >= _ENOUGH


def _quoted(text: str, question: Question) -> set[Letter]:
    """The options whose whole text stands in `text`."""
    said = f" {normalize_for_key(text)} "
    options = zip(LETTERS, map(normalize_for_key, question.options), strict=True)
    return {letter for letter, option in options if option and f" {option} " in said}


def _counts(word: str) -> bool:
    return len(word) >= _CONTENT or word.isdigit()


def _same(word: str, other: str) -> bool:
    """The same word, or with an ending («آسپرین», «آسپرینی»)."""
    return other == word or (len(word) > _CONTENT and other.startswith(word))


def _announces(text: str) -> bool:
    return any(not _ANNOUNCED_NOT.search(match[0]) for match in _ANNOUNCES.finditer(text))
