"""Why a comparison is worth a doctor's time: the reasons a source cannot know by itself.

    candidates = [reasoned(candidate, scores) for candidate in found.candidates]
    scores = read_scores(Path("scores.jsonl"))         # {"id": "pair-7", "probability": 0.52}

`disagreement`: the two answers choose different letters (1). `red_flag`: the question names a danger (0.5; 1 where an
answer sends nobody to urgent care). `uncertain`: the current reward gives the first answer a probability between 0.3
and 0.7 of being the better one; 1 at 0.5. `inconsistent` and `contested` come from the sources.

Not covered: whether a reason is right; it only decides who is asked first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from annotation.candidates import Candidate
from annotation.sources_candidates import SourceError
from gaokerena.rows import written
from gaokerena.safety import lacks_urgent_referral, red_flags

UNCERTAIN = 0.2
"""How far from one half a probability may be and still count."""


class Score(BaseModel):
    """What the current reward says of a pair, a comparison or an item."""

    model_config = ConfigDict(extra="ignore", strict=True)

    id: str = Field(min_length=1)
    probability: float = Field(ge=0, le=1)


def reasoned(candidate: Candidate, scores: Mapping[str, float]) -> Candidate:
    """The candidate with the reasons that its own content and the scores give."""
    letters = {shown.choice for shown in candidate.shown}
    flags = red_flags(candidate.question.text)
    silent = any(lacks_urgent_referral(flags, shown.text) for shown in candidate.shown)
    names = (candidate.pair_id, candidate.comparison_id)
    probability = next((scores[name] for name in names if name and name in scores), None)
    return replace(candidate, red_flags=tuple(flag.kind for flag in flags)).because(
        disagreement=1.0 if len(letters) == 2 and None not in letters else 0.0,
        red_flag=0.0 if not flags else 1.0 if silent else 0.5,
        uncertain=0.0 if probability is None else uncertainty(probability),
    )


def uncertainty(probability: float) -> float:
    """1 at one half, falling to 0 at `UNCERTAIN` from it."""
    return max(0.0, 1 - abs(probability - 0.5) / UNCERTAIN)


def read_scores(path: Path) -> dict[str, float]:
    """Probabilities by the id of a pair or a comparison. Raises SourceError."""
    return {row.id: row.probability for _, row in written(path, Score, _wrong)}


def _wrong(place: str, told: str) -> SourceError:
    return SourceError(f'{place}: {told}; give scores as JSON lines, {{"id": "…", "probability": 0.5}}')
