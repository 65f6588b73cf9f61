"""One real server for all tests of the search engine, and its owner's hand on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation.server.launch import Running, running
from tests.annotation.server.search.hands import Hand


@pytest.fixture(scope="session")
def search_server(tmp_path_factory: pytest.TempPathFactory, environment_folder: Path) -> Iterator[Running]:
    """A server in an empty home; tests make datasets of their own in it."""
    home = tmp_path_factory.mktemp("search") / "home"
    with running(home, port=0, folder=environment_folder) as server:
        yield server


@pytest.fixture(scope="session")
def owner(search_server: Running) -> Iterator[Hand]:
    """The owner."""
    with Hand(search_server.url, search_server.owner_key) as hand:
        yield hand
