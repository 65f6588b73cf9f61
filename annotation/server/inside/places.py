"""Where everything of a home folder lies, and the names both sides of the server agree on.

Plain standard library: read by the commands outside and by the server inside. Not covered: making any of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

OWNER = "owner"
"""The user name of the first owner."""

ENGINE = "sqlite_live"
"""The name under which this project's search engine is registered with Argilla."""

SCHEMA = "580a6553186f"
"""The last migration of argilla-server 2.8.0 (`alembic/versions` in its wheel)."""


@dataclass(frozen=True)
class Places:
    """Paths inside the home folder `path`."""

    path: Path

    @property
    def database(self) -> Path:
        """The server's SQLite file (with `-wal` and `-shm` beside it while it is open)."""
        return self.path / "argilla.db"

    @property
    def jobs(self) -> Path:
        """The queue of background jobs, an SQLite file of its own."""
        return self.path / "jobs.db"

    @property
    def secret(self) -> Path:
        """The key that signs session tokens; mode 600."""
        return self.path / "secret"

    @property
    def owner(self) -> Path:
        """The owner's name and API key as JSON; mode 600."""
        return self.path / "owner.json"

    @property
    def address(self) -> Path:
        """Where the running server answers, as JSON; written when it is ready."""
        return self.path / "address.json"

    @property
    def lock(self) -> Path:
        """Locked by the running server for as long as it lives."""
        return self.path / "lock"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.path / "server.log"

    @property
    def tmp(self) -> Path:
        """The server's temporary folder, emptied at every start and stop."""
        return self.path / "tmp"

    @property
    def database_url(self) -> str:
        """The database as Argilla's setting wants it."""
        return f"sqlite+aiosqlite:///{self.database}?check_same_thread=False"
