"""The commands `users add`, `users list` and `users reset`: doctors' accounts.

    python -m annotation users add sara reza --to annotation-home
    python -m annotation users list
    python -m annotation users reset sara

A password is printed once and written nowhere: hand it over in person or by telephone. Exit status 2: it could not, and
the text on standard error says what to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from annotation.door import AsJson, Folder, To, Workspace, errors

if TYPE_CHECKING:
    from annotation.users import Account

users = typer.Typer(no_args_is_help=True, help="Doctors' accounts.", rich_markup_mode=None)
DEFAULT_FOLDER = Path("runs/annotation")


@users.command()
def add(
    names: Annotated[list[str], typer.Argument(help="user names, of a-z, 0-9, _ . -")],
    to: To = "annotation-home",
    workspace: Workspace = "doctors",
    role: Annotated[Literal["annotator", "admin", "owner"], typer.Option(help="what they may do")] = "annotator",
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Make accounts, with passwords shown once: python -m annotation users add sara reza"""
    from annotation.address import connect
    from annotation.users import Pseudonyms, add_users

    with errors(), connect(to) as argilla:
        _print(add_users(argilla, workspace, names, role, Pseudonyms(folder)), as_json)


@users.command("list")
def list_(
    to: To = "annotation-home",
    workspace: Workspace = "doctors",
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Who is there, and by which pseudonym: python -m annotation users list"""
    from annotation.address import connect
    from annotation.users import Pseudonyms, list_users

    with errors(), connect(to) as argilla:
        _print(list_users(argilla, workspace, Pseudonyms(folder)), as_json)


@users.command()
def reset(
    name: Annotated[str, typer.Argument(help="a user name")],
    to: To = "annotation-home",
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Give a new password: python -m annotation users reset sara"""
    from annotation.address import connect
    from annotation.users import Pseudonyms, reset_password

    with errors(), connect(to) as argilla:
        _print([reset_password(argilla, name, Pseudonyms(folder))], as_json)


def _print(accounts: Iterable[Account], as_json: bool) -> None:
    """Tell each account as it comes: those made before an error keep their passwords."""
    told: list[Account] = []
    try:
        for account in accounts:
            told.append(account)
            if not as_json:
                typer.echo(_line(account))
    finally:
        if as_json:
            typer.echo(json.dumps({"users": [asdict(account) for account in told]}, ensure_ascii=False))
        if any(account.password for account in told):
            typer.echo("Passwords are shown this once; `users reset NAME` makes a new one.", err=True)


def _line(account: Account) -> str:
    member = "" if account.member else ", not in the workspace"
    password = f"  password: {account.password}" if account.password else ""
    return f"{account.username}  ({account.role}{member})  {account.pseudonym}{password}"
