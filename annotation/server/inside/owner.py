"""The first user: `owner`, with a password made here, hashed by Argilla and told once.

The API key goes into a file of mode 600, so that programs of the same user can use the server. A password that was made
but never shown (the process died between) is made again at the next start.
"""

from __future__ import annotations

import json
import secrets

from .places import OWNER, Places
from .settings import write_private


async def ensure_owner(places: Places, *, new_password: bool) -> str | None:
    """Make the owner if there is none; the password to show, or None when the known one still holds."""
    from argilla_server.contexts import accounts
    from argilla_server.database import AsyncSessionLocal
    from argilla_server.models import User, UserRole

    async with AsyncSessionLocal() as db:
        owner = await User.get_by(db, username=OWNER)
        if owner and not new_password and _was_shown(places):
            _remember(places, owner.api_key, shown=True)  # another one's after a restored backup
            return None
        password = secrets.token_urlsafe(12)
        _remember(places, None, shown=False)  # if the process dies now, the next start makes another
        if owner:
            owner = await accounts.update_user(db, owner, {"password": password})
        else:
            attributes = {"first_name": "Owner", "last_name": None, "username": OWNER, "role": UserRole.owner}
            owner = await accounts.create_user(db, {**attributes, "password": password})
    _remember(places, owner.api_key, shown=False)
    return password


def say_shown(places: Places) -> None:
    """Remember that the password was shown: it is not made again."""
    _remember(places, json.loads(places.owner.read_text())["api_key"], shown=True)


def _was_shown(places: Places) -> bool:
    """Whether the owner's password was shown; an owner from a restored backup counts as known to whoever kept it."""
    try:
        return bool(json.loads(places.owner.read_text())["password_shown"])
    except (OSError, ValueError, KeyError):
        return True


def _remember(places: Places, api_key: str | None, *, shown: bool) -> None:
    write_private(places.owner, json.dumps({"username": OWNER, "api_key": api_key, "password_shown": shown}))
