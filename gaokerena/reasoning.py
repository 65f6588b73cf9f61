"""Split a chain of thought into reasoning and conclusion, while it streams or at once.

    splitter = Splitter()
    for delta in deltas:
        events += splitter.feed(delta)          # Reasoning(...) and Text(...), of gaokerena.engines.base
    events += splitter.finish(cut=finish_reason == "length")
    split("… بنابراین، پاسخ صحیح گزینه [ب] است.").conclusion

Nothing emitted is taken back, and how the text was cut into deltas changes nothing in the two joined texts.

Tagged models: what stands in a thinking tag is reasoning, what follows is the conclusion; the tags go. An orphaned
closing tag makes what came before it reasoning; an unclosed tag makes the rest reasoning. Of several blocks each is
reasoning, so reasoning and conclusion joined are then the text with its thoughts moved to the front; in every other
case they are the text itself.

Untagged prose: the conclusion begins with the first sentence that announces or concludes on an option it does not
reject, or with a heading such as «پاسخ نهایی:» after some reasoning, and reaches to the end. Steps (numbered lines,
bullets, headings) stream as they come unless they open as a conclusion does («بنابراین …»). In a plain paragraph the
sentence being written is held back, for it may be the last; so is a paragraph from «بنابراین …» on. What is held back
when the text ends is its conclusion (advice, or the last sentence where nothing else is recognised), and is reasoning
when the text was cut off. An answer given first leaves nothing to reason: all of it is conclusion. A text that ends
in a list without a word of conclusion has an empty one.

Not covered: whether a conclusion follows from its reasoning, and conclusions in other languages than Persian.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from gaokerena.engines.base import Reasoning, Text
from gaokerena.option_claims import ANNOUNCED, CONCLUDED, claims_of
from gaokerena.option_cues import ANSWER, REJECT, STARTS_CONCLUSION, ends_sentence, fold, unshaped
from gaokerena.reasoning_cues import (
    ABOVE,
    ANSWER_FOLLOWS,
    BOUNDARY,
    CHAIN,
    HEADING,
    LISTED,
    MAYBE_BOUNDARY,
    MAYBE_LISTED,
    NAMED,
    OPENERS,
    STREAMERS,
    may_open_conclusion,
    numbered,
    opens_conclusion,
    plain,
)
from gaokerena.reasoning_steps import StepCounter, steps
from gaokerena.thinking_tags import Tag, TagScanner

__all__ = ["Split", "Splitter", "split", "steps"]

_LONGEST_HELD = 700  # characters; more than this is no sentence of conclusion
_LONGEST_SENTENCE = 2000  # characters; a longer one streams, whatever it opens with
_INTRODUCTION = 350  # characters of reasoning within which an answer counts as given first


@dataclass(frozen=True, slots=True)
class Split:
    """A whole answer split: `reasoning` + `conclusion` is the text without its thinking tags."""

    reasoning: str
    conclusion: str
    steps: tuple[str, ...]


class _Mode(Enum):
    PROSE = auto()
    THOUGHT = auto()
    ANSWER = auto()


class Splitter:
    """Splits one streamed answer; see the module. `step_count` counts the steps so far, cheaply."""

    def __init__(self) -> None:
        self._scanner = TagScanner()
        self._mode = _Mode.PROSE
        self._counter = StepCounter()
        self._out: list[Reasoning | Text] = []
        self._unit = ""  # the sentence being written, as far as not emitted
        self._context = ""  # the last two characters of it that were emitted: they tell «A.» from a full stop
        self._held = ""  # sentences written that may turn out to be the conclusion
        self._weighty = False  # what is held opens as a conclusion: it stays held to the end of its paragraph
        self._line_open = False  # past the first sentence of a line
        self._listed = False  # in a line that is a step
        self._streaming = False  # the rest of the sentence being written is reasoning
        self._thought = False  # some reasoning was written
        self._written = 0  # characters of it
        self._early = False  # what is held answers before any step: what follows tells whether a chain begins

    @property
    def step_count(self) -> int:
        """Steps of the reasoning emitted so far."""
        return self._counter.count

    def feed(self, delta: str) -> list[Reasoning | Text]:
        """What `delta` settles, in order."""
        return self._take(self._scanner.feed(delta))

    def finish(self, cut: bool = False) -> list[Reasoning | Text]:
        """What was held back; with `cut` the text was broken off, so an unproven conclusion is reasoning."""
        events = self._take(self._scanner.finish())
        if self._mode is _Mode.PROSE:
            unit, self._unit = self._unit, ""
            if unit:
                self._settle(unit)
            self._emit(self._held, Reasoning if cut and not self._early else Text)
            self._held = ""
        return events + self._drain()

    def _take(self, pieces: Iterable[str | Tag]) -> list[Reasoning | Text]:
        for piece in pieces:
            if isinstance(piece, Tag):
                self._tag(piece)
            elif self._mode is _Mode.PROSE:
                self._unit += piece
                self._prose()
            else:
                self._emit(piece, Reasoning if self._mode is _Mode.THOUGHT else Text)
        return self._drain()

    def _tag(self, tag: Tag) -> None:
        if self._mode is _Mode.PROSE:
            self._release(self._unit)
            self._unit = ""
        self._mode = _Mode.THOUGHT if tag is Tag.OPEN else _Mode.ANSWER

    def _prose(self) -> None:
        """Settle every sentence that is complete, then as much as can be of the one being written."""
        while self._mode is _Mode.PROSE and (end := self._boundary()):
            unit, self._unit = self._unit[:end], self._unit[end:]
            self._settle(unit)
            self._streaming, self._context = False, ""
            self._line_open = not unit.endswith("\n")
            self._listed = self._listed and self._line_open
        if self._mode is not _Mode.PROSE:
            rest, self._unit = self._unit, ""
            self._emit(rest, Text)
        elif self._streams(self._unit, final=False):
            stop = MAYBE_BOUNDARY.search(self._unit)
            now = self._unit[: stop.start()] if stop else self._unit
            self._unit = self._unit[len(now) :]
            self._release(now)
            self._context = (self._context + now)[-2:]
        elif self._unit.strip() and not self._weighty:
            self._release("")  # what is held was not the last sentence

    def _settle(self, unit: str) -> None:
        if self._streams(unit, final=True):
            self._release(unit)
        else:
            self._sentence(unit)

    def _boundary(self) -> int:
        """Where in the unit its first sentence ends, or 0."""
        said = self._context + self._unit
        for match in BOUNDARY.finditer(said, len(self._context)):
            if ends_sentence(said, match.start()):
                return match.end() - len(self._context)
        return 0

    def _streams(self, unit: str, final: bool) -> bool:
        """Whether a sentence is reasoning by its opening alone; `final` when it is complete."""
        if self._streaming:
            return True
        if self._early or self._waits() or not unit.strip():
            return False
        if len(unit) > _LONGEST_SENTENCE:
            self._streaming = True
            return True
        if not self._line_open and not self._listed:
            if not final and MAYBE_LISTED.fullmatch(unit):
                return False
            self._listed = LISTED.match(unit) is not None
        opening = plain(unit[:80])
        if opening.startswith(OPENERS):
            return False
        if not final and may_open_conclusion(opening):
            return False
        self._streaming = self._listed or opening.startswith(STREAMERS)
        return self._streaming

    def _waits(self) -> bool:
        """Whether what is held opens as a conclusion and its paragraph (or a line broken off) still goes on."""
        if not self._weighty or len(self._held) > _LONGEST_HELD:
            return False
        return "\n" not in self._held or self._held.rstrip()[-1:] not in ".!؟?:*"

    def _sentence(self, unit: str) -> None:
        """Judge a complete sentence that does not stream."""
        if not unit.strip():
            if self._held:
                self._held += unit
            else:
                self._emit(unit, Reasoning)
        elif self._early:
            self._after_early(unit)
        elif self._concludes(unit):
            self._reach(unit)
        else:
            if not self._waits():
                self._release("")
                self._weighty = opens_conclusion(unit)
            self._held += unit
            self._thought = True

    def _reach(self, unit: str) -> None:
        """Take `unit`, and what opened as a conclusion before it, as the conclusion."""
        if not self._weighty:
            self._release("")
        self._held += unit
        self._weighty = True
        said = fold(self._held)
        if (
            not self._counter.listed
            and self._written < _INTRODUCTION
            and not HEADING.fullmatch(" ".join(fold(unit).split()))
        ):
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
        self._emit(self._held, Text)
        self._held, self._mode = "", _Mode.ANSWER

    def _concludes(self, unit: str) -> bool:
        """Whether a sentence reaches the conclusion; lines broken off before it are read along with it."""
        folded = " ".join(fold(unshaped(unit)).split())
        if self._thought and HEADING.fullmatch(folded):
            return True
        opens = opens_conclusion(unit) or self._weighty
        breaks_off = ANSWER_FOLLOWS.search(folded) or (opens and folded.endswith(":") and ANSWER.search(folded))
        if self._thought and breaks_off:
            return True
        if opens and NAMED.search(folded) and STARTS_CONCLUSION.match(folded) and not REJECT.search(folded):
            return "این گزینه" not in folded
        whole = fold(unshaped(self._held + unit)) if self._weighty else folded
        for claim in claims_of(whole, ()).claims:
            if claim.force == ANNOUNCED and (claim.letters or opens):
                return True
            if claim.force == CONCLUDED and len(claim.letters) == 1 and opens and not self._listed:
                return True
        return False

    def _release(self, unit: str) -> None:
        """Let go of what is held, and of `unit`, as reasoning."""
        self._thought = self._thought or bool(unit.strip())
        self._emit(self._held + unit, Reasoning)
        self._held, self._weighty, self._early = "", False, False

    def _emit(self, text: str, kind: type[Reasoning] | type[Text]) -> None:
        if not text:
            return
        if kind is Reasoning:
            self._counter.feed(text)
            self._written += len(text)
        self._out.append(kind(text))

    def _drain(self) -> list[Reasoning | Text]:
        out, self._out = self._out, []
        return out


def split(text: str, cut: bool = False) -> Split:
    """`text` split at once, with the very code that splits a stream."""
    splitter = Splitter()
    events = [*splitter.feed(text), *splitter.finish(cut)]
    reasoning = "".join(event.text for event in events if isinstance(event, Reasoning))
    conclusion = "".join(event.text for event in events if isinstance(event, Text))
    return Split(reasoning, conclusion, steps(reasoning))
