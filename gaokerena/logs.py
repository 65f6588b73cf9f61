"""What the program writes about itself: to standard error, with the time, without personal identifiers.

An exception may quote the question it broke on, and a library's message may quote what it was sent, so the whole line
and its traceback go through the scrubber. Addresses of this machine and of a private network stay, because whoever
runs the page needs them: `http://127.0.0.1:8080`. Any other address shows as the placeholder for links, a public
server's host too; which server is meant stands in the settings. A user and password before `@` are never written,
whatever the scheme.

Not covered: a key in the path or query behind an address that stays (they are scrubbed like any text).
"""

from __future__ import annotations

import logging
import re

from gaokerena.scrub import scrub

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_PRIVATE = rf"(?:10\.{_OCTET}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.{_OCTET}\.{_OCTET}"
# What stands before `@` is gone when this is tried; the end keeps `localhost.example.com` and `10.0.0.1:80:x` out.
_HERE = re.compile(
    rf"(https?://(?:localhost|127\.0\.0\.1|\[::1\]|{_PRIVATE})(?::\d{{1,5}})?)(?![\w@-]|[.:]\w)",
    re.ASCII | re.IGNORECASE,
)
_PASSWORD = re.compile(r"(?<=://)[^\s/?#]+@|(?<![\w.%+:-])[\w.%+-]{1,64}:[^\s/@]{1,128}@(?=[\w\[])")
_STARS = "***@"


class ScrubbingFormatter(logging.Formatter):
    """A line as `logging.Formatter` makes it, traceback included, scrubbed but for `http://host:port` nearby."""

    def format(self, record: logging.LogRecord) -> str:
        pieces = _HERE.split(_PASSWORD.sub(_STARS, super().format(record)))
        return "".join(piece if place % 2 else scrub(piece).text for place, piece in enumerate(pieces))


def set_up(level: int = logging.WARNING) -> None:
    """Send what is logged from `level` on to standard error; called once, by a program, never by a library."""
    handler = logging.StreamHandler()
    handler.setFormatter(ScrubbingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
