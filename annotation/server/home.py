"""The home folder of a server: who may read it, who runs in it, and how its owner's key is found.

    known = credentials(Path("annotation-home"))       # known.url, known.username, known.api_key

One server at a time: it holds a lock for as long as it lives, which a crash cannot leave behind. The folder is for its
owner alone (mode 700) and tells git to look away. Not covered: what the server writes there (inside/).
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .errors import ServerError
from .inside.places import Places

DEFAULT = Path("annotation-home")
OWN = {"argilla.db", "lock", "environment", "secret", "owner.json"}
"""Files by which a folder is known as a server's."""


@dataclass(frozen=True)
class Credentials:
    """How a program of this machine's user reaches the server: `url` is None while it does not run."""

    url: str | None
    username: str
    api_key: str


def default_home() -> Path:
    """The folder named by ANNOTATION_HOME, else `annotation-home` where the command is given."""
    return Path(os.environ.get("ANNOTATION_HOME") or DEFAULT).expanduser()


def make(path: Path) -> Places:
    """The home folder `path`, made when missing.

    Raises:
        ServerError: it cannot be made or written to, or holds files and none of a server's.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        there = {file.name for file in path.iterdir()}
        if there and not there & OWN:
            raise ServerError(f"{path} holds other files ({min(there)}); name a folder of its own with --home")
        path.chmod(0o700)
        with suppress(FileExistsError), (path / ".gitignore").open("x") as file:
            file.write("*\n")
    except OSError as error:
        raise ServerError(f"the home folder {path} cannot be used ({error}); name another with --home") from None
    return Places(path.absolute())


def hold(places: Places, patience: float = 0.5) -> int:
    """Lock the home; the lock lasts until the returned descriptor is closed in every process that has it.

    Raises:
        ServerError: a server is running there.
    """
    handle = os.open(places.lock, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + patience  # `running` holds the lock for an instant when it looks
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            places.address.unlink(missing_ok=True)  # left by a crash; another may answer there now
            return handle
        except BlockingIOError:
            if time.monotonic() > until:
                os.close(handle)
                raise ServerError(_taken(places)) from None
            time.sleep(0.05)


def is_running(places: Places) -> bool:
    """Whether a server holds the home."""
    if not places.lock.exists():
        return False
    handle = os.open(places.lock, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def credentials(path: Path) -> Credentials:
    """The address and the owner's key of the home folder `path`.

    Raises:
        ServerError: no server was ever started there, or its owner file cannot be read.
    """
    places = Places(path.absolute())
    try:
        owner = json.loads(places.owner.read_text())
        return Credentials(_address(places), owner["username"], owner["api_key"])
    except FileNotFoundError:
        raise ServerError(
            f"no server has run in {path}; start one with `python -m annotation serve --home {path}`, or name the "
            "folder of another"
        ) from None
    except (OSError, ValueError, KeyError) as error:
        raise ServerError(
            f"{places.owner} cannot be read ({error}); it is written anew when the server starts"
        ) from None


def _address(places: Places) -> str | None:
    if not is_running(places):
        return None
    try:
        return str(json.loads(places.address.read_text())["url"])
    except (OSError, ValueError, KeyError):
        return None  # it is just starting


def _taken(places: Places) -> str:
    where = _address(places) or "still starting"
    return f"a server is already running in {places.path} ({where}); stop it first, or name another folder with --home"
