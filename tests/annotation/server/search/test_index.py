"""The text index and the query plans, on copies of a real server's database."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from annotation.server.inside import payloads, text_index
from annotation.server.launch import Running
from tests.annotation.server.search.hands import Hand, Made, asking, ids, log, make, text_design

ROOT = Path(__file__).parents[4]
# Words of this module alone: the server is shared with the others.
TEXTS = ("زنبیل وانگهی چلچله", "زنبيل", "چلچله")


@pytest.fixture(scope="module")
def made(owner: Hand) -> Made:
    made = make(owner, text_design(fields={"text": {"type": "text"}, "picture": {"type": "image"}}))
    log(owner, made, [{"fields": {"text": text}} for text in TEXTS])
    return made


@pytest.fixture
def copy(search_server: Running, made: Made, tmp_path: Path) -> Path:
    """The database as it is, by SQLite's own backup while the server runs."""
    path = tmp_path / "copy.db"
    with closing(sqlite3.connect(search_server.places.database)) as live, closing(sqlite3.connect(path)) as to:
        live.backup(to)
    return path


@pytest.fixture
def opened(copy: Path) -> Iterator[sqlite3.Connection]:
    """The copy, as the server opens it."""
    with closing(sqlite3.connect(copy)) as connection:
        text_index.add_functions(connection)
        connection.execute("PRAGMA foreign_keys = ON")
        yield connection


def found(connection: sqlite3.Connection, word: str) -> set[str]:
    """Ids of the records whose text holds `word`."""
    rows = connection.execute(
        "SELECT t.record_id FROM live_words JOIN live_texts t ON t.id = live_words.rowid WHERE live_words MATCH ?",
        (f'"{word}"',),
    )
    return {row[0] for row in rows}


def is_sound(connection: sqlite3.Connection) -> bool:
    """FTS agrees with itself, and each of its rows has a partner."""
    connection.execute("INSERT INTO live_words (live_words) VALUES ('integrity-check')")
    texts = {row[0] for row in connection.execute("SELECT id FROM live_texts")}
    words = {row[0] for row in connection.execute("SELECT rowid FROM live_words")}
    records = {row[0] for row in connection.execute("SELECT id FROM records")}
    held = {row[0] for row in connection.execute("SELECT record_id FROM live_texts")}
    return texts == words and held <= records


def dump(connection: sqlite3.Connection) -> dict[str, list[str]]:
    tables = ("sqlite_master", "live_texts", "live_words_content", "live_state")
    return {table: sorted(str(row) for row in connection.execute(f"SELECT * FROM {table}")) for table in tables}


def test_preparing_again_changes_nothing(copy: Path, opened: sqlite3.Connection) -> None:
    before = dump(opened)
    assert all(before.values())
    text_index.prepare_file(copy)
    text_index.prepare_file(copy)
    assert dump(opened) == before
    assert is_sound(opened)
    assert opened.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_images_are_not_indexed(opened: sqlite3.Connection, made: Made) -> None:
    rows = opened.execute("SELECT field FROM live_texts WHERE dataset_id = ?", (UUID(made.id).hex,)).fetchall()
    assert rows == [("text",)] * len(TEXTS)


def test_deleting_a_dataset_leaves_no_word_of_it(owner: Hand, search_server: Running) -> None:
    made = make(owner, text_design())
    log(owner, made, [{"fields": {"text": "تنهاواژه"}}] * 3)
    with closing(sqlite3.connect(search_server.places.database)) as live:
        assert len(found(live, "تنهاواژه")) == 3
        owner.call("DELETE", f"/datasets/{made.id}")
        assert found(live, "تنهاواژه") == set()
        rows = live.execute("SELECT count(*) FROM live_texts WHERE dataset_id = ?", (UUID(made.id).hex,))
        assert rows.fetchone() == (0,)


def test_a_change_of_fields_alone_touches_the_index(opened: sqlite3.Connection) -> None:
    (record,) = found(opened, "زنبیل") - found(opened, "وانگهی")
    before = opened.total_changes
    opened.execute("UPDATE records SET status = 'completed', updated_at = updated_at WHERE id = ?", (record,))
    assert opened.total_changes == before + 1
    opened.execute("UPDATE records SET fields = ? WHERE id = ?", (json.dumps({"text": "تازه"}), record))
    assert found(opened, "تازه") == {record}
    assert record not in found(opened, "زنبیل")
    assert is_sound(opened)


def test_a_transaction_rolled_back_takes_its_words_along(opened: sqlite3.Connection) -> None:
    opened.execute("DELETE FROM records")
    assert found(opened, "زنبیل") == set()
    opened.rollback()
    assert len(found(opened, "زنبیل")) == 2
    assert is_sound(opened)


def test_vacuum_moves_no_word_to_another_record(copy: Path, opened: sqlite3.Connection) -> None:
    first = min(found(opened, "چلچله"))
    opened.execute("DELETE FROM records WHERE id = ?", (first,))
    opened.commit()
    before = {word: found(opened, word) for word in ("زنبیل", "چلچله", "وانگهی")}
    opened.execute("VACUUM")
    assert {word: found(opened, word) for word in before} == before
    assert is_sound(opened)


