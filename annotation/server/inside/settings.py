"""Argilla's settings for one machine, set as environment variables before it is imported.

Everything else of Argilla that reads the environment or the current folder is pinned down here too: no telemetry, no
hub, no OAuth file from the current folder, no documentation pages, no other origin's scripts.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import secrets
import shutil
import tempfile
from pathlib import Path

from .files import replacing
from .places import ENGINE, Places


def apply(places: Places, origins: list[str]) -> None:
    """Set Argilla's variables for the home `places`; `origins` may use the API from pages of their own."""
    os.environ.update(
        ARGILLA_HOME_PATH=str(places.path),
        ARGILLA_DATABASE_URL=places.database_url,
        ARGILLA_SEARCH_ENGINE=ENGINE,
        ARGILLA_AUTH_SECRET_KEY=secret(places),
        ARGILLA_AUTH_OAUTH_CFG=str(places.path / "oauth.yaml"),
        ARGILLA_CORS_ORIGINS=json.dumps(origins),
        ARGILLA_DATABASE_SQLITE_TIMEOUT="30",
        ARGILLA_SHOW_HUGGINGFACE_SPACE_PERSISTENT_STORAGE_WARNING="0",
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_HUB_OFFLINE="1",
        HF_DATASETS_OFFLINE="1",
    )


def secret(places: Places) -> str:
    """The key that signs session tokens, made once; with it sessions outlive a restart."""
    try:
        return places.secret.read_text().strip()
    except FileNotFoundError:
        key = secrets.token_hex(32)
        write_private(places.secret, key)
        return key


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner may read, whole or not at all."""
    with replacing(path) as half:
        half.write_text(text, encoding="utf-8")


def own_tmp(places: Places) -> None:
    """An empty temporary folder in the home: at every start argilla-server copies 14 MB into one and leaves them."""
    remove_tmp(places)
    places.tmp.mkdir(mode=0o700)
    os.environ["TMPDIR"] = tempfile.tempdir = str(places.tmp)


def remove_tmp(places: Places) -> None:
    """Remove it."""
    shutil.rmtree(places.tmp, ignore_errors=True)


def log_to_file(places: Places) -> None:
    """Warnings and errors go to the home's log, 5 MB at most and three old ones."""
    handler = logging.handlers.RotatingFileHandler(places.log, maxBytes=5_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
