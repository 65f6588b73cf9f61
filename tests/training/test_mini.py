"""The stages of the mini pair on toy data: run once, again when recipe, data or code change, refused on an overlap."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import tiny
from tests.training import round_cases, small, toy
from tests.training.test_decontaminate import TESTED
from training import mini, stages
from training.audit_gate import sha256
from training.errors import TrainingError
from training.ledger import Rates
from training.manifest import NAME, read_json, read_jsonl, write_json, write_jsonl
from training.recipe import load
from training.run import with_changes

ANSWER = "برای این حال، مایعات گرم بنوشید و {} روز استراحت کنید تا بدن شما دوباره نیرو بگیرد."


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which `documents` and `tokenizer` have run on toy data, with `recipes` of toy sizes beside it."""
    asked = toy.questions("من {age} ساله‌ام و از دیشب تب دارم، چه کنم؟", away=False)
    consultations = [toy.consultation(next(asked), ANSWER.format(word)) for word in ("دو", "سه", "چهار", "پنج", "شش")]
    data = toy.write(
        tmp_path / "data", mf3qa=consultations, benchmarks=[toy.benchmark("mmlu_fa", TESTED, toy.OPTIONS, "B")]
    )
    monkeypatch.setenv("GAOKERENA_DATA", str(data))
    recipes = tmp_path / "recipes"
    shutil.copytree(mini.RECIPES, recipes)
    (recipes / "tokenizer.yaml").write_text(yaml.safe_dump({"kind": "tokenizer", "seed": 7, "vocabulary": 300}))
    (recipes / "base.yaml").write_text(yaml.safe_dump(tiny.recipe(steps=2).model_dump()))
    for stage in ("documents", "tokenizer"):
        mini.make(tmp_path / "run", stage, recipes)
    return tmp_path


def make(folder: Path, stage: str) -> dict[str, Any]:
    mini.make(folder / "run", stage, folder / "recipes")
    return read_json(folder / "run" / stage / NAME)


def test_the_data_stages_and_the_base_write_that_nothing_overlaps(run: Path) -> None:
    assert read_json(run / "run" / "documents" / NAME)["counts_out"]["train"] == 5
    assert make(run, "v_data")["overlap"] == {}
    found = make(run, "base")
    assert found["overlap"] == {}
    assert (found["counts_in"]["documents"], found["starts"]) == (5, 1)
    assert (run / "run" / "base" / "model" / "model.safetensors").exists()


def pairs_stage(folder: Path) -> None:
    """The stage `pairs` as it leaves its folder; its pairs have a surface cue."""
    made = folder / "run" / "pairs"
    made.mkdir()
    write_jsonl(made / "train.jsonl", round_cases.verdicts(40))
    write_jsonl(made / "held_out.jsonl", round_cases.verdicts(6, seed=2))
    files = {"train.jsonl": sha256(made / "train.jsonl")}
    write_json(made / NAME, {"fingerprint": "of a test", "files": files, "decontaminated": True, "dropped": {}})
    lora = {"r": 2, "lora_alpha": 2, "lora_dropout": 0.0}
    recipe = small.dpo_recipe(
        "stage:base/model", data="stage:pairs/train.jsonl", max_length=2000, lora=lora,
        optimiser=small.optimiser(max_steps=1),
    )  # fmt: skip
    (folder / "recipes" / "r_dpo.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json", exclude_none=True)))


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
def test_r_is_trained_on_audited_pairs_or_for_the_reason_its_recipe_gives(run: Path) -> None:
    make(run, "base")
    pairs_stage(run)
    with pytest.raises(TrainingError, match="failed its shortcut audit"):
        make(run, "r_dpo")
    assert not (run / "run" / "r_dpo" / "checkpoints").exists()
    path = run / "recipes" / "r_dpo.yaml"
    path.write_text(path.read_text("utf-8") + "override_audit: to show the stages at work\n", "utf-8")
    audit = make(run, "r_dpo")["audit"]
    assert (audit["passed"], audit["decontaminated"], audit["overrode"]) == (False, True, ["audit"])
    assert audit["overridden"] == "to show the stages at work"
    assert str(run) not in audit["found"]
    lineage = read_json(run / "run" / "r_dpo" / "adapter" / "lineage.json")
    assert lineage["recipe"]["override_audit"] == "to show the stages at work"


