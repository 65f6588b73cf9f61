"""From an answer to the claims it makes about its options, sentence by sentence.

    claims = claims_of(folded, folded_options, asks_false=False)

A claim is a sentence that takes a stand: the letters it chooses (none for «هیچ‌کدام»), how it does so, and where it
stands. Lines that discuss one option each («- [B] فلان: …») make no claim; what they say of their option is kept in
`affirmed` and `rejected`.

Not covered: which claim counts in the end, which is `options`' work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from gaokerena.option_cues import (
    AFFIRM,
    ALSO,
    ANSWER,
    ANSWER_FALSE,
    BULLET,
    CONCEDED,
    CONCLUDE,
    NO_OPTION,
    NOTHING_SAID,
    OTHERS,
    REJECT,
    SUPERLATIVE,
    THEREFORE,
    THIS_OPTION,
    VERB,
    mentions,
)
from gaokerena.option_denials import Denials, own_denials
from gaokerena.option_sentences import (
    Group,
    Sentence,
    before_option,
    compact,
    groups_of,
    loose,
    past_option,
    sentences_of,
)
from gaokerena.questions import LETTERS, Letter

ANNOUNCED, CONCLUDED, AFFIRMED, NAMED = 3, 2, 1, 0
_ITEM_START = re.compile(r"[\s\-•–+>]*(?:\d{1,2}[.)\-]\s*)?(?:(?:گزینه|[Oo]ption)\s*)?")
_ITEM_MARK = re.compile(r"[\]) \"»]{0,6}(?:[:؛-]|\n|$)")
_ENUMERATOR = re.compile(r" {0,2}[)\].:-]")
_ANNOUNCES_NEXT = 25
"""Characters at most from a cue to the end of a line where the letter stands on the next («… گزینه صحیح», «[B] …»)."""
_ALONE = re.compile(r"[^\w(]*(?:(?:گزینه|[Oo]ption)\W*)?")
_ALONE_AFTER = re.compile(r"\W*(?:پایان)?\W*")


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence that takes a stand, with what force, and whether by an option's words instead of a letter."""

    force: int
    letters: tuple[Letter, ...]
    start: int
    end: int
    by_text: bool = False


@dataclass(frozen=True, slots=True)
class Claims:
    """All that an answer says about its options, in order.

    `opening` is what its first sentence names. Lines that discuss one option (`items`) call it right (`affirmed`) or
    wrong (`rejected`). `refused` are the letters set aside as the answer.
    """

    claims: list[Claim] = field(default_factory=list)
    affirmed: dict[Letter, Claim] = field(default_factory=dict)
    rejected: dict[Letter, Claim] = field(default_factory=dict)
    refused: set[Letter] = field(default_factory=set)
    items: list[Letter] = field(default_factory=list)
    named: list[Letter] = field(default_factory=list)
    opening: list[Claim] = field(default_factory=list)


def claims_of(folded: str, options: tuple[str, ...], asks_false: bool = False) -> Claims:
    """The claims of a folded answer; `options` are folded too (or none), `asks_false` reverses right and wrong."""
    found = mentions(folded)
    compacted, own = _prepared(options)
    out = Claims(named=list(dict.fromkeys(m.letter for m in found)))
    reader = _Reader(folded, compacted, asks_false, out, Denials(folded, compacted, own, asks_false))
    reader.read(list(sentences_of(folded, found)))
    return reader.out


