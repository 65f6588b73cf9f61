"""Untagged prose, split into reasoning and conclusion as it arrives.

    prose = Prose(output)
    prose.feed(piece); prose.finish(cut=False)
    output.drain()                          # Reasoning(...) and Text(...), in order

`reasoning` says which part is the conclusion, `reasoning_conclusions` which sentence reaches it; this file holds back
what cannot be told yet and lets go of the rest. Whatever is decided on a sentence not yet complete stays true of all
that may follow, so how the text was cut into pieces changes nothing.

Not covered: thinking tags (`thinking_tags`).
"""

from __future__ import annotations

from gaokerena.engines.base import Reasoning, Text
from gaokerena.option_cues import fold
from gaokerena.reasoning_conclusions import Candidate, concludes, is_heading, open_candidate
from gaokerena.reasoning_cues import (
    ABOVE,
    CHAIN,
    LISTED,
    MAYBE_BOUNDARY,
    MAYBE_LISTED,
    OPTION,
    STREAMERS,
    may_open_conclusion,
    numbered,
    opens,
    opens_conclusion,
    plain,
    sentence_end,
)
from gaokerena.reasoning_steps import StepCounter

_LONGEST_HELD = 700  # characters; more than this is no sentence of conclusion
_LONGEST_SENTENCE = 2000  # characters; a longer one streams, whatever it opens with
_INTRODUCTION = 350  # characters of reasoning within which an answer counts as given first


class Output:
    """What was settled, as events to be drained. `written` counts the characters of reasoning, `counter` its steps."""

    def __init__(self) -> None:
        self.counter = StepCounter()
        self.written = 0
        self._events: list[Reasoning | Text] = []

    def reasoning(self, text: str) -> None:
        """Emit `text`, unless empty, as reasoning."""
        if text:
            self.counter.feed(text)
            self.written += len(text)
            self._events.append(Reasoning(text))

    def conclusion(self, text: str) -> None:
        """Emit `text`, unless empty, as conclusion."""
        if text:
            self._events.append(Text(text))

    def drain(self) -> list[Reasoning | Text]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events