def test_every_stage_keeps_a_ledger(run: Path) -> None:
    mini.make(run / "run", "base", run / "recipes", Rates(3600.0, "EUR"))
    for stage in ("documents", "tokenizer", "base"):
        book, told = (read_json(run / "run" / stage / name) for name in ("ledger.json", NAME))
        assert book["finished"]
        assert (book["fingerprint"], book["tokens"]) == (told["fingerprint"], told["tokens"])
        assert book["data"] == mini.inputs_of(stage, run / "run")
    assert (book["price"], book["rates"]["currency"]) == (pytest.approx(book["seconds"], abs=0.2), "EUR")
    assert book["data"] == {"tokenizer": read_json(run / "run" / "tokenizer" / NAME)["fingerprint"]}


def test_the_shipped_recipe_says_why_its_pairs_are_trained_on_and_only_of_its_own() -> None:
    shipped = load(mini.RECIPES / "r_dpo.yaml")
    assert "knows no medicine" in shipped.override_audit
    assert with_changes(shipped).override_audit == shipped.override_audit
    assert with_changes(shipped, data="other.jsonl").override_audit is None


@pytest.mark.parametrize("stage", ["v_data", "base"])
def test_a_file_made_before_the_check_was_repaired_is_refused(run: Path, stage: str) -> None:
    file = run / "run" / "documents" / "train.jsonl"
    rows = read_jsonl(file)
    rows[0]["prompting"] = "straight"
    write_jsonl(file, [rows[0] | {"user": TESTED}, *rows[1:]])
    with pytest.raises(TrainingError, match=rf"{stage}: .*1 with mmlu_fa" if stage == "base" else "with mmlu_fa"):
        make(run, stage)
    assert not (run / "run" / stage / NAME).exists()


def test_a_stage_runs_again_when_its_code_changes_and_only_then(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    real = stages.STAGES["documents"].run

    def noted(recipe: Any, out: Path, manifest: Any) -> None:
        ran.append(manifest.fingerprint)
        real(recipe, out, manifest)

    class Kept(stages.Stage):
        """The stage with its own code in the fingerprint, and a run that is noted."""

    made = stages.STAGES["documents"]
    first = read_json(run / "run" / "documents" / NAME)["fingerprint"]
    monkeypatch.setitem(stages.STAGES, "documents", Kept(noted, made.before, made.modules, (real,)))
    changed = make(run, "documents")["fingerprint"]
    assert changed != first, "the function that runs it is another one"
    make(run, "documents")
    assert ran == [changed]
    monkeypatch.setattr(mini, "code_hash", lambda *modules, functions: "changed")
    make(run, "documents")
    assert len(ran) == 2


def test_shipping_swaps_whole_folders_and_keeps_the_card(tmp_path: Path) -> None:
    for source in mini.PARTS.values():
        (tmp_path / source).mkdir(parents=True)
        (tmp_path / source / "weights").write_text("new")
    shipped = tmp_path / "shipped"
    for name in mini.PARTS:
        (shipped / name).mkdir(parents=True)
        (shipped / name / "left_over").write_text("of an older format")
        (shipped / name / "README.md").write_text("the card")
    mini.ship(tmp_path, shipped)
    for name in mini.PARTS:
        assert {path.name for path in (shipped / name).iterdir()} == {"weights", "README.md"}
    assert {path.name for path in shipped.iterdir()} == set(mini.PARTS)


def test_a_copy_that_fails_leaves_the_old_pair_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "shipped"
    for name, source in mini.PARTS.items():
        (tmp_path / source).mkdir(parents=True)
        (tmp_path / source / "weights").write_text("new")
        (shipped / name).mkdir(parents=True)
        (shipped / name / "weights").write_text("old")
    real = shutil.copytree

    def full(source: Path, place: Path, **given: Any) -> None:
        if "r_dpo" in str(source):
            raise OSError(28, "No space left on device")
        real(source, place, **given)

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(OSError, match="No space"):
        mini.ship(tmp_path, shipped)
    assert {(shipped / name / "weights").read_text() for name in mini.PARTS} == {"old"}
