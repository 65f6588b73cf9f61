"""Whether a sentence sets aside an option it names: «گزینهٔ A درست نیست», «نباید گزینهٔ A را انتخاب کرد».

    denials = Denials(folded, compacted, own, asks_false=False)
    denials.of_group(groups, 0, sentence, announced=True, cue=cue)

Where the question asks for what does not hold (`asks_false`), to call an option wrong is to choose it; there only
words about the choice itself set one aside («نه A», «A را انتخاب نمی‌کنم», «پاسخ صحیح A نیست»).

Not covered: denials in a sentence of their own («گزینهٔ A؟ نه.»), irony, and what only a comparison sets aside.
"""

from __future__ import annotations

from dataclasses import dataclass

from gaokerena.option_cues import (
    AFFIRM,
    ANSWER_WORD,
    CANNOT,
    CLAUSE_BEGINS,
    CLAUSE_END,
    DENIED,
    ENDS_DENIED,
    IS_NOT,
    NEITHER,
    NOT_BUT,
    NOT_TAKEN,
    NOT_THIS,
    REFUSED,
    REJECT,
    TAKEN,
    TAKEN_AS_TRUE,
    TURN,
)
from gaokerena.option_sentences import Group, Sentence, past_option
from gaokerena.questions import LETTERS, Letter


def own_denials(option: str) -> int:
    """How many denials the words of a folded option hold («کاهش نمی یابد»: one)."""
    return sum(1 for _ in REJECT.finditer(option + " "))


@dataclass(frozen=True, slots=True)
class Denials:
    """The denials in one folded answer; `options` are `compact` texts, `own` the `own_denials` of each."""

    folded: str
    options: tuple[str, ...]
    own: tuple[int, ...]
    asks_false: bool

    def of_group(self, groups: list[Group], index: int, sentence: Sentence, announced: bool, cue: int) -> bool:
        """Whether the sentence sets this group aside; `announced`: its cue at `cue` announces an answer."""
        group = groups[index]
        neither = NOT_BUT if self.asks_false else NEITHER  # «همه به جز [C]» chooses C there
        if neither.search(self.folded, max(0, group.start - 12), group.start):
            return True
        stop = groups[index + 1].start if index + 1 < len(groups) else sentence.end
        past = past_option(self.folded, self.options, group.letters[-1], group.end)
        if NOT_TAKEN.match(self.folded, past, stop):
            return True
        if self._governed(sentence.start, group.start):
            return self._not_to_take(past, stop)
        before = announced and cue <= group.start
        if self.asks_false:
            return before and ANSWER_WORD.match(self.folded, cue) is not None and self._is_not(past, stop)
        if before:
            return NOT_THIS.match(self.folded, past, stop) is not None
        turn = TURN.search(self.folded, min(past, stop), stop)
        stop = turn.start() if turn else stop
        if announced:
            if self._is_not(past, stop) or DENIED.search(self.folded, past, stop):
                return True
            return self._plain(group) and ENDS_DENIED.search(self.folded, past, stop) is not None
        denied = REJECT.search(self.folded, past, min(stop, past + 200))
        return denied is not None and not AFFIRM.search(self.folded, past, denied.start())

    def outright(self, letter: Letter, start: int, end: int) -> bool:
        """Whether a line that discusses this option calls it wrong in so many words, before any «زیرا» or «اما»."""
        if self.of_choice(start, end):
            return True
        past = past_option(self.folded, self.options, letter, start)
        if NOT_TAKEN.match(self.folded, past, end):
            return True
        turn = TURN.search(self.folded, min(past, end), end)
        end = turn.start() if turn else end
        found = NOT_THIS.match(self.folded, past, end) or DENIED.search(self.folded, past, end)
        return found is not None and not self.asks_false and not AFFIRM.search(self.folded, past, found.start())

    def of_words(self, letter: Letter, sentence: Sentence) -> bool:
        """Whether the sentence denies the option that it names by its words, the denials in those words aside."""
        if self.of_choice(sentence.start, sentence.end):
            return True
        turn = TURN.search(self.folded, sentence.start, sentence.end)
        stop = turn.start() if turn else sentence.end
        denials = sum(1 for _ in REJECT.finditer(self.folded, sentence.start, stop))
        return denials > self.own[LETTERS.index(letter)] and not self.asks_false

    def of_choice(self, start: int, end: int) -> bool:
        """Whether words there say that something is not chosen or not to be chosen."""
        return REFUSED.search(self.folded, start, end) is not None

    def _plain(self, group: Group) -> bool:
        """Whether the last letter's option holds no denial of its own."""
        place = LETTERS.index(group.letters[-1])
        return place >= len(self.own) or not self.own[place]

    def _is_not(self, past: int, stop: int) -> bool:
        return IS_NOT.match(self.folded, past, stop) is not None

    def _governed(self, start: int, end: int) -> bool:
        """Whether «نباید» or «نمی‌توان» stands before the letter at `end`, in the same clause."""
        found = CANNOT.search(self.folded, max(start, end - 60), end)
        if found is None or TURN.search(self.folded, found.start(), end):
            return False
        return not CLAUSE_BEGINS.search(self.folded, found.start(), end)

    def _not_to_take(self, past: int, stop: int) -> bool:
        """Whether what stands after a letter so governed is taking it («را انتخاب کرد»), not turning it down."""
        end = CLAUSE_END.search(self.folded, min(past, stop), stop)
        stop = end.start() if end else stop
        taken = (TAKEN if self.asks_false else TAKEN_AS_TRUE).search(self.folded, past, stop)
        return taken is not None and not REJECT.search(self.folded, past, stop)
