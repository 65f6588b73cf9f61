"""`push`: what would be sent and what is wrong with it; and the sending, to a hub on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from typer.testing import CliRunner

from tests.training.hub_uploads import Taken, hub
from training.cli import app
from training.errors import TrainingError
from training.push import WELCOME, look

ROOT = Path(__file__).parents[2]
CARD = """---
license: cc-by-nc-sa-4.0
language:
- fa
base_model: base
library_name: peft
---
# r2

## Data statement

## Known weaknesses

## Lineage

## Licence
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "r2"
    made.mkdir()
    (made / "README.md").write_text(CARD, "utf-8")
    (made / "adapter_model.safetensors").write_bytes(bytes(range(256)) * 40)
    for name in ("adapter_config.json", "lineage.json", "evaluation.json"):
        (made / name).write_text(json.dumps({"base_model_name_or_path": "base", "name": name}), "utf-8")
    (made / "labels.jsonl").write_text('{"verdict_ids": ["v1"]}\n', "utf-8")
    return made


def push(folder: Path, taken: Taken, *more: str) -> subprocess.CompletedProcess[str]:
    """The door in a process of its own: the Hub's address is read once, at import."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    settings = {
        "HF_ENDPOINT": taken.address, "HF_TOKEN": "hf_of_the_test", "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HOME": str(folder.parent / "home"), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-m", "training", "push", str(folder), "--to", "owner/r2", *more]
    return subprocess.run(
        command, cwd=folder.parent, env=inherited | settings, capture_output=True, text=True, timeout=120
    )


def test_a_look_sends_nothing_and_says_what_would_be_sent(folder: Path) -> None:
    with hub() as taken:
        done = push(folder, taken, "--base-model", "CohereLabs/aya-expanse-8b")
    assert done.returncode == 0, done.stderr
    assert not taken.requests
    assert "10,240  adapter_model.safetensors" in done.stdout
    assert "6 files to owner/r2" in done.stdout
    assert "nothing was sent" in done.stderr


def test_labels_of_the_rounds_before_go_along_and_must_be_there(folder: Path) -> None:
    block = {"name": "r3", "before": {"name": "r2", "before": {"name": "r1b"}}}
    (folder / "lineage.json").write_text(json.dumps({"round": block}), "utf-8")
    (folder / "labels.r2.jsonl").write_text('{"verdict_ids": ["v0"]}\n', "utf-8")
    (folder / "labels.r7.jsonl").write_text('{"verdict_ids": ["v0"]}\n', "utf-8")
    parcel = look(folder, "owner/r3", "CohereLabs/aya-expanse-8b")
    assert "labels.r2.jsonl" in parcel.files
    assert parcel.problems == [
        "labels.r1b.jsonl is missing", "labels.r7.jsonl is not sent: move it out of the folder",
    ]  # fmt: skip


def test_really_sends_every_file_with_the_base_by_its_repository(folder: Path) -> None:
    with hub() as taken:
        done = push(folder, taken, "--base-model", "CohereLabs/aya-expanse-8b", "--really")
    assert done.returncode == 0, done.stderr
    assert f"{taken.address}/owner/r2/commit/" in done.stdout
    assert taken.made[0]["visibility"] == "private", "a new repository is private unless --public"
    sent = taken.files["owner/r2"]
    assert set(sent) == set(WELCOME)
    assert sent["adapter_model.safetensors"] == (folder / "adapter_model.safetensors").read_bytes()
    assert ModelCard(sent["README.md"].decode()).data.base_model == "CohereLabs/aya-expanse-8b"
    assert json.loads(sent["adapter_config.json"])["base_model_name_or_path"] == "CohereLabs/aya-expanse-8b"
    assert "base_model: base\n" in (folder / "README.md").read_text("utf-8"), "the folder stays as it was"


def test_what_the_hub_refuses_is_one_line(folder: Path) -> None:
    with hub() as taken:
        taken.refuse = 403
        done = push(folder, taken, "--base-model", "CohereLabs/aya-expanse-8b", "--really", "--public")
    assert done.returncode == 2
    assert "the Hub did not take owner/r2: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not taken.files.get("owner/r2")
    assert taken.made[0]["visibility"] == "public"


class TestProblems:
    def problems(self, folder: Path, base_model: str | None = "owner/base") -> list[str]:
        return look(folder, "owner/r2", base_model).problems

    def test_a_good_folder_has_none(self, folder: Path) -> None:
        assert self.problems(folder) == []

    def test_a_base_that_is_a_folder(self, folder: Path) -> None:
        assert self.problems(folder, None) == [
            "the card's base_model 'base' is no repository; give its repository with --base-model"
        ]

    @pytest.mark.parametrize("name", ["README.md", "adapter_config.json", "adapter_model.safetensors", "lineage.json"])
    def test_a_file_that_is_missing(self, folder: Path, name: str) -> None:
        (folder / name).unlink()
        assert f"{name} is missing" in self.problems(folder)

    def test_a_file_that_does_not_belong_there(self, folder: Path) -> None:
        (folder / "optimizer.pt").write_bytes(b"x")
        parcel = look(folder, "owner/r2", "owner/base")
        assert parcel.problems == ["optimizer.pt is not sent: move it out of the folder"]
        assert "optimizer.pt" not in parcel.files

    @pytest.mark.parametrize("line", ["license: cc-by-nc-sa-4.0\n", "language:\n- fa\n"])
    def test_a_card_that_does_not_say_what_a_hub_needs(self, folder: Path, line: str) -> None:
        (folder / "README.md").write_text(CARD.replace(line, ""), "utf-8")
        assert self.problems(folder) == [f"the card's front matter has no {line.partition(':')[0]}"]

    @pytest.mark.parametrize("text", ["", "# no front matter", "---\n: [\n---\n", "---\nonly"])
    def test_a_card_without_front_matter(self, folder: Path, text: str) -> None:
        (folder / "README.md").write_text(text, "utf-8")
        assert "the card's front matter has no license" in self.problems(folder)

    def test_a_card_without_its_data_statement(self, folder: Path) -> None:
        (folder / "README.md").write_text(CARD.replace("## Data statement\n", ""), "utf-8")
        assert self.problems(folder) == ["the card has no section Data statement"]

    def test_a_place_of_one_machine(self, folder: Path) -> None:
        (folder / "lineage.json").write_text('{"data": "/home/sara/pairs.jsonl"}', "utf-8")
        assert self.problems(folder) == ["lineage.json names a place of one machine: /home/sara/pairs.jsonl"]

    def test_problems_stop_the_sending_with_status_1(self, folder: Path) -> None:
        (folder / "lineage.json").unlink()
        given: list[Any] = ["push", str(folder), "--to", "owner/r2", "--base-model", "owner/base", "--really"]
        result = CliRunner().invoke(app, given)
        assert result.exit_code == 1
        assert "lineage.json is missing" in result.output


@pytest.mark.parametrize("name", ["r2", "owner/r2/more", "owner/..", "owner/r 2"])
def test_a_name_that_is_no_repository(folder: Path, name: str) -> None:
    with pytest.raises(TrainingError, match="--to"):
        look(folder, name)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no folder at"):
        look(tmp_path / "gone", "owner/r2")
