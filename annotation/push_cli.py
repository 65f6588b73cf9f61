"""The command `push`: comparisons to the doctors' workspace.

    python -m annotation push --to annotation-home --dataset first --store runs/votes.sqlite3 --count 200
    python -m annotation push --to https://argilla.example.org --dataset first --transcripts transcripts.parquet \\
        --a gaokerena-v1.0:straight --b gaokerena-r1.0:cot --count 500 --gold gold.jsonl

Exit status: 0 done, 2 it could not (the text on standard error says what to do; the same command goes on). The key of
an Argilla named by its URL comes from ARGILLA_API_KEY.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotation.door import AsJson, Folder, To, Workspace, errors

if TYPE_CHECKING:
    from annotation.push import Summary, Target, Wanted

OF_SUITES = (
    "verdicts on questions of the suites are reported, but no model learns from them: `training pairs build` and "
    "a round leave them out; for training push --store or --candidates"
)


def push(
    dataset: Annotated[str, typer.Option(help="name of the dataset; made when missing")],
    to: To = "annotation-home",
    workspace: Workspace = "doctors",
    store: Annotated[Path | None, typer.Option(help="the page's store (GAOKERENA_STORE_PATH)")] = None,
    transcripts: Annotated[Path | None, typer.Option(help="recorded answers: a file, a data folder, a run")] = None,
    a: Annotated[
        str, typer.Option("--a", help="a model of the transcripts, MODEL or MODEL:straight")
    ] = "gaokerena-v1.0",
    b: Annotated[str, typer.Option("--b", help="the other model, MODEL or MODEL:cot")] = "gaokerena-r1.0",
    candidates: Annotated[Path | None, typer.Option(help="pairs of training, JSON lines")] = None,
    gold: Annotated[Path | None, typer.Option(help="items whose grade is known, JSON lines")] = None,
    scores: Annotated[Path | None, typer.Option(help="the reward's probabilities by id, JSON lines")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="comparisons the dataset is to hold; all without it")] = None,
    duplicates: Annotated[float, typer.Option(min=0.0, max=0.5, help="swapped repeats a comparison")] = 0.05,
    gold_rate: Annotated[float, typer.Option(min=0.0, max=0.5, help="gold items a comparison")] = 0.05,
    overlap: Annotated[int, typer.Option(min=1, help="doctors who judge each record")] = 2,
    seed: Annotated[int, typer.Option(help="of the seats, the drawn runs and the order")] = 1,
    folder: Folder = Path("runs/annotation"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be sent; write and send nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Send comparisons to doctors: python -m annotation push --dataset first --store runs/votes.sqlite3 --count 200"""
    from annotation.mixing import Mixing
    from annotation.push import Target, Wanted
    from annotation.reasons import read_scores
    from annotation.sources import Sources

    with errors():
        if not (store or transcripts or candidates):
            raise ValueError("nothing to send: give --store, --transcripts or --candidates")
        sources = Sources(store, transcripts, (a, b), candidates, seed)
        mixing = Mixing(seed=seed, gold=gold_rate, duplicates=duplicates)
        wanted = Wanted(sources.gather, count, mixing, gold, read_scores(scores) if scores else {})
        target = Target(workspace, dataset)
        summary = _choose_only(folder, target, wanted) if dry_run else _send(to, target, wanted, folder, overlap)
        _report(summary, as_json, dry_run)
        if transcripts and not as_json:
            typer.echo(OF_SUITES, err=True)


def _send(to: str, target: Target, wanted: Wanted, folder: Path, overlap: int) -> Summary:
    from annotation.address import connect
    from annotation.page.fields import fields_of
    from annotation.page.settings import dataset_settings
    from annotation.push import Page
    from annotation.push import push as send

    with connect(to) as argilla:
        return send(argilla, target, wanted, folder, Page(dataset_settings(overlap=overlap), fields_of))


def _choose_only(folder: Path, target: Target, wanted: Wanted) -> Summary:
    """What a push would add to the plan; the folder is not even made."""
    from annotation.items import Ledger
    from annotation.plans import Plans
    from annotation.push import choose

    with tempfile.TemporaryDirectory() as nowhere:
        place = folder if (folder / "key").exists() else Path(nowhere)
        summary, _ = choose(Ledger(place), Plans(place), target, wanted)
        return summary


def _report(summary: Summary, as_json: bool, dry_run: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**vars(summary), "dry_run": dry_run}, ensure_ascii=False))
        return
    verb = "would add" if dry_run else "added"
    typer.echo(f"{verb} {summary.comparisons} comparisons, {summary.gold} gold, {summary.duplicates} duplicates")
    for title in ("reasons", "subjects", "refused", "taken"):
        counts = {name: count for name, count in getattr(summary, title).most_common() if count}
        if counts:
            typer.echo(f"  {title}: {', '.join(f'{name} {count}' for name, count in counts.items())}")
    if not dry_run:
        typer.echo(f"sent {summary.sent}; {summary.there_before} of {summary.planned} were there before")
