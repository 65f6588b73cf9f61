"""One real server for each module of tests, its environment made once in a cache outside the repository; and fakes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation.address import connect
from annotation.client import Argilla
from annotation.deliver import Route
from annotation.push import Target
from annotation.server.launch import Running, running
from gaokerena.outbox import Outbox
from gaokerena.store import Store
from tests.annotation.push_cases import PAGE, FakeArgilla


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


@pytest.fixture
def fake() -> FakeArgilla:
    return FakeArgilla()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store.sqlite3") as opened_store:
        yield opened_store


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox") as opened_box:
        yield opened_box


@pytest.fixture
def route(tmp_path: Path, store: Store, outbox: Outbox) -> Route:
    return Route(store.path, outbox.folder, tmp_path / "annotation", Target("doctors", "page"), PAGE)
