"""The doors `python -m gaokerena evaluate …`: recorded answers, live runs, verifying, judging, rules.

python -m gaokerena evaluate transcripts transcripts.parquet --json evaluation.json
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gaokerena.evaluation.freeform_cli import judge
from gaokerena.evaluation.run_cli import run, verify
from gaokerena.evaluation.typed import as_typed
from gaokerena.files import atomic

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, help=__doc__)
app.command()(run)
app.command()(verify)
app.command()(judge)


@app.command()
def transcripts(
    file: Annotated[Path, typer.Argument(help="transcripts (.parquet, .jsonl), or a folder that holds them")],
    choices: Annotated[
        Literal["annotated", "extracted"], typer.Option(help="as a person read them, or by the option reader")
    ] = "annotated",
    out: Annotated[Path | None, typer.Option("--json", help="write everything there as JSON")] = None,
    disagreements: Annotated[Path | None, typer.Option(help="list where reader and person differ (JSON lines)")] = None,
    verifier: Annotated[list[Path] | None, typer.Option(help="a verifier's file; else those beside FILE")] = None,
    no_verifier: Annotated[bool, typer.Option("--no-verifier", help="leave the verifier's file out")] = False,
    pool: Annotated[
        list[str] | None, typer.Option(help="models pooled, MODEL:PROMPTING+MODEL:PROMPTING; else all sampled ones")
    ] = None,
    no_extraction: Annotated[bool, typer.Option("--no-extraction", help="do not measure the option reader")] = False,
    seed: Annotated[int, typer.Option(min=0, help="of the bootstrap and the folds")] = 1,
) -> None:
    """Evaluate recorded answers: python -m gaokerena evaluate transcripts transcripts.parquet --json evaluation.json"""
    from gaokerena.evaluation.decisions import PoolError
    from gaokerena.evaluation.evaluate import as_json, evaluate
    from gaokerena.evaluation.extraction import write_disagreements
    from gaokerena.evaluation.tables import as_text
    from gaokerena.transcripts import TranscriptsError

    files = [] if no_verifier else verifier or None
    extract = not no_extraction or disagreements is not None
    try:
        found = evaluate(file, choices=choices, verifiers=files, pools=_pools(pool), extract=extract, seed=seed)
        if disagreements is not None and not any(found.rows.annotated):
            raise fail(
                f"{file}: nobody read a letter from these answers, so nothing can disagree; drop --disagreements"
            )
        report = as_json(found, command())
        if disagreements is not None and found.read is not None:
            count = write_disagreements(disagreements, found.rows, found.read)
            typer.echo(f"{count} disagreements in {disagreements}", err=True)
        if out is not None:
            write(out, report)
    except (TranscriptsError, PoolError) as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise cannot(error, file) from None
    for note in found.notes:
        typer.echo(note, err=True)
    typer.echo(as_text(report))


@app.command()
def rules(
    file: Annotated[Path, typer.Argument(help="transcripts (.parquet, .jsonl), or a folder that holds them")],
    choices: Annotated[
        Literal["annotated", "extracted"], typer.Option(help="as a person read them, or by the option reader")
    ] = "annotated",
    out: Annotated[Path | None, typer.Option("--json", help="write everything there as JSON")] = None,
    verifier: Annotated[list[Path] | None, typer.Option(help="a verifier's file; else those beside FILE")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the folds and the bootstrap")] = 1,
) -> None:
    """Search for a better decision rule: python -m gaokerena evaluate rules transcripts.parquet --json rules.json"""
    from gaokerena.evaluation.evaluate import evaluate
    from gaokerena.evaluation.search_report import as_json, as_text
    from gaokerena.transcripts import TranscriptsError

    try:
        found = evaluate(file, choices=choices, verifiers=verifier or None, extract=False, seed=seed)
        report = as_json(found, command())
        if out is not None:
            write(out, report)
    except TranscriptsError as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise cannot(error, file) from None
    typer.echo(as_text(report))


def _pools(named: list[str] | None) -> list[tuple[tuple[str, str], ...]] | None:
    """`r:cot+v:cot` as ((r, cot), (v, cot)), also where a model's name holds a +; `r+v` asks both with CoT."""
    if named is None:
        return None
    pools = []
    for text in named:
        parts = re.split(r"(?<=:cot)\+|(?<=:straight)\+", text) if ":" in text else text.split("+")
        members = [part.rpartition(":") if ":" in part else (part, ":", "cot") for part in parts]
        pool = tuple((model, prompting) for model, _, prompting in members)
        if len(set(pool)) < len(pool):
            raise fail(f"--pool {text}: names a model's answers twice; name each once")
        pools.append(pool)
    return pools


def write(path: Path, report: dict[str, Any]) -> None:
    """Write `report` as JSON, whole or not at all; the folder is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as half:
        half.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")


def command() -> str:
    """The command line as it was typed, without this machine's folders."""
    return as_typed(sys.argv[1:])


def cannot(error: OSError, file: Path) -> typer.Exit:
    """`fail` for what the disk refused; a rename names its target, not its temporary source."""
    return fail(f"{error.filename2 or error.filename or file}: {error.strerror}; name another place")


def fail(text: str) -> typer.Exit:
    """Print `text` to standard error; raise what comes back."""
    typer.echo(text, err=True)
    return typer.Exit(2)
