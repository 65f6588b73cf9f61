"""The door `python -m training`: the mini pair, single recipes and what they cost, measuring, model cards, GGUF.

    GAOKERENA_DATA=... python -m training mini
    python -m training run training/recipes/gaokerena/r_dpo.yaml --data pairs.jsonl --out runs/r1
    python -m training ledger runs
    python -m training pairs audit pairs.jsonl
    python -m training round --verdicts pairs.jsonl --from r --out models/rounds/r2
    GAOKERENA_DATA=... python -m training measure --out docs/mini.json
    python -m training report docs/mini.json > docs/mini.md
    python -m training cards

Errors go to standard error with exit status 2. Progress goes to standard error.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Literal

import typer

from training import pair_cli, rlaif_cli, round_cli, run_cli
from training.errors import TrainingError, is_full_disk

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, rich_markup_mode=None, pretty_exceptions_enable=False
)

MODELS = Path("models/mini")
RUN = Path("runs/mini")


@app.callback()
def _door() -> None:
    """Make V and R, at two sizes, by one command each."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for noisy in ("httpx", "httpx2"):  # a line a request
        logging.getLogger(noisy).setLevel(logging.WARNING)


@app.command()
def mini(
    out: Annotated[Path, typer.Option(help="where stages keep their files")] = RUN,
    only: Annotated[str | None, typer.Option(help="one stage instead of all")] = None,
    ship: Annotated[
        Path | None, typer.Option(help="copy the finished weights there, for example to models/mini")
    ] = None,
    price_per_hour: run_cli.Price = None,
    currency: run_cli.Currency = "USD",
    country: run_cli.Country = None,
) -> None:
    """Make the mini pair, or go on where it stopped: python -m training mini --ship models/mini"""
    from training import mini as stages

    stages.make(out, only, rates=run_cli.rates_of(price_per_hour, currency, country))
    if ship:
        stages.ship(out, ship)


for _command in (run_cli.run, run_cli.score, run_cli.curves, run_cli.ledger, rlaif_cli.rlaif):
    app.command()(_command)
app.add_typer(pair_cli.pairs, name="pairs")
app.command("round")(round_cli.round_)
app.command()(round_cli.push)


@app.command()
def measure(
    models: Annotated[Path, typer.Option(help="folder with base, v and r")] = MODELS,
    run_folder: Annotated[Path, typer.Option("--run", help="the mini run whose held-out files are used")] = RUN,
    count: Annotated[int, typer.Option(help="questions a suite, and free questions")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table")] = False,
    out: Annotated[Path | None, typer.Option(help="write the JSON there as well")] = None,
) -> None:
    """Measure the mini pair, with intervals: python -m training measure --out docs/mini.json"""
    from training.manifest import write_json
    from training.measure import measure as measured
    from training.report import as_text

    found = measured(models, run_folder, count)
    if out:
        write_json(out, found)
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2) if as_json else as_text(found), nl=as_json)


@app.command()
def report(
    figures: Annotated[Path, typer.Argument(help="what `measure --out` wrote")] = Path("docs/mini.json"),
) -> None:
    """Print the measured figures as Markdown: python -m training report docs/mini.json > docs/mini.md"""
    from training.report import as_text, read_figures

    typer.echo(as_text(read_figures(figures)), nl=False)


@app.command()
def cards(
    figures: Annotated[Path, typer.Option(help="what `measure --out` wrote")] = Path("docs/mini.json"),
    models: Annotated[Path, typer.Option(help="folder with base, v and r")] = MODELS,
    run_folder: Annotated[Path, typer.Option("--run", help="the mini run with the manifests")] = RUN,
) -> None:
    """Write the model cards from the measured figures: python -m training cards"""
    from training.cards import write_cards

    write_cards(figures, models, run_folder)


@app.command()
def gguf(
    folder: Annotated[Path, typer.Argument(help="a Cohere model's folder, or an adapter's with --base")],
    out: Annotated[Path, typer.Argument(help="the file to write")],
    base: Annotated[Path | None, typer.Option(help="the adapter's base model")] = None,
    dtype: Annotated[Literal["f32", "f16", "bf16"], typer.Option(help="how each number is kept")] = "f16",
) -> None:
    """Write a GGUF for llama.cpp: python -m training gguf models/mini/base mini.gguf"""
    from training.gguf import convert_adapter, convert_model

    if base:
        convert_adapter(folder, base, out)
    else:
        convert_model(folder, out, dtype)


def main() -> None:
    """Run the door; an expected error is one line."""
    try:
        app()
    except TrainingError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
    except Exception as error:
        if not is_full_disk(error):
            raise
        typer.echo(f"the disk is full ({error}); free some space and give the same command again, it goes on", err=True)
        raise SystemExit(2) from None