def test_what_was_written_without_the_triggers_is_mended_at_the_next_start(
    copy: Path, opened: sqlite3.Connection
) -> None:
    gone, new = min(found(opened, "چلچله")), uuid4().hex
    for name in ("insert", "update", "delete"):
        opened.execute(f"DROP TRIGGER live_texts_{name}")
    row = list(opened.execute("SELECT * FROM records WHERE id = ?", (gone,)).fetchone())
    opened.execute("DELETE FROM records WHERE id = ?", (gone,))
    opened.execute(f"INSERT INTO records VALUES ({', '.join('?' * len(row))})", [new, *row[1:]])
    opened.commit()
    text_index.prepare_file(copy)
    assert gone not in found(opened, "چلچله")
    assert new in found(opened, "چلچله")
    assert is_sound(opened)


def test_another_program_cannot_write_records_past_the_index(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as stranger, pytest.raises(sqlite3.OperationalError, match="no such function"):
        stranger.execute("UPDATE records SET fields = '{}'")


def test_a_new_decoder_makes_the_index_again(
    copy: Path, opened: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    (record,) = found(opened, "وانگهی")
    opened.execute("UPDATE records SET fields = ? WHERE id = ?", (json.dumps({"text": {"rot": "شورکدور"}}), record))
    opened.commit()
    assert found(opened, "رودکروش") == set()

    def backwards(content: dict[str, str]) -> object:
        return content["rot"][::-1] if "rot" in content else None

    monkeypatch.setattr(payloads, "decoders", [*payloads.decoders, backwards])
    text_index.prepare_file(copy)
    assert found(opened, "رودکروش") == {record}


def test_an_index_that_lies_is_made_again_on_demand(copy: Path, opened: sqlite3.Connection) -> None:
    truth = found(opened, "زنبیل")
    opened.execute("UPDATE live_words SET words = 'زنبیل'")
    opened.commit()
    assert found(opened, "زنبیل") != truth
    text_index.prepare_file(copy)
    assert found(opened, "زنبیل") != truth, "a start trusts the triggers"
    text_index.prepare_file(copy, again=True)
    assert found(opened, "زنبیل") == truth


def test_a_file_without_argilla_s_tables_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    with pytest.raises(sqlite3.OperationalError, match="records"):
        text_index.prepare_file(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


@pytest.mark.parametrize("url", ["postgresql+asyncpg://u@h/d", "sqlite+aiosqlite://", "sqlite:///:memory:"])
def test_only_an_sqlite_file_can_be_prepared(search_server: Running, url: str) -> None:
    code = f"from inside.text_index import prepare; prepare({url!r})"
    done = _inside(search_server, "-c", code)
    assert done.returncode == 1
    assert "use sqlite+aiosqlite:///PATH" in done.stderr


def _inside(server: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the server's own Python, with its environment and a home of its own."""
    home = server.places.path.with_name("inside")
    home.mkdir(exist_ok=True)
    variables = {
        "PYTHONPATH": str(ROOT / "annotation" / "server"),
        "ARGILLA_HOME_PATH": str(home),
        "TMPDIR": str(home),
        "HF_HUB_OFFLINE": "1",
        "PATH": os.environ["PATH"],
    }
    command = [str(server.python), "-P", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=variables, timeout=120, check=False)


def test_no_page_walks_through_the_records_texts(
    owner: Hand, search_server: Running, made: Made, opened: sqlite3.Connection
) -> None:
    """Every step over records or responses is answered by an index alone: the texts of the records are not read."""
    script = str(Path(__file__).with_name("statements.py"))
    done = _inside(search_server, script, made.id, str(uuid4()))
    assert done.returncode == 0, done.stderr
    statements = json.loads(done.stdout.splitlines()[-1])
    assert len(statements) == 9
    for name, statement in statements.items():
        steps = [row[3] for row in opened.execute(f"EXPLAIN QUERY PLAN {statement}")]
        touching = [step for step in steps if "records" in step or "responses" in step]
        assert touching, (name, steps)
        assert all("USING COVERING INDEX" in step for step in touching), (name, steps)
    dataset = f"dataset_id = '{UUID(made.id).hex}'"
    rows = opened.execute(f"EXPLAIN QUERY PLAN SELECT fields FROM records WHERE {dataset}").fetchall()
    assert "COVERING" not in rows[0][3], "the check above can fail"


def test_a_killed_server_keeps_index_and_records_in_step(owner: Hand, search_server: Running) -> None:
    """What the restart does to a text index that lives in the same transactions: nothing."""
    made = make(owner, text_design())
    log(owner, made, [{"fields": {"text": f"کتاب {n}"}} for n in range(50)])
    search_server.kill9()
    search_server.restart()
    assert len(ids(owner.search(made.id, asking("كتاب"), limit=100))) == 50
    with closing(sqlite3.connect(search_server.places.database)) as live:
        assert is_sound(live)
