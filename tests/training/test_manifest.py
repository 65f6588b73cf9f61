"""The manifest says a stage is finished, for one recipe and one input, and is whole or not there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from training import manifest as manifests
from training.errors import TrainingError
from training.manifest import (
    NAME,
    Manifest,
    begin,
    commit,
    file_hash,
    fingerprint,
    finished,
    read_json,
    read_jsonl,
    write_json,
    write_jsonl,
)


def test_a_stage_is_finished_only_for_the_recipe_and_inputs_it_ran_with(tmp_path: Path) -> None:
    assert finished(tmp_path, "aa") is None
    manifest = Manifest("pairs", 3, "aa", counts_in={"rows": 9}, tokens=7)
    manifest.dropped["short"] += 2
    manifest.extra["cues"] = {"before": 1.0}
    manifest.write(tmp_path)
    found = finished(tmp_path, "aa")
    assert found is not None
    assert (found["stage"], found["seed"], found["counts_in"], found["tokens"]) == ("pairs", 3, {"rows": 9}, 7)
    assert found["dropped"] == {"short": 2}
    assert found["cues"] == {"before": 1.0}
    assert found["seconds"] >= 0
    assert set(found["versions"]) >= {"python", "torch", "trl"}
    assert finished(tmp_path, "bb") is None, "another recipe: not finished"


@pytest.mark.parametrize(("text", "said"), [('{"schema": 2}', "of no stage"), ("[]", "of no stage"), ("{", "not JSON")])
def test_a_folder_of_somebody_else_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / manifests.NAME).write_text(text, "utf-8")
    with pytest.raises(TrainingError, match=rf"manifest\.json is {said}.*choose another folder"):
        manifests.finished(tmp_path, "ab")


def test_a_fingerprint_changes_with_any_part_and_with_nothing_else() -> None:
    first = fingerprint("base", {"steps": 4, "seed": 1}, ["x"])
    assert first == fingerprint("base", {"seed": 1, "steps": 4}, ["x"])
    others = [fingerprint("base", {"steps": 5, "seed": 1}, ["x"]), fingerprint("base", {"steps": 4, "seed": 1}, ["y"])]
    assert len({first, *others}) == 3


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / NAME
    write_json(path, {"old": True})
    with pytest.raises(TypeError):
        write_json(path, {"new": object()})
    assert read_json(path) == {"old": True}

    rows = tmp_path / "rows.jsonl"
    assert write_jsonl(rows, [{"متن": "سلام"}, {"متن": "درود\nدوباره"}]) == 2
    with pytest.raises(ZeroDivisionError):
        write_jsonl(rows, ({"n": 1 // n} for n in (1, 0)))
    assert read_jsonl(rows) == [{"متن": "سلام"}, {"متن": "درود\nدوباره"}]


def test_a_file_hash_follows_the_content(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("الف")
    two.write_text("الف")
    assert file_hash(one) == file_hash(two)
    two.write_text("ب")
    assert file_hash(one) != file_hash(two)


class TestBegin:
    """Going on with a checkpoint of another recipe would call an old model the result of a new recipe."""

    def half_done(self, folder: Path, mark: str) -> Path:
        begin(folder, mark)
        (folder / "checkpoint.pt").write_text("half")
        return folder

    def test_the_same_run_goes_on(self, tmp_path: Path) -> None:
        begin(self.half_done(tmp_path, "aa"), "aa")
        assert (tmp_path / "checkpoint.pt").exists()

    def test_another_recipe_is_refused_while_a_checkpoint_is_there(self, tmp_path: Path) -> None:
        self.half_done(tmp_path, "aa")
        with pytest.raises(TrainingError, match=r"checkpoint\.pt.*aa.*delete .*started\.json"):
            begin(tmp_path, "bb")
        assert (tmp_path / "checkpoint.pt").exists(), "hours of training are not deleted unasked"
        (tmp_path / "started.json").unlink()
        begin(tmp_path, "bb")  # a person may shorten a run knowingly

    def test_the_trainers_checkpoints_count_too(self, tmp_path: Path) -> None:
        begin(tmp_path, "aa")
        (tmp_path / "checkpoints" / "checkpoint-4").mkdir(parents=True)
        with pytest.raises(TrainingError, match="checkpoints"):
            begin(tmp_path, "bb")

    def test_a_finished_run_of_another_recipe_is_refused_too(self, tmp_path: Path) -> None:
        (tmp_path / "checkpoint.pt").write_text("done")
        Manifest("base", 1, "aa").write(tmp_path)
        with pytest.raises(TrainingError, match="aa"):
            begin(tmp_path, "bb")

    def test_without_a_checkpoint_another_recipe_may_begin(self, tmp_path: Path) -> None:
        begin(tmp_path, "aa")
        begin(tmp_path, "bb")
        assert json.loads((tmp_path / "started.json").read_text("utf-8"))["fingerprint"] == "bb"

    def test_a_new_run_over_a_finished_one_goes_on_after_a_kill(self, tmp_path: Path) -> None:
        Manifest("base", 1, "aa").write(tmp_path)
        begin(self.half_done(tmp_path, "bb"), "bb")
        assert (tmp_path / "checkpoint.pt").exists()


def git(folder: Path, *words: str) -> str:
    given = ["git", "-c", "user.name=n", "-c", "user.email=n@example.org", *words]
    return subprocess.run(given, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_named_with_changes_and_none_outside_a_repository(tmp_path: Path) -> None:
    inside = tmp_path / "training"
    inside.mkdir()
    assert commit(inside) is None
    git(tmp_path, "init", "-q")
    assert commit(inside) is None, "nothing committed yet"
    (inside / "code.py").write_text("1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    (tmp_path / "untracked").write_text("x")
    assert commit(inside) == git(tmp_path, "rev-parse", "HEAD")
    (inside / "code.py").write_text("2\n")
    assert commit(inside) == git(tmp_path, "rev-parse", "HEAD") + "+changes"


def test_the_commit_is_that_of_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "commit", lambda: "as it began")
    made = Manifest("sft", 1, "f")
    monkeypatch.setattr(manifests, "commit", lambda: "committed meanwhile")
    made.write(tmp_path)
    assert read_json(tmp_path / "manifest.json")["commit"] == "as it began"


def test_a_manifest_names_commit_and_starts(tmp_path: Path) -> None:
    Manifest("base", 1, "aa", earlier_seconds=100.0, starts=3).write(tmp_path)
    found = read_json(tmp_path / NAME)
    assert (found["starts"], 100 <= found["seconds"] < 160) == (3, True)
    assert found["commit"] == commit()
