"""The commands `python -m training pairs build | audit | mix | public`.

    GAOKERENA_DATA=... python -m training pairs build --published --out runs/pairs
    python -m training pairs audit runs/pairs/pairs.jsonl
    python -m training pairs mix runs/pairs/pairs.jsonl expert/pairs.jsonl --share expert=0.5 --out runs/mixed

docs/pairs.md says what each does and why. Exit status 1: the audit failed. 2: an error, told in one line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from training.audit_gate import LIMIT, audit_path
from training.errors import TrainingError

pairs = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, rich_markup_mode=None)

Number = TypeVar("Number", int, float)
OnePrompt = Annotated[
    Literal["as-is", "straight", "cot"],
    typer.Option(help="ask every pair of ours with one prompt: an export's prompts give the winner away"),
]
AsJson = Annotated[bool, typer.Option("--json", help="print the manifest or the findings as JSON")]


@pairs.command()
def build(
    out: Annotated[Path, typer.Option(help="the folder for pairs.jsonl, held_out.jsonl and manifest.json")],
    files: Annotated[list[Path] | None, typer.Argument(help="JSONL files of pairs")] = None,
    published: Annotated[bool, typer.Option("--published", help="the published pairs in GAOKERENA_DATA")] = False,
    parts: Annotated[str, typer.Option(help="of the published pairs; 1-20 were trained on")] = "1-22",
    as_is: Annotated[bool, typer.Option("--as-is", help="nothing repaired or dropped: to audit what came")] = False,
    hands: Annotated[
        Literal["one", "two"], typer.Option(help="one: a teacher's pairs in one hand; two: as they are")
    ] = "one",
    prompting: OnePrompt = "as-is",
    balance: Annotated[
        bool, typer.Option(help="of what models made, leave out pairs until no single cue is above the limit")
    ] = True,
    balance_people: Annotated[
        bool, typer.Option("--balance-people", help="the same of what doctors and visitors said")
    ] = False,
    held_out: Annotated[float, typer.Option(help="share of the questions held out")] = 0.02,
    no_suites: Annotated[bool, typer.Option("--no-suites", help="do not look for overlap with the suites")] = False,
    limit: Annotated[float, typer.Option(help="single cues above this are balanced")] = LIMIT,
    seed: Annotated[int, typer.Option()] = 13,
    as_json: AsJson = False,
) -> None:
    """Repair, check, split and balance pairs: python -m training pairs build expert.jsonl --out runs/pairs"""
    from training.pairing.build import make
    from training.pairing.built import Options

    options = _valid(
        lambda: Options(
            files=tuple(map(str, files or [])), published=published, parts=_parts(parts), as_is=as_is, hands=hands,
            prompting=prompting, balance=balance, balance_people=balance_people,
            held_out_per_mille=round(1000 * held_out), suites=not no_suites, limit=limit, seed=seed,
        )
    )  # fmt: skip
    with _writing(out):
        manifest = make(out, options)
    _tell(manifest, as_json)


@pairs.command()
def audit(
    path: Annotated[Path, typer.Argument(help="a JSONL file of pairs")],
    limit: Annotated[float, typer.Option(help="the share of pairs a cue may tell apart")] = LIMIT,
    seed: Annotated[int, typer.Option(help="of folds and intervals")] = 1,
    as_json: AsJson = False,
) -> None:
    """Look for shortcuts; exit status 1 when one is found: python -m training pairs audit runs/pairs/pairs.jsonl"""
    from training.pairing.audit_files import audit_file
    from training.pairing.page import verdict
    from training.pairing.tables import source_lines

    with _writing(path.parent):
        found = audit_file(path, limit=limit, seed=seed)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for row in found["families"]:
            typer.echo(
                f"{100 * row['accuracy']:6.2f} % [{100 * row['low']:.2f}, {100 * row['high']:.2f}]  {row['name']}"
            )
        for line in source_lines(found):
            typer.echo(line)
        typer.echo(f"{verdict(found)} See {audit_path(path).with_suffix('.html')}.")
    raise typer.Exit(0 if found["passed"] else 1)


@pairs.command()
def mix(
    files: Annotated[list[Path], typer.Argument(help="JSONL files of pairs, each with its held_out.jsonl beside it")],
    out: Annotated[Path, typer.Option(help="the folder for pairs.jsonl, held_out.jsonl and manifest.json")],
    weight: Annotated[list[str] | None, typer.Option(help="SOURCE=NUMBER: multiplies the rows' weights")] = None,
    cap: Annotated[list[str] | None, typer.Option(help="SOURCE=PAIRS: at most so many")] = None,
    share: Annotated[list[str] | None, typer.Option(help="SOURCE=NUMBER: this part of the result")] = None,
    prompting: OnePrompt = "as-is",
    seed: Annotated[int, typer.Option()] = 13,
    as_json: AsJson = False,
) -> None:
    """One set of several sources: python -m training pairs mix a.jsonl b.jsonl --share expert=0.5 --out runs/mixed"""
    from training.pairing.mix import Recipe, make

    recipe = Recipe(
        files=tuple(map(str, files)), weight=_by_source("weight", weight, float), cap=_by_source("cap", cap, int),
        share=_by_source("share", share, float), prompting=prompting, seed=seed,
    )  # fmt: skip
    with _writing(out):
        manifest = make(out, recipe)
    _tell(manifest, as_json)


@pairs.command()
def public(
    votes: Annotated[Path, typer.Argument(help="the file of `python -m gaokerena votes export`")],
    out: Annotated[Path, typer.Option(help="the folder for pairs.jsonl and manifest.json")],
    prompting: Annotated[Literal["straight", "cot"], typer.Option(help="how every pair is asked")] = "cot",
    most: Annotated[int, typer.Option(help="votes counted of one visitor", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """Visitors' verdicts as pairs: python -m training pairs public build/votes.jsonl --out build/public"""
    from training.pairing.public import Options, make

    with _writing(out):
        manifest = make(out, Options(votes=str(votes), prompting=prompting, most=most))
    _tell(manifest, as_json)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """What stops the reading or writing of files is a TrainingError that names the place."""
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        told = f"{place}: {error.strerror or error}"
        raise TrainingError(f"{told}; make room or use another folder, then run again") from error


