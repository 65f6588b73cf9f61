"""The virtual environment argilla-server runs in: made once, whole or not at all.

    python = environment.ready(folder, say=print)      # made when missing (about a minute), else at once and offline

argilla-server pins old releases of what the rest of the project uses, so it has an environment of its own, made from
`requirements.txt` beside this file. Its folder is named after those pins: new pins make a new folder and never touch
one that a server is running from. A marker written last tells a whole environment from one whose making was killed.
Not covered: removing old environments, registries (pip's own configuration is used), Windows.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import ServerError

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
OLDEST, NEWEST = (3, 11), (3, 13)
"""Pythons on which the pinned packages install; argilla-server's pydantic has no wheels for later ones."""

_PROBE = """
import json, sqlite3, sys
try:
    sqlite3.connect(":memory:").execute("create virtual table t using fts5(x)")
    fts = True
except sqlite3.OperationalError:
    fts = False
print(json.dumps([sys.version_info[:2], sqlite3.sqlite_version_info[:2], fts]))
"""
_WITHOUT = ("ARGILLA_", "PYTHON", "VIRTUAL_ENV", "HF_", "REINDEX_")
"""Variables of the caller that must reach neither pip nor the server."""


def default_folder(home: Path) -> Path:
    """Where the environment of the home folder `home` lies: the setting ANNOTATION_ENVIRONMENT, or inside the home."""
    shared = os.environ.get("ANNOTATION_ENVIRONMENT")
    return Path(shared).expanduser() if shared else home / "environment"


def clean_variables() -> dict[str, str]:
    """The caller's environment variables without those that would change what the server is."""
    return {key: value for key, value in os.environ.items() if not key.startswith(_WITHOUT)}


def ready(
    folder: Path,
    *,
    requirements: Path = REQUIREMENTS,
    base: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """The Python of a whole environment under `folder`, made with the interpreter `base` when there is none.

    `base` is the setting ANNOTATION_PYTHON, or this Python. Two callers at once make it once.

    Raises:
        ServerError: the interpreter does not fit, or an installation failed (with pip's last lines).
    """
    place = folder.absolute() / f"argilla-{_digest(requirements)[:12]}"
    if (python := _whole(place, requirements)) is not None:
        return python
    base = base or os.environ.get("ANNOTATION_PYTHON") or sys.executable
    _check(base)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(place.with_suffix(".lock")) as lock:
        if (python := _whole(place, requirements)) is None:
            say(f"making the server's own environment in {place} (about a minute, once)")
            python = _make(place, requirements, base, lock)
    return python


def _digest(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes()).hexdigest()


def _whole(place: Path, requirements: Path) -> Path | None:
    """The environment's Python if its making was finished and the Python it stands on is still there."""
    try:
        marker = json.loads((place / "whole.json").read_text())
    except (OSError, ValueError):
        return None
    python = place / "bin" / "python"
    return python if marker == {"requirements": _digest(requirements)} and os.access(python, os.X_OK) else None


@contextmanager
def _alone(lock: Path) -> Iterator[int]:
    with lock.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle.fileno()


def _check(base: str) -> None:
    """Refuse an interpreter on which the server would not install or not run."""
    try:
        told = subprocess.run([base, "-c", _PROBE], capture_output=True, text=True, check=True, timeout=60).stdout
        version, sqlite, fts = json.loads(told)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise ServerError(f"{base} is not a Python that runs ({error}); name another with ANNOTATION_PYTHON") from None
    if not OLDEST <= tuple(version) <= NEWEST:
        raise ServerError(
            f"{base} is Python {_dotted(version)}, and the server needs {_dotted(OLDEST)} to {_dotted(NEWEST)}; "
            "name such a Python with ANNOTATION_PYTHON"
        )
    if tuple(sqlite) < (3, 35) or not fts:
        raise ServerError(
            f"the SQLite of {base} is {_dotted(sqlite)}{'' if fts else ' without FTS5'}, and the server needs 3.35 or "
            "newer with FTS5; name another Python with ANNOTATION_PYTHON"
        )


def _dotted(version: tuple[int, ...] | list[int]) -> str:
    return ".".join(map(str, version))


def _make(place: Path, requirements: Path, base: str, lock: int) -> Path:
    shutil.rmtree(place, ignore_errors=True)  # what a killed making left
    python = place / "bin" / "python"
    _run([base, "-m", "venv", str(place)], lock)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    _run([*pip, "install", "--quiet", "--no-deps", "--requirement", str(requirements)], lock)
    _run([*pip, "check"], lock)
    half = place / "whole.half"
    half.write_text(json.dumps({"requirements": _digest(requirements)}))
    os.replace(half, place / "whole.json")
    return python


def _run(command: list[str], lock: int) -> None:
    """Run a command that keeps the lock: if we are killed, the next maker waits until it has ended."""
    variables = clean_variables()
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False, pass_fds=[lock])
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise ServerError(
            f"`{' '.join(command)}` failed with status {done.returncode}:\n{last}\n"
            "the environment is made from the package registry once; check the network and start again"
        )
