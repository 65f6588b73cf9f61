"""A backup made while people annotate comes back whole, with every status; what cannot be restored is refused."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from annotation.server import home as homes
from annotation.server.backup import backup, restore
from annotation.server.errors import ServerError
from annotation.server.inside.places import SCHEMA
from annotation.server.launch import Running
from tests.annotation.server.talk import answer, log, make_dataset, sign_in, statuses, talk, until


@contextmanager
def answering(server: Running, records: list[str]) -> Iterator[list[str]]:
    """Somebody answers one record after the other, five of them before the block and one after; those answered."""
    over, written = threading.Event(), list[str]()

    def write() -> None:
        with talk(server) as client:
            for place, record in enumerate(records):
                if place == len(records) - 1:  # however long the block takes
                    over.wait()
                last = over.is_set()
                answer(client, record)
                written.append(record)
                if last:
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert until(lambda: len(written) >= 5)
        yield written
    finally:
        over.set()
        writer.join()


def test_a_backup_during_writes_restores_every_status(server: Running, tmp_path: Path) -> None:
    file = tmp_path / "monday.argilla"
    with talk(server) as client:
        dataset = make_dataset(client, "backup")
        records = log(client, dataset, 60)
        for record, status in zip(records, ("submitted", "draft", "discarded"), strict=False):
            answer(client, record, status)

    with answering(server, records[3:]) as written:
        before = len(written)
        counts = backup(server.places.path, file)
    assert counts["records"] == 60
    assert 3 + before <= counts["responses"] < 3 + len(written)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["monday.argilla"]

    with pytest.raises(ServerError, match=r"already running"):
        restore(server.places.path, file, force=True)
    server.stop()
    with pytest.raises(ServerError, match=r"argilla\.db exists; give --force"):
        restore(server.places.path, file)
    assert restore(server.places.path, file, force=True) == counts
    with closing(sqlite3.connect(next(server.places.path.glob("replaced-*.db")))) as db:
        assert db.execute("select count(*) from responses").fetchone()[0] == 3 + len(written)

    server.begin()
    assert sign_in(server, "owner", server.password).status_code == 201
    with talk(server) as client:
        assert statuses(client, records[:4])[:3] == ["completed", "pending", "pending"]
        found = [client.get(f"records/{record}").json()["responses"][0]["status"] for record in records[:3]]
        assert found == ["submitted", "draft", "discarded"]
        dataset_left = client.get(f"datasets/{dataset}/progress").json()
        assert dataset_left["completed"] == counts["responses"] - 2
        log(client, dataset, 1, start=100)  # it can be written to, text index and all


def test_a_backup_does_not_replace_a_file_unasked(server: Running, tmp_path: Path) -> None:
    file = tmp_path / "b"
    file.write_text("something else")
    with pytest.raises(ServerError, match=r"b exists; give another name, or --force"):
        backup(server.places.path, file)
    assert file.read_text() == "something else"
    backup(server.places.path, file, force=True)
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_there_must_be_something_to_back_up_and_somewhere_to_put_it(server: Running, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"no database in .*empty to back up"):
        backup(tmp_path / "empty", tmp_path / "b")
    with pytest.raises(ServerError, match=r"argilla\.db lies in the server's own folder"):
        backup(server.places.path, server.places.database, force=True)
    with pytest.raises(ServerError, match=r"gone/b cannot be written"):
        backup(server.places.path, tmp_path / "gone" / "b")


def test_a_damaged_database_is_replaced_and_kept(server: Running, tmp_path: Path) -> None:
    file, places = tmp_path / "b", homes.make(tmp_path / "home")
    counts = backup(server.places.path, file)
    places.database.write_bytes(b"garbage")
    wal = places.path / "argilla.db-wal"
    wal.write_bytes(b"what it lacks")
    os.close(homes.hold(places))
    assert restore(places.path, file, force=True) == counts
    (aside,) = places.path.glob("replaced-*.db")
    assert aside.read_bytes() == b"garbage"
    assert Path(f"{aside}-wal").read_bytes() == b"what it lacks"
    assert not wal.exists()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("missing", "there is no file"),
        ("text", "is not a backup of an Argilla database"),
        ("other", "is not a backup of an Argilla database"),
        ("old", f"has the schema 'abc' and this server '{SCHEMA}'"),
        ("torn", "damaged"),
    ],
)
def test_what_is_no_sound_backup_changes_nothing(server: Running, tmp_path: Path, name: str, error: str) -> None:
    file, home = tmp_path / name, tmp_path / "home"
    if name == "text":
        file.write_text("نوشته" * 1000)
    elif name == "torn":
        backup(server.places.path, file)
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
    elif name != "missing":
        with closing(sqlite3.connect(file)) as db, db:
            db.execute(f"create table {'alembic_version' if name == 'old' else 'another'} (version_num)")
            if name == "old":
                db.execute("insert into alembic_version values ('abc')")
    with pytest.raises(ServerError, match=error):
        restore(home, file, force=True)
    assert not home.exists()
