"""Suites from a hub on this machine: the real client, an empty cache, and every refusal it knows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gaokerena.evaluation.suite_files import SuiteError
from gaokerena.evaluation.suite_hub import parse
from tests.evaluation.dataset_hub import COMMIT, dataset_hub
from tests.evaluation.suite_cases import row, write

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, sys
from gaokerena.evaluation.suites import SuiteError, load_suite
for name in sys.argv[1:]:
    try:
        suite = load_suite(name)
        said = [suite.name, len(suite.items), suite.origin, suite.left_out]
    except SuiteError as error:
        said = str(error)
    print(json.dumps(said))
"""


def loaded(folder: Path, address: str, *names: str) -> list[object]:
    """What `load_suite` says to each of `names`, in a process of its own with its own cache."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("GAOKERENA_", "HF_"))}
    settings |= {"HF_ENDPOINT": address, "HF_HOME": str(folder / "cache"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    settings |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *names], cwd=folder, env=settings, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def published(tmp_path: Path) -> dict[str, Path]:
    """A free-form data set by split and a choice suite, as folders to serve."""
    free, choice, cards = (tmp_path / name for name in ("free", "choice", "cards"))
    for folder in (free / "data", choice, cards):
        folder.mkdir(parents=True)
    for split, count in (("train", 3), ("test", 2)):
        rows = [{"Question": f"{split} {number}", "Answer": "پاسخ"} for number in range(count)]
        write(free / "data" / f"{split}-00000-of-00001.parquet", rows)
    (free / "README.md").write_text("card", "utf-8")
    write(choice / "exam.csv", [row(0), row(3)])
    (cards / "README.md").write_text("card", "utf-8")
    return {"gaokerena/MF3QA": free, "someone/exam": choice, "someone/cards": cards}


def test_data_sets_come_from_the_hub_and_refusals_say_what_to_do(tmp_path: Path, published: dict[str, Path]) -> None:
    refused = {"someone/closed": 403, "someone/hidden": 401, "someone/ill": 500}
    published |= {"someone/gated": published["someone/exam"]}
    names = [
        "gaokerena/MF3QA",
        "someone/exam@main",
        "someone/cards",
        "someone/gated",
        *refused,
        "someone/none",
        "someone/exam@old",
    ]
    with dataset_hub(published, refused, frozenset({"someone/gated"})) as address:
        said = loaded(tmp_path, address, *(f"hub:{name}" for name in names))
    free, exam, cards, gated, closed, hidden, ill, none, old = said
    assert free == ["mf3qa", 2, f"gaokerena/MF3QA@{COMMIT}", {"split train": 3}]
    assert exam == ["mine", 2, f"someone/exam@{COMMIT}", {}]
    assert "no suite files" in str(cards)
    for status, answer, name in ((403, gated, "gated"), (403, closed, "closed"), (401, hidden, "hidden")):
        assert f"hub:someone/{name}: the Hub answered {status}" in str(answer)
        assert f"ask for access on {address}/datasets/someone/{name}" in str(answer)
        assert "HF_TOKEN" in str(answer)
    assert "gave no files" in str(ill)
    assert "500" in str(ill)
    assert "the Hub has no such dataset; check the name" in str(none)
    assert "no such dataset at revision old" in str(old)


def test_a_copy_serves_where_the_network_fails(tmp_path: Path, published: dict[str, Path]) -> None:
    with dataset_hub(published) as address:
        before = loaded(tmp_path, address, "hub:someone/exam")
    after, lost = loaded(tmp_path, address, "hub:someone/exam", "hub:gaokerena/MF3QA")
    assert [after] == before
    assert "the Hub gave no files and there is no copy here" in str(lost)
    assert "HF_ENDPOINT" in str(lost)


def test_names_of_data_sets() -> None:
    assert parse("hub:gaokerena/MF3QA") == ("gaokerena/MF3QA", None)
    assert parse("hub:gaokerena/MF3QA@v1.0") == ("gaokerena/MF3QA", "v1.0")
    for name in ("hub:MF3QA", "hub:", "hub:a/b/c", "hub:/b"):
        with pytest.raises(SuiteError, match="write hub:owner/dataset"):
            parse(name)
