"""What is read is never written over, and a file that cannot be used is told in one line, whatever the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.training.pairing.samples import exchangeable
from training.cli import app
from training.errors import TrainingError
from training.pair_rows import write_pairs

Command = Callable[[Path, Path], list[str]]
COMMANDS: dict[str, Command] = {
    "build": lambda file, out: ["build", str(file), "--no-suites", "--out", str(out)],
    "mix": lambda file, out: ["mix", str(file), "--out", str(out)],
    "public": lambda file, out: ["public", str(file), "--out", str(out)],
}
each = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)


def said(arguments: list[str]) -> str:
    """The line of the error that the command ends with."""
    result = CliRunner().invoke(app, ["pairs", *arguments])
    assert isinstance(result.exception, TrainingError), result.output
    return str(result.exception)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "doctors").mkdir()
    write_pairs(tmp_path / "doctors" / "pairs.jsonl", exchangeable(4, seed=1))
    return tmp_path / "doctors" / "pairs.jsonl"


@each
def test_no_command_overwrites_what_it_reads(file: Path, command: Command) -> None:
    before = file.read_bytes()
    for out in (file.parent, file.parent / ".." / "doctors"):
        assert "would overwrite" in said(command(file, out))
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.read_bytes() == before


@each
@pytest.mark.parametrize("manifest", ['{"stage": "annotation export", "files": {}}', "[]", '{"stage": "pairs bu'])
def test_no_command_overwrites_what_another_made(file: Path, tmp_path: Path, command: Command, manifest: str) -> None:
    away = tmp_path / "more.jsonl"
    file.rename(away)
    (file.parent / "manifest.json").write_text(manifest, "utf-8")
    file.write_text("an export", "utf-8")
    assert "is of another command" in said(command(away, file.parent))
    assert file.read_text("utf-8") == "an export"


@each
def test_no_command_overwrites_pairs_that_nobody_accounts_for(file: Path, tmp_path: Path, command: Command) -> None:
    more = tmp_path / "more.jsonl"
    write_pairs(more, exchangeable(4, seed=2))
    before = file.read_bytes()
    assert "was not made by this command" in said(command(more, file.parent))
    assert file.read_bytes() == before


@each
@pytest.mark.parametrize("wrong", ["folder", "binary", "gone"])
def test_a_file_that_cannot_be_read_is_named(file: Path, tmp_path: Path, command: Command, wrong: str) -> None:
    path = tmp_path / f"{wrong}.jsonl"
    if wrong == "folder":
        path.mkdir()
    elif wrong == "binary":
        path.write_bytes(b"\xff\xfe\x00")
    assert str(path) in said(command(path, tmp_path / "out"))


@each
def test_an_out_that_is_no_folder_is_named(file: Path, tmp_path: Path, command: Command) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    assert f"--out {plain} is a file" in said(command(file, plain))


@pytest.mark.parametrize("name", ["build", "mix"])
def test_a_folder_that_cannot_be_made_is_named(file: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "plain" / "out"
    out.parent.touch()
    assert f"{out}: Not a directory; make room or use another folder" in said(COMMANDS[name](file, out))
