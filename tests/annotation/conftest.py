"""One real server for each module of tests; its environment is made once, in a cache outside the repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation.address import connect
from annotation.client import Argilla
from annotation.server.launch import Running, running


@pytest.fixture(scope="session")
def environment_folder() -> Path:
    """The folder ANNOTATION_ENVIRONMENT names, or one in the user's cache."""
    return Path(os.environ.get("ANNOTATION_ENVIRONMENT") or Path.home() / ".cache/gaokerena/annotation-server")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, environment_folder: Path) -> Iterator[Running]:
    """A server on an empty home."""
    with running(tmp_path_factory.mktemp("argilla") / "home", folder=environment_folder) as server:
        yield server


@pytest.fixture
def argilla(server: Running) -> Iterator[Argilla]:
    """A client of the module's server."""
    with connect(str(server.places.path)) as made:
        yield made
