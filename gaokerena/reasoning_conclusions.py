"""Whether a sentence concludes, and whether a paragraph that opens as a conclusion stays one.

    concludes(unit, held="", thought=True, opens=True, listed=False)
    candidate = open_candidate(unit, counter, line_start=True)          # None: it opens no conclusion
    candidate.refuted(rest, line_start=True); candidate.take(rest, line_start=True)

A candidate is a paragraph headed «نتیجه: …», or one after listed steps that begins with «بنابراین …». It is refuted
where the steps go on after it (the next number, another «گام», bullets after bullets, a second option discussed) and
proven where a plain paragraph or a word on the other options follows; a list alone leaves it open, for it may be
the conclusion's own.

Not covered: which text is held back meanwhile, which is `reasoning_prose`'s work.
"""

from __future__ import annotations

from gaokerena.option_claims import ANNOUNCED, CONCLUDED, claims_of
from gaokerena.option_cues import ANSWER, LETTER_OF, OTHERS, REJECT, STARTS_CONCLUSION, fold, unshaped
from gaokerena.questions import Letter
from gaokerena.reasoning_cues import (
    ANSWER_FOLLOWS,
    BOLD_LINE,
    BULLETED,
    FINAL,
    FIRM,
    HEADED,
    HEADING,
    LISTED,
    LISTS,
    NAMED,
    NOTE,
    NUMBERED,
    OPTION,
    OPTION_LINE,
    STEP_LINE,
    THOUGHT_FOLLOWS,
    may_open_conclusion,
    opens,
    opens_conclusion,
    plain,
)
from gaokerena.reasoning_steps import StepCounter

_OPENING = 200  # characters of a sentence within which it shows that the thought goes on; bounds the time it takes


def _spaced(unit: str) -> str:
    return " ".join(fold(unshaped(unit)).split())


def _on_one_option(folded: str) -> bool:
    """Whether a sentence judges one option among several: «نتیجه: این گزینه نادرست است»."""
    return "این گزینه" in folded or (REJECT.search(folded) is not None and OPTION.search(folded) is not None)


def is_heading(unit: str) -> bool:
    """Whether a line says nothing but «پاسخ نهایی» or the like."""
    return HEADING.fullmatch(_spaced(unit)) is not None


def concludes(unit: str, held: str, thought: bool, opens: bool, listed: bool) -> bool:
    """Whether a complete sentence reaches the conclusion; `held`, broken off before it, is read along with it.

    `thought`: some reasoning stands before it. `opens`: it, or what is held, opens as a conclusion. `listed`: it stands
    in a line that is a step.
    """
    folded = _spaced(unit)
    if thought and HEADING.fullmatch(folded):
        return True
    if thought and FINAL.match(folded) and not BULLETED.match(unit) and not _on_one_option(folded):
        return True
    breaks_off = ANSWER_FOLLOWS.search(folded) or (opens and folded.endswith(":") and ANSWER.search(folded))
    if thought and breaks_off:
        return True
    if opens and NAMED.search(folded) and STARTS_CONCLUSION.match(folded) and not REJECT.search(folded):
        return "این گزینه" not in folded
    for claim in claims_of(fold(unshaped(held + unit)) if held else folded, ()).claims:
        if claim.force == ANNOUNCED and (claim.letters or opens):
            return True
        if claim.force == CONCLUDED and len(claim.letters) == 1 and opens and not listed:
            return True
    return False


def open_candidate(unit: str, counter: StepCounter, line_start: bool) -> Candidate | None:
    """The candidate that a complete sentence opens after the steps in `counter`, or None."""
    folded = _spaced(unit)
    if folded[-1:] in ("؟", "?") or BULLETED.match(unit) or THOUGHT_FOLLOWS.search(folded) or _on_one_option(folded):
        return None
    if HEADED.match(folded):
        return Candidate(unit, counter, headed=True)
    if line_start and counter.stepped and counter.settled and not unit.startswith("  ") and FIRM.match(folded):
        return Candidate(unit, counter, headed=False)
    return None


