"""The mini pair from nothing: documents, tokenizer, base, V in two stages, R by DPO, and what is measured of them.

    GAOKERENA_DATA=... python -m training mini            # all of it, or go on where it stopped
    GAOKERENA_DATA=... python -m training mini --only base

Every stage reads files, writes files into its own folder under `--out` and leaves a ledger and a manifest; a stage
whose recipe, inputs and code have not changed is not run again. The mini pair shows how the system works; it knows no
medicine.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

from gaokerena.files import sync
from training import clock, sources
from training.code import code_hash
from training.errors import TrainingError
from training.ledger import Rates, keeping
from training.manifest import NAME, Manifest, begin, file_hash, fingerprint, finished, read_json
from training.recipe import FOLDER, load
from training.stages import STAGES

log = logging.getLogger("training")

RECIPES = FOLDER / "mini"


def inputs_of(stage: str, out: Path) -> dict[str, str]:
    """What the stage's result depends on besides its recipe, by name: data files, or what stages before were made of.

    Raises TrainingError when a stage before has not been run.
    """
    before = STAGES[stage].before
    if not before:
        return {path.name: file_hash(path) for path in sorted(sources.data_folder().glob("*.parquet"))}
    missing = [name for name in before if not (out / name / NAME).exists()]
    if missing:
        raise TrainingError(f"{stage} reads {missing[0]}, which has not been run in {out}; run it first, or all stages")
    return {name: str(read_json(out / name / NAME)["fingerprint"]) for name in before}


def mark(stage: str, recipe: Any, out: Path) -> str:
    """The fingerprint of a stage: its recipe, what it reads, and the code behind it."""
    made = STAGES[stage]
    code = code_hash(*made.modules, functions=(made.run, *made.functions))
    return fingerprint(stage, recipe.model_dump(), list(inputs_of(stage, out).values()), code)


def make(out: Path, only: str | None = None, recipes: Path = RECIPES, rates: Rates | None = None) -> None:
    """Run the stages in order, skipping what is finished; `only` runs one stage (its inputs must be there).

    Raises TrainingError for an unknown stage or a stage whose inputs are missing.
    """
    if only is not None and only not in STAGES:
        raise TrainingError(f"no stage {only!r}; there are {', '.join(STAGES)}")
    for stage in [only] if only else STAGES:
        recipe = load(recipes / f"{stage}.yaml")
        given = mark(stage, recipe, out)
        folder = out / stage
        folder.mkdir(parents=True, exist_ok=True)
        if finished(folder, given):
            log.info("%s: finished earlier, nothing to do", stage)
            continue
        begin(folder, given)
        log.info("%s: running", stage)
        manifest = Manifest(stage, recipe.seed, given, recipe=recipe.model_dump(mode="json"))
        manifest.extra["hashes"] = inputs_of(stage, out)
        with clock.running(folder, manifest), keeping(folder, manifest, rates or Rates()):
            STAGES[stage].run(recipe, folder, manifest)
        manifest.write(folder)
        log.info("%s: %s", stage, manifest.counts_out)


PARTS = {"base": "base/model", "v": "v_instruct/adapter", "r": "r_dpo/adapter"}


def ship(out: Path, models: Path) -> None:
    """Copy what a run made to where the preset `mini` reads it: base, v and r, each without its checkpoints.

    All three are copied beside their places before the first is put there, so a full disk or a kill while copying
    leaves the old pair whole. A model's card (README.md) stays.
    """
    for source in PARTS.values():
        if not (out / source).is_dir():
            raise TrainingError(f"{out / source} is missing; run `python -m training mini` to the end first")
    models.mkdir(parents=True, exist_ok=True)
    for name, source in PARTS.items():
        _copy(out / source, models / name, models / f".{name}.new")
    for name in PARTS:
        _swap(models / f".{name}.new", models / name, models / f".{name}.old")
    sync(models)


def _copy(source: Path, now: Path, new: Path) -> None:
    """`source` and the card of what is there `now`, as `new`, flushed to the disk."""
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(source, new, ignore=shutil.ignore_patterns("README.md"))
    if (now / "README.md").exists():
        shutil.copy2(now / "README.md", new)
    for path in new.rglob("*"):
        sync(path)


def _swap(new: Path, place: Path, old: Path) -> None:
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)
