"""Keep what is tested out of what is trained on: shared runs of eight normalised words.

A text is contaminated when it shares one 8-gram with a reference text, after Persian normalisation (plain lower-casing
misses ye, kaf, ZWNJ and digit variants). A reference or a text shorter than eight words counts as one gram when it has
at least four. Strict on purpose: template phrases cost rows, and the manifest says how many.

Not covered: paraphrase and translation of a reference.
"""

from __future__ import annotations

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


class Reference:
    """The 8-grams that must not occur in training, by the name of the set they come from."""

    def __init__(self) -> None:
        self._owner: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._owner)

    def add(self, name: str, texts: Iterable[str]) -> None:
        """Take the grams of `texts` under `name`; a gram keeps its first owner."""
        for text in texts:
            for gram in grams(text):
                self._owner.setdefault(gram, name)

    def hit(self, *texts: str) -> str | None:
        """The name of the first reference set that shares a gram with one of `texts`; None when clean."""
        for text in texts:
            for gram in grams(text):
                if owner := self._owner.get(gram):
                    return owner
        return None
