"""Copy a server's database to one file, and put such a file back.

    backup(home, Path("monday.argilla"))       # while the server runs and people annotate
    restore(home, Path("monday.argilla"), force=True)

The copy is SQLite's own online backup: one moment of the database, with drafts, discards and every status, which
Argilla's `to_disk` and `to_hub` lose. It holds password hashes and API keys, so only its owner may read it. Waiting
jobs are not in it: after a restore webhooks are not told old news, and statuses are computed at the start. Not
covered: remote storage, the log, the secret (sessions end when a backup is restored in another home).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from . import home as homes
from .errors import ServerError
from .inside.files import replacing
from .inside.places import SCHEMA, Places


def backup(home: Path, file: Path, *, force: bool = False) -> dict[str, int]:
    """Copy the database of `home` to `file`; rows of each kind in the copy.

    Raises:
        ServerError: there is no database, `file` lies among the server's own files or exists and not `force`, or the
            copy is not sound.
    """
    places = Places(home.absolute())
    if not places.database.exists():
        raise ServerError(f"there is no database in {home} to back up; name the server's folder with --home")
    if places.path.resolve() in file.resolve().parents:
        raise ServerError(f"{file} lies in the server's own folder {home}; name a file outside it")
    if file.exists() and not force:
        raise ServerError(f"{file} exists; give another name, or --force to replace it")
    with _replacing(file) as half:
        _copy(places.database, half)
        _check(half)
        return _counts(half)


def restore(home: Path, file: Path, *, force: bool = False) -> dict[str, int]:
    """Put the backup `file` in the place of the database of `home`; rows of each kind in it.

    The database that was there stays beside it under the name `replaced-TIME.db`.

    Raises:
        ServerError: `file` is damaged or of another release, a server runs there, or a database is there and not
            `force`. Nothing is changed then.
    """
    _check(file)
    places = homes.make(home)
    lock = homes.hold(places)
    try:
        if places.database.exists() and not force:
            raise ServerError(f"{places.database} exists; give --force to replace it (it is kept under another name)")
        with _replacing(places.database) as half:
            _copy(file, half)
            _check(half)
            _put_aside(places)
            return _counts(half)
    finally:
        os.close(lock)


@contextmanager
def _replacing(file: Path) -> Iterator[Path]:
    """`replacing`, with an error that says what to do."""
    try:
        with replacing(file) as half:
            yield half
    except OSError as error:
        raise ServerError(f"{file} cannot be written ({error}); name another place") from None


def _copy(source: Path, target: Path) -> None:
    """One moment of `source`, as a file without a write-ahead log."""
    with closing(_opened(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("pragma journal_mode = delete")


def _opened(file: Path) -> sqlite3.Connection:
    """An existing database, not to be written to."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=30)


def _check(file: Path) -> None:
    """Raise unless `file` is a sound database of this server's release."""
    if not file.exists():
        raise ServerError(f"there is no file {file}")
    try:
        with closing(_opened(file)) as db:
            found = [str(row[0]) for row in db.execute("pragma integrity_check(3)")]
            if found != ["ok"]:
                raise ServerError(f"{file} is damaged: {'; '.join(found)}; take an older backup")
            schema = db.execute("select version_num from alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise ServerError(f"{file} is not a backup of an Argilla database, or damaged ({error})") from None
    if schema is None or schema[0] != SCHEMA:
        raise ServerError(
            f"{file} has the schema {schema and schema[0]!r} and this server {SCHEMA!r}; restore it with the release "
            "that made it"
        )


def _counts(file: Path) -> dict[str, int]:
    with closing(_opened(file)) as db:
        kinds = ("users", "datasets", "records", "responses")
        return {kind: int(db.execute(f"select count(*) from {kind}").fetchone()[0]) for kind in kinds}


def _put_aside(places: Places) -> None:
    """Keep the database that is replaced under another name, and leave no write-ahead log that is not the new one's."""
    if places.database.exists():
        _keep(
            places.database, places.path / f"replaced-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 10**9:09d}.db"
        )
    for rest in ("-wal", "-shm"):
        places.database.with_name(places.database.name + rest).unlink(missing_ok=True)
    for rest in ("", "-wal", "-shm"):
        places.jobs.with_name(places.jobs.name + rest).unlink(missing_ok=True)


def _keep(database: Path, aside: Path) -> None:
    """One moment of `database` under the name `aside`; one that is damaged as it is, with its write-ahead log."""
    log = aside.with_suffix(".log")
    with suppress(FileNotFoundError):
        os.link(f"{database}-wal", log)  # before SQLite opens it, for it throws away what it cannot use
    try:
        _copy(database, aside)
        log.unlink(missing_ok=True)
    except sqlite3.DatabaseError:
        aside.unlink(missing_ok=True)
        os.link(database, aside)
        if log.exists():
            os.rename(log, f"{aside}-wal")
    aside.chmod(0o600)
