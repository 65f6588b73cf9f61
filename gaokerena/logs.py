"""What the program writes about itself: to standard error, with the time, without personal identifiers.

An exception may quote the question it broke on, and a library's message may quote what it was sent, so the whole line
and its traceback go through the scrubber. Addresses of servers stay: whoever runs the page needs them.
"""

from __future__ import annotations

import logging
import re

from gaokerena.scrub import scrub

_ADDRESS = re.compile(r"(https?://[A-Za-z0-9.:\[\]-]+)")


class ScrubbingFormatter(logging.Formatter):
    """A line as `logging.Formatter` makes it, traceback included, scrubbed but for `http://host:port`."""

    def format(self, record: logging.LogRecord) -> str:
        pieces = _ADDRESS.split(super().format(record))
        return "".join(piece if place % 2 else scrub(piece).text for place, piece in enumerate(pieces))


def set_up(level: int = logging.WARNING) -> None:
    """Send what is logged from `level` on to standard error; called once, by a program, never by a library."""
    handler = logging.StreamHandler()
    handler.setFormatter(ScrubbingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
