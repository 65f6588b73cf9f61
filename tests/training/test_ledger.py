"""What a run cost: counted over kills, priced, in a table beside what the papers say; energy without a network."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.training.killing import kill_when
from training import energy, ledger, manifest
from training.cli import app
from training.energy import Energy, check_country, metered
from training.errors import TrainingError
from training.ledger import NAME, Rates, keeping
from training.ledger_table import PUBLISHED, as_table, books, rows
from training.manifest import Manifest, commit, read_json, write_json


class Ticking:
    """A meter that reads one watt-hour more each time."""

    def __init__(self, country: str | None) -> None:
        self.kwh, self.country = 0.0, country

    def read(self) -> Energy:
        self.kwh += 0.001
        return Energy(self.kwh, None if self.country is None else self.kwh * 0.1, "a test")

    def __enter__(self) -> Ticking:
        return self

    def __exit__(self, *_: Any) -> None:
        """Nothing to stop."""


def run(folder: Path, rates: Rates | None = None, seconds: float = 0.2, mark: str = "m", **counts: Any) -> Any:
    given = Manifest("dpo", 0, mark, **counts)
    with keeping(folder, given, rates or Rates()):
        time.sleep(seconds)
        given.tokens = 77
        given.extra["hashes"] = {"data": "abc"}
    return read_json(folder / NAME)


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "metered", Ticking)


class TestTheBook:
    def test_it_holds_what_was_spent_and_what_it_was_spent_on(self, tmp_path: Path, ticking: None) -> None:
        found = run(tmp_path, Rates(3600.0, "EUR", "CAN"))
        assert 0.2 <= found["seconds"] < 30
        assert found["price"] == pytest.approx(found["seconds"], abs=0.2), "3,600 an hour is one a second"
        assert found["co2_kg"] == pytest.approx(found["energy_kwh"] * 0.1)
        assert (found["tokens"], found["data"], found["commit"]) == (77, {"data": "abc"}, commit())
        assert found["finished"]
        assert set(found["versions"]) >= {"python", "torch", "trl"}
        assert found["hardware"]["cores"] >= 1
        assert found["cpu_hours"] >= 0

    def test_what_nobody_told_is_not_made_up(self, tmp_path: Path, ticking: None) -> None:
        found = run(tmp_path)
        assert (found["price"], found["co2_kg"]) == (None, None)
        assert found["energy_kwh"] > 0

    def test_energy_nobody_measured_is_unknown_and_not_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(__import__("sys").modules, "codecarbon", None)
        assert run(tmp_path)["energy_kwh"] is None
        (row, *_) = rows([tmp_path / NAME])
        assert as_table([row]).splitlines()[-1].split(" | ")[6] == "–"

    def test_versions_are_read_once_a_start(
        self, tmp_path: Path, ticking: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read: list[str] = []
        monkeypatch.setattr(manifest, "version", lambda name: read.append(name) or "1.0")
        given = Manifest("dpo", 0, "m")
        once = len(read)
        with keeping(tmp_path, given, Rates(), every=0.01):
            time.sleep(0.1)
        given.write(tmp_path)
        assert read_json(tmp_path / NAME)["versions"] == read_json(tmp_path / "manifest.json")["versions"]
        assert len(read) == once > 0

    def test_starts_add_up_for_the_same_run_and_not_for_another(self, tmp_path: Path, ticking: None) -> None:
        one = run(tmp_path, Rates(1.0))
        two = run(tmp_path, Rates(1.0))
        assert len(two["starts"]) == 2
        assert two["starts"][0] == one["starts"][0]
        assert two["energy_kwh"] == pytest.approx(sum(start["energy_kwh"] for start in two["starts"]))
        assert two["seconds"] > one["seconds"]
        assert len(run(tmp_path, mark="another")["starts"]) == 1

    def test_a_run_that_fails_keeps_what_it_cost(self, tmp_path: Path, ticking: None) -> None:
        def fails() -> None:
            with keeping(tmp_path, Manifest("dpo", 0, "m"), Rates()):
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fails()
        found = read_json(tmp_path / NAME)
        assert not found["finished"]
        assert found["energy_kwh"] > 0

    def test_a_kill_loses_at_most_the_last_seconds(self, tmp_path: Path, ticking: None) -> None:
        kill_when(KILLED, tmp_path, lambda: _seconds(tmp_path) >= 1)
        before = read_json(tmp_path / NAME)
        assert not before["finished"]
        after = run(tmp_path, Rates(7.0), seconds=0.1)
        assert len(after["starts"]) == 2
        assert after["seconds"] >= before["seconds"] >= 1
        assert after["price"] == pytest.approx(after["seconds"] * 7 / 3600, rel=0.05)

    def test_a_process_that_is_not_the_main_one_writes_nothing(
        self, tmp_path: Path, ticking: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RANK", "1")
        with keeping(tmp_path, Manifest("dpo", 0, "m"), Rates()):
            pass
        assert not list(tmp_path.iterdir())


KILLED = """
import sys, time
from pathlib import Path
from tests.training import test_ledger
from training import ledger
from training.manifest import Manifest
ledger.metered = test_ledger.Ticking
with ledger.keeping(Path(sys.argv[1]), Manifest("dpo", 0, "m"), ledger.Rates(7.0), every=0.2):
    time.sleep(60)