@lru_cache(maxsize=4096)
def _prepared(options: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The options' `compact` texts, and how many denials each holds."""
    return tuple(map(compact, options)), tuple(map(own_denials, options))


@dataclass(slots=True)
class _Reader:
    folded: str
    options: tuple[str, ...]
    asks_false: bool
    out: Claims
    denials: Denials
    others: bool = False  # past «گزینه‌های دیگر …»: what follows discusses the options not chosen

    def read(self, sentences: list[Sentence]) -> None:
        carried, item, first = NAMED, None, True
        for index, sentence in enumerate(sentences):
            if sentence.inside:
                handed = NAMED
                if self._is_item(sentence, carried, sentences[index + 1 : index + 40]):
                    item = sentence.inside[0].letter
                    self.out.items.append(item)
                    self._judge(item, sentence, sentence.inside[0].end)
                    if first:
                        self.out.opening.append(Claim(NAMED, (item,), sentence.start, sentence.end))
                else:
                    handed, item = self._claim(sentence, carried, first), None
                carried, first = handed, False
                continue
            if sentence.end - sentence.start < 3 or not self.folded[sentence.start : sentence.end].strip():
                continue
            carried = self._without_letter(sentence, carried, item, first)
            first = False

    def _without_letter(self, sentence: Sentence, carried: int, item: Letter | None, first: bool) -> int:
        """Take in a sentence that names no letter; returns the force it hands on to the next line."""
        force, cue = self._force(sentence)
        if self._says_none(sentence.start, sentence.end) and (force or not item):
            self.out.claims.append(Claim(max(force, CONCLUDED), (), sentence.start, sentence.end))
            return NAMED
        if sentence.last and NOTHING_SAID.search(self.folded, sentence.start, sentence.end):
            self.out.claims.append(Claim(CONCLUDED, (), sentence.start, sentence.end))
            return NAMED
        if OTHERS.search(self.folded, sentence.start, sentence.end):
            self.others = True
            return NAMED
        aside = self.others and BULLET.match(self.folded, sentence.start) is not None
        wanted = force or first or (carried and sentence.opens_line)
        letter = self._by_text(sentence, cue) if wanted and not aside else None
        if letter and (force or carried):
            self.out.claims.append(Claim(max(force, carried), (letter,), sentence.start, sentence.end, True))
        elif letter:
            self.out.opening.append(Claim(NAMED, (letter,), sentence.start, sentence.end, True))
        elif item and not self.others and THIS_OPTION.search(self.folded, sentence.start, sentence.end):
            self._judge(item, sentence, sentence.start)
        return force if not letter and sentence.unfinished else NAMED

    def _says_none(self, start: int, end: int) -> bool:
        """«هیچ‌کدام» as the answer, unless one of the options says so itself."""
        return NO_OPTION.search(self.folded, start, end) is not None and not any("هیچ" in x for x in self.options)

    def _force(self, sentence: Sentence) -> tuple[int, int]:
        """How strongly a sentence speaks, and where its last cue begins."""
        cue = -1
        for match in ANSWER.finditer(self.folded, sentence.start, sentence.end):
            if cue >= 0 and self._conceded(sentence, cue, match.start()):
                break
            cue = match.start()
        if cue < 0 and self.asks_false and (found := ANSWER_FALSE.search(self.folded, sentence.start, sentence.end)):
            cue = found.start()
        if cue >= 0:
            return ANNOUNCED, cue
        for match in CONCLUDE.finditer(self.folded, sentence.start, sentence.end):
            cue = match.start()
        if cue >= 0:
            return CONCLUDED, cue
        found = SUPERLATIVE.search(self.folded, sentence.start, sentence.end)
        return (CONCLUDED, found.start()) if found else (NAMED, -1)

    def _conceded(self, sentence: Sentence, cue: int, later: int) -> bool:
        """Whether the cue has its letter before a clause such as «در حالی که …», in which the later cue stands."""
        clause = CONCEDED.search(self.folded, cue, later)
        return clause is not None and any(cue <= mention.start < clause.start() for mention in sentence.inside)

    def _is_item(self, sentence: Sentence, carried: int, following: list[Sentence]) -> bool:
        """A line that discusses one option: «- [A] فلان: …», «**گزینه ب:** …», «- فلان (C): …»."""
        first = sentence.inside[0]
        if not sentence.opens_line or first.start - sentence.start > 90:
            return False
        bulleted = BULLET.match(self.folded, sentence.start) is not None
        if carried and not self._list_follows(first.letter, following, bulleted):
            return False
        if len(groups_of(self.folded, self.options, sentence)[0].letters) > 1:
            return False
        if ANSWER.search(self.folded, sentence.start, first.start):
            return False
        if CONCLUDE.search(self.folded, sentence.start, first.start):
            return False
        return self._marked(sentence) and not self._goes_on(sentence, bulleted)

    def _goes_on(self, sentence: Sentence, bulleted: bool) -> bool:
        """Whether a line passes from its first letter to the one it chooses: «[A] نیست، [B] است», «…، پس [D]»."""
        first = sentence.inside[0]
        others = [mention for mention in sentence.inside[1:] if mention.letter != first.letter]
        if not others:
            return False
        if not bulleted and self.denials.outright(first.letter, first.end, others[0].start):
            return True
        return any(THEREFORE.search(self.folded, max(first.end, o.start - 60), o.start) for o in others)

    def _marked(self, sentence: Sentence) -> bool:
        """Whether the first letter of a line is set off as a list sets off its items."""
        first = sentence.inside[0]
        if _ITEM_MARK.match(self.folded, first.end):
            return True
        if not _ITEM_START.fullmatch(self.folded, sentence.start, first.start):
            return False
        return self.folded[first.start] in "[(" or _ENUMERATOR.match(self.folded, first.end) is not None

    def _list_follows(self, letter: Letter, following: list[Sentence], bulleted: bool) -> bool:
        """Whether another option's line comes soon: then a line under «پاسخ:» discusses, it does not answer."""
        for sentence in following if bulleted else following[:7]:
            if OTHERS.search(self.folded, sentence.start, sentence.end):
                return False
            if sentence.opens_line and sentence.inside and sentence.inside[0].letter != letter:
                return self._marked(sentence)
        return False

    def _judge(self, letter: Letter, sentence: Sentence, start: int) -> None:
        claim = Claim(AFFIRMED, (letter,), sentence.start, sentence.end)
        if self.denials.outright(letter, start, sentence.end):
            self.out.refused.add(letter)
            if self.asks_false:
                return
        if REJECT.search(self.folded, past_option(self.folded, self.options, letter, start), sentence.end):
            self.out.rejected.setdefault(letter, claim)
        elif AFFIRM.search(self.folded, start, sentence.end):
            self.out.affirmed.setdefault(letter, claim)

    def _claim(self, sentence: Sentence, carried: int, first: bool) -> int:
        """Take in a sentence that names letters; returns the force it hands on to the next line."""
        force, cue = self._force(sentence)
        kept = self._not_refused(sentence, force, cue)
        if force and self._says_none(kept[-1].end if kept else sentence.start, sentence.end):
            self.out.claims.append(Claim(force, (), sentence.start, sentence.end))
            return NAMED
        if self._aside(sentence, force):
            return NAMED
        after = [g for g in kept if g.end > cue and (cue < 0 or not self._conceded_before(g, cue))]
        before = [group for group in kept if group.end <= cue and len(group.letters) < 3]
        if not after and force == ANNOUNCED and self._announces_next(sentence, cue):
            return force
        chosen = after[0] if after else before[-1] if before else None
        if not chosen or (len(chosen.letters) > 2 and (force < ANNOUNCED or chosen.end <= cue)):
            return NAMED
        claim = Claim(
            self._weight(sentence, chosen, max(force, carried), first), chosen.letters, sentence.start, sentence.end
        )
        self.out.claims.append(claim)
        if first:
            self.out.opening.append(claim)
        return NAMED

    def _announces_next(self, sentence: Sentence, cue: int) -> bool:
        """Whether a line breaks off after its cue: «… گزینه صحیح», and the letter on the next line."""
        short = sentence.unfinished and sentence.end - cue < _ANNOUNCES_NEXT
        return short and not VERB.search(self.folded, cue, sentence.end)

    def _not_refused(self, sentence: Sentence, force: int, cue: int) -> list[Group]:
        """The groups of letters that the sentence does not set aside; the others are noted as refused."""
        groups = groups_of(self.folded, self.options, sentence)
        kept = []
        for index, group in enumerate(groups):
            if self.denials.of_group(groups, index, sentence, force == ANNOUNCED, cue):
                self.out.refused.update(group.letters)
            else:
                kept.append(group)
        return kept

    def _aside(self, sentence: Sentence, force: int) -> bool:
        """Whether the sentence discusses the options not chosen: «گزینه‌های دیگر …», and the list after it."""
        if sentence.opens_line:
            self.others = self.others and BULLET.match(self.folded, sentence.start) is not None
        aside = OTHERS.search(self.folded, sentence.start, min(sentence.end, sentence.start + 30)) is not None
        aside = aside and "بنابراین" not in self.folded[sentence.start : sentence.end]
        return aside or (self.others and force < ANNOUNCED)

    def _weight(self, sentence: Sentence, chosen: Group, force: int, first: bool) -> int:
        """With what force the sentence chooses the group."""
        if any(claim.force == ANNOUNCED and claim.letters for claim in self.out.claims) and self._also(chosen):
            force = min(force, CONCLUDED)
        if force < ANNOUNCED and (first or sentence.last) and self._stands_alone(sentence, chosen):
            force = ANNOUNCED
        if not force and AFFIRM.search(self.folded, sentence.start, sentence.end):
            force = AFFIRMED
        return force

    def _conceded_before(self, group: Group, cue: int) -> bool:
        """Whether the group stands in a clause such as «اگرچه …» after the cue; its own words may hold a «نسبت به»."""
        stop = before_option(self.folded, self.options, group.letters[0], group.start, cue)
        return CONCEDED.search(self.folded, cue, stop) is not None

    def _also(self, group: Group) -> bool:
        past = past_option(self.folded, self.options, group.letters[-1], group.end)
        return ALSO.match(self.folded, past) is not None

    def _stands_alone(self, sentence: Sentence, group: Group) -> bool:
        return bool(
            self.folded[group.start] != "("
            and _ALONE.fullmatch(self.folded, sentence.start, group.start)
            and _ALONE_AFTER.fullmatch(self.folded, group.end, sentence.end)
        )

    def _by_text(self, sentence: Sentence, cue: int) -> Letter | None:
        """The one option whose words stand in the sentence, after its cue if one does; None when denied or unclear."""
        said = compact(self.folded[max(cue, sentence.start) : sentence.end])
        before = compact(self.folded[sentence.start : max(cue, sentence.start)])
        found = self._within(said) or self._within(before + said)
        if len(found) != 1:
            return None
        letter = found[0][0]
        return None if self.denials.of_words(letter, sentence) else letter

    def _within(self, said: str) -> list[tuple[Letter, str]]:
        """Options whose words stand in a compact text, word for word or but for endings; of nested ones the longest."""
        options = [(letter, option) for letter, option in zip(LETTERS, self.options, strict=False) if option]
        found = [(letter, option) for letter, option in options if option in said]
        if not found:
            said = loose(said)
            found = [(letter, option) for letter, option in options if len(option) > 4 and loose(option) in said]
        return [(a, x) for a, x in found if not any(x != y and x in y for _, y in found)]
