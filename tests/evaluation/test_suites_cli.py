"""The command `suites`: a table, findings on demand, and an exit status that a script can rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from gaokerena.evaluation.suites_cli import suites
from tests.evaluation.suite_cases import row, write

app = typer.Typer()
app.command()(suites)
ROWS = [row(0), row(1), row(2), row(3)]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_table_of_what_there_is(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", [*ROWS, row(4, gold="4", option_a="")])
    done = run(path)
    assert done.exit_code == 0, done.output
    head, line = done.output.splitlines()[:2]
    assert head.split()[:6] == ["suite", "questions", "askable", "subjects", "keys", "A/B/C/D"]
    assert line.split() == ["mine", "5", "4", "1", "1/1/1/2", "1", "1", "0", "0", str(path)]
    assert "option A is empty" not in done.output


def test_check_says_every_finding_and_fails_on_an_error(tmp_path: Path) -> None:
    done = run(write(tmp_path / "mine.csv", [*ROWS, row(4, option_a="", subject="\u202bداخلی\u202c")]), "--check")
    assert done.exit_code == 1
    assert "error · empty option · mine row 4, question 0 of <202B>داخلی<202C>" in done.output
    assert "next: mend the file" in done.output
    assert "warning · subject spelling · mine" in done.output


def test_warnings_alone_do_not_fail(tmp_path: Path) -> None:
    done = run(write(tmp_path / "mine.csv", [*ROWS, ROWS[0]]), "--check")
    assert done.exit_code == 0, done.output
    assert "warning · duplicate · mine row 4, question 4 of داخلی" in done.output


def test_json_holds_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.jsonl", [*ROWS, ROWS[0]])
    done = run(path, "--json", "--check")
    said = json.loads(done.output)
    (suite,) = said["suites"]
    assert (suite["name"], suite["questions"], suite["keys_from"]) == ("mine", 5, 1)
    assert suite["gold"] == {"A": 2, "B": 1, "C": 1, "D": 1}
    assert suite["findings"] == {"error": 0, "warning": 1, "note": 0}
    assert [(one["kind"], one["row"], one["index"]) for one in said["findings"]] == [("duplicate", 4, 4)]
    assert "findings" not in json.loads(run(path, "--json").output)


def test_keys_that_cannot_tell_name_the_option(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", [row(0, gold="1"), row(1, gold="2")])
    done = run(path)
    assert done.exit_code == 2
    assert "mine: keys are 1, 2 alone" in done.stderr
    assert "--keys 0 or --keys 1" in done.stderr
    assert json.loads(run(path, "--keys", 0, "--json").output)["suites"][0]["gold"] == {"A": 0, "B": 1, "C": 1, "D": 0}


@pytest.mark.parametrize("name", ["gone.csv", "unknown"])
def test_what_cannot_be_read_is_status_2(tmp_path: Path, name: str) -> None:
    done = run(name, "--data", write(tmp_path / "mine.csv", ROWS))
    assert done.exit_code == 2
    assert name in done.stderr
    assert not done.stdout


def test_names_come_from_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "benchmarks.parquet", [{**one, "suite": "kopp_larger"} for one in ROWS])
    monkeypatch.setenv("GAOKERENA_DATA", str(tmp_path))
    assert run().output.splitlines()[1].split()[0] == "kopp_larger"
    assert run("kopp_larger").exit_code == 0
    monkeypatch.delenv("GAOKERENA_DATA")
    assert "set GAOKERENA_DATA, give --data" in run().stderr


def test_two_suites_of_one_name_are_not_mixed(tmp_path: Path) -> None:
    done = run(write(tmp_path / "a.csv", ROWS), write(tmp_path / "b.csv", ROWS))
    assert done.exit_code == 2
    assert "two suites are called 'mine'" in done.stderr
