"""The text index: an FTS5 table kept by triggers on `records`, in the transaction that changes the record.

    prepare("sqlite+aiosqlite:////path/argilla.db")     # at each start, after the migrations

makes what is missing (tables, triggers, indices, WAL), fills in records that are not indexed, and changes nothing when
all is there. One row of `live_texts` is one text field of one record; its words lie in `live_words` under the same
number. Numbers are the table's own, not `records.rowid`, which VACUUM may change.

The triggers call a Python function, so another program that writes to `records` fails with «no such function»: it
could not have kept the index right. Reading, `VACUUM INTO` and backups need no such function.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from . import folding, payloads
from .documents import FUNCTIONS

__all__ = ["INDICES", "add_functions", "prepare", "prepare_file"]

_LAYOUT = "1"

INDICES = {
    "live_records_page": "records (dataset_id, inserted_at, id, status, updated_at, external_id, metadata)",
    "live_records_dataset": "records (id, dataset_id, status)",
    "live_responses_user": "responses (user_id, record_id, status)",
    "live_suggestions_question": "suggestions (question_id, record_id, agent, type)",
    "live_vectors_settings": "vectors (vector_settings_id, record_id)",
}
"""What the queries need. A record's texts lie before its other columns, so that reading any of them from the table
walks through all the texts; the first two indices hold every other column and spare that."""

_TABLES = """
CREATE TABLE IF NOT EXISTS live_state (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS live_texts (
    id INTEGER PRIMARY KEY, record_id CHAR(32) NOT NULL, dataset_id CHAR(32) NOT NULL, field VARCHAR NOT NULL,
    UNIQUE (record_id, field)
);
CREATE VIRTUAL TABLE IF NOT EXISTS live_words USING fts5(words, tokenize='ascii');
"""
# The words come folded and parted by blanks; `ascii` then splits at the blanks and takes all else as it is.

_TEXT_FIELDS = "live_lowest(f.settings, 'member', 'type', 'text') <> 'image'"

_TRIGGERS = f"""
DROP TRIGGER IF EXISTS live_texts_insert;
CREATE TRIGGER live_texts_insert AFTER INSERT ON records BEGIN
    INSERT INTO live_texts (record_id, dataset_id, field)
        SELECT NEW.id, NEW.dataset_id, f.name FROM fields f WHERE f.dataset_id = NEW.dataset_id AND {_TEXT_FIELDS};
    INSERT INTO live_words (rowid, words)
        SELECT t.id, live_indexed(NEW.fields, t.field) FROM live_texts t WHERE t.record_id = NEW.id;
END;
DROP TRIGGER IF EXISTS live_texts_update;
CREATE TRIGGER live_texts_update AFTER UPDATE OF fields ON records WHEN NEW.fields IS NOT OLD.fields BEGIN
    UPDATE live_words
        SET words = live_indexed(NEW.fields, (SELECT t.field FROM live_texts t WHERE t.id = live_words.rowid))
        WHERE rowid IN (SELECT t.id FROM live_texts t WHERE t.record_id = NEW.id);
END;
DROP TRIGGER IF EXISTS live_texts_delete;
CREATE TRIGGER live_texts_delete AFTER DELETE ON records BEGIN
    DELETE FROM live_words WHERE rowid IN (SELECT t.id FROM live_texts t WHERE t.record_id = OLD.id);
    DELETE FROM live_texts WHERE record_id = OLD.id;
END;
"""

_FILL: Sequence[str] = (
    "DELETE FROM live_texts WHERE record_id NOT IN (SELECT id FROM records)",
    "DELETE FROM live_words WHERE rowid IN"
    " (SELECT d.id FROM live_words_docsize d WHERE d.id NOT IN (SELECT id FROM live_texts))",
    "INSERT OR IGNORE INTO live_texts (record_id, dataset_id, field) SELECT r.id, r.dataset_id, f.name"
    f" FROM records r JOIN fields f ON f.dataset_id = r.dataset_id WHERE {_TEXT_FIELDS}",
    "INSERT INTO live_words (rowid, words) SELECT t.id, live_indexed(r.fields, t.field)"
    " FROM live_texts t JOIN records r ON r.id = t.record_id"
    " WHERE t.id NOT IN (SELECT d.id FROM live_words_docsize d)",
)


def prepare(connection_url: str) -> None:
    """Make the database at `connection_url` (as in Argilla's setting) ready for the engine; idempotent.

    Raises ValueError when it is not an SQLite file, sqlite3.OperationalError when it holds no Argilla tables yet.
    """
    from sqlalchemy import make_url  # only here: the rest runs on plain Python

    url = make_url(connection_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        raise ValueError(f"database URL {connection_url!r} names no SQLite file; use sqlite+aiosqlite:///PATH")
    prepare_file(url.database)


def prepare_file(path: str | Path, *, again: bool = False) -> None:
    """`prepare` by path. `again` makes the text index anew whatever it holds, for a database written to by hand."""
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        add_functions(connection)
        _in_one_step(connection, again)
    finally:
        connection.close()


def add_functions(connection: sqlite3.Connection) -> None:
    """Give `connection` the SQL functions that triggers and queries call; also takes SQLAlchemy's async wrapper."""
    for name, (count, function) in {**FUNCTIONS, "live_indexed": (2, payloads.indexed)}.items():
        connection.create_function(name, count, function, deterministic=True)


def _in_one_step(connection: sqlite3.Connection, again: bool) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        _run(connection, _TABLES)
        if again or _state(connection) != _version():
            _run(connection, "DELETE FROM live_words; DELETE FROM live_texts;")
        _run(connection, _TRIGGERS)
        for name, columns in INDICES.items():
            connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")
        for statement in _FILL:
            connection.execute(statement)
        connection.execute("INSERT OR REPLACE INTO live_state VALUES ('version', ?)", (_version(),))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Like `executescript`, but inside the open transaction."""
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n;"):
                connection.execute(statement)
            statement = ""


def _state(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT value FROM live_state WHERE key = 'version'").fetchone()
    return row[0] if row else None


def _version() -> str:
    names = [getattr(decoder, "__qualname__", repr(decoder)) for decoder in payloads.decoders]
    return " ".join([_LAYOUT, folding.VERSION, *names])
