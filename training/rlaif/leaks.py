"""Whether a teacher's critique gives the key away: by its letter or place, by its text, by announcing, by elimination.

    leak(critique, question)        # "names_letter", "names_text", "announces", "eliminates", or None

Strict on purpose: what could be read as the key's name is a leak, for a critique can be written anew. Letter shapes,
digits of three scripts, full-width and mathematical letters, look-alikes of other scripts, ZWNJ and markup do not hide
it. A letter that follows the same word as in the question («ویتامین B») names a thing of medicine, not an option.

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

_TWINS = str.maketrans("ΑΒАВСԀ", "ABABCD")  # Greek and Cyrillic capitals that look like options
_UNSEEN = re.compile(f"[{BIDI_CONTROLS}\u0640\u064b-\u065f\u0670]")
_SINGLE = re.compile(r"(?<![\w])(?:[A-Da-d]|الف|آ|ا|ب|ج|د)(?![\w])")
_NOUN = r"(?:گزینه|پاسخ|جواب|انتخاب|مورد|شماره|حرف|ردیف|option|choice|answer|number|letter)"
_PLACES: dict[Letter, str] = {
    "A": r"اول(?:ی|ین)?|نخست(?:ین)?|یکم(?:ین)?|یک|1|first|one",
    "B": r"دوم(?:ی|ین)?|دو|2|second|two",
    "C": r"سوم(?:ی|ین)?|ما\s?قبل\s(?:آخر|اخر)|سه|3|iii|third|three",
    "D": r"چهارم(?:ی|ین)?|چهار|آخر(?:ی|ین)?|اخر(?:ی|ین)?|4|iv|fourth|four|last",
}
_GAP = r"[^\w\n]{0,4}(?:\w{1,8}[^\w\n]{1,3}){0,2}?"
_BESIDE: dict[Letter, re.Pattern[str]] = {
    letter: re.compile(
        rf"(?<!\w){_NOUN}\w*{_GAP}(?:{places})(?!\w)|(?<!\w)(?:{places})[^\w\n]{{0,4}}{_NOUN}", re.IGNORECASE
    )
    for letter, places in _PLACES.items()
}
_BRACKETED: dict[Letter, re.Pattern[str]] = {
    letter: re.compile(rf"[\[(«]\s*{number}\s*[\])»]") for number, letter in enumerate(LETTERS, 1)
}
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
        if not before or f" {thing} " not in f" {asked} ":
            yield LETTER_OF[match[0]]
    for letter in LETTERS:
        if _BESIDE[letter].search(text) or _BRACKETED[letter].search(text):
            yield letter


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
