"""The command `deliver`: what is missing is named before anything is waited for."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from annotation.cli import app
from gaokerena.store import Store


@pytest.mark.parametrize(
    ("store", "error"),
    [("voted.sqlite3", "no outbox of a page; name the folder of GAOKERENA_OUTBOX"), ("typo", "GAOKERENA_STORE_PATH")],
)
def test_a_mistyped_path_is_named_and_not_made(tmp_path: Path, store: str, error: str) -> None:
    Store(tmp_path / "voted.sqlite3").close()
    words = ["--store", str(tmp_path / store), "--outbox", str(tmp_path / "outbxo"), "--to", str(tmp_path / "home")]
    folder = ["--folder", str(tmp_path / "annotation")]
    done = CliRunner().invoke(app, ["deliver", *words, *folder, "--dataset", "page", "--once"])
    assert done.exit_code == 2
    assert error in done.stderr
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("voted")] == []
