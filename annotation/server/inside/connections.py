"""What every database connection of the server's process needs: the SQL functions, and patience.

The server opens connections as it likes; a listener on SQLAlchemy's `connect` event reaches all of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from .text_index import add_functions

__all__ = ["BUSY_MS", "watch"]

BUSY_MS = 30_000
"""How long a connection waits for another one's write, in milliseconds; the server's own 5 s is short for a bulk."""


def watch() -> None:
    """Equip every connection opened from now on; calling it again changes nothing."""
    if not event.contains(Engine, "connect", _equip):
        event.listen(Engine, "connect", _equip)


def _equip(connection: Any, _record: object) -> None:
    add_functions(connection)
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    cursor.close()
