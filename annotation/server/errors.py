"""The one error this package raises for what its user can mend."""

from __future__ import annotations


class ServerError(Exception):
    """Something the person at the keyboard can mend; the text names the value, the place and the next step."""
