"""The environment is made whole or not at all, once, and only on a Python that fits."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from annotation.server import environment
from annotation.server.errors import ServerError


def wheel(folder: Path) -> Path:
    """A package of one line, as a wheel: what an installer needs and no more."""
    path = folder / "tiny_pin-1.0-py3-none-any.whl"
    files = {
        "tiny_pin.py": "VALUE = 7\n",
        "tiny_pin-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny-pin\nVersion: 1.0\n",
        "tiny_pin-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in files) + "tiny_pin-1.0.dist-info/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, "tiny_pin-1.0.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text(f"{wheel(tmp_path)}\n")
    return path


def value(python: Path) -> str:
    told = subprocess.run([python, "-c", "import tiny_pin; print(tiny_pin.VALUE)"], capture_output=True, text=True)
    return told.stdout.strip()


def fake_python(folder: Path, told: str) -> str:
    path = folder / "fake-python"
    path.write_text(f"#!/bin/sh\necho '{told}'\n")
    path.chmod(0o755)
    return str(path)


def test_a_killed_making_is_made_again_then_found_without_an_installer(requirements: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    script = (
        "import sys; from pathlib import Path; from annotation.server.environment import ready;"
        "ready(Path(sys.argv[1]), requirements=Path(sys.argv[2]))"
    )
    maker = subprocess.Popen([sys.executable, "-c", script, folder, requirements])
    while not list(folder.glob("argilla-*/bin/python")):
        assert maker.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    os.kill(maker.pid, signal.SIGKILL)
    assert maker.wait() == -signal.SIGKILL
    assert not list(folder.glob("argilla-*/whole.json"))

    said: list[str] = []
    python = environment.ready(folder, requirements=requirements, say=said.append)
    assert value(python) == "7"
    assert len(said) == 1

    # Found from now on, with no Python to make one and nothing said.
    again = environment.ready(folder, requirements=requirements, base="/nowhere/python", say=said.append)
    assert again == python
    assert len(said) == 1

    # Other pins have a folder of their own, and this one stays.
    other = tmp_path / "other.txt"
    other.write_text(requirements.read_text() + "# changed\n")
    with pytest.raises(ServerError, match="/nowhere/python is not a Python that runs"):
        environment.ready(folder, requirements=other, base="/nowhere/python")
    assert value(python) == "7"

    # Not whole any more: made again.
    (python.parent.parent / "whole.json").write_text("{")
    with pytest.raises(ServerError, match="/nowhere/python is not a Python that runs"):
        environment.ready(folder, requirements=requirements, base="/nowhere/python")


def test_a_failed_installation_shows_what_the_installer_said(tmp_path: Path) -> None:
    missing = tmp_path / "requirements.txt"
    missing.write_text(f"{tmp_path}/gone-1.0-py3-none-any.whl\n")
    with pytest.raises(ServerError, match=r"(?s)failed with status 1:.*gone-1\.0.*start again"):
        environment.ready(tmp_path / "shared", requirements=missing)
    assert not list((tmp_path / "shared").glob("argilla-*/whole.json"))


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ("[[3, 14], [3, 45], true]", r"is Python 3\.14, and the server needs 3\.11 to 3\.13; .*ANNOTATION_PYTHON"),
        ("[[3, 10], [3, 45], true]", r"is Python 3\.10"),
        ("[[3, 11], [3, 31], true]", r"the SQLite of .* is 3\.31, and the server needs 3\.35"),
        ("[[3, 11], [3, 45], false]", r"is 3\.45 without FTS5"),
        ("what", "is not a Python that runs"),
    ],
)
def test_a_python_that_does_not_fit_is_named(requirements: Path, tmp_path: Path, told: str, error: str) -> None:
    with pytest.raises(ServerError, match=error):
        environment.ready(tmp_path / "shared", requirements=requirements, base=fake_python(tmp_path, told))
    assert not (tmp_path / "shared").exists()


def test_everything_is_pinned() -> None:
    lines = [line for line in environment.REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    assert "argilla-server==2.8.0" in lines
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)


def test_the_callers_variables_that_would_change_the_server_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ARGILLA_DATABASE_URL", "PYTHONPATH", "HF_TOKEN", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("LANG", "fa_IR.UTF-8")
    kept = environment.clean_variables()
    assert kept["LANG"] == "fa_IR.UTF-8"
    assert not {"ARGILLA_DATABASE_URL", "PYTHONPATH", "HF_TOKEN", "VIRTUAL_ENV"} & kept.keys()
