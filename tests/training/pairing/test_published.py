"""The published pairs: the audit finds their cues by itself, repair takes them away, every pair it costs is counted.

Letter case and length are counted on every pair of the parts that were trained on (1 to 20); audit and build run on
every twelfth pair, to stay below a minute. docs/pairs.md has the figures on all of them.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.real_data import data_folder
from training.audit_gate import check
from training.errors import TrainingError
from training.pairing.audit_files import audit_file
from training.pairing.build import make
from training.pairing.built import Options
from training.pairing.features import letter_case

pytestmark = pytest.mark.data

STEP = 12


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder with every twelfth pair."""
    real, folder = data_folder(), tmp_path_factory.mktemp("some")
    for path in real.glob("*.parquet"):
        if path.name != "preference_pairs.parquet":
            (folder / path.name).symlink_to(path.resolve())
    table = pq.read_table(real / "preference_pairs.parquet")
    pq.write_table(table.take(list(range(0, len(table), STEP))), folder / "preference_pairs.parquet")
    return folder


def test_the_cues_of_the_parts_that_were_trained_have_their_published_size() -> None:
    table = pq.read_table(data_folder() / "preference_pairs.parquet")
    trained = [row for row in table.to_pylist() if int(row["part"]) <= 20]
    assert len(trained) == 9914
    rows = [row for row in trained if row["prefered_answer"] not in ("", None, "nan")]
    assert len(rows) == 9912
    sides = [(letter_case(row["prefered_answer"]), letter_case(row["rejected_answer"])) for row in rows]
    name = "has an upper-case letter"
    told = sum(one[name] < other[name] for one, other in sides)
    assert round(100 * told / len(rows), 2) == 99.77
    longer = sum(len(row["prefered_answer"]) < len(row["rejected_answer"]) for row in rows)
    assert 0.70 < longer / len(rows) < 0.72


def test_as_they_are_they_fail_by_case_and_length_and_repaired_they_pass(
    some: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAOKERENA_DATA", str(some))
    make(tmp_path / "raw", Options(published=True, as_is=True))
    raw = audit_file(tmp_path / "raw" / "pairs.jsonl")
    assert not raw["passed"]
    assert {"letter case: has an upper-case letter", "length: characters", "all together"} <= set(raw["failed"])
    best = max(raw["cues"], key=lambda cue: cue["low"])
    assert (best["family"], best["more_in"]) == ("letter case", "rejected")
    assert best["accuracy"] > 0.99
    with pytest.raises(TrainingError, match="letter case"):
        check(tmp_path / "raw" / "pairs.jsonl")

    manifest = make(tmp_path / "built", Options(published=True))
    assert (
        sum(manifest["counts_out"].values()) + sum(manifest["dropped"].values())
        == manifest["counts_in"]["teacher_correction"]
    ), "the report accounts for every pair"
    assert manifest["changed"]["teacher_correction: one hand"] > 600
    found = audit_file(tmp_path / "built" / "pairs.jsonl")
    assert found["passed"], found["reason"]
    assert check(tmp_path / "built" / "pairs.jsonl")["passed"]
    assert found["pairs"] > 400
    report = (tmp_path / "built" / "pairs.audit.md").read_text("utf-8")
    assert "chosen: does not reach the key" in report, "what each repair cost stands in it"
