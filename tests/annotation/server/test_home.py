"""The home folder: one server at a time, private files, and errors that say what to do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from annotation.server import home
from annotation.server.errors import ServerError
from annotation.server.inside import settings
from annotation.server.inside.places import Places


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_home_is_for_its_owner_and_held_by_one(tmp_path: Path) -> None:
    places = home.make(tmp_path / "a" / "home")
    assert mode(places.path) == 0o700
    assert (places.path / ".gitignore").read_text() == "*\n"
    assert not home.is_running(places)

    lock = home.hold(places)
    assert home.is_running(places)
    with pytest.raises(ServerError, match=r"a server is already running in .*still starting.*--home"):
        home.hold(places, patience=0.1)
    places.address.write_text(json.dumps({"url": "http://127.0.0.1:6900"}))
    with pytest.raises(ServerError, match=r"http://127\.0\.0\.1:6900"):
        home.hold(places, patience=0.1)

    os.close(lock)
    assert not home.is_running(places)
    os.close(home.hold(places))


def test_a_folder_of_other_files_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("secrets\n")
    tmp_path.chmod(0o755)
    with pytest.raises(ServerError, match=r"holds other files \(\.gitignore\); name a folder of its own with --home"):
        home.make(tmp_path)
    assert ((tmp_path / ".gitignore").read_text(), mode(tmp_path)) == ("secrets\n", 0o755)
    (tmp_path / "lock").touch()  # a server has run there
    home.make(tmp_path)
    assert ((tmp_path / ".gitignore").read_text(), mode(tmp_path)) == ("secrets\n", 0o700)


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match=r"file/home cannot be used .*--home"):
        home.make(tmp_path / "file" / "home")


def test_credentials_name_the_running_server_only(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"no server has run in .*annotation serve --home"):
        home.credentials(tmp_path / "home")
    places = home.make(tmp_path / "home")
    settings.write_private(places.owner, json.dumps({"username": "owner", "api_key": "k", "password_shown": True}))
    settings.write_private(places.address, json.dumps({"url": "http://127.0.0.1:1", "pid": 1}))
    assert home.credentials(places.path) == home.Credentials(None, "owner", "k")  # left by a crash: nobody holds it
    lock = home.hold(places)
    assert home.credentials(places.path).url is None  # it is starting; who answers at the old address is not known
    settings.write_private(places.address, json.dumps({"url": "http://127.0.0.1:1", "pid": 1}))
    assert home.credentials(places.path).url == "http://127.0.0.1:1"
    os.close(lock)
    places.owner.write_text("{")
    with pytest.raises(ServerError, match="cannot be read"):
        home.credentials(places.path)


def test_the_default_home_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANNOTATION_HOME", raising=False)
    assert home.default_home() == Path("annotation-home")
    monkeypatch.setenv("ANNOTATION_HOME", "~/x")
    assert home.default_home() == Path.home() / "x"


def test_a_private_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    settings.write_private(tmp_path / "owner.json", "old")
    with pytest.raises(UnicodeEncodeError):
        settings.write_private(tmp_path / "owner.json", "\ud800")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("owner.json", "old")]


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    places = Places(tmp_path)
    first = settings.secret(places)
    assert len(first) == 64
    assert mode(places.secret) == 0o600
    assert settings.secret(places) == first
    assert settings.secret(Places(home.make(tmp_path / "other").path)) != first
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["secret"]
