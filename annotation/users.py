"""Doctors' accounts: made with passwords that are shown once, known everywhere else by a pseudonym.

    people = Pseudonyms(Path("runs/annotation"))
    people.of("sara")                          # "d4f1c09a2e77b": the same for ever, in this folder
    people.who(user["id"], user["username"])   # the same, though Argilla calls her otherwise by now
    for account in add_users(argilla, "doctors", ["sara"], "annotator", people): ...

A pseudonym is a salted hash (HMAC-SHA-256) of the user name by which an account was first met, and stays with the
account's id. The folder's users.json (mode 600) is the only place that holds names, ids and pseudonyms, and the salt;
verdicts, reports and exports carry the pseudonym alone. A password is returned once, to be printed, and is written
nowhere.

Not covered: taking an account away. Never delete one: Argilla deletes all its answers with it. Take it out of the
workspace, and `users reset` locks it. Nor changing one's own password (Argilla has no page for it: `users reset` makes
a new one), so whoever handed a password over knows it.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from annotation.client import Argilla, ArgillaError, Row, TakenError
from annotation.dataset import ready_workspace
from gaokerena.files import atomic

FILE, LOCK = "users.json", "users.lock"
Role = Literal["annotator", "admin", "owner"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that nobody mistakes for one another when read aloud."""


class UserError(ArgillaError):
    """An account cannot be made or found; the text names it and the next step."""


class Book(BaseModel):
    """The file: `users` gives each user name's pseudonym, `ids` that of each account."""

    model_config = ConfigDict(extra="forbid")

    schema_version: int = 1
    salt: str
    users: dict[str, str] = {}
    ids: dict[str, str] = {}


class Pseudonyms:
    """The pseudonyms of one folder. Raises UserError for a broken file, OSError."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            self._book = _read(self.path)

    def of(self, username: str) -> str:
        """The pseudonym of `username`; a new one has reached the disk on return."""
        if username not in self._book.users:
            with _alone(self.path.parent):
                self._book = _read(self.path)  # another command may have written since
                self._book.users.setdefault(username, self._made(username))
                _write(self.path, self._book)
        return self._book.users[username]

    def who(self, user_id: str, username: str | None) -> str:
        """The pseudonym of an account, whatever it is called now; `username` is None where that cannot be known.

        Of the first call with its id it is that of the name; it has reached the disk on return.
        """
        if user_id not in self._book.ids:
            pseudonym = self._made(user_id) if username is None else self.of(username)
            with _alone(self.path.parent):
                self._book = _read(self.path)
                self._book.ids.setdefault(user_id, pseudonym)
                _write(self.path, self._book)
        return self._book.ids[user_id]

    def accounts(self, pseudonym: str) -> set[str]:
        """The ids of the accounts that were met under a pseudonym."""
        return {user_id for user_id, known in self._book.ids.items() if known == pseudonym}

    def _made(self, username: str) -> str:
        digest = hmac.new(bytes.fromhex(self._book.salt), username.encode(), "sha256").hexdigest()
        return "d" + digest[:12]


@dataclass(frozen=True)
class Account:
    """What became of one name; `password` is None where the account was there before."""

    username: str
    pseudonym: str
    role: str
    password: str | None = None
    member: bool = True


def add_users(
    argilla: Argilla, workspace: str, names: Sequence[str], role: Role, people: Pseudonyms
) -> Iterator[Account]:
    """Make the accounts that are missing and seat all of them in the workspace; each is told as soon as it is made.

    Nothing is made where a name cannot be used, or is that of an account with another role. Raises UserError,
    ArgillaError.
    """
    if wrong := [name for name in names if not _NAME.fullmatch(name)]:
        raise UserError(
            f"user name {wrong[0]!r}: give 1 to 40 of a-z, A-Z, 0-9, _, . and -, beginning with a letter or digit"
        )
    there = _by_name(argilla)
    for name in names:
        if name in there:
            _check_role(there[name], role)
    place = ready_workspace(argilla, workspace)
    members = {user["id"] for user in argilla.members(place["id"])}
    for name in dict.fromkeys(names):
        user, password = (there[name], None) if name in there else _made(argilla, name, role)
        yield Account(name, people.who(user["id"], name), user["role"], password)
        if user["id"] not in members and user["role"] != "owner":  # an owner sees every workspace
            _seat(argilla, place["id"], user["id"])


def _made(argilla: Argilla, name: str, role: Role) -> tuple[Row, str | None]:
    """The new account and its password; None where another command was faster."""
    password = new_password()
    try:
        return argilla.add_user(name, password, role), password
    except TakenError:
        user = _by_name(argilla)[name]
        _check_role(user, role)
        return user, None


def _by_name(argilla: Argilla) -> dict[str, Row]:
    return {user["username"]: user for user in argilla.users()}


def _check_role(user: Row, role: Role) -> None:
    if user["role"] != role:
        raise UserError(
            f"user {user['username']!r} is there as {user['role']}, not {role}: give --role {user['role']} to seat "
            "that account, or another name to make one; nothing was changed"
        )


def list_users(argilla: Argilla, workspace: str, people: Pseudonyms) -> list[Account]:
    """Everybody there, with their pseudonyms."""
    place = argilla.workspace(workspace)
    members = {user["id"] for user in argilla.members(place["id"])} if place else set()
    return [
        Account(name, people.who(user["id"], name), user["role"], member=user["id"] in members)
        for name, user in _by_name(argilla).items()
    ]


def reset_password(argilla: Argilla, name: str, people: Pseudonyms) -> Account:
    """A new password for an account that is there. Raises UserError."""
    user = _by_name(argilla).get(name)
    if user is None:
        raise UserError(f"no user {name!r} at {argilla.url}; `users list` shows who is there, `users add` makes one")
    password = new_password()
    argilla.set_password(user["id"], password)
    return Account(name, people.who(user["id"], name), user["role"], password)


def new_password() -> str:
    """Twenty letters in groups of five: about 98 bits, and readable over the telephone."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def _seat(argilla: Argilla, workspace_id: str, user_id: str) -> None:
    with suppress(TakenError):  # another command was faster
        argilla.add_member(workspace_id, user_id)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other command reads or writes the folder's file."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(path: Path) -> Book:
    try:
        return Book.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        book = Book(salt=secrets.token_hex(32))
        _write(path, book)
        return book
    except (ValidationError, ValueError) as error:
        raise UserError(
            f"{path}: not a file of pseudonyms; restore it from a backup, for it alone knows who is who"
        ) from error


def _write(path: Path, book: Book) -> None:
    with atomic(path) as half:
        handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(book.model_dump(), ensure_ascii=False, indent=1) + "\n")
