"""Broken files are refused by name, place and next step; unknown keys are not."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gaokerena.evaluation.report.read import ReportError, read
from gaokerena.evaluation.report.report_cli import report
from tests.evaluation.report import sample

door = typer.Typer()
door.command()(report)
runner = CliRunner()


def spoilt(change: Callable[[dict[str, Any]], object]) -> bytes:
    made = sample.evaluation()
    change(made)
    return json.dumps(made, ensure_ascii=False).encode()


whole = json.dumps(sample.evaluation(), ensure_ascii=False).encode()
BROKEN = {
    "empty": (b"", "line 1"),
    "cut off": (whole[: len(whole) // 2], "line 1"),
    "not UTF-8": (b'{"schema": "\xff"}', "byte 12"),
    "a list": (b"[]", "at the file"),
    "other schema": (spoilt(lambda made: made.update(schema=2)), "at schema"),
    "key missing": (spoilt(lambda made: made.pop("command")), "at command"),
    "no cells": (spoilt(lambda made: made.update(cells=[])), "at cells"),
    "text for a number": (spoilt(lambda made: made["cells"][3].update(accuracy="high")), "at cells.3.accuracy"),
    "not a number": (spoilt(lambda made: made["cells"][1].update(ci95=[float("nan"), 3])), "at cells.1.ci95.0"),
    "half an interval": (spoilt(lambda made: made["comparisons"][0].update(ci95=[1.0])), "at comparisons.0.ci95"),
    "unlikely p": (spoilt(lambda made: made["comparisons"][1].update(p=1.5)), "at comparisons.1.p"),
    "unknown test": (spoilt(lambda made: made["comparisons"][1].update(test="t")), "at comparisons.1.test"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_named(tmp_path: Path, name: str) -> None:
    content, place = BROKEN[name]
    (tmp_path / "evaluation.json").write_bytes(content)
    with pytest.raises(ReportError, match=r"evaluation\.json") as refusal:
        read(tmp_path)
    assert place in str(refusal.value)
    assert "python -m gaokerena evaluate transcripts" in str(refusal.value)
    outcome = runner.invoke(door, [str(tmp_path)])
    assert outcome.exit_code == 2
    assert str(refusal.value) in outcome.stderr
    assert not list(tmp_path.glob("report*"))


@pytest.mark.parametrize(("file", "command"), [("rules.json", "evaluate rules"), ("judge.json", "evaluate judge")])
def test_broken_companions_are_named(tmp_path: Path, file: str, command: str) -> None:
    (sample.write(tmp_path) / file).write_text('{"schema": 1}', "utf-8")
    with pytest.raises(ReportError, match=file) as refusal:
        read(tmp_path)
    assert command in str(refusal.value)


def test_no_evaluation_at_all(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no such file; write it with"):
        read(tmp_path / "nowhere")


def test_newer_keys_are_ignored_and_files_are_optional(tmp_path: Path) -> None:
    made = sample.evaluation() | {"mood": "good"}
    made["cells"][0]["colour"] = "blue"
    found = read(sample.write(tmp_path, whole=False, changed=made))
    assert (found.rules, found.judge) == (None, None)
    assert found.evaluation.seed == 7


def test_the_door_writes_three_files(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    folder, out = sample.write(tmp_path / "papers"), tmp_path / "deep" / "out"
    outcome = runner.invoke(door, [str(folder), "--out", str(out)])
    assert outcome.exit_code == 0, outcome.output
    assert sorted(path.name for path in out.iterdir()) == ["report.fa.md", "report.html", "report.md"]
    assert "`python -m gaokerena report …/papers --out …/out`" in (out / "report.md").read_text("utf-8")
    assert str(tmp_path) not in (out / "report.html").read_text("utf-8")
    assert sorted(path.name for path in folder.iterdir()) == ["evaluation.json", "judge.json", "rules.json"]


def test_the_command_shown_writes_the_same_report_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "my papers").mkdir(parents=True)
    sample.write(tmp_path / "runs" / "my papers")
    assert runner.invoke(door, ["runs/my papers", "--out", "pages"]).exit_code == 0
    first = Path("pages/report.md").read_text("utf-8")
    shown = re.search("`python -m gaokerena report (.*)`", first)
    assert shown
    Path("pages/report.md").unlink()
    assert runner.invoke(door, shlex.split(shown[1])).exit_code == 0
    assert Path("pages/report.md").read_text("utf-8") == first


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", "utf-8")
    outcome = runner.invoke(door, [str(sample.write(tmp_path)), "--out", str(tmp_path / "taken")])
    assert outcome.exit_code == 2
    assert "taken" in outcome.stderr
    assert "--out" in outcome.stderr
