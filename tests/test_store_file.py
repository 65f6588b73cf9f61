"""The store's file: every acknowledged verdict survives a kill, processes share it, and a bad file says why."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gaokerena.comparisons import Comparison
from gaokerena.questions import Question
from gaokerena.store import Store, StoreError
from gaokerena.store_file import MIGRATIONS

ROOT = Path(__file__).parent.parent
JUDGE = """
import sys
from gaokerena.comparisons import Comparison, Verdict
from gaokerena.questions import Question
from gaokerena.store import Store
store = Store(sys.argv[1])
for _ in range(int(sys.argv[2])):
    asked = Comparison(question=Question(text="پرسش"), left="v", right="r", seed=1, session="s")
    store.add_comparison(asked)
    verdict = Verdict(comparison_id=asked.id, choice="tie", session="s")
    store.add_verdict(verdict)
    sys.stdout.write(verdict.id + "\\n")
    sys.stdout.flush()
"""


def judge(path: Path, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", JUDGE, str(path), str(count)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )


def test_every_acknowledged_verdict_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite3"
    acknowledged: list[str] = []
    moments = random.Random(7)
    for _ in range(5):
        with judge(path, 200) as process:
            assert process.stdout is not None
            target = moments.randrange(1, 160)
            for line in process.stdout:
                acknowledged.append(line.strip())
                target -= 1
                if not target:
                    time.sleep(moments.random() * 0.005)
                    process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        with Store(path) as store:
            kept = [each.id for each in store.verdicts()]
            assert set(acknowledged) <= set(kept)
            assert len(kept) <= len(acknowledged) + 5  # at most one of each killed run was on its way


def test_processes_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite3"
    crowd = [judge(path, 30) for _ in range(3)]
    told = {line for process in crowd for line in process.communicate()[0].split()}
    assert [process.returncode for process in crowd] == [0, 0, 0]
    with Store(path) as store:
        assert {each.id for each in store.verdicts()} == told
        assert len(told) == 90


def test_files_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    text = tmp_path / "text.sqlite3"
    text.write_text("not a database at all, only words " * 100)
    with pytest.raises(StoreError, match=r"text\.sqlite3 is not a SQLite file; move it away"):
        Store(text)
    newer = tmp_path / "newer.sqlite3"
    Store(newer).close()
    with sqlite3.connect(newer) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(StoreError, match=rf"newer\.sqlite3 has schema {len(MIGRATIONS) + 1}.*update Gaokerena"):
        Store(newer)
    foreign = tmp_path / "foreign.sqlite3"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE other (id)")
    connection.close()
    with pytest.raises(StoreError, match=r"foreign\.sqlite3 is a database of another program"):
        Store(foreign)
    with pytest.raises(StoreError, match=r"its folder cannot be made"):
        Store(text / "inside.sqlite3")
    with pytest.raises(StoreError, match=r"cannot be opened; check that the folder exists"):
        Store(tmp_path)


def test_a_damaged_file_is_told_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite3"
    with Store(path) as store:
        for _ in range(50):
            store.add_comparison(Comparison(question=Question(text="پرسش"), left="v", right="r", seed=1))
    damaged = bytearray(path.read_bytes())
    damaged[4096 * 3 : 4096 * 8] = os.urandom(4096 * 5)
    path.write_bytes(damaged)
    with pytest.raises(StoreError, match=r"kept\.sqlite3 is damaged; keep a copy"):
        Store(path)


@contextmanager
def without_rights() -> Iterator[None]:
    """Root may write anywhere, so root is nobody for a moment."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_folder_is_told() -> None:
    with tempfile.TemporaryDirectory() as name:  # not tmp_path: nobody may not enter its parents
        folder = Path(name)
        path = folder / "kept.sqlite3"
        Store(path).close()
        path.chmod(0o444)
        folder.chmod(0o555)
        with without_rights():
            with pytest.raises(StoreError, match=r"kept\.sqlite3 may not be written to; give the app write access"):
                Store(path)
            with pytest.raises(StoreError, match=r"new\.sqlite3 cannot be opened; check that the folder exists"):
                Store(folder / "new.sqlite3")
        folder.chmod(0o755)
