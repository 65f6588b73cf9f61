"""The doors `python -m training run | score | curves | ledger`: single recipes, and what they leave.

python -m training run training/recipes/mini/r_dpo.yaml --base models/mini/base --data pairs.jsonl --out runs/r1
accelerate launch --config_file training/recipes/accelerate/ddp.yaml -m training run RECIPE.yaml --out runs/r1
python -m training score runs/reward/adapter runs/eval --base models/mini/base
python -m training curves runs/raw runs/repaired --out curves.svg
python -m training ledger runs
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.errors import TrainingError

if TYPE_CHECKING:
    from training.ledger import Rates

Name = Annotated[str | None, typer.Option(help="instead of the recipe's: a folder or a Hub repository")]
Rows = Annotated[Path | None, typer.Option(help="instead of the recipe's")]
Price = Annotated[float | None, typer.Option(envvar="TRAINING_PRICE_PER_HOUR", help="of this machine", min=0)]
Currency = Annotated[str, typer.Option(envvar="TRAINING_CURRENCY")]
Country = Annotated[
    str | None, typer.Option(envvar="TRAINING_COUNTRY", help="three-letter code, for the CO2 of its electricity")
]


def rates_of(price_per_hour: float | None, currency: str, country: str | None) -> Rates:
    """What an hour of this machine costs. Raises TrainingError for a country nobody knows the electricity of."""
    from training.energy import check_country
    from training.ledger import Rates

    check_country(country)
    return Rates(price_per_hour, currency, country)


def run(
    recipe: Annotated[Path, typer.Argument(help="a YAML file of kind sft, dpo or reward")],
    out: Annotated[Path, typer.Option(help="the run's folder: checkpoints, adapter, log, curves, ledger, manifest")],
    data: Rows = None,
    held_out: Annotated[Path | None, typer.Option(help="rows to evaluate on while training")] = None,
    base: Name = None,
    start_from: Annotated[str | None, typer.Option(help="an adapter that policy and reference start from")] = None,
    doctors: Annotated[Path | None, typer.Option(help="doctors.json, for label_smoothing: from_report")] = None,
    override_audit: Annotated[
        str | None,
        typer.Option(
            help="train on pairs that failed their audit, or that no suite was compared with, for this reason"
        ),
    ] = None,
    price_per_hour: Price = None,
    currency: Currency = "USD",
    country: Country = None,
) -> None:
    """Run one recipe, or go on after a kill: python -m training run RECIPE.yaml --out runs/r1 --data pairs.jsonl"""
    from training import run as runs
    from training.recipe import DpoRecipe, RewardRecipe, SftRecipe, load

    loaded = load(recipe)
    if not isinstance(loaded, SftRecipe | DpoRecipe | RewardRecipe):
        raise TrainingError(
            f"{recipe} is of kind {loaded.kind}; this command runs sft, dpo and reward, `mini` runs the others"
        )
    rates = rates_of(price_per_hour, currency, country)
    paths = {"data": data, "held_out": held_out, "doctors": doctors}
    changed = runs.with_changes(
        loaded, base=base, start_from=start_from, **{name: str(path) for name, path in paths.items() if path}
    )
    runs.run(changed, out, runs.Options(override_audit, rates))


def score(
    model: Annotated[Path, typer.Argument(help="a reward model's adapter folder")],
    answers: Annotated[Path, typer.Argument(help="a live run's folder, or a file of recorded answers")],
    base: Annotated[str, typer.Option(help="the base it was trained on")],
    out: Annotated[
        Path | None, typer.Option(help="folder of the verifier's files; default: reward beside them")
    ] = None,
    of: Annotated[str | None, typer.Option(help="whose answers; default: everybody's")] = None,
    at_once: Annotated[int, typer.Option(help="answers scored together", min=1)] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="the counts as JSON")] = False,
) -> None:
    """Settle what five answers leave open by a reward model's score.

    python -m training score runs/reward/adapter runs/eval --base models/mini/base

    Count it with: python -m gaokerena evaluate transcripts ANSWERS --choices extracted --verifier FILE
    """
    from training import reward_model
    from training import score as scoring

    found = scoring.answers_in(answers, of)
    scorer = reward_model.load(model, base)
    folder = out or (answers if answers.is_dir() else answers.parent) / "reward"
    told = []
    for sampled in found:
        rows = scoring.verified(sampled, lambda chats: scorer.score(chats, at_once), str(model), scorer.revision)
        path = folder / f"{sampled.stem}.jsonl"
        scoring.write(path, rows)
        told.append({"file": str(path), **scoring.counts(rows)})
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for row in told:
            typer.echo(", ".join(f"{name} {value}" for name, value in row.items()))


def curves(
    runs: Annotated[list[Path], typer.Argument(help="folders with a log.json")],
    out: Annotated[Path, typer.Option(help="the SVG to write")],
    title: Annotated[str, typer.Option()] = "Training",
) -> None:
    """Draw several runs' logs into the same panels: python -m training curves runs/raw runs/repaired --out c.svg"""
    from training.plots import compare

    compare(runs, out, title)


def ledger(
    runs: Annotated[list[Path] | None, typer.Argument(help="runs' folders, or folders above them")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table")] = False,
) -> None:
    """What runs cost, beside what the papers say: python -m training ledger runs"""
    from training.ledger_table import as_table, books, rows

    places = runs if runs else [path for path in [Path("runs")] if path.exists()]
    made = rows(books(places))
    typer.echo(json.dumps(made, ensure_ascii=False, indent=2) if as_json else as_table(made), nl=as_json)
