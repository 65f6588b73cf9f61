"""Folders that cannot be written, files that cannot be read, a full disk: one line that says what and what to do."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from tests.engines.scripted_server import refuse
from tests.training.rlaif.cases import Said, arguments, chain, content, door, lines, manifest, party, write_questions
from training.errors import TrainingError


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    result = door(*arguments("a", "http://127.0.0.1:9/v1", write_questions(tmp_path, 1), tmp_path / place))
    with pytest.raises(TrainingError, match=rf"{place}: (File exists|Not a directory); .* another --out"):
        raise result.exception or AssertionError(result.output)


@pytest.mark.parametrize(
    ("method", "option", "more"),
    [
        ("a", "--questions", ()),
        ("judge", "--compare", ("--unmeasured",)),
        ("judge", "--verdicts", ()),
    ],
)
@pytest.mark.parametrize("kind", ["folder", "not text", "missing"])
def test_a_file_that_cannot_be_read_is_named_with_its_option(
    tmp_path: Path, method: str, option: str, more: tuple[str, ...], kind: str
) -> None:
    path = tmp_path / "given.jsonl"
    if kind == "folder":
        path.mkdir()
    elif kind == "not text":
        path.write_bytes(b'{"question": "\xa3"}')
    words = arguments(method, "http://127.0.0.1:9/v1", tmp_path / "unused.jsonl", tmp_path / "out", *more)
    if option == "--compare":
        at = words.index("--questions")
        words[at : at + 2] = []
    result = door(*words, option, path)
    with pytest.raises(TrainingError, match=f"{option} .*given.jsonl: .*; name a JSONL file"):
        raise result.exception or AssertionError(result.output)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("method", "more", "said"),
    [
        ("a", ("--unmeasured",), "belong to --method judge"),
        ("b", ("--items", "i.jsonl"), "belong to --method judge"),
        ("judge", ("--items", "i.jsonl", "--unmeasured"), "the items of which verdicts"),
        ("judge", ("--compare", "c.jsonl", "--unmeasured"), "--questions would not be read"),
    ],
)
def test_an_option_that_would_not_be_heeded_is_refused(
    tmp_path: Path, method: str, more: tuple[str, ...], said: str
) -> None:
    words = arguments(method, "http://127.0.0.1:9/v1", tmp_path / "unused.jsonl", tmp_path / "out", *more)
    with pytest.raises(TrainingError, match=said):
        raise door(*words).exception or AssertionError("nothing was refused")


def test_each_end_names_the_next_step(tmp_path: Path) -> None:
    questions, out = write_questions(tmp_path, 2), tmp_path / "out"
    with party(lambda one, before: chain(one)) as server:
        words = arguments("a", server.base_url, questions, out)
        assert "next: the same command with a larger budget" in door(*words, "--budget-tokens", 1).stdout
        assert f"next: python -m training pairs build {out / 'pairs.jsonl'} --out" in door(*words).stdout
    with party(lambda one, before: "") as server:
        said = door(*arguments("a", server.base_url, questions, tmp_path / "none")).stdout
        assert f"next: no pair was made; {tmp_path / 'none' / 'dropped.jsonl'} says why" in said
    with party(lambda one, before: Said(reply=refuse(400, "no such parameter"))) as server:
        said = door(*arguments("a", server.base_url, questions, tmp_path / "failed")).stdout
        assert "next: the same command again" in said


def test_a_disk_that_is_full_ends_it_in_one_line_and_no_ended_call_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sixth line of a log does not reach the disk."""
    questions, out, real, written = write_questions(tmp_path, 4), tmp_path / "out", os.fsync, list[int]()

    def full(handle: int) -> None:
        written.append(handle)
        if len(written) >= 6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with party(lambda one, before: chain(one)) as server:
        words = arguments("a", server.base_url, questions, out, "--at-once", 1)
        with monkeypatch.context() as patched:
            patched.setattr("gaokerena.evaluation.run_rows.os", _Os(full))
            result = door(*words)
        with pytest.raises(
            TrainingError, match=r"\.jsonl: No space left on device; make room, then run the same command"
        ):
            raise result.exception or AssertionError(result.output)
        assert not (out / "manifest.json").exists()
        ended = {row["seed"] for row in lines(out / "calls.jsonl")}
        count = len(server.asks)
        assert door(*words).exit_code == 0
    assert ended
    assert ended.isdisjoint(ask.body["seed"] for ask in server.asks[count:])
    assert (manifest(out)["accounting"]["accepted"], len({content(ask) for ask in server.asks})) == (4, 8)


class _Os:
    """The module `os` with another fsync."""

    def __init__(self, fsync: Any) -> None:
        self.fsync = fsync

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)
