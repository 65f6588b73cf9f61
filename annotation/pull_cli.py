"""The commands for what comes back: fetch verdicts, report on them, send disputes on, make pairs.

    python -m annotation pull --from annotation-home --dataset first
    python -m annotation report --out build/doctors
    python -m annotation adjudicate --to annotation-home --dataset first-adjudication
    python -m annotation export --to pairs --out build/pairs.jsonl

Each can be given again at any time. Exit status 2 with one line on standard error where something is missing or wrong.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from annotation.door import AsJson, Workspace, errors

if TYPE_CHECKING:
    from annotation.adjudicate import Sent
    from annotation.usable import Rules

PAGE, SUMMARY = "doctors.html", "doctors.json"

Folder = Annotated[Path, typer.Option(help="where push and pull keep their files")]
More = Annotated[list[Path] | None, typer.Option("--verdicts", help="a further file of verdicts; may be repeated")]
MinConfidence = Annotated[int, typer.Option(min=1, max=3, help="least confidence of a verdict")]
MinPosterior = Annotated[float, typer.Option(min=0, max=1, help="least posterior of a pair")]
MinConsistency = Annotated[
    float, typer.Option(min=0, max=1, help="a doctor fails whose share on swapped duplicates is surely less")
]
MinGold = Annotated[float, typer.Option(min=0, max=1, help="a doctor fails whose share on gold items is surely less")]
MinChecks = Annotated[int, typer.Option(min=1, help="checks a doctor has met before they can fail him")]


def pull(
    dataset: Annotated[str, typer.Option(help="name of the dataset")],
    source: Annotated[str, typer.Option("--from", help="URL of an Argilla, or the home folder of a server")] = (
        "annotation-home"
    ),
    workspace: Workspace = "doctors",
    folder: Folder = Path("runs/annotation"),
    as_json: AsJson = False,
) -> None:
    """Fetch what the doctors said: python -m annotation pull --from annotation-home --dataset first"""
    from annotation.address import connect
    from annotation.pull import pull as fetch

    with errors(), connect(source) as argilla:
        done = fetch(argilla, workspace, dataset, folder)
    if as_json:
        typer.echo(json.dumps(vars(done), ensure_ascii=False))
        return
    seen = ", ".join(f"{count} {status}" for status, count in done.seen.items()) or "none"
    written = ", ".join(f"{name} +{count}" for name, count in done.appended.items())
    kept = f"; {done.kept} stay of accounts that were deleted" if done.kept else ""
    typer.echo(f"{done.records} records, responses: {seen}\n{folder}: {written}{kept}")


def report(
    folder: Folder = Path("runs/annotation"),
    out: Annotated[Path | None, typer.Option(help="where the report goes; else beside the files")] = None,
    overlap: Annotated[int, typer.Option(min=1, help="verdicts each item is to get")] = 2,
    seed: Annotated[int, typer.Option(help="of the intervals")] = 1,
    verdicts: More = None,
    min_consistency: MinConsistency = 0.6,
    min_gold: MinGold = 0.7,
    min_checks: MinChecks = 5,
    as_json: Annotated[bool, typer.Option("--json", help="the figures on standard output too")] = False,
) -> None:
    """Write doctors.html and doctors.json: python -m annotation report --out build/doctors"""
    from annotation.usable import Rules

    rules = Rules(min_consistency=min_consistency, min_gold=min_gold, min_checks=min_checks)
    with errors(), _drawing():
        summary, paths = write_report(folder, out or folder, rules, overlap, seed, verdicts or [])
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
        return
    for path in paths:
        typer.echo(path)


def adjudicate(
    folder: Folder = Path("runs/annotation"),
    to: Annotated[str | None, typer.Option(help="URL or home folder; without it only the list is written")] = None,
    dataset: Annotated[str | None, typer.Option(help="a dataset of its own for disputes")] = None,
    workspace: Workspace = "doctors",
    verdicts: More = None,
    min_consistency: MinConsistency = 0.6,
    min_gold: MinGold = 0.7,
    min_checks: MinChecks = 5,
    as_json: AsJson = False,
) -> None:
    """List what another doctor must see, and send it: python -m annotation adjudicate --to HOME --dataset third"""
    from annotation.usable import Rules

    rules = Rules(min_consistency=min_consistency, min_gold=min_gold, min_checks=min_checks)
    with errors():
        if to and not dataset:
            raise ValueError("--to needs --dataset: the name of a dataset of its own for disputes")
        listed, sent = _adjudicate(folder, rules, verdicts or [], (to, workspace, dataset or ""))
    if as_json:
        typer.echo(json.dumps({"open": len(listed), "sent": sent.new, "stuck": sent.stuck}))
        return
    typer.echo(f"{len(listed)} items need another doctor: {folder / 'adjudicate.jsonl'}")
    if to:
        typer.echo(f"sent {sent.new} to the dataset {dataset}; {sent.waiting} wait for an answer")
    if sent.stuck:
        typer.echo(
            f"{len(sent.stuck)} have an answer there and are open all the same; they need a further dataset "
            f"(--dataset {dataset}-2): {', '.join(sent.stuck)}"
        )


def export(
    out: Annotated[Path, typer.Option(help="the file; steps.jsonl and manifest.json go beside it")],
    to: Annotated[Literal["pairs"], typer.Option(help="what is made of the verdicts")] = "pairs",
    folder: Folder = Path("runs/annotation"),
    verdicts: More = None,
    min_confidence: MinConfidence = 2,
    min_posterior: MinPosterior = 0.7,
    min_consistency: MinConsistency = 0.6,
    min_gold: MinGold = 0.7,
    min_checks: MinChecks = 5,
    as_json: AsJson = False,
) -> None:
    """Make pairs and step labels for training: python -m annotation export --to pairs --out build/pairs.jsonl"""
    from annotation.export import export as make
    from annotation.usable import Rules

    rules = Rules(
        min_confidence=min_confidence, min_posterior=min_posterior, min_consistency=min_consistency,
        min_gold=min_gold, min_checks=min_checks,
    )  # fmt: skip
    with errors():
        manifest = make(folder, out, rules, verdicts or [])
    if as_json:
        typer.echo(json.dumps(manifest, ensure_ascii=False))
        return
    typer.echo(f"{out} ({to})")
    for name in ("verdicts", "preferences", "corrections", "steps"):
        block = manifest[name]
        dropped = ", ".join(f"{reason} {count}" for reason, count in block["dropped"].items())
        typer.echo(f"  {name}: {block['in']} in, {block['out']} out{f'; dropped: {dropped}' if dropped else ''}")
    if not manifest["verdicts"]["in"]:
        typer.echo(f"no verdict is in {folder}; `python -m annotation pull --dataset NAME` fetches them", err=True)


def write_report(
    folder: Path, out: Path, rules: Rules, overlap: int, seed: int, verdicts: list[Path]
) -> tuple[dict[str, Any], list[Path]]:
    """Write the page and its figures into `out`; both, and their paths. Raises WorkspaceError, OSError."""
    from annotation.report.page import html
    from annotation.report.parts import sections
    from annotation.summary import summarise
    from annotation.workspace import read_workspace
    from gaokerena.files import atomic

    summary = summarise(read_workspace(folder, verdicts), rules, overlap=overlap, seed=seed)
    command = _command(folder, rules, overlap, seed, verdicts)
    texts = {
        PAGE: html(sections(summary, command)),
        SUMMARY: json.dumps(summary, ensure_ascii=False, indent=1) + "\n",
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        with atomic(out / name) as half:
            half.write_text(text, "utf-8")
    return summary, [out / name for name in texts]


def _command(folder: Path, rules: Rules, overlap: int, seed: int, verdicts: list[Path]) -> str:
    """What gives these figures again, as a person types it."""
    from annotation.usable import Rules
    from annotation.workspace import as_typed

    plain = Rules()
    chosen = [(name, value) for name, value in rules.model_dump().items() if value != getattr(plain, name)]
    words = ["python", "-m", "annotation", "report", "--folder", as_typed(folder), "--overlap", overlap, "--seed", seed]
    words += [word for path in verdicts for word in ("--verdicts", as_typed(path))]
    words += [word for name, value in chosen for word in (f"--{name.replace('_', '-')}", value)]
    return shlex.join(map(str, words))


def _adjudicate(
    folder: Path, rules: Rules, verdicts: list[Path], route: tuple[str | None, str, str]
) -> tuple[list[dict[str, Any]], Sent]:
    """(the list, what of it was sent)."""
    from annotation.adjudicate import Route, Sent, send, write_list
    from annotation.disputes import disputes
    from annotation.usable import failed
    from annotation.workspace import read_workspace

    found = read_workspace(folder, verdicts)
    listed = write_list(disputes(found.judged, rules, found.marked), folder)
    to, workspace, dataset = route
    if to is None:
        return listed, Sent(0, 0, [])
    from annotation.address import connect
    from annotation.page.fields import fields_of
    from annotation.page.settings import dataset_settings

    barred = list(failed(found.judged, rules))
    with connect(to) as argilla:
        settings = dataset_settings(overlap=1)
        return listed, send(argilla, Route(workspace, dataset), folder, listed, found, settings, fields_of, barred)


@contextmanager
def _drawing() -> Iterator[None]:
    """A missing library for figures is named with what installs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        typer.echo(f"{error.name} is not installed; run: python -m pip install -r requirements-report.txt", err=True)
        raise typer.Exit(2) from None
