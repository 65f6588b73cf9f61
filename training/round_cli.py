"""The doors `python -m training round | push`: from verdicts to an adapter the page offers, and to the Hub.

    python -m annotation export --to pairs --out build/pairs.jsonl
    python -m training round --verdicts build/pairs.jsonl --from r --out models/rounds/r2
    python -m training push models/rounds/r2 --to owner/gaokerena-r2

Exit status of `round`: 0 published, 3 refused because it is worse (what was measured stays in the work folder), 2 an
error, a failed audit among them. Of `push`: 0, 1 when the folder is not fit to be sent, 2 an error.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from training.run_cli import Country, Currency, Price, rates_of

REFUSED = 3


def round_(
    verdicts: Annotated[Path, typer.Option(help="the pairs.jsonl of `python -m annotation export --to pairs`")],
    out: Annotated[Path, typer.Option(help="folder of the new adapter; its name is the model's")],
    start: Annotated[str, typer.Option("--from", help="v, r, the folder of an earlier round, a Hub repository")] = "r",
    preset: Annotated[Literal["mini", "gaokerena"], typer.Option(help="whose base and adapters")] = "mini",
    base: Annotated[str | None, typer.Option(help="instead of the preset's base")] = None,
    recipe: Annotated[Path | None, typer.Option(help="default: training/recipes/PRESET/round.yaml")] = None,
    work: Annotated[Path | None, typer.Option(help="where stages keep their files; default runs/rounds/NAME")] = None,
    also: Annotated[list[Path] | None, typer.Option(help="built pairs of other sources, to mix in")] = None,
    share: Annotated[float | None, typer.Option(help="with --also: the doctors' part", min=0.01, max=1.0)] = None,
    held_out: Annotated[float, typer.Option(help="share of the questions to judge by", min=0.05, max=0.5)] = 0.25,
    doctors: Annotated[Path | None, typer.Option(help="doctors.json, for label_smoothing: from_report")] = None,
    scorer: Annotated[str | None, typer.Option(help="module:function (question, answer) -> 0 to 1")] = None,
    override_audit: Annotated[
        str | None, typer.Option(help="train on pairs the shortcut audit refused, for this reason")
    ] = None,
    prompting: Annotated[
        Literal["straight", "cot"] | None, typer.Option(help="how --from is asked, where its lineage does not say")
    ] = None,
    balance_people: Annotated[
        bool, typer.Option("--balance-people", help="leave verdicts out until no single surface cue tells who won")
    ] = False,
    draws: Annotated[int, typer.Option(help="answers to each safety item", min=1)] = 3,
    suite_questions: Annotated[int, typer.Option(help="questions of each suite", min=1)] = 100,
    seed: Annotated[int, typer.Option()] = 1,
    price_per_hour: Price = None,
    currency: Currency = "USD",
    country: Country = None,
    as_json: Annotated[bool, typer.Option("--json", help="the outcome as JSON")] = False,
) -> None:
    """A new R from doctors' verdicts: python -m training round --verdicts pairs.jsonl --from r --out models/rounds/r2

    Suites are measured, and kept out of the pairs, where GAOKERENA_DATA names their folder.
    """
    from training.round import run, told_of
    from training.round_card import comparisons
    from training.round_plan import Round

    data = os.environ.get("GAOKERENA_DATA")
    asked = Round(
        verdicts, start, out, work, recipe, preset, base, tuple(also or ()), share, held_out,
        Path(data) if data else None, doctors, scorer, override_audit, prompting, draws, suite_questions, seed,
        balance_people,
    )  # fmt: skip
    outcome = run(asked, rates_of(price_per_hour, currency, country))
    if as_json:
        place = str(outcome.place) if outcome.place else None
        typer.echo(json.dumps({"published": place, "reasons": outcome.reasons, **outcome.evaluation}))
    else:
        for what, told in comparisons(outcome.evaluation).items():
            typer.echo(f"{what}: {told_of(dict(told))}")
        typer.echo(_end(outcome.place, outcome.figures))
    for reason in outcome.reasons:
        typer.echo(f"refused: {reason}", err=True)
    raise typer.Exit(REFUSED if outcome.reasons else 0)


def _end(place: Path | None, figures: Path) -> str:
    """Where it is, and what comes next."""
    if place is None:
        return f"not published; all figures: {figures}"
    page = (
        "a page on its base offers it"
        if _looked_into(place)
        else f"GAOKERENA_ROUNDS={place.parent} lets a page offer it"
    )
    return f"published: {place}; read its README.md; {page}; `python -m training push {place} --to OWNER/NAME` sends it"


def _looked_into(place: Path) -> bool:
    """Whether the page, as it is set up here, looks into the folder above `place`."""
    from gaokerena.settings import SettingsError, load_settings

    try:
        rounds = load_settings().rounds
    except SettingsError:  # the page's own trouble, and no reason to end a round with an error
        return False
    return rounds is not None and rounds.resolve() == place.resolve().parent


def push(
    folder: Annotated[Path, typer.Argument(help="an adapter with its card and lineage")],
    to: Annotated[str, typer.Option(help="the repository, owner/name")],
    really: Annotated[bool, typer.Option("--really", help="send it; without this nothing leaves the machine")] = False,
    public: Annotated[bool, typer.Option("--public", help="a new repository is public; else private")] = False,
    base_model: Annotated[str | None, typer.Option(help="the base's repository, for the card")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="files and problems as JSON")] = False,
) -> None:
    """Send an adapter to the Hub; a look unless --really: python -m training push models/rounds/r2 --to owner/r2"""
    from training.push import look, send

    parcel = look(folder, to, base_model)
    if as_json:
        typer.echo(json.dumps({"to": to, "files": parcel.sizes, "problems": parcel.problems}, ensure_ascii=False))
    else:
        for name, size in parcel.sizes.items():
            typer.echo(f"{size:>12,}  {name}")
        typer.echo(f"{sum(parcel.sizes.values()):>12,}  {len(parcel.sizes)} files to {to}")
    for problem in parcel.problems:
        typer.echo(f"problem: {problem}", err=True)
    if parcel.problems:
        raise typer.Exit(1)
    if really:
        typer.echo(send(parcel, public=public))
    else:
        typer.echo("nothing was sent; give --really to send it", err=True)
