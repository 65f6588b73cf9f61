"""What leaves the house is clean: identifiers of people out, names of models out, text that can be sent as UTF-8.

    cleaner = Cleaner(["gaokerena-v1.0", "gaokerena-r1.0"])
    cleaner.clean(candidate)              # a candidate, or the reason (a str) why it must not be sent
    cleaner.taken                         # Counter({"mobile": 2, "model_name": 1, …}), for the log

A text is scrubbed (`gaokerena.scrub`) and masked (`identity`), then scrubbed again as a doctor will see it, its parts
side by side: a number that begins in one step and ends in the next is found there, and the candidate is refused, for
nothing can say how to cut it. Hostile text (markup, direction marks) is left alone: the page shows it as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from annotation.candidates import Candidate
from annotation.identity import Masker
from annotation.items import Shown
from gaokerena.persian import normalize_for_key
from gaokerena.questions import Question
from gaokerena.scrub import scrub

_SURROGATES = re.compile("[\ud800-\udfff]")


class Cleaner:
    """Cleans candidates; `taken` counts what was taken out, by kind."""

    def __init__(self, models: Iterable[str] = ()) -> None:
        self._masker = Masker(models)
        self.taken: Counter[str] = Counter()
        self._known: set[str] = set()  # texts found clean; most parts of an answer are asked about twice

    def text(self, text: str) -> str:
        """One text, clean; the same object where nothing was to be done."""
        if text in self._known:
            return text
        whole, broken = _SURROGATES.subn("\ufffd", text)
        scrubbed = scrub(whole)
        masked = self._masker.mask(scrubbed.text)
        self.taken.update(scrubbed.found)
        self.taken.update({"model_name": masked.count, "broken_character": broken})
        if masked.text == text:
            self._known.add(text)
        return masked.text

    def question(self, question: Question) -> Question:
        """The question and its options, clean; the same object where nothing was to be done."""
        text, options = self.text(question.text), tuple(map(self.text, question.options))
        if (text, options) == (question.text, question.options):
            return question
        return question.model_copy(update={"text": text, "options": options})

    def shown(self, shown: Shown) -> Shown:
        """An answer with all its parts clean."""
        parts = {name: self.text(getattr(shown, name)) for name in ("text", "reasoning", "conclusion")}
        return shown.model_copy(update={**parts, "steps": tuple(map(self.text, shown.steps))})

    def clean(self, candidate: Candidate) -> Candidate | str:
        """The candidate as it may be sent, or why it may not: `empty`, `same_text`, `identifier_left`, `name_left`."""
        self._known.clear()
        question = self.question(candidate.question)
        first, second = map(self.shown, candidate.shown)
        if reason := self.fault(question, first, second):
            return reason
        return replace(candidate, question=question, first=first, second=second)

    def fault(self, question: Question, first: Shown, second: Shown) -> str | None:
        """Why two clean answers must not be sent; None when they may."""
        if not (first.text.strip() and second.text.strip()):
            return "empty"
        if normalize_for_key(first.text) == normalize_for_key(second.text):
            return "same_text"
        seen = {_as_seen(question), *_parts(first), *_parts(second)} - self._known
        if any(scrub(text).found for text in seen):
            return "identifier_left"
        return "name_left" if any(self._masker.mask(text).count for text in seen) else None


def _as_seen(question: Question) -> str:
    return "\n".join((question.text, *question.options))


def _parts(shown: Shown) -> tuple[str, ...]:
    """An answer as the page puts it together: whole, its two parts in a row, its steps one below the other."""
    return shown.text, shown.reasoning + shown.conclusion, "\n".join(shown.steps)
