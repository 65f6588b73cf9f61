"""The commands `deliver` and `study-file`: what goes on beside Argilla.

    python -m annotation deliver --store runs/votes.sqlite3 --outbox runs/outbox --dataset page --every 30
    python -m annotation deliver --store runs/votes.sqlite3 --outbox runs/outbox --dataset page --once
    python -m annotation study-file --out study.jsonl --name first --judges 3
    GAOKERENA_STUDY=study.jsonl python app.py

Exit status of `deliver`: 0 done, 1 Argilla is away (only with `--once`; nothing is lost), 2 a person must mend
something, which the text on standard error names.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotation.door import AsJson, Folder, To, Workspace, errors

if TYPE_CHECKING:
    from annotation.deliver import Delivery
    from gaokerena.study import StudyHead

DEFAULT_FOLDER = Path("runs/annotation")


def deliver(
    store: Annotated[Path, typer.Option(help="the page's store (GAOKERENA_STORE_PATH)")],
    outbox: Annotated[Path, typer.Option(help="the page's outbox (GAOKERENA_OUTBOX)")],
    dataset: Annotated[str, typer.Option(help="name of the dataset; made when missing")],
    to: To = "annotation-home",
    workspace: Workspace = "doctors",
    overlap: Annotated[int, typer.Option(min=1, help="doctors who judge each record")] = 2,
    seed: Annotated[int, typer.Option(help="of the seats")] = 1,
    folder: Folder = DEFAULT_FOLDER,
    every: Annotated[float, typer.Option(min=0.1, help="seconds between two looks")] = 30.0,
    once: Annotated[bool, typer.Option("--once", help="look once and end")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring judged comparisons to doctors: python -m annotation deliver --store F --outbox DIR --dataset page"""
    from annotation import deliver as work
    from annotation.address import connect
    from annotation.page.fields import fields_of
    from annotation.page.settings import dataset_settings
    from annotation.push import Page, Target
    from gaokerena.outbox import ENTRIES

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    page = Page(dataset_settings(overlap=overlap), fields_of)
    route = work.Route(store, outbox, folder, Target(workspace, dataset), page, seed)
    with errors():
        if not store.is_file():
            raise ValueError(f"{store}: no such store; name the file of GAOKERENA_STORE_PATH")
        if not (outbox / ENTRIES).is_file():
            raise ValueError(f"{outbox}: no outbox of a page; name the folder of GAOKERENA_OUTBOX")
        if not once:
            try:
                work.keep_delivering(route, lambda: connect(to), every=every, say=lambda done: _report(done, as_json))
            except KeyboardInterrupt:
                return
        try:
            _report(work.deliver(route, lambda: connect(to)), as_json, always=True)
        except work.AwayError as away:
            typer.echo(f"{away}\nNothing is lost: what waits is delivered next time.", err=True)
            raise typer.Exit(1) from None


def study_file(
    name: Annotated[str, typer.Option(help="of the study; the order of each judge follows from it")],
    out: Annotated[Path, typer.Option(help="the file to write")] = Path("study.jsonl"),
    guidelines: Annotated[Path | None, typer.Option(help="Markdown; its name is the version [ours]")] = None,
    codes: Annotated[str, typer.Option(help="who may judge, with commas between; drawn without it")] = "",
    judges: Annotated[int, typer.Option(min=1, help="how many codes are drawn; those of the file there are kept")] = 3,
    anybody: Annotated[
        bool, typer.Option("--anybody", help="any code may judge, a name or a slip of typing too")
    ] = False,
    seed: Annotated[int, typer.Option(help="of the order in the file")] = 1,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Blind the ledger's items for a study without a server: python -m annotation study-file --name first"""
    from annotation.items import ItemError, Ledger
    from annotation.study_file import drawn_codes, write
    from annotation.study_file import study_file as blinded

    with errors():
        if not (folder / "items.jsonl").is_file():
            raise ItemError(f"{folder}: no ledger there; name the folder that `push` was given")
        if codes and anybody:
            raise ValueError("--codes and --anybody exclude each other; give one of them")
        listed = tuple(code.strip() for code in codes.split(",") if code.strip())
        listed = () if anybody else listed or drawn_codes(out, name, judges)
        made = blinded(Ledger(folder).items.values(), _head(name, guidelines, listed), seed=seed)
        write(out, made)
    counts = {"items": len(made.items), "repeated": made.repeated, "refused": dict(made.refused), "file": str(out),
              "codes": list(listed)}  # fmt: skip
    if as_json:
        typer.echo(json.dumps(counts, ensure_ascii=False))
    else:
        left_out = ", ".join(f"{reason} {count}" for reason, count in made.refused.items()) or "none"
        typer.echo(f"{out}: {len(made.items)} items, {made.repeated} of them repeated; left out: {left_out}")
        typer.echo(
            f"codes, one for each judge: {' '.join(listed) or 'any; what judges type stands in reports and pairs'}"
        )


def _head(name: str, path: Path | None, codes: tuple[str, ...]) -> StudyHead:
    from annotation.page import guidelines
    from gaokerena.study import StudyHead

    version = path.stem if path else guidelines.CURRENT
    text = path.read_text("utf-8") if path else guidelines.text(version, "page")
    return StudyHead(name=name, guideline_version=version, guidelines=text, codes=codes)


def _report(done: Delivery, as_json: bool, *, always: bool = False) -> None:
    """A round that moved nothing is not worth a line."""
    refused = {reason: count for reason, count in done.refused.items() if count}
    if not (always or done.sent or done.void or refused):
        return
    if as_json:
        typer.echo(json.dumps({**asdict(done), "refused": refused}, ensure_ascii=False))
        return
    left_out = "".join(f", {reason} {count}" for reason, count in refused.items())
    typer.echo(f"sent {done.sent}, waiting {done.waiting}, void {done.void}{left_out}")
