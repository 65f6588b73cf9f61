"""A command as typed: a shell that reads it again must get the same words, and no folder of this machine is told."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.evaluation.typed import VARIABLE, as_typed

PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(
    lambda word: "/" not in word
)


@pytest.fixture(autouse=True)
def _data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


@given(st.lists(PRINTABLE))
def test_a_shell_reads_relative_words_as_they_were(words: list[str]) -> None:
    assert shlex.split(as_typed(words)) == ["python", "-m", "gaokerena", *words]


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("runs/papers", "runs/papers"),
        ("../up/file.json", "../up/file.json"),
        ("data/transcripts.parquet", "data/transcripts.parquet"),
        ("{tmp}/data/transcripts.parquet", "$GAOKERENA_DATA/transcripts.parquet"),
        ("{tmp}/data/more/answers 2.parquet", "$GAOKERENA_DATA/'more/answers 2.parquet'"),
        ("{tmp}/data", "$GAOKERENA_DATA"),
        ("{tmp}/data/../papers", "…/papers"),
        ("{tmp}/database/x.json", "…/x.json"),
        ("{tmp}/out dir/پاسخ‌ها.json", "…/'پاسخ‌ها.json'"),
        ("--json={tmp}/out.json", "--json=…/out.json"),
        ("--json={tmp}/data/out.json", "--json=$GAOKERENA_DATA/out.json"),
        ("--json=out.json", "--json=out.json"),
        ("--pool=r:cot+v:cot", "--pool=r:cot+v:cot"),
        ("/", "…/"),
    ],
)
def test_paths(tmp_path: Path, word: str, shown: str) -> None:
    assert as_typed([word.format(tmp=tmp_path)]) == f"python -m gaokerena {shown}"


def test_a_shell_finds_the_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a folder whose name a shell would split, given as a relative path and through a link."""
    folder = tmp_path / "my data"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    for variable in ("my data", str(folder), str(tmp_path / "link")):
        monkeypatch.setenv(VARIABLE, variable)
        shown = as_typed([str(folder / "it's.parquet")])
        assert str(tmp_path) not in shown
        words = shown.removeprefix("python -m gaokerena ")
        read = subprocess.run(["sh", "-c", f"printf %s {words}"], capture_output=True, text=True, check=True).stdout
        assert read == f"{variable}/it's.parquet"


def test_without_the_variable_only_names_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    assert as_typed([str(tmp_path / "data" / "a.parquet")]) == "python -m gaokerena …/a.parquet"
