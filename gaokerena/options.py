"""Which option an answer chooses, and how that was read.

    reading = read_option("بنابراین، پاسخ صحیح گزینه [ب] است.", question.options, question=question.text)
    reading.choice, reading.reason, reading.quote

An answer is read sentence by sentence (`option_cues` holds the words looked for). The last sentence that announces an
answer decides, then the last that concludes or affirms, then a letter mentioned alone, then an option's own words.

Not covered: whether the choice is right, and answers in other languages than Persian (a few English cues apart).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gaokerena.option_cues import (
    AFFIRM,
    ANSWER,
    CONCLUDE,
    DENIED,
    EXCEPT,
    NEITHER,
    REJECT,
    SENTENCE_END,
    THIS_OPTION,
    TURN,
    Mention,
    fold,
    mentions,
)
from gaokerena.questions import LETTERS, Letter

Reason = Literal["answer", "conclusion", "affirmed", "opening", "only", "remaining", "text", "several", "none"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer chooses: `choice`, the `reason` (which kind of cue), the sentence `quote`d for it.

    `mentions` are the distinct letters named anywhere, in order of first mention; with reason `several`, `chosen`
    holds the letters chosen together.
    """

    choice: Letter | None
    reason: Reason
    quote: str = ""
    mentions: tuple[Letter, ...] = ()
    chosen: tuple[Letter, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sentence:
    start: int
    end: int
    inside: list[Mention]
    opens_line: bool
    unfinished: bool  # ended by a line break, without a full stop


@dataclass(frozen=True, slots=True)
class _Claim:
    """One sentence that takes a stand: the letters it chooses, and with what force (3 answer, 2 conclusion, 1)."""

    force: int
    letters: tuple[Letter, ...]
    start: int
    end: int


@dataclass(slots=True)
class _Reader:
    folded: str
    options: tuple[str, ...]
    asks_false: bool
    claims: list[_Claim] = field(default_factory=list)
    affirmed: dict[Letter, _Sentence] = field(default_factory=dict)
    rejected: dict[Letter, _Sentence] = field(default_factory=dict)
    items: dict[Letter, _Sentence] = field(default_factory=dict)

    def read(self, sentences: list[_Sentence]) -> None:
        carried = 0
        item: Letter | None = None
        for index, sentence in enumerate(sentences):
            if sentence.inside:
                following = sentences[index + 1 : index + 3]
                if self._is_item(sentence, carried, following):
                    item = sentence.inside[0].letter
                    self.items.setdefault(item, sentence)
                    self._judge(item, sentence, sentence.inside[0].end)
                else:
                    self._claim(sentence, carried)
                    item = None
                carried = 0
                continue
            if sentence.end - sentence.start < 3:
                continue
            force = self._force(sentence)
            letters = self._by_text(sentence) if force >= 2 or (carried and sentence.opens_line) else ()
            if letters:
                self.claims.append(_Claim(max(force, carried), letters, sentence.start, sentence.end))
            elif item and THIS_OPTION.search(self.folded, sentence.start, sentence.end):
                self._judge(item, sentence, sentence.start)
            carried = force if not letters and sentence.unfinished else 0

    def _force(self, sentence: _Sentence) -> int:
        if ANSWER.search(self.folded, sentence.start, sentence.end):
            return 3
        return 2 if CONCLUDE.search(self.folded, sentence.start, min(sentence.end, sentence.start + 80)) else 0

    def _is_item(self, sentence: _Sentence, carried: int, following: list[_Sentence]) -> bool:
        """A line that discusses one option: «- [A] فلان: …», «**گزینه ب:** …», «- فلان (C): …»."""
        first = sentence.inside[0]
        if not sentence.opens_line or first.start - sentence.start > 90:
            return False
        if carried and not any(s.opens_line and s.inside and s.inside[0].letter != first.letter for s in following):
            return False
        cue = ANSWER.search(self.folded, sentence.start, first.start)
        if cue or CONCLUDE.search(self.folded, sentence.start, first.start):
            return False
        if _ITEM_START.fullmatch(self.folded, sentence.start, first.start):
            return _ITEM_MARK.match(self.folded, first.end) is not None or self.folded[first.start] in "[("
        return _ITEM_MARK.match(self.folded, first.end) is not None

    def _judge(self, letter: Letter, sentence: _Sentence, start: int) -> None:
        if REJECT.search(self.folded, start, sentence.end):
            self.rejected.setdefault(letter, sentence)
        elif AFFIRM.search(self.folded, start, sentence.end):
            self.affirmed.setdefault(letter, sentence)

    def _claim(self, sentence: _Sentence, carried: int) -> None:
        start, end = sentence.start, sentence.end
        cue = ANSWER.search(self.folded, start, end)
        force = max(3 if cue else self._force(sentence), carried)
        kept = [mention for mention in sentence.inside if not self._rejects(mention, sentence, force)]
        if cue:
            kept = [m for m in kept if m.end > cue.start()] or kept
        if not force and kept and AFFIRM.search(self.folded, start, end):
            force = 1
        if kept:
            self.claims.append(_Claim(force, _joined(self.folded, kept), start, end))

    def _rejects(self, mention: Mention, sentence: _Sentence, force: int) -> bool:
        if NEITHER.search(self.folded, max(0, mention.start - 12), mention.start):
            return True
        if self.asks_false:
            return False
        others = [m.start for m in sentence.inside if m.start >= mention.end and m.letter != mention.letter]
        stop = min([*others, sentence.end])
        turn = TURN.search(self.folded, mention.end, stop)
        stop = turn.start() if turn else stop
        if force == 3:
            return DENIED.search(self.folded, mention.end, stop) is not None
        return REJECT.search(self.folded, mention.end, min(stop, mention.end + 120)) is not None

    def _by_text(self, sentence: _Sentence) -> tuple[Letter, ...]:
        said = _compact(self.folded[sentence.start : sentence.end])
        found = [
            (letter, option) for letter, option in zip(LETTERS, self.options, strict=False) if option and option in said
        ]
        found = [(a, x) for a, x in found if not any(x != y and x in y for _, y in found)]
        return (found[0][0],) if len(found) == 1 else ()


_ITEM_START = re.compile(r"[\s\-•–+>]*(?:\d{1,2}[.)\-]\s*)?(?:گزینه[\s]*)?")
_ITEM_MARK = re.compile(r"[\])\s\"»]{0,4}(?:[:؛.)-]|\n|$)")


def _compact(folded: str) -> str:
    return _NOT_WORD.sub("", folded).casefold()


_NOT_WORD = re.compile(r"\W+")


def read_option(text: str, options: Sequence[str] = (), *, question: str = "") -> Reading:
    """The option (A to D) that `text` chooses, or None with reason `several` or `none`. Pure; about 0.2 ms."""
    folded = fold(text)
    found = mentions(folded)
    named = tuple(dict.fromkeys(mention.letter for mention in found))
    reader = _Reader(
        folded, tuple(_compact(fold(option)) for option in options), bool(EXCEPT.search(fold(question)[-80:]))
    )
    sentences = list(_sentences(folded, found))
    reader.read(sentences)
    ranks: tuple[tuple[int, Reason], ...] = ((3, "answer"), (2, "conclusion"), (1, "affirmed"), (0, "opening"))
    for force, reason in ranks:
        strong = [claim for claim in reader.claims if claim.force == force]
        if strong:
            claim = strong[-1] if force else strong[0]
            quote = text[claim.start : claim.end].strip()
            if len(claim.letters) > 1:
                return Reading(None, "several", quote, named, claim.letters)
            return Reading(claim.letters[0], reason, quote, named, claim.letters)
    pool = reader.rejected if reader.asks_false else reader.affirmed
    if len(pool) == 1:
        letter, sentence = next(iter(pool.items()))
        return Reading(letter, "affirmed", text[sentence.start : sentence.end].strip(), named, (letter,))
    if len(named) == 1 and not reader.rejected:
        return Reading(named[0], "only", "", named, named)
    return Reading(None, "none", "", named)


def _sentences(folded: str, found: list[Mention]) -> Iterator[_Sentence]:
    start, at, opens = 0, 0, True
    for match in SENTENCE_END.finditer(folded):
        end = match.end()
        first = at
        while at < len(found) and found[at].start < end:
            at += 1
        broken = folded[end - 1] == "\n"
        yield _Sentence(start, end, found[first:at], opens, broken and folded[start:end].rstrip()[-1:] not in ".!؟?")
        start, opens = end, broken or folded[end : end + 1] == "\n"
    if start < len(folded):
        yield _Sentence(start, len(folded), found[at:], opens, True)


def _joined(folded: str, pool: list[Mention]) -> tuple[Letter, ...]:
    """The first letter of `pool`, and those joined to it by «و»."""
    letters: list[Letter] = []
    before = 0
    for mention in pool:
        if letters and not _AND.fullmatch(folded, before, mention.start):
            break
        if mention.letter not in letters:
            letters.append(mention.letter)
        before = mention.end
    return tuple(letters)


_AND = re.compile(r"[\s،,/\])]*(?:و|یا|and|,|،|/)?[\s\[(]*(?:گزینه)?[\s\[(]*(?:هر دو)?")