class Prose:
    """Splits the prose it is fed into `output`."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._concluded = False  # the conclusion was reached: all that follows belongs to it
        self._unit = ""  # the sentence being written, as far as not emitted
        self._context = ""  # the last two characters of it that were emitted: they tell «A.» from a full stop
        self._held = ""  # sentences written that may turn out to be the conclusion
        self._weighty = False  # what is held opens as a conclusion: it stays held to the end of its paragraph
        self._candidate: Candidate | None = None  # what is held, where what follows may make it the conclusion
        self._within_step = False  # what is held began past the first sentence of a step
        self._line_open = False  # past the first sentence of a line
        self._listed = False  # in a line that is a step
        self._streaming = False  # the rest of the sentence being written is reasoning
        self._thought = False  # some reasoning was written
        self._early = False  # what is held answers before any step: what follows tells whether a chain begins

    def feed(self, piece: str) -> None:
        """Settle every sentence that is complete, then as much as can be of the one being written."""
        self._unit += piece
        while not self._concluded and (end := sentence_end(self._context, self._unit)):
            unit, self._unit = self._unit[:end], self._unit[end:]
            self._settle(unit)
            self._streaming, self._context = False, ""
            self._line_open = not unit.endswith("\n")
            self._listed = self._listed and self._line_open
        if self._concluded:
            rest, self._unit = self._unit, ""
            self._output.conclusion(rest)
        else:
            self._stream()

    def finish(self, cut: bool) -> None:
        """Settle the rest; with `cut` the text was broken off, so an unproven conclusion is reasoning."""
        if self._concluded:
            return
        unit, self._unit = self._unit, ""
        if unit:
            self._settle(unit)
        emit = self._output.reasoning if cut and not self._early else self._output.conclusion
        emit(self._held)
        self._held = ""

    def abandon(self) -> None:
        """Let go of everything held back, as reasoning: a thinking tag follows."""
        unit, self._unit = self._unit, ""
        if not self._concluded:
            self._release(unit)

    def _stream(self) -> None:
        """Let go of as much of the sentence being written as can only be reasoning."""
        self._doubt(self._unit)
        if self._streams(self._unit, final=False):
            stop = MAYBE_BOUNDARY.search(self._unit)
            now = self._unit[: stop.start()] if stop else self._unit
            self._unit = self._unit[len(now) :]
            self._release(now)
            self._context = (self._context + now)[-2:]
        elif self._unit.strip() and not self._weighty:
            self._release("")  # what is held was not the last sentence

    def _settle(self, unit: str) -> None:
        self._doubt(unit)
        if self._streams(unit, final=True):
            self._release(unit)
        else:
            self._sentence(unit)

    def _doubt(self, unit: str) -> None:
        """Let go of the candidate where a sentence, or what is written of it, shows that the thought goes on."""
        if self._candidate and self._candidate.refuted(unit, not self._line_open):
            self._release("")

    def _streams(self, unit: str, final: bool) -> bool:
        """Whether a sentence is reasoning by its opening alone; `final` when it is complete."""
        if self._streaming:
            return True
        if self._early or not unit.strip():
            return False
        if len(unit) > _LONGEST_SENTENCE:
            self._streaming = True
            return True
        if self._waits():
            return False
        if not self._line_open and not self._listed:
            if not final and MAYBE_LISTED.fullmatch(unit):
                return False
            self._listed = LISTED.match(unit) is not None
        opening = plain(unit[:80])
        if opens(opening):
            return False
        if not final and may_open_conclusion(opening):
            return False
        self._streaming = self._listed or opening.startswith(STREAMERS)
        return self._streaming

    def _waits(self) -> bool:
        """Whether what is held opens as a conclusion and its paragraph (or a line broken off) still goes on."""
        if not self._weighty or len(self._held) > _LONGEST_HELD:
            return False
        if self._candidate:
            return True
        return "\n" not in self._held or self._held.rstrip()[-1:] not in ".!؟?:*"

    def _sentence(self, unit: str) -> None:
        """Judge a complete sentence that does not stream."""
        if not unit.strip():
            if self._held:
                self._held += unit
            else:
                self._output.reasoning(unit)
        elif self._early:
            self._after_early(unit)
        elif self._concludes(unit):
            self._reach(unit)
        elif self._candidate and self._waits():
            self._follow(self._candidate, unit)
        else:
            if self._waits():
                self._held += unit
            else:
                self._begin(unit)
            self._thought = True

    def _concludes(self, unit: str) -> bool:
        joins = self._joins(unit)
        return concludes(
            unit, self._held if joins else "", self._thought, joins or opens_conclusion(unit), self._listed
        )

    def _joins(self, unit: str) -> bool:
        """Whether a sentence is read along with what is held because that opens as a conclusion."""
        if self._candidate:
            return self._candidate.joins(unit, not self._line_open)
        if self._line_open:
            return self._weighty
        step_ended = self._within_step and self._held.rstrip()[-1:] in tuple(".!؟?")
        return self._weighty and not step_ended and not numbered(unit)

    def _begin(self, unit: str) -> None:
        """Hold `unit` alone, as the first sentence of what may be the conclusion."""
        self._release("")
        self._weighty = opens_conclusion(unit)
        if self._weighty and self._thought:
            self._candidate = open_candidate(unit, self._output.counter, not self._line_open)
        self._held, self._within_step = unit, self._listed and self._line_open

    def _follow(self, candidate: Candidate, unit: str) -> None:
        """Hold `unit` with the candidate before it, unless it begins a conclusion of its own or proves this one."""
        if candidate.apart and not self._line_open and opens_conclusion(unit):
            self._begin(unit)
            return
        proven = candidate.take(unit, not self._line_open)
        self._held += unit
        too_long = candidate.apart and len(self._held) > _LONGEST_HELD
        if proven or (too_long and not OPTION.search(fold(self._held))):
            self._conclude()
        elif too_long:
            self._release("")

    def _reach(self, unit: str) -> None:
        """Take `unit`, and what opened as a conclusion before it, as the conclusion."""
        if not self._joins(unit):
            self._release("")
        self._held += unit
        self._weighty, self._candidate = True, None
        said = fold(self._held)
        if not self._output.counter.listed and self._output.written < _INTRODUCTION and not is_heading(unit):
            if CHAIN.search(said) and not ABOVE.search(said):
                self._release("")
            else:
                self._early = True
            return
        self._conclude()

    def _after_early(self, unit: str) -> None:
        """What follows an answer given before any step: a chain of thought, or its discussion."""
        self._early = False
        if CHAIN.search(fold(unit)) or numbered(unit):
            self._release(unit)
        else:
            self._held += unit
            self._conclude()

    def _conclude(self) -> None:
        self._output.conclusion(self._held)
        self._held, self._candidate, self._concluded = "", None, True

    def _release(self, unit: str) -> None:
        """Let go of what is held, and of `unit`, as reasoning."""
        self._thought = self._thought or bool(unit.strip())
        self._output.reasoning(self._held + unit)
        self._held, self._weighty, self._early, self._candidate = "", False, False, None
