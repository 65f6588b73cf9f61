"""What goes to a Hugging Face Space starts by itself, outside the repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ASSEMBLE = ROOT / "spaces" / "demo" / "assemble"


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("space") / "demo"
    subprocess.run([ASSEMBLE, folder], check=True, capture_output=True, text=True)
    return folder


def test_it_holds_the_page_the_weights_and_nothing_else(space: Path) -> None:
    assert sorted(path.name for path in space.iterdir()) == [
        "LICENSE", "README.md", "app.py", "gaokerena", "models", "requirements.txt",
    ]  # fmt: skip
    assert (space / "models" / "mini" / "r" / "adapter_model.safetensors").exists()


def test_its_front_matter_names_the_versions_that_are_pinned(space: Path) -> None:
    front = yaml.safe_load((space / "README.md").read_text("utf-8").split("---")[1])
    pins = (space / "requirements.txt").read_text("utf-8")
    assert f"gradio=={front['sdk_version']}\n" in pins
    assert (front["sdk"], front["app_file"], front["python_version"]) == ("gradio", "app.py", "3.11")
    assert not any(name in pins for name in ("pytest", "playwright", "argilla", "trl"))


def test_it_answers_where_no_repository_is(space: Path) -> None:
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("GAOKERENA_", "PYTHONPATH"))}
    command = [sys.executable, "-m", "gaokerena", "ask", "تب دارم", "--json"]
    done = subprocess.run(command, cwd=space, env=settings, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    assert '"finish_reason": "' in done.stdout.splitlines()[-1]


def test_it_does_not_write_over_anything(space: Path) -> None:
    done = subprocess.run([ASSEMBLE, space], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is not empty" in done.stderr
