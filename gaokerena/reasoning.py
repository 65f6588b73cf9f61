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
sentence being written is held back, for it may be the last; so is a paragraph from «بنابراین …» on. Where such a
paragraph follows listed steps, or is headed «نتیجه: …», what comes after it is held back too, up to 700 characters,
until it tells: more steps of the same kind make it reasoning, further prose makes it the conclusion, and so does the
end of the text after a list. What is held back when the text ends is its conclusion (advice, or the last sentence
where nothing else is recognised), and is reasoning when the text was cut off. An answer given first leaves nothing to
reason: all of it is conclusion. A text that ends in a list without a word of conclusion has an empty one.

Not covered: whether a conclusion follows from its reasoning, and conclusions in other languages than Persian.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gaokerena.engines.base import Reasoning, Text
from gaokerena.reasoning_prose import Output, Prose
from gaokerena.reasoning_steps import steps
from gaokerena.thinking_tags import Tag, TagScanner

__all__ = ["Split", "Splitter", "split", "steps"]


@dataclass(frozen=True, slots=True)
class Split:
    """A whole answer split: `reasoning` + `conclusion` is the text without its thinking tags."""

    reasoning: str
    conclusion: str
    steps: tuple[str, ...]


class Splitter:
    """Splits one streamed answer; see the module. `step_count` counts the steps so far, cheaply."""

    def __init__(self) -> None:
        self._scanner = TagScanner()
        self._output = Output()
        self._prose = Prose(self._output)
        self._tag: Tag | None = None  # the last one seen; without any, the text is prose

    @property
    def step_count(self) -> int:
        """Steps of the reasoning emitted so far."""
        return self._output.counter.count

    def feed(self, delta: str) -> list[Reasoning | Text]:
        """What `delta` settles, in order."""
        self._take(self._scanner.feed(delta))
        return self._output.drain()

    def finish(self, cut: bool = False) -> list[Reasoning | Text]:
        """What was held back; with `cut` the text was broken off, so an unproven conclusion is reasoning."""
        self._take(self._scanner.finish())
        if self._tag is None:
            self._prose.finish(cut)
        return self._output.drain()

    def _take(self, pieces: Iterable[str | Tag]) -> None:
        for piece in pieces:
            if isinstance(piece, Tag):
                if self._tag is None:
                    self._prose.abandon()
                self._tag = piece
            elif self._tag is None:
                self._prose.feed(piece)
            elif self._tag is Tag.OPEN:
                self._output.reasoning(piece)
            else:
                self._output.conclusion(piece)


def split(text: str, cut: bool = False) -> Split:
    """`text` split at once, with the very code that splits a stream."""
    splitter = Splitter()
    events = [*splitter.feed(text), *splitter.finish(cut)]
    reasoning = "".join(event.text for event in events if isinstance(event, Reasoning))
    conclusion = "".join(event.text for event in events if isinstance(event, Text))
    return Split(reasoning, conclusion, steps(reasoning))
