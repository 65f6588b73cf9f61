"""What is sent to another doctor, in whose name it is discarded, and what one more doctor did not settle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from annotation import address, pull_cli
from annotation.users import Pseudonyms
from annotation.workspace import FILES, read_adjudicated
from gaokerena.expert_verdicts import Grade, VerdictFile
from tests.annotation.push_cases import FakeArgilla
from tests.annotation.test_export import workspace
from tests.annotation.verdict_cases import item, judged, verdict


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeArgilla:
    made = FakeArgilla()
    made.users += [{"id": f"u-{name}", "username": name, "role": "annotator"} for name in ("sara", "omid", "mina")]
    monkeypatch.setattr(address, "connect", lambda to: made.client())
    return made


def run(folder: Path, *more: str) -> str:
    app = typer.Typer()
    app.command()(pull_cli.adjudicate)
    words = ["--folder", str(folder), "--to", "http://127.0.0.1:1", "--dataset", "third", *more]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def disputed(folder: Path, **grades: list[Grade]) -> dict[str, str]:
    """A folder in which sara, omid and mina said these grades; their pseudonyms."""
    people = {name: Pseudonyms(folder).of(name) for name in ("sara", "omid", "mina")}
    rows = [
        judged(judge, item(name), grade)
        for name, given in grades.items()
        for judge, grade in zip(people.values(), given, strict=False)
    ]
    workspace(folder, rows)
    return people


def test_who_has_judged_is_given_a_discard_that_is_written_down(fake: FakeArgilla, tmp_path: Path) -> None:
    people = disputed(tmp_path / "runs", one=["left", "right"], settled=["left", "left"])
    assert json.loads(run(tmp_path / "runs", "--json")) == {"open": 1, "sent": 1, "stuck": []}
    (record,) = fake.rows()
    judged_by = sorted(("sara", "omid"), key=lambda name: people[name])
    assert record["responses"] == [{"user_id": f"u-{name}", "status": "discarded"} for name in judged_by]
    (row,) = read_adjudicated(tmp_path / "runs")
    assert (row.dataset, row.item_id) == (fake.datasets[0]["id"], "one")
    assert row.judges == tuple(people[name] for name in judged_by)
    assert "sent 0 to the dataset third; 1 wait for an answer" in run(tmp_path / "runs")
    fake.records.clear()  # the push was killed after it was written down
    assert json.loads(run(tmp_path / "runs", "--json"))["sent"] == 1


def test_what_a_third_doctor_left_open_goes_to_a_fourth(fake: FakeArgilla, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    people = disputed(folder, one=["left", "right"], two=["left", "right"])
    run(folder)
    with VerdictFile(folder / FILES["submitted"]) as file:  # what a pull of the third doctor's answer writes
        file.append(verdict(people["mina"], "one", "equal", id=f"{fake.datasets[0]['id']}/r1"))
    said = run(folder)
    assert "sent 0 to the dataset third; 1 wait for an answer" in said
    assert (
        "1 have an answer there and are open all the same; they need a further dataset (--dataset third-2): one" in said
    )
    assert json.loads(run(folder, "--dataset", "third-2", "--json")) == {"open": 2, "sent": 1, "stuck": []}
    assert [list(records) for records in fake.records.values()] == [["one", "two"], ["one"]]
    assert len(fake.rows()[2]["responses"]) == 3
    assert "sent 0 to the dataset third-2; 2 wait" in run(folder, "--dataset", "third-2")