def _by_source(option: str, given: list[str] | None, number: Callable[[str], Number]) -> dict[str, Number]:
    """SOURCE=NUMBER, each source once."""
    found: dict[str, Number] = {}
    for text in given or []:
        source, _, value = text.partition("=")
        if source in found:
            raise TrainingError(f"--{option} {text}: {source} is given twice")
        try:
            found[source] = number(value)
        except ValueError:
            raise TrainingError(f"--{option} {text!r} is not SOURCE=NUMBER, for example expert=1") from None
    return found


def _parts(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    try:
        return int(first), int(last or first)
    except ValueError:
        raise TrainingError(f"--parts {text!r} is not a part or a range of parts, for example 1-20") from None


def _valid(make: Callable[[], Any]) -> Any:
    """What `make` makes; a value out of its range is a TrainingError."""
    from pydantic import ValidationError

    try:
        return make()
    except ValidationError as error:
        faults = "; ".join(": ".join((*map(str, each["loc"]), each["msg"])) for each in error.errors())
        raise TrainingError(f"pairs build: {faults}") from None
    except (ValueError, OverflowError) as error:  # no number at all
        raise TrainingError(f"pairs build: {error}; give --held-out a share, for example 0.02") from None


def _tell(manifest: dict[str, Any], as_json: bool) -> None:
    """The counts, in and out."""
    if as_json:
        typer.echo(json.dumps(manifest, ensure_ascii=False, indent=2))
        return
    for source, count in manifest.get("other_wording", {}).items():
        typer.echo(
            f"{count} pairs of {source} are asked in a wording of their own and stay as they were asked", err=True
        )
    for name, counts in (
        ("in", manifest["counts_in"]),
        ("out", manifest["counts_out"]),
        ("dropped", manifest["dropped"]),
    ):
        for reason, count in sorted(counts.items(), key=lambda item: -item[1]):
            if count or (name, reason) == ("out", "pairs"):
                typer.echo(f"{name:8}{count:7,}  {reason}")
