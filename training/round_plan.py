"""What one round is asked for, and what follows from it: base, adapters, prompting, folders.

    plan = Round(verdicts=Path("pairs.jsonl"), start="r", out=Path("models/rounds/r2")).settled()
    plan.base, plan.start_from, plan.continues, plan.prompting

`start` is a model of the preset (v, r), the folder of an earlier round, or a Hub repository; of both the lineage is
read: how the model is asked, and the rounds behind it.

Not covered: running it (`round`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gaokerena.engines.base import Sampling
from gaokerena.presets import PLANS
from gaokerena.questions import Prompting
from training.errors import TrainingError
from training.recipe import FOLDER, DpoRecipe, load
from training.round_ancestors import NAME, Ancestor, ancestors, lineage_of


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
    prompting: Prompting | None = None
    """How `start` is asked, where nothing else says it."""
    draws: int = 3
    suite_questions: int = 100
    seed: int = 1
    balance_people: bool = False
    """Leave verdicts out until no single cue is above the audit's limit."""

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
        known = published.get(start_from)
        lineage = {} if known and not Path(start_from).is_dir() else lineage_of(start_from)
        prompting = prompting_of(start_from, known, lineage, self.prompting)
        line = ancestors(start_from, lineage)
        if name in [one.name for one in line]:
            raise TrainingError(f"--out {self.out}: {name} is a round before this one; choose another name")
        return Plan(
            name=name,
            base=self.base or plan.base,
            start_from=start_from,
            continues=self.start if self.start in plan.adapters else Path(self.start).name,
            prompting=prompting,
            sampling=plan.samplings[prompting],
            work=self.work or Path("runs/rounds") / name,
            recipe=recipe,
            ancestors=tuple(line),
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
    ancestors: tuple[Ancestor, ...] = ()
    """The rounds behind `start_from`, the newest first."""


def prompting_of(source: str, known: str | None, lineage: Mapping[str, Any], given: Prompting | None) -> Prompting:
    """How the adapter at `source` is asked: as its round says, as V and R are (`known`), as its stage is, or as given.

    Raises TrainingError where nobody says, and where `given` contradicts what is known.
    """
    told = lineage.get("round", {}).get("prompting") or {"v": "straight", "r": "cot"}.get(known or "")
    if told and given not in (None, told):
        raise TrainingError(f"--prompting {given}: {source} is asked {told}; leave the option out")
    recipe = lineage.get("recipe", {})
    of_its_stage = {"sft": "straight"} | ({"dpo": "cot"} if lineage.get("starts_from") is None else {})
    if (found := told or given or of_its_stage.get(recipe.get("kind"))) is None:
        raise TrainingError(
            f"nothing says how {source} is asked: give --prompting straight (as V) or --prompting cot (with a chain of "
            "thought, as R)"
        )
    return "cot" if found == "cot" else "straight"


def missing(paths: Sequence[tuple[Path, str]]) -> None:
    """Raises TrainingError for the first of (path, what to do) that is no file."""
    for path, remedy in paths:
        if not path.is_file():
            raise TrainingError(f"no file at {path}; {remedy}")
