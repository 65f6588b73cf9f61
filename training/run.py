"""One recipe from its file to its adapter: checked, run or gone on with, counted and drawn.

    run(load(Path("recipe.yaml")), Path("runs/r1"), Options(override_audit=None, rates=Rates()))

The run's folder holds checkpoints, adapter, log.json, curves.svg, ledger.json and, last, manifest.json. The same call
after a kill goes on from the last whole checkpoint; a finished run is not run again. Pairs must have passed their
shortcut audit and have been compared with the suites (`audit_gate`). Under accelerate's launcher every process comes
here and the main one writes.

Not covered: the stages of the mini pair (`mini`), the circle (`round`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from training import clock, ledger, plots
from training.code import code_hash
from training.errors import TrainingError
from training.manifest import Manifest, begin, file_hash, fingerprint, finished, read_json, read_jsonl
from training.ranks import main_process
from training.recipe import PATHS, DpoRecipe, RewardRecipe, SftRecipe, TrainedRecipe

log = logging.getLogger("training")


@dataclass(frozen=True)
class Options:
    """What is said on the command line rather than in the recipe: it changes no weight."""

    override_audit: str | None = None
    rates: ledger.Rates = field(default_factory=ledger.Rates)
    uncompared: Literal["refused", "told"] = "refused"
    """Whether pairs that were never compared with the suites are refused, or it is only told in the manifest."""


MINI = "runs/mini"
"""Where `stage:` in a recipe of the mini pair points to when it is run alone."""


def with_changes(recipe: Any, **changes: str | None) -> Any:
    """The recipe with what the command line says instead of it; its `override_audit` is about its own data alone.

    Raises TrainingError for what its kind has not.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    known = type(recipe).model_fields
    if unknown := [name for name in given if name not in known or known[name].annotation is type(None)]:
        raise TrainingError(f"a recipe of kind {recipe.kind} has no {unknown[0]}")
    named = {name: value for name in PATHS if isinstance(value := getattr(recipe, name, None), str)}
    if given.get("doctors") and recipe.label_smoothing != "from_report":
        raise TrainingError(
            f"--doctors {given['doctors']} would not be read: the recipe's label_smoothing is "
            f"{recipe.label_smoothing}; write `label_smoothing: from_report` there, with a loss that reads it "
            f"(loss_type: [robust]), or leave --doctors out"
        )
    stages = {name: value.replace("stage:", f"{MINI}/") for name, value in named.items()}
    foreign: dict[str, Any] = {"override_audit": None} if "data" in given and "override_audit" in known else {}
    return recipe.model_copy(update=stages | given | foreign)


def run(recipe: TrainedRecipe, out: Path, options: Options) -> bool:
    """Run `recipe` in `out`; False when it was finished earlier. Raises TrainingError for what a person can mend."""
    from training import fit

    files = _files(recipe)
    weights = [fit.pinned(name) for name in (recipe.base, recipe.start_from) if name]
    _fitting(recipe, weights[0])
    _apart(files)
    if out.exists() and not out.is_dir():
        raise TrainingError(f"--out {out} is a file; a run needs a folder of its own")
    audited = _audit(recipe, options)
    hashes = {name: file_hash(path) for name, path in files.items()}
    mark = fingerprint(recipe.model_dump(), weights, hashes, code_hash(f"training.{recipe.kind}"))
    if finished(out, mark):
        log.info("%s: finished earlier, nothing to do", out)
        return False
    manifest = Manifest(recipe.kind, recipe.seed, mark, recipe=recipe.model_dump(mode="json"))
    manifest.extra |= {"hashes": hashes, "weights": weights} | ({"audit": audited} if audited else {})
    if not main_process():
        _train(recipe, out, manifest)
        return True
    out.mkdir(parents=True, exist_ok=True)
    begin(out, mark)
    with clock.running(out, manifest), ledger.keeping(out, manifest, options.rates):
        _train(recipe, out, manifest)
    plots.write(out)
    manifest.write(out)
    log.info("%s: finished; the adapter is in %s", out, out / "adapter")
    return True


def _files(recipe: TrainedRecipe) -> dict[str, Path]:
    """The files the recipe reads. Raises TrainingError for one that is not there."""
    named = {
        "data": (recipe.data, "data", "give the file with --data"),
        "held_out": (recipe.held_out, "held-out rows", "give it with --held-out, or take it out of the recipe"),
        "doctors": (
            recipe.doctors if isinstance(recipe, DpoRecipe) else None, "doctors' report",
            "`python -m annotation report` writes doctors.json; give it with --doctors",
        ),
    }  # fmt: skip
    found = {}
    for name, (value, what, remedy) in named.items():
        if value and not Path(value).is_file():
            raise TrainingError(f"no {what} at {value}; {remedy}")
        if value:
            found[name] = Path(value)
    return found


def _fitting(recipe: TrainedRecipe, base_weights: str) -> None:
    """Raises TrainingError for a folder that is no base, or no adapter, or an adapter of another base."""
    if Path(recipe.base).is_dir() and not (Path(recipe.base) / "config.json").exists():
        raise TrainingError(f"{recipe.base} is no base model: no config.json there; give one with --base")
    start = Path(recipe.start_from or "")
    if not recipe.start_from or not start.is_dir():
        return
    if not (start / "adapter_config.json").exists():
        raise TrainingError(f"{start} is no adapter: no adapter_config.json there; give one with --start-from")
    lineage = start / "lineage.json"
    made_on = read_json(lineage).get("base_weights") if lineage.exists() else None
    if made_on not in (None, base_weights):
        raise TrainingError(
            f"{start} is an adapter of the base {made_on}, {recipe.base} holds {base_weights}; give its own with --base"
        )


def _apart(files: dict[str, Path]) -> None:
    """Raises TrainingError for held-out rows that are trained on too: they would flatter, and stop nothing early."""
    if "held_out" not in files:
        return
    trained, away = ([_said(row) for row in read_jsonl(files[name])] for name in ("data", "held_out"))
    if again := set(trained) & set(away):
        raise TrainingError(
            f"{sum(row in again for row in away)} of {len(away)} rows of {files['held_out']} are trained on too "
            f"({files['data']}); hold out others with --held-out"
        )


def _said(row: dict[str, Any]) -> str:
    """What a row teaches, without ids and weights."""
    return fingerprint({name: row.get(name) for name in ("text", "prompt", "completion", "chosen", "rejected")})


def _audit(recipe: TrainedRecipe, options: Options) -> dict[str, Any] | None:
    """What the gate says of the pairs; None for what is no preference."""
    if not isinstance(recipe, DpoRecipe | RewardRecipe):
        return None
    from training.audit_gate import check

    return check(Path(recipe.data), options.override_audit or recipe.override_audit, uncompared=options.uncompared)


def _train(recipe: TrainedRecipe, out: Path, manifest: Manifest) -> None:
    data, away = Path(recipe.data), Path(recipe.held_out) if recipe.held_out else None
    if isinstance(recipe, SftRecipe):
        from training import sft

        sft.train(recipe, data, out, manifest, away)
    elif isinstance(recipe, DpoRecipe):
        from training import dpo

        dpo.train(recipe, data, away, out, manifest)
    else:
        from training import reward

        reward.train(recipe, data, away, out, manifest)