"""


def _seconds(folder: Path) -> float:
    try:
        return float(read_json(folder / NAME)["seconds"])
    except (FileNotFoundError, ValueError):
        return 0.0


class TestEnergy:
    def test_codecarbon_reads_something_and_asks_no_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_: socket.socket, address: object) -> None:
            raise AssertionError(f"connects to {address}")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        with metered("CAN") as meter:
            until = time.monotonic() + 1.5
            while time.monotonic() < until:
                sum(range(1000))
            found = meter.read()
        assert found.kwh is not None
        assert 0 < found.kwh < 0.01
        assert found.co2_kg is not None
        assert 0 < found.co2_kg < found.kwh, "under a kilogram for a kilowatt-hour"
        assert "codecarbon" in found.how
        last = meter.read()
        assert last.kwh is not None
        assert last.kwh >= found.kwh
        assert meter.read() == last, "what was read last stays readable"

    def test_without_a_country_there_is_energy_and_no_co2(self) -> None:
        with metered() as meter:
            assert meter.read().co2_kg is None

    def test_without_codecarbon_it_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "codecarbon", None)
        with energy.metered("CAN") as meter:
            assert meter.read() == Energy(None, None, "not measured: codecarbon is not installed")

    def test_a_country_nobody_knows_is_refused_before_the_run(self) -> None:
        check_country(None)
        check_country("IRN")
        with pytest.raises(TrainingError, match="no energy mix for the country 'Iran'"):
            check_country("Iran")


class TestTheTable:
    def test_runs_stand_beside_the_papers_which_are_marked_as_theirs(self, tmp_path: Path, ticking: None) -> None:
        (tmp_path / "r1").mkdir()
        run(tmp_path / "r1", Rates(1800.0))
        made = rows(books([tmp_path]))
        assert [row["run"] for row in made] == ["r1", "Gaokerena-V, both stages", "Gaokerena-R, DPO"]
        assert [row["source"][:9] for row in made] == ["measured", "published", "published"]
        text = as_table(made)
        lines = text.splitlines()
        assert {line.count("|") for line in lines} == {11}
        assert "| 300.00 USD | 4.75 | 2.66 |" in text
        assert "| 70.00 USD | 0.35 | 0.03 |" in text
        assert "| 19.00 |" in text

    @pytest.mark.parametrize(("how", "cell"), [("estimated from its load", "0.50 (estimated)"), ("by RAPL", "0.50")])
    def test_an_estimate_is_called_one(self, tmp_path: Path, ticking: None, how: str, cell: str) -> None:
        made = run(tmp_path, Rates(country="CAN"))
        made |= {"energy_kwh": 0.5, "starts": [start | {"energy_by": f"a CPU {how}"} for start in made["starts"]]}
        write_json(tmp_path / NAME, made)
        lines = as_table(rows([tmp_path / NAME])).splitlines()
        assert lines[2].split(" | ")[6] == cell
        assert "4.75 | 2.66" in lines[3], "the papers' stand as published"
        assert "CPU h (main process)" in lines[0]

    def test_runs_of_one_name_are_told_apart_by_the_folders_above(self, tmp_path: Path, ticking: None) -> None:
        for name in ("rounds/r2/dpo", "rounds/r3/dpo", "mini"):
            (tmp_path / name).mkdir(parents=True)
            run(tmp_path / name, seconds=0.0)
        assert [row["run"] for row in rows(books([tmp_path]))[:3]] == ["mini", "rounds/r2/dpo", "rounds/r3/dpo"]
        assert rows(books([tmp_path / "rounds" / "r2"]))[0]["run"] == "dpo"
        assert [row["run"] for row in rows(books([tmp_path / "rounds"]))[:2]] == ["r2/dpo", "r3/dpo"]

    def test_tokens_of_a_run_that_did_not_end_are_unknown_and_not_none(self, tmp_path: Path, ticking: None) -> None:
        write_json(tmp_path / NAME, run(tmp_path) | {"finished": False, "tokens": 0})
        assert as_table(rows([tmp_path / NAME])).splitlines()[2].split(" | ")[2] == "–"

    def test_the_published_figures_are_those_of_the_papers(self) -> None:
        figures = [tuple(row[name] for name in ("price", "gpu_hours", "co2_kg")) for row in PUBLISHED]
        assert figures == [(300.0, 19.0, 2.66), (70.0, 1.0, 0.03)]

    def test_the_door_prints_it(self, tmp_path: Path, ticking: None) -> None:
        run(tmp_path)
        found = CliRunner().invoke(app, ["ledger", str(tmp_path)], catch_exceptions=False)
        assert found.stdout.startswith("| run | stage | tokens |")
        told = CliRunner().invoke(app, ["ledger", str(tmp_path), "--json"], catch_exceptions=False)
        assert '"co2_kg": 2.66' in told.stdout
        with pytest.raises(TrainingError, match="no run at"):
            CliRunner().invoke(app, ["ledger", str(tmp_path / "none")], catch_exceptions=False)
