"""The steps of a chain of thought: «گام ۱», numbered lines, headings, bullets, else paragraphs, else sentences.

    steps("۱. نخست …\n۲. سپس …")        # ("۱. نخست …", "۲. سپس …")
    introduction(reasoning, found)      # what stands before the first of them
    counter = StepCounter(); counter.feed(piece); counter.count

The first kind that occurs at least twice is the text's own way of counting. A step reaches to the next one, so bullets
under a number belong to it; an introduction before the first step is no step. Sentences go two to a step.

Not covered: whether the steps follow from one another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_ORDINALS = "اول|نخست|یکم|دوم|سوم|چهارم|پنجم|ششم|هفتم|هشتم|نهم|دهم|آخر|نهایی"
_KINDS: tuple[re.Pattern[str], ...] = (
    re.compile(rf"[ #*\-•]*(?:گام|مرحله|مرحلهٔ|قدم|[Ss]tep)[ \u200c]+(?:[0-9۰-۹٠-٩]+|{_ORDINALS})(?!\w)"),
    re.compile(r" ?[#*]{0,5} ?[*(]{0,3}[0-9۰-۹٠-٩]{1,2} ?(?:[.)]|\*\*|-|–|:)(?![0-9۰-۹٠-٩])"),
    re.compile(r"#{1,6} +\S|\*\*[^*\n]{1,80}\*\*:?\s*$|\*\*[^*\n]{1,80}:\*\*"),
    re.compile(r" {0,3}[-*•–+] +\S"),
)
_LABEL = re.compile(r"#{1,6} .*|(?:[0-9۰-۹٠-٩]{1,2}[.)] ?)?\*\*[^*]{1,80}\*\*|.*:\**", re.DOTALL)
_PARAGRAPH = len(_KINDS)
_SENTENCE = re.compile(r"[.!؟?]{1,8}+(?=\s|$)")


def _kind(line: str) -> int | None:
    """Which kind of step begins with this line; None for a line that begins none."""
    return next((kind for kind, pattern in enumerate(_KINDS) if pattern.match(line)), None)


class StepCounter:
    """Counts steps of a text that arrives in pieces, in time proportional to the piece."""

    def __init__(self) -> None:
        self._counts = [0] * (_PARAGRAPH + 1)
        self._line = ""
        self._last = ""  # the last line with text
        self._blank = True
        self._sentences = 0
        self.hashed = False  # a heading marked by «#» was seen

    def feed(self, piece: str) -> None:
        """Take in the next piece of the reasoning."""
        *whole, rest = piece.split("\n")
        for line in whole:
            self._take(self._line + line)
            self._line = ""
        self._line += rest

    @property
    def count(self) -> int:
        """Steps so far, the line being written included; equals `len(steps(text))`."""
        if not self._line.strip():
            return self._choose(self._counts, self._sentences)
        return self._choose(self.counts, self._sentences + _sentences_in(self._line))

    @property
    def listed(self) -> bool:
        """Whether a step or list line was seen: headings and paragraphs alone are none."""
        return bool(self._counts[0] or self._counts[1] or self._counts[3] or _kind(self._line) in (0, 1, 3))

    @property
    def counts(self) -> tuple[int, ...]:
        """How often each kind occurred: named steps, numbered lines, headings, bullets; then paragraphs."""
        counts = list(self._counts)
        if self._line.strip():
            self._add(self._line, counts)
        return tuple(counts)

    @property
    def stepped(self) -> bool:
        """Whether steps were seen: a list line, or at least two headings."""
        return self.listed or self.counts[2] > 1

    @property
    def settled(self) -> bool:
        """Whether a paragraph may follow that is no part of the last line: neither a heading nor broken off."""
        if _LABEL.fullmatch(self._last):
            return False
        return self._blank or self._last[-1:] in tuple(".!؟?*)]") or _kind(self._last) is not None

    def _take(self, line: str) -> None:
        if not line.strip():
            self._blank = True
            return
        self._add(line, self._counts)
        self.hashed = self.hashed or line.startswith("#")
        self._last = line.strip()
        self._blank = False
        self._sentences += _sentences_in(line)

    def _add(self, line: str, counts: list[int]) -> None:
        if (kind := _kind(line)) is not None:
            counts[kind] += 1
        counts[_PARAGRAPH] += self._blank

    @staticmethod
    def _choose(counts: Sequence[int], sentences: int) -> int:
        return next((count for count in counts if count > 1), (sentences + 1) // 2)


def _sentences_in(line: str) -> int:
    ends = list(_SENTENCE.finditer(line))
    return len(ends) + bool(line[ends[-1].end() if ends else 0 :].strip())


def steps(reasoning: str) -> tuple[str, ...]:
    """The steps of `reasoning`, each stripped, in order; empty for an empty text."""
    counts = [0] * _PARAGRAPH
    lines = reasoning.split("\n")
    kinds = [_kind(line) if line.strip() else None for line in lines]
    for kind in kinds:
        if kind is not None:
            counts[kind] += 1
    chosen = next((kind for kind, count in enumerate(counts) if count > 1), None)
    if chosen is not None:
        return _cut(lines, [kind == chosen for kind in kinds])
    blank_before = [not before.strip() for before in ["", *lines]][: len(lines)]
    starts = [bool(line.strip()) and blank for line, blank in zip(lines, blank_before, strict=True)]
    if sum(starts) > 1:
        return _cut(lines, starts)
    return _by_sentences(reasoning)


def introduction(reasoning: str, numbered: Sequence[str]) -> str:
    """What stands before the first of the steps `numbered`: shown, but no step and so without a number.

    Steps reach to the end and differ from it in white space alone, so their letters are counted back from there.
    """
    left = sum(not letter.isspace() for step in numbered for letter in step)
    place = len(reasoning)
    while left and place:
        place -= 1
        left -= not reasoning[place].isspace()
    return reasoning[:place].strip()


def _cut(lines: list[str], starts: list[bool]) -> tuple[str, ...]:
    """The lines joined to pieces that begin where `starts` says; what comes before the first is left out."""
    pieces: list[list[str]] = []
    for line, begins in zip(lines, starts, strict=True):
        if begins:
            pieces.append([line])
        elif pieces:
            pieces[-1].append(line)
    return tuple("\n".join(piece).strip() for piece in pieces)


def _by_sentences(text: str) -> tuple[str, ...]:
    sentences: list[str] = []
    for line in text.split("\n"):
        start = 0
        for end in [match.end() for match in _SENTENCE.finditer(line)] + [len(line)]:
            if sentence := line[start:end].strip():
                sentences.append(sentence)
            start = end
    return tuple(" ".join(sentences[at : at + 2]) for at in range(0, len(sentences), 2))
