"""The SQLite file behind `store`: opening it, bringing its schema up to date, and errors that say what to do.

A file is opened in WAL mode with `synchronous=FULL`: a commit has reached the disk when it returns, readers never wait
for a writer, and several processes may share the file. `MIGRATIONS` only grows; `PRAGMA user_version` counts the ones
already done.

Not covered: what the rows mean (`store`); network file systems, where SQLite's locks cannot be trusted.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

APPLICATION_ID = 0x67616F6B
""""gaok": marks the file as ours, so that another program's database is never written to."""

WAIT_SECONDS = 15.0

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE comparisons (
            id TEXT PRIMARY KEY, at TEXT NOT NULL, question_id TEXT NOT NULL, suite TEXT, subject TEXT,
            left_model TEXT NOT NULL, right_model TEXT NOT NULL, seed INTEGER NOT NULL, follows TEXT,
            blind INTEGER NOT NULL, consent INTEGER NOT NULL, session TEXT NOT NULL, preset TEXT NOT NULL,
            question TEXT)""",
        "CREATE INDEX comparisons_by_time ON comparisons (at)",
        """CREATE TABLE answers (
            number INTEGER PRIMARY KEY AUTOINCREMENT, comparison_id TEXT NOT NULL REFERENCES comparisons (id),
            side TEXT NOT NULL CHECK (side IN ('left', 'right')), stored_at TEXT NOT NULL,
            facts TEXT NOT NULL, words TEXT)""",
        "CREATE INDEX answers_by_comparison ON answers (comparison_id, number)",
        """CREATE TABLE verdicts (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
            comparison_id TEXT NOT NULL REFERENCES comparisons (id), session TEXT NOT NULL, judge TEXT NOT NULL,
            choice TEXT NOT NULL, blind INTEGER NOT NULL, stored_at TEXT NOT NULL, body TEXT NOT NULL)""",
        "CREATE INDEX verdicts_by_judge ON verdicts (comparison_id, session, number)",
        """CREATE VIEW current_verdicts AS SELECT * FROM verdicts AS one WHERE number =
            (SELECT max(number) FROM verdicts WHERE comparison_id = one.comparison_id AND session = one.session)""",
        """CREATE TRIGGER verdicts_never_change BEFORE UPDATE ON verdicts
            BEGIN SELECT RAISE(ABORT, 'a verdict is never changed: add another one'); END""",
        """CREATE TRIGGER verdicts_never_go BEFORE DELETE ON verdicts
            BEGIN SELECT RAISE(ABORT, 'a verdict is never deleted'); END""",
    ),
)

_NEXT_STEPS = {
    "SQLITE_CANTOPEN": "cannot be opened; check that the folder exists and may be written to",
    "SQLITE_READONLY": "may not be written to; give the app write access to the file and its folder",
    "SQLITE_PERM": "may not be written to; give the app write access to the file and its folder",
    "SQLITE_NOTADB": "is not a SQLite file; move it away, or put its backup in its place, and start again",
    "SQLITE_CORRUPT": "is damaged; keep a copy, try `sqlite3 FILE .recover`, or put its backup in its place",
    "SQLITE_FULL": "cannot grow, the disk is full; free some space",
    "SQLITE_BUSY": f"is held by another process for more than {WAIT_SECONDS:.0f} s; find it and stop it",
    "SQLITE_IOERR": "cannot be read or written, the disk reports an error; check the disk",
}


class StoreError(Exception):
    """The store cannot be used. The text is English and names the file and the next step."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite raises about the file at `path` into a StoreError; broken constraints pass through."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", None) or ""
        told = next((step for start, step in _NEXT_STEPS.items() if code.startswith(start)), "cannot be used")
        raise StoreError(f"store {path} {told} ({error})") from error


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from any thread, one at a time."""
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def open_file(path: Path) -> sqlite3.Connection:
    """Open the store at `path`, made when it is not there, checked, with its schema up to date. Raises StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"store {path}: its folder cannot be made ({error}); choose another place") from error
    with explained(path):
        connection = connect(path)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _check(connection, path)
    _use_wal(connection)
    connection.execute("PRAGMA secure_delete = ON")  # purged text is overwritten, not only unlinked
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = _check(connection, path)  # once more: another process may have been faster
        for number, statements in enumerate(MIGRATIONS[done:], done + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        if not done:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreError(f"store {path} {_NEXT_STEPS['SQLITE_CORRUPT']} ({found})")


def _check(connection: sqlite3.Connection, path: Path) -> int:
    """How many migrations the file has; raises StoreError where it is newer than this code or not ours."""
    done: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and owner != APPLICATION_ID:
        raise StoreError(f"store {path} is a database of another program; choose another file")
    if done > len(MIGRATIONS):
        raise StoreError(
            f"store {path} has schema {done}, newer than {len(MIGRATIONS)}; update Gaokerena, or choose another file"
        )
    return done


def refuse_own(store: Path, path: Path) -> None:
    """Raises StoreError where writing to `path` would replace the store or one of SQLite's files beside it."""
    own = {store.resolve().with_name(store.resolve().name + tail) for tail in ("", "-wal", "-shm", "-journal")}
    if path.resolve() in own:
        raise StoreError(f"{path} is the store {store} itself, which would be lost; write to another file")


def empty_wal(path: Path, wait: float) -> None:
    """Move the write-ahead log into the file and cut it to nothing, so that what was overwritten is gone from both.

    Raises StoreError where a reader of older rows, in whatever process, does not end within `wait` seconds.
    """
    until = time.monotonic() + wait
    with explained(path):
        connection = connect(path)
        try:
            connection.execute(
                "PRAGMA busy_timeout = 0"
            )  # ask often and briefly: a waiting checkpoint holds writers up
            while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > until:
                    raise StoreError(
                        f"store {path}: the purged texts can no longer be read, but their bytes are still on the disk: "
                        f"a program held older rows for more than {wait:.0f} s; end it and purge again"
                    )
                time.sleep(0.05)
        finally:
            connection.close()


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn on WAL mode. Two processes that create one file meet here, and SQLite does not wait for us."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > until:
                raise
            time.sleep(0.02)