class Candidate:
    """A paragraph that opens as a conclusion, judged by what follows it. `apart`: more than its paragraph was taken."""

    def __init__(self, unit: str, counter: StepCounter, headed: bool) -> None:
        self._counts = counter.counts
        self._listed = counter.listed
        self._hashed = counter.hashed
        self._headed = headed
        self._colon = False  # it ends on a colon: a list after it is its own
        self._broken = False  # it was broken off without one: the next line continues it
        self._item = 0  # number of the last item of its own list
        self._options: set[Letter] = set()
        self.apart = False
        self._note_end(unit)

    def joins(self, unit: str, line_start: bool) -> bool:
        """Whether a sentence is read along with the candidate: it is in its paragraph, or right after it in prose."""
        if self.apart or not line_start:
            return not self.apart
        folded = fold(unshaped(unit))
        listed = NUMBERED.match(folded) or BULLETED.match(unit) or unit.startswith("#")
        return opens_conclusion(unit) or not (listed or (not self._broken and OPTION_LINE.match(folded)))

    def refuted(self, unit: str, line_start: bool) -> bool:
        """Whether a sentence, or the beginning of one, shows that the thought goes on; true for all that extends it."""
        opening = plain(unit[:80])
        if opens(opening) or may_open_conclusion(opening):
            return False
        folded = fold(unshaped(unit[:_OPENING]))
        if THOUGHT_FOLLOWS.search(folded):
            return True
        if not line_start:
            return False
        if self._goes_on(folded, unit):
            return True
        option = OPTION_LINE.match(folded)
        return option is not None and bool(self._options - {LETTER_OF[option[1] or option[2]]})

    def take(self, unit: str, line_start: bool) -> bool:
        """Take in the next complete sentence, one that does not refute it; True when this proves the conclusion."""
        joins = self.joins(unit, line_start)
        own = joins and (not line_start or self._broken or opens_conclusion(unit))
        proven = line_start and not own and self._proves(unit, joins and not self._colon)
        if not own and line_start:
            self.apart = True
            self._count(fold(unshaped(unit)))
        if not self.apart:
            self._note_end(unit)
        return proven

    def _proves(self, unit: str, follows: bool) -> bool:
        folded = fold(unshaped(unit))
        if OTHERS.search(folded) and not LISTS.search(folded):
            return True
        if not follows or LISTED.match(unit) or OPTION.search(folded) or opens_conclusion(unit):
            return False
        return folded.rstrip()[-1:] in tuple(".!؟?")

    def _count(self, folded: str) -> None:
        """Note the item of a list, or the option, that a line is about."""
        if number := NUMBERED.match(folded):
            self._item += int(number[1]) == self._item + 1
        elif option := OPTION_LINE.match(folded):
            self._options.add(LETTER_OF[option[1] or option[2]])

    def _goes_on(self, folded: str, unit: str) -> bool:
        """Whether a line is a further step of a kind that stood before."""
        by_name, numbers, headings, bullets = self._counts[:4]
        own_list = self._colon or self._broken
        if number := NUMBERED.match(folded):
            return int(number[1]) != self._item + 1 or not (self._item or own_list or self._listed)
        if STEP_LINE.match(folded):
            return True
        if BULLETED.match(unit):
            return bullets > 0 and not (by_name or numbers or self._headed or own_list)
        if unit.startswith("#"):
            return self._hashed
        by_heading = headings > 1 and not (by_name or numbers or bullets)
        return by_heading and BOLD_LINE.match(unit) is not None and not NOTE.match(folded)

    def _note_end(self, unit: str) -> None:
        if said := fold(unit).strip():
            self._colon = said[-1] == ":"
            self._broken = said[-1] not in ".!؟?:" and unit.rstrip()[-1] != "*"
