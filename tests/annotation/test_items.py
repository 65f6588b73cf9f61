"""The ledger and the plans on the disk: what a reader sees while a push writes, and who may cut a torn line."""

from __future__ import annotations

from pathlib import Path

import pytest

from annotation import items
from annotation.items import ItemError, Ledger
from annotation.plans import Plans
from tests.annotation.verdict_cases import item


def test_a_reader_takes_nothing_from_a_push_that_writes(tmp_path: Path) -> None:
    """Half a line is on the disk when `push --dry-run` or `study-file` looks; then the push writes the rest."""
    Ledger(tmp_path).add([item("one")])
    Plans(tmp_path).add("doctors", "first", ["one"], guideline_version="fa-1", seed=1)
    for name, line in (("items.jsonl", item("two").model_dump_json()), ("plans.jsonl", None)):
        path = tmp_path / name
        whole = path.read_bytes()
        more = (line + "\n").encode() if line else whole.replace(b'"b1"', b'"b2"')
        path.write_bytes(whole + more[:40])
        assert list(Ledger(tmp_path).items) == (["one"] if line else ["one", "two"])
        assert len(Plans(tmp_path).batches) == 1
        assert path.read_bytes() == whole + more[:40]
        with path.open("ab") as push:
            push.write(more[40:])
    assert list(Ledger(tmp_path).items) == ["one", "two"]
    assert [batch.batch for batch in Plans(tmp_path).batches] == ["b1", "b2"]


def test_the_next_writer_cuts_what_a_crash_left(tmp_path: Path) -> None:
    ledger, plans = Ledger(tmp_path), Plans(tmp_path)
    for name in ("items.jsonl", "plans.jsonl"):
        (tmp_path / name).write_bytes(b'{"torn')
    assert [each.id for each in ledger.add([item("one")])] == ["one"]
    assert ledger.add([item("one")]) == []
    plans.add("doctors", "first", ["one"], guideline_version="fa-1", seed=1)
    assert list(Ledger(tmp_path).items) == ["one"]
    assert Plans(tmp_path).items("doctors", "first") == [("one", "b1")]


def test_a_key_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(items.os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            Ledger(tmp_path)
    assert list(tmp_path.iterdir()) == []
    key = Ledger(tmp_path).key
    items._make_key(tmp_path / "key")  # another process that looked before there was one
    assert Ledger(tmp_path).key == key
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
    (tmp_path / "key").write_bytes(b"")
    with pytest.raises(ItemError, match=r"key: 0 bytes and not a key of 32; restore it from a backup"):
        Ledger(tmp_path)


def test_the_ledger_is_its_owners_alone_and_a_broken_line_is_named(tmp_path: Path) -> None:
    Ledger(tmp_path).add([item("one")])
    Plans(tmp_path).add("doctors", "first", ["one"], guideline_version="fa-1", seed=1)
    for name in ("key", "items.jsonl", "plans.jsonl"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    for name, opened in (("plans.jsonl", Plans), ("items.jsonl", Ledger)):
        with (tmp_path / name).open("ab") as file:
            file.write(b"nonsense\n")
        with pytest.raises(ItemError, match=rf"{name}:2: not an? "):
            opened(tmp_path)
