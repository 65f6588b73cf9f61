"""The commands `serve`, `backup` and `restore`, as functions a typer app registers.

    python -m annotation serve --port 6900 --home annotation-home
    python -m annotation backup monday.argilla        python -m annotation restore monday.argilla --force

Trouble goes to standard error with exit status 2.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from . import backup as copies
from . import home as homes
from . import launch
from .errors import ServerError

HomeOption = Annotated[Path | None, typer.Option(help="the server's folder [ANNOTATION_HOME, ./annotation-home]")]
ForceOption = Annotated[bool, typer.Option("--force", help="replace what is there")]
JsonOption = Annotated[bool, typer.Option("--json", help="answer in one line of JSON")]


def serve(
    port: Annotated[int, typer.Option(help="0 takes a free one")] = 6900,
    host: Annotated[str, typer.Option(help="who may reach it; 127.0.0.1 is this machine alone")] = "127.0.0.1",
    home: HomeOption = None,
    environment: Annotated[Path | None, typer.Option(help="where its environment is [ANNOTATION_ENVIRONMENT]")] = None,
    allow_origin: Annotated[list[str] | None, typer.Option(help="a page elsewhere that may use the API")] = None,
    new_password: Annotated[bool, typer.Option("--new-password", help="make a new password of the owner")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="without this project's speed-ups, to compare")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a real Argilla server here, on SQLite alone: python -m annotation serve --port 6900"""
    start = launch.Start(port, host, tuple(allow_origin or ()), new_password, plain, as_json)
    try:
        launch.become(home or homes.default_home(), start, lambda text: typer.echo(text, err=True), environment)
    except ServerError as error:
        raise _fail(error) from None


def backup(file: Path, home: HomeOption = None, force: ForceOption = False, as_json: JsonOption = False) -> None:
    """Copy the database to one file while the server runs: python -m annotation backup monday.argilla"""
    try:
        counts = copies.backup(home or homes.default_home(), file, force=force)
    except ServerError as error:
        raise _fail(error) from None
    typer.echo(json.dumps({"file": str(file), **counts}) if as_json else f"{file}: {_listed(counts)}")


def restore(file: Path, home: HomeOption = None, force: ForceOption = False, as_json: JsonOption = False) -> None:
    """Put a backup back, with the server stopped: python -m annotation restore monday.argilla --force"""
    folder = home or homes.default_home()
    try:
        counts = copies.restore(folder, file, force=force)
    except ServerError as error:
        raise _fail(error) from None
    typer.echo(json.dumps({"home": str(folder), **counts}) if as_json else f"{folder}: {_listed(counts)}")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {kind}" for kind, number in counts.items())


def _fail(error: ServerError) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(2)
