"""Statements run at once and writers in line, with the server's own libraries (at_once_cases.py)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from annotation.server import environment


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, environment_folder: Path) -> dict[str, Any]:
    python = environment.ready(environment_folder)
    variables = {**os.environ, "PYTHONPATH": str(Path(environment.__file__).parent)}
    cases = Path(__file__).with_name("at_once_cases.py")
    command = [python, "-P", cases, tmp_path_factory.mktemp("cases")]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_writers_come_in_order_and_none_is_turned_away(told: dict[str, Any]) -> None:
    assert told["writers"] == {"errors": 0, "count": 60, "in_order": True}


def test_trouble_of_one_writer_lets_the_next_one_in(told: dict[str, Any]) -> None:
    assert told["broken"] == {"counts": [1, 2, 3, 4]}  # nothing of what was undone


def test_a_status_is_updated_behind_the_writer_before_it(told: dict[str, Any]) -> None:
    assert told["status"] == {"error": "", "status": "completed"}


def test_the_loop_goes_on_during_a_long_statement_only(told: dict[str, Any]) -> None:
    assert min(told["slow"]["ticks"]) >= 3
    assert told["slow"]["short"] <= 1


def test_another_programs_write_is_waited_for(told: dict[str, Any]) -> None:
    assert told["another_program"] == {"count": 1}
