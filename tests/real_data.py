"""The folder of published data for tests marked `data`: skipped without it, failed in CI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def data_folder() -> Path:
    """The folder named by GAOKERENA_DATA."""
    named = os.environ.get("GAOKERENA_DATA", "")
    if named and Path(named).is_dir():
        return Path(named)
    message = f"GAOKERENA_DATA is {named!r}, not a folder; set it to the published tables"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
