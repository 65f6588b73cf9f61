"""The order in which comparisons are sent: every reason and every subject gets its share, none starves the others.

    for pick in ordered(candidates, seed=1):
        pick.candidate, pick.reasons          # ("contested", "red_flag"): the reason it was picked for comes first

Reasons take turns in proportion to `SHARES`; a reason whose candidates have run out leaves its turns to the others.
Within a reason subjects take turns; within a subject the strongest come first, ties in a seeded order that depends on
content alone. `random` takes any candidate the others have not taken yet. Each candidate comes once. The order is lazy,
and the first N are the same whatever N is.

Not covered: gold items and duplicates (`mixing`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from annotation.candidates import REASONS, Candidate, Reason

SHARES: Mapping[Reason, float] = {
    "disagreement": 0.25,
    "inconsistent": 0.15,
    "contested": 0.15,
    "red_flag": 0.15,
    "uncertain": 0.15,
    "random": 0.15,
}
"""Part of the queue that each reason gets while it has candidates."""


@dataclass(frozen=True)
class Pick:
    """A candidate and why it was picked: all its reasons, the one that brought it first."""

    candidate: Candidate
    reasons: tuple[Reason, ...]


def ordered(candidates: Sequence[Candidate], *, seed: int, shares: Mapping[Reason, float] = SHARES) -> Iterator[Pick]:
    """Every candidate once. The reason furthest behind its share of the picks so far has the next turn."""
    lines = {reason: _Line(candidates, reason, seed) for reason in REASONS if shares.get(reason, 0) > 0}
    turns = dict.fromkeys(lines, 0)
    taken: set[int] = set()
    while lines:
        reason = min(lines, key=lambda one: ((turns[one] + 1) / shares[one], REASONS.index(one)))
        number = lines[reason].next(taken)
        if number is None:
            del lines[reason]
            continue
        turns[reason] += 1
        taken.add(number)
        holding = [other for other in REASONS if other in candidates[number].reasons and other != reason]
        yield Pick(candidates[number], (reason, *holding))


class _Line:
    """The candidates of one reason, subject by subject."""

    def __init__(self, candidates: Sequence[Candidate], reason: Reason, seed: int) -> None:
        subjects: defaultdict[str, list[tuple[float, str, int]]] = defaultdict(list)
        for number, candidate in enumerate(candidates):
            strength = 1.0 if reason == "random" else candidate.reasons.get(reason, 0.0)
            if strength > 0:
                subjects[candidate.subject].append((-strength, _draw(seed, reason, candidate), number))
        self._subjects = deque(
            deque(number for _, _, number in sorted(subjects[name]))
            for name in sorted(subjects, key=lambda name: _hash(f"{seed}:{reason}:{name}"))
        )

    def next(self, taken: set[int]) -> int | None:
        """The next one not taken, from the subject whose turn it is; None when all are."""
        while self._subjects:
            line = self._subjects.popleft()
            while line and line[0] in taken:
                line.popleft()
            if line:
                self._subjects.append(line)
                return line.popleft()
        return None


def _draw(seed: int, reason: str, candidate: Candidate) -> str:
    """A place among equals that follows from the seed and the content, not from where a source had it."""
    shown = "\x1e".join(f"{one.model}\x1f{one.text}" for one in candidate.shown)
    return _hash(f"{seed}\x1e{reason}\x1e{candidate.question.text}\x1e{shown}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
