"""Which Argilla is meant: the folder of a one-machine server, or the URL of any other, and the key to it.

    with connect("annotation-home") as argilla: …             # the owner's key lies in the folder, mode 600
    with connect("https://argilla.example.org") as argilla: … # the key comes from ARGILLA_API_KEY

A key is never given on a command line, where other users of the machine could read it, and never in a URL.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import httpx2

from annotation.client import Argilla, ArgillaError, is_local

KEY = "ARGILLA_API_KEY"

log = logging.getLogger(__name__)


class AddressError(ArgillaError):
    """The address or the key cannot be used; the text says which and what to give instead."""


class NotRunningError(AddressError):
    """The home folder's server does not run now; it may come back."""


def connect(to: str) -> Argilla:
    """A client of the Argilla that `to` means, a URL or a home folder. Raises AddressError."""
    return _by_url(to) if "://" in to else _by_home(Path(to).expanduser())


def _by_url(url: str) -> Argilla:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise AddressError(
            f"{url!r} is no URL ({error}); give --to https://HOST or the home folder of a server"
        ) from None
    if parsed.userinfo:
        raise AddressError(f"a key does not belong in a URL; give --to without it and set {KEY}")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise AddressError(f"{url!r} is no http(s) URL; give --to https://HOST or the home folder of a server")
    key = os.environ.get(KEY, "").strip()
    if not key:
        raise AddressError(
            f"{KEY} is not set; set it to the API key of an owner of {parsed.host} (its page: My settings)"
        )
    if parsed.scheme == "http" and not is_local(url):
        log.warning("%s is plain HTTP: the key and the records can be read on the way", parsed.host)
    return Argilla(url, key)


def _by_home(home: Path) -> Argilla:
    from annotation.server.errors import ServerError
    from annotation.server.home import credentials

    try:
        known = credentials(home)
    except ServerError as error:
        raise AddressError(str(error)) from None
    if known.url is None:
        raise NotRunningError(f"no server is running in {home}; start it: python -m annotation serve --home {home}")
    return Argilla(known.url, known.api_key)
