"""The outbox: durable before the thank you, nothing of it lost or doubled by threads, processes and kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gaokerena.append_only import Appender, whole_lines
from gaokerena.comparisons import Verdict
from gaokerena.engines.echo import EchoEngine, Script
from gaokerena.intake import RefusalError
from gaokerena.outbox import ENTRIES, MARKS, Mark, Outbox, OutboxError, open_outbox
from gaokerena.questions import Question
from gaokerena.session import Asker
from gaokerena.store import Store
from gaokerena.visits import Desk
from tests.test_session import MODELS


def verdict(number: int) -> Verdict:
    return Verdict(id=f"v{number}", comparison_id=f"c{number}", choice="left", session="s")


def test_an_entry_names_verdict_and_comparison_and_nothing_else(tmp_path: Path) -> None:
    with Outbox(tmp_path / "out") as outbox:
        outbox.add(verdict(1))
        [line] = (tmp_path / "out" / ENTRIES).read_text().splitlines()
        assert set(json.loads(line)) == {"schema_version", "verdict_id", "comparison_id", "at"}
        assert [(entry.verdict_id, entry.comparison_id) for entry in outbox.pending()] == [("v1", "c1")]


def test_what_is_marked_is_no_longer_pending_also_for_another_process(tmp_path: Path) -> None:
    with Outbox(tmp_path) as outbox, Outbox(tmp_path) as other:
        for number in range(3):
            outbox.add(verdict(number))
        other.mark([Mark(verdict_id="v0", outcome="sent", item_id="i1"), Mark(verdict_id="v2", outcome="void")])
        assert [entry.verdict_id for entry in outbox.pending()] == ["v1"]
        assert [mark.outcome for mark in outbox.marks()] == ["sent", "void"]


def test_a_torn_line_is_left_out_and_cut_by_the_next_append(tmp_path: Path) -> None:
    with Outbox(tmp_path) as outbox:
        outbox.add(verdict(1))
        with (tmp_path / ENTRIES).open("ab") as file:
            file.write(b'{"verdict_id": "v2", "compar' + b"x" * 200_000)
        assert [entry.verdict_id for entry in outbox.pending()] == ["v1"]
        outbox.add(verdict(3))
        assert [entry.verdict_id for entry in outbox.pending()] == ["v1", "v3"]


def test_a_file_of_one_torn_line_starts_anew(tmp_path: Path) -> None:
    (tmp_path / "rows").write_bytes(b"half" * 50_000)
    with Appender(tmp_path / "rows") as rows:
        rows.append(["whole"])
    assert list(whole_lines(tmp_path / "rows")) == [b"whole\n"]


def test_a_broken_line_is_named_with_its_place(tmp_path: Path) -> None:
    with Outbox(tmp_path) as outbox:
        outbox.add(verdict(1))
        (tmp_path / MARKS).write_text('{"verdict_id": "v1"}\n')
        with pytest.raises(OutboxError, match=rf"{MARKS}:1: outcome: Field required; mend or delete"):
            outbox.pending()


def test_an_append_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    with Outbox(tmp_path) as outbox:
        outbox.add(verdict(1))

        def full(handle: int, data: bytes) -> int:
            if len(data) < 50:
                raise OSError(28, "No space left on device")
            return real(handle, data[: len(data) // 2])

        with monkeypatch.context() as patched:
            patched.setattr("gaokerena.append_only.os.write", full)
            with pytest.raises(OSError, match="No space"):
                outbox.add(verdict(2))
        assert (tmp_path / ENTRIES).read_bytes().endswith(b"}\n")
        outbox.add(verdict(3))
        assert [entry.verdict_id for entry in outbox.pending()] == ["v1", "v3"]


def test_threads_lose_and_double_nothing(tmp_path: Path) -> None:
    with Outbox(tmp_path) as outbox, Outbox(tmp_path) as second:

        def add(box: Outbox, start: int) -> None:
            for number in range(start, start + 25):
                box.add(verdict(number))

        threads = [threading.Thread(target=add, args=((outbox, second)[n % 2], n * 25)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(entry.verdict_id for entry in outbox.pending()) == sorted(f"v{n}" for n in range(200))
        assert len((tmp_path / ENTRIES).read_bytes().splitlines()) == 200


WRITER = """
import sys
from pathlib import Path
from gaokerena.comparisons import Verdict
from gaokerena.outbox import Outbox
with Outbox(Path(sys.argv[1])) as outbox:
    for number in range(10**6):
        name = f"{sys.argv[2]}-{number}"
        outbox.add(Verdict(id=name, comparison_id="c", choice="tie", session="s"))
        print(name, flush=True)
"""


def test_what_was_acknowledged_outlives_kill_9(tmp_path: Path) -> None:
    said: list[str] = []
    for start in ("a", "b", "c"):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), start], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        said += [process.stdout.readline().strip() for _ in range(20)]
        time.sleep(0.01 * len(start))
        process.send_signal(signal.SIGKILL)
        said += process.stdout.read().split("\n")[:-1]
        process.stdout.close()
        process.wait()
    with Outbox(tmp_path) as outbox:
        kept = [entry.verdict_id for entry in outbox.pending()]
    assert set(said) <= set(kept)
    assert len(kept) <= len(said) + 3, "at most the one being written at each kill"


def test_no_folder_no_outbox(tmp_path: Path) -> None:
    assert open_outbox(None) is None
    box = open_outbox(tmp_path / "deep" / "er")
    assert box
    box.close()


def judged(desk: Desk, *, consent: bool) -> str:
    attempt = desk.visit("a").ask(Question(text="سردرد دارم. چه کنم؟"), consent=consent)
    for _ in attempt.updates(every=0.01):
        pass
    found, _ = desk.judge(attempt.comparison.id, "left", session="s")
    return found.id


@pytest.fixture
def asked(tmp_path: Path) -> tuple[Asker, Store, Outbox]:
    store = Store(tmp_path / "store.sqlite3")
    engine = EchoEngine({"v": Script("مایعات بنوشید."), "r": Script("استراحت کنید.", "۱. درد\n")})
    return Asker(engine, MODELS, store), store, Outbox(tmp_path / "outbox")


def test_only_a_verdict_with_consent_leaves_an_entry(asked: tuple[Asker, Store, Outbox]) -> None:
    asker, store, outbox = asked
    desk = Desk(asker, store, outbox=outbox)
    judged(desk, consent=False)
    given = judged(desk, consent=True)
    assert [entry.verdict_id for entry in outbox.pending()] == [given]
    store.close()


def test_no_thank_you_and_no_verdict_where_the_entry_cannot_be_written(asked: tuple[Asker, Store, Outbox]) -> None:
    asker, store, outbox = asked
    outbox.close()
    with pytest.raises(RefusalError, match="not stored"):
        judged(Desk(asker, store, outbox=outbox), consent=True)
    assert list(store.verdicts()) == []
    store.close()
