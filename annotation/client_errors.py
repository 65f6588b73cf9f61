"""What can go wrong with a call of Argilla's API, in words that say what to do next.

    raise failed("GET http://127.0.0.1:6900/api/v1/me", response)

The client (`annotation.client`) raises them. Not covered: when a call is tried again.
"""

from __future__ import annotations

import json

import httpx2


class ArgillaError(Exception):
    """A call failed; the text names the status, the place and the next step. `status` is None without an answer."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class UnreachableError(ArgillaError):
    """Nothing answered, or the connection broke."""


class DeniedError(ArgillaError):
    """The key is unknown or its user may not do this (401, 403)."""


class MissingError(ArgillaError):
    """There is no such thing (404)."""


class TakenError(ArgillaError):
    """There is one already (409)."""


class RefusedError(ArgillaError):
    """The server does not take what was sent (other 4xx)."""


class BrokenError(ArgillaError):
    """The server failed (5xx)."""


class MovingError(ArgillaError):
    """The records could not be read whole, for they changed all the time."""


_KINDS: dict[int, tuple[type[ArgillaError], str]] = {
    401: (DeniedError, "the key is not known there; set ARGILLA_API_KEY to the key of an owner or admin"),
    403: (DeniedError, "the key's user may not do this; use the key of an owner"),
    404: (MissingError, "check the name and whether the key's user may see it"),
    409: (TakenError, "it is already there"),
    422: (RefusedError, "mend the value it names; this program sends what argilla-server 2.8 takes"),
}


def unreachable(call: str, error: httpx2.TransportError) -> UnreachableError:
    """What to say of a call (its method and URL) that nobody answered."""
    return UnreachableError(
        f"{call}: no answer ({type(error).__name__}); is the server running there? "
        "Start it (`python -m annotation serve`) or name another with --to, and give the command again"
    )


def failed(call: str, response: httpx2.Response) -> ArgillaError:
    """What to say of a call that was answered with an error."""
    status = response.status_code
    kind, advice = _KINDS.get(
        status,
        (BrokenError, "see the server's log and give the command again")
        if status >= 500
        else (RefusedError, "check the address and what was sent"),
    )
    return kind(f"{call} answered {status} ({_detail(response)}): {advice}", status)


def _detail(response: httpx2.Response) -> str:
    """What the server said, in at most 200 characters of one line."""
    try:
        body = response.json()
        said = body.get("detail", body) if isinstance(body, dict) else body
    except ValueError:
        said = response.text
    words = " ".join((said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)).split())
    return words[:200] or "without a word"
