"""Keep what is tested out of what is trained on: shared runs of eight normalised words.

A text is contaminated when it shares one 8-gram with a reference text, after Persian normalisation (plain lower-casing
misses ye, kaf, ZWNJ and digit variants). A reference of four to seven words counts as one run of its own length, also
in the middle of a longer text; shorter ones say too little to be looked for and are counted (`Reference.unseen`).
Texts are looked at as they are and `bare`: without the numbers and letters our own forms put between the words.
Strict on purpose: template phrases cost rows, and the manifest says how many.

Not covered: paraphrase and translation of a reference.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from gaokerena.persian import normalize_for_key
from gaokerena.questions import Question

SIZE = 8
SHORTEST = 4


def grams(text: str, size: int = SIZE) -> Iterator[str]:
    """The runs of `size` words of `text`, normalised; one run for a text of `SHORTEST` to `size` words."""
    words = normalize_for_key(text).split()
    if SHORTEST <= len(words) < size:
        yield " ".join(words)
    for start in range(len(words) - size + 1):
        yield " ".join(words[start : start + size])


def forms(question: Question) -> tuple[str, ...]:
    """The texts a question is compared by: alone, and with its options in their order but without their letters.

    A rendered prompt is no such text: it runs on after a question of fewer than eight words, and its letters stand
    between the options.
    """
    return (question.text, " ".join((question.text, *question.options)))


_FORM = re.compile(r"^(?:[۰-۹]+\. |نتیجه: )|\[[A-D]\] ?", re.M)


def bare(text: str) -> str:
    """`text` without what our forms add: numbers of steps, the word before a conclusion, letters of options."""
    return _FORM.sub("", text)


class Reference:
    """The runs of words that must not occur in training, by the name of the set they come from."""

    def __init__(self) -> None:
        self._owner: dict[str, str] = {}
        self._short: dict[str, str] = {}
        self._starts: frozenset[str] = frozenset()
        """First words of `_short`; made anew when a hit is looked for after `add`."""
        self.unseen: Counter[str] = Counter()
        """References of fewer than SHORTEST words, by set: nothing can be said about them."""

    def __len__(self) -> int:
        return len(self._owner) + len(self._short)

    @property
    def short(self) -> Counter[str]:
        """References that count as a run of their own length, by set."""
        return Counter(self._short.values())

    def add(self, name: str, texts: Iterable[str]) -> None:
        """Take the runs of `texts` under `name`; a run keeps its first owner."""
        self._starts = frozenset()
        for text in texts:
            words = normalize_for_key(text).split()
            if len(words) < SHORTEST:
                self.unseen[name] += 1
            elif len(words) < SIZE:
                self._short.setdefault(" ".join(words), name)
            else:
                for start in range(len(words) - SIZE + 1):
                    self._owner.setdefault(" ".join(words[start : start + SIZE]), name)

    def hit(self, *texts: str) -> str | None:
        """The name of the first reference set that shares a run with one of `texts`, bare or not; None when clean."""
        return next((owner for text in texts for owner in map(self._look, _looks(text)) if owner), None)

    def _look(self, text: str) -> str | None:
        words = normalize_for_key(text).split()
        for start in range(len(words) - SIZE + 1):
            if owner := self._owner.get(" ".join(words[start : start + SIZE])):
                return owner
        return self._look_short(words) if self._short else None

    def _look_short(self, words: list[str]) -> str | None:
        if not self._starts:
            self._starts = frozenset(run.partition(" ")[0] for run in self._short)
        for start, word in enumerate(words[: len(words) - SHORTEST + 1]):
            if word in self._starts:
                for end in range(start + SHORTEST, min(start + SIZE, len(words) + 1)):
                    if owner := self._short.get(" ".join(words[start:end])):
                        return owner
        return None


def _looks(text: str) -> Iterator[str]:
    """The ways `text` is looked at; the second only where it differs."""
    yield text
    if (without := bare(text)) != text:
        yield without
