"""The commands: options reach the push, errors are one line with status 2, secrets stay where they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from annotation import address
from annotation.items import Ledger
from annotation.push_cli import push
from annotation.users_cli import users
from gaokerena.store import Store
from tests.annotation.push_cases import FakeArgilla, gold_file, keep
from tests.annotation.source_cases import recorded, row

app = typer.Typer()
app.command()(push)
app.add_typer(users, name="users")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeArgilla:
    made = FakeArgilla()
    monkeypatch.setattr(address, "connect", lambda to: made.client())
    return made


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with Store(tmp_path / "kept.sqlite3") as opened:
        for number in range(40):
            keep(opened, number, "lr" if number < 5 else "l", consent=number != 7)
    return tmp_path / "kept.sqlite3"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_push_from_the_store(fake: FakeArgilla, store: Path, tmp_path: Path) -> None:
    gold = gold_file(tmp_path / "gold.jsonl")
    command = ("push", "--dataset", "first", "--store", store, "--count", 30, "--gold", gold, "--gold-rate", 0.1,
               "--overlap", 3, "--folder", tmp_path / "runs")  # fmt: skip
    done = run(*command)
    assert done.exit_code == 0, done.output
    assert "added 30 comparisons, 3 gold, 2 duplicates" in done.output
    assert "contested 5" in done.output
    assert "no_consent 1" in done.output
    assert "sent 35; 0 of 35 were there before" in done.output
    assert fake.datasets[0]["distribution"]["min_submitted"] == 3
    assert len(Ledger(tmp_path / "runs").items) == 35
    again = json.loads(run(*command, "--json").stdout)
    assert (again["comparisons"], again["sent"], again["there_before"]) == (0, 0, 35)


def test_of_transcripts_it_is_said_that_nothing_learns_from_the_suites(fake: FakeArgilla, tmp_path: Path) -> None:
    rows = [row("v", place, "A") for place in range(3)] + [row("r", place, "B") for place in range(3)]
    command = ("push", "--dataset", "first", "--transcripts", recorded(tmp_path / "t.jsonl", *rows), "--a", "v",
               "--b", "r", "--folder", tmp_path / "runs")  # fmt: skip
    done = run(*command)
    assert done.exit_code == 0, done.output
    assert "a round leave them out; for training push --store or --candidates" in done.stderr
    assert not run(*command, "--json").stderr


def test_a_dry_run_writes_and_sends_nothing(fake: FakeArgilla, store: Path, tmp_path: Path) -> None:
    done = run("push", "--dataset", "first", "--store", store, "--dry-run", "--folder", tmp_path / "runs")
    assert done.exit_code == 0
    assert "would add 39 comparisons, 0 gold, 2 duplicates" in done.output
    assert not fake.sent
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_beside_an_earlier_push_says_what_is_missing(fake: FakeArgilla, store: Path, tmp_path: Path) -> None:
    common = ("push", "--dataset", "first", "--store", store, "--folder", tmp_path / "runs")
    run(*common, "--count", 10)
    fake.sent.clear()
    before = {path.name: path.read_bytes() for path in (tmp_path / "runs").iterdir()}
    said = json.loads(run(*common, "--count", 15, "--dry-run", "--json").stdout)
    assert (said["comparisons"], said["dry_run"]) == (5, True)
    assert not fake.sent
    assert {path.name: path.read_bytes() for path in (tmp_path / "runs").iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--store, --transcripts or --candidates"),
        (("--store", "nowhere.sqlite3"), "nowhere.sqlite3"),
        (("--transcripts", "nowhere.parquet"), "nowhere.parquet"),
        (("--candidates", "nowhere.jsonl"), "nowhere.jsonl"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    fake: FakeArgilla, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run("push", "--dataset", "first", "--folder", tmp_path / "runs", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not fake.rows()


def test_no_server_and_no_key_are_told(monkeypatch: pytest.MonkeyPatch, store: Path, tmp_path: Path) -> None:
    monkeypatch.delenv("ARGILLA_API_KEY", raising=False)
    common = ("push", "--dataset", "first", "--store", store, "--folder", tmp_path / "runs", "--to")
    assert "ARGILLA_API_KEY" in run(*common, "https://argilla.example.org").stderr
    assert "annotation serve" in run(*common, tmp_path / "home").stderr


def test_the_home_folder_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, store: Path, tmp_path: Path
) -> None:
    asked: list[str] = []

    def connect(to: str) -> None:
        asked.append(to)
        raise address.AddressError("no")

    monkeypatch.setattr(address, "connect", connect)
    common = ("push", "--dataset", "first", "--store", store, "--folder", tmp_path / "runs")
    run(*common)
    monkeypatch.setenv("ANNOTATION_HOME", "elsewhere")
    run(*common)
    run(*common, "--to", "https://argilla.example.org")
    assert asked == ["annotation-home", "elsewhere", "https://argilla.example.org"]


def test_doctors_are_added_listed_and_reset(fake: FakeArgilla, tmp_path: Path) -> None:
    folder = ("--folder", tmp_path / "runs")
    added = run("users", "add", "sara", "reza", *folder)
    assert added.exit_code == 0, added.output
    assert all(added.stdout.count(password) == 1 for password in fake.passwords.values())
    assert "shown this once" in added.stderr
    listed = run("users", "list", *folder)
    assert "sara" in listed.stdout
    assert not any(password in listed.output for password in fake.passwords.values())
    assert "api_key" not in listed.output
    old = fake.passwords["sara"]
    [account] = json.loads(run("users", "reset", "sara", *folder, "--json").stdout)["users"]
    assert account["password"] == fake.passwords["sara"] != old
    wrong = run("users", "reset", "mina", *folder)
    assert wrong.exit_code == 2
    assert "'mina'" in wrong.stderr
