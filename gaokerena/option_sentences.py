"""Cut an answer into sentences, with the option letters each one names, and letters into groups named together.

Works on folded text (`option_cues.fold`). A sentence knows whether it opens its line and whether it was broken off
by a line break, because answers put what they announce on the next line.

Not covered: what a sentence says about its letters, which is the work of `option_claims`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gaokerena.option_cues import JOIN, SENTENCE_END, VERB, Mention, ends_sentence
from gaokerena.questions import LETTERS, Letter

_NOT_WORD = re.compile(r"\W+")
_NOUN = re.compile(r"\W*گزینه\W*$")
_INFLECTION = re.compile("های|ها|ی|ئ")


@dataclass(frozen=True, slots=True)
class Group:
    """Letters named together («A و B»), from the first mention to the last."""

    letters: tuple[Letter, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    start: int
    end: int
    inside: list[Mention]
    opens_line: bool
    unfinished: bool  # ended by a line break, without a full stop
    last: bool = False


def compact(folded: str) -> str:
    """Letters and digits alone: the form option texts are compared in."""
    return _NOT_WORD.sub("", folded).casefold()


def loose(text: str) -> str:
    """A `compact` text without plural and ye endings: «عفونت ادراری» and «عفونت‌های ادراری» become one."""
    return _INFLECTION.sub("", text).replace("آ", "ا")


def sentences_of(folded: str, found: list[Mention]) -> Iterator[Sentence]:
    start, at, opens = 0, 0, True
    end_of_text = len(folded.rstrip())
    for match in SENTENCE_END.finditer(folded):
        if not ends_sentence(folded, match.start()):
            continue
        end = match.end()
        first = at
        while at < len(found) and found[at].start < end:
            at += 1
        broken = folded[match.start()] == "\n"
        unfinished = broken and folded[start:end].rstrip()[-1:] not in ".!؟?"
        yield Sentence(start, end, found[first:at], opens, unfinished, end >= end_of_text)
        start, opens = end, broken
    if start < len(folded):
        yield Sentence(start, len(folded), found[at:], opens, True, True)


def groups_of(folded: str, options: tuple[str, ...], sentence: Sentence) -> list[Group]:
    """The letters of a sentence, those joined by «و» and the like together."""
    groups: list[Group] = []
    for mention in sentence.inside:
        if groups and _joined(folded, options, groups[-1], mention):
            letters = groups[-1].letters
            letters = letters if mention.letter in letters else (*letters, mention.letter)
            groups[-1] = Group(letters, groups[-1].start, mention.end)
        else:
            groups.append(Group((mention.letter,), mention.start, mention.end))
    return groups


def _joined(folded: str, options: tuple[str, ...], group: Group, mention: Mention) -> bool:
    """Whether only «و» and the like stand between the group and the next letter, the options' own words aside."""
    if mention.start - group.end > 150:
        return False
    end = min(past_option(folded, options, group.letters[-1], group.end), mention.start)
    start = before_option(folded, options, mention.letter, mention.start, end)
    return JOIN.search(folded, end, start) is not None and VERB.search(folded, end, start) is None


def before_option(folded: str, options: tuple[str, ...], letter: Letter, at: int, least: int = 0) -> int:
    """`at`, or where the option's own words begin when they stand right before it («کودکان (A)»)."""
    option = options[LETTERS.index(letter)] if options else ""
    noun = _NOUN.search(folded, max(least, at - 12), at)
    start = end = noun.start() if noun else at
    for _ in range(len(option)):
        start -= 1
        while start >= least and not folded[start].isalnum():
            start -= 1
    return start if option and start >= least and compact(folded[start:end]) == option else at


def past_option(folded: str, options: tuple[str, ...], letter: Letter, at: int) -> int:
    """`at`, or where the option's own words end when they follow there (they may hold a «نیست» of their own)."""
    option = options[LETTERS.index(letter)] if options else ""
    if not option or not compact(folded[at : at + 40]).startswith(option[:12]):
        return at
    left, end = len(option), at
    while left and end < len(folded):
        left -= folded[end].isalnum()
        end += 1
    return end if compact(folded[at:end]) == option else at
