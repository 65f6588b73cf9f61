"""What a build is asked for, and what becomes of the pairs: each that came in is kept or counted under a reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from training.audit_gate import LIMIT
from training.pair_rows import PairRow, Source

ORDER: tuple[Source, ...] = ("expert", "teacher_correction", "self_correction", "public", "judge")
"""Better sources first: a doctor's verdict, a key with a teacher, a key alone, the public, a model's opinion."""
PEOPLE: tuple[Source, ...] = ("expert", "public")
"""Sources whose preference is a person's."""


class Options(BaseModel):
    """What to build from and how; all of it stands in the manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[str, ...] = ()
    published: bool = False
    parts: tuple[int, int] = (1, 22)
    """Of the published pairs, the first and last part taken; 1 to 20 were trained on."""
    as_is: bool = False
    """Nothing repaired, dropped or held out: to audit pairs as they came."""
    balance: bool = True
    """Leave out pairs that models made until no single cue is above the limit."""
    balance_people: bool = False
    """The same of people's pairs (`PEOPLE`): it leaves out what they said, so only when asked."""
    prompting: Literal["as-is", "straight", "cot"] = "as-is"
    """The prompt that every pair of ours is asked with; an export carries its winner's, which gives the winner away."""
    hands: Literal["one", "two"] = "one"
    held_out_per_mille: int = Field(default=20, ge=0, le=500)
    trained_before: tuple[str, ...] = ()
    """Ids of questions that are never held out: the model that is continued has learned from them."""
    suites: bool = True
    """Leave out what shares a run of words with a suite of the data folder."""
    limit: float = Field(default=LIMIT, ge=0.5, lt=1)
    seed: int = 13

    @model_validator(mode="after")
    def _one_of_two(self) -> Options:
        if self.as_is and self.prompting != "as-is":
            raise ValueError("as_is changes nothing, prompting changes the prompts; give one of them")
        return self


@dataclass
class Built:
    """The two sets, and what every step changed and cost."""

    train: list[PairRow] = field(default_factory=list)
    held_out: list[PairRow] = field(default_factory=list)
    came: Counter[str] = field(default_factory=Counter)
    """By source."""
    dropped: Counter[str] = field(default_factory=Counter)
    """By "source: reason"."""
    changed: Counter[str] = field(default_factory=Counter)
    """By "source: repair": pairs whose text a repair changed."""
    other_wording: Counter[str] = field(default_factory=Counter)
    """By source: pairs that could not be asked with the prompt that was wanted, since theirs is no wording of ours."""

    def drop(self, row: PairRow, reason: str) -> None:
        """Count a pair that does not go on."""
        self.dropped[f"{row.source}: {reason}"] += 1

    def take(self, row: PairRow) -> None:
        """Count a pair that came in."""
        self.came[row.source] += 1
        self.train.append(row)

    def check(self) -> None:
        """Raises AssertionError when a pair was lost uncounted."""
        out = len(self.train) + len(self.held_out) + self.dropped.total()
        if self.came.total() != out:
            raise AssertionError(f"{self.came.total()} pairs came in, {out} are accounted for; please report this")
