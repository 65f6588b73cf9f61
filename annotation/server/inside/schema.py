"""The database's tables: made whole by Argilla's own migrations before the server starts.

A new database is made under another name and takes its own only when it is finished, so a kill leaves none half made.
An older one is copied beside itself before it is migrated. Not covered: going back to an older schema.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from .places import SCHEMA, Places


class SchemaError(Exception):
    """The database is not one this server can use."""


def bring_up_to_date(places: Places) -> None:
    """Make or migrate the home's database.

    Raises:
        SchemaError: it is not an Argilla database, or not after the migrations.
    """
    if not places.database.exists():
        half = places.database.with_suffix(".half")
        half.unlink(missing_ok=True)
        _migrate(half)
        os.replace(half, places.database)
    elif (found := revision(places.database)) != SCHEMA:
        shutil.copy2(places.database, places.database.with_suffix(f".before-{SCHEMA}"))
        _migrate(places.database)
        if revision(places.database) != SCHEMA:
            raise SchemaError(f"{places.database} has the schema {found!r}, which this argilla-server does not know")
    with closing(sqlite3.connect(places.database)) as db:
        db.execute("pragma journal_mode = wal")


def revision(database: Path) -> str | None:
    """The last migration of an Argilla database; None for another kind of file."""
    try:
        with closing(sqlite3.connect(database)) as db:
            row = db.execute("select version_num from alembic_version").fetchone()
    except sqlite3.DatabaseError:
        return None
    return None if row is None else str(row[0])


def _migrate(database: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from argilla_server.database import ALEMBIC_CONFIG_FILE
    from argilla_server.settings import settings

    usual, settings.database_url = settings.database_url, f"sqlite+aiosqlite:///{database}"
    try:
        config = Config(ALEMBIC_CONFIG_FILE)
        config.config_file_name = None  # else alembic's logging takes the place of ours
        config.set_main_option("script_location", str(Path(ALEMBIC_CONFIG_FILE).with_name("alembic")))
        command.upgrade(config, "head")
    except CommandError as error:
        raise SchemaError(
            f"{database} cannot be migrated: {error}; restore a backup of this server's release"
        ) from None
    finally:
        settings.database_url = usual
