"""What one round is asked for, and what follows from it: base, adapters, prompting, folders.

    plan = Round(verdicts=Path("pairs.jsonl"), start="r", out=Path("models/rounds/r2")).settled()
    plan.base, plan.start_from, plan.continues, plan.prompting

`start` is a model of the preset (v, r), the folder of an earlier round, or a Hub repository.

Not covered: running it (`round`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gaokerena.engines.base import Sampling
from gaokerena.presets import PLANS
from gaokerena.questions import Prompting
from training.errors import TrainingError
from training.manifest import read_json
from training.recipe import FOLDER, DpoRecipe, load

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
"""What a model may be called: the name of the folder it is published in."""


@dataclass(frozen=True)
class Round:
    """One round as it is asked for; see `python -m training round --help`."""

    verdicts: Path
    start: str
    out: Path
    work: Path | None = None
    recipe: Path | None = None
    preset: Literal["mini", "gaokerena"] = "mini"
    base: str | None = None
    also: tuple[Path, ...] = ()
    """Built pairs of other sources to mix in."""
    share: float | None = None
    """With `also`: the doctors' part of the mix."""
    held_out: float = 0.25
    """Share of the questions held out to judge the new adapter by."""
    data: Path | None = None
    """The folder with the suites: they are left out of the pairs, and measured."""
    doctors: Path | None = None
    """The doctors.json of `python -m annotation report`, for a recipe whose label_smoothing is from_report."""
    scorer: str | None = None
    """`module:function` from (question, answer) to a share."""
    override_audit: str | None = None
    draws: int = 3
    suite_questions: int = 100
    seed: int = 1

    def settled(self) -> Plan:
        """What follows. Raises TrainingError for a name, an adapter or a recipe that cannot be used."""
        name, plan = self.out.name, PLANS[self.preset]
        if not NAME.fullmatch(name) or name in (*plan.adapters, "base"):
            raise TrainingError(
                f"--out {self.out}: {name!r} cannot be the new model's name; use small Latin letters, digits and '-', "
                f"and none of {', '.join(plan.adapters)}, base"
            )
        start_from = plan.adapters.get(self.start, self.start)
        recipe = load(self.recipe or FOLDER / self.preset / "round.yaml")
        if not isinstance(recipe, DpoRecipe):
            raise TrainingError(f"{self.recipe} is of kind {recipe.kind}; a round needs a recipe of kind dpo")
        published = {source: name for preset in PLANS.values() for name, source in preset.adapters.items()}
        prompting = prompting_of(published.get(start_from, self.start), start_from)
        return Plan(
            name=name,
            base=self.base or plan.base,
            start_from=start_from,
            continues=self.start if self.start in plan.adapters else Path(self.start).name,
            prompting=prompting,
            sampling=plan.samplings[prompting],
            work=self.work or Path("runs/rounds") / name,
            recipe=recipe,
        )


@dataclass(frozen=True)
class Plan:
    """A round with everything looked up."""

    name: str
    base: str
    start_from: str
    continues: str
    prompting: Prompting
    sampling: Sampling
    work: Path
    recipe: DpoRecipe


def prompting_of(start: str, folder: str) -> Prompting:
    """How the model that is continued is asked: V straight, R and what was made by DPO with a chain of thought."""
    told: dict[str, Any] = {}
    if (path := Path(folder) / "lineage.json").exists():
        told = read_json(path)
    if said := told.get("round", {}).get("prompting"):
        return "cot" if said == "cot" else "straight"
    straight = start == "v" or told.get("recipe", {}).get("kind") == "sft"
    return "straight" if straight else "cot"


def missing(paths: Sequence[tuple[Path, str]]) -> None:
    """Raises TrainingError for the first of (path, what to do) that is no file."""
    for path, remedy in paths:
        if not path.is_file():
            raise TrainingError(f"no file at {path}; {remedy}")
