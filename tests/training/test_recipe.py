"""Recipes are read strictly, and those of aya-expanse-8b hold the published values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from training.errors import TrainingError
from training.recipe import FOLDER, load

SHIPPED = sorted(path for path in FOLDER.glob("*/*.yaml") if path.parent.name != "accelerate")
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
DPO = FOLDER / "gaokerena" / "r_dpo.yaml"


def changed(folder: Path, **changes: Any) -> Path:
    """The published DPO recipe with some keys changed; None takes a key out."""
    values = yaml.safe_load(DPO.read_text("utf-8")) | changes
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in values.items() if value is not None}), "utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(TrainingError) as caught:
        load(path)
    return str(caught.value)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_recipe_that_ships_loads(path: Path) -> None:
    assert load(path).kind == yaml.safe_load(path.read_text("utf-8"))["kind"]


def test_both_sizes_ship_their_stages() -> None:
    names = {size: {path.stem for path in SHIPPED if path.parent.name == size} for size in ("mini", "gaokerena")}
    assert names["gaokerena"] >= {"v_corpus", "v_instruct", "r_dpo", "r_better", "r_continued", "reward"}
    assert names["mini"] >= names["gaokerena"] | {"documents", "tokenizer", "base", "v_data", "pairs"}


# arXiv 2505.16000 and its public notebooks: fine-tuning/Pretraining.ipynb (stage 1), InstructionTuning.ipynb (stage 2).
@pytest.mark.parametrize(
    ("stage", "share", "lora", "decay"),
    [("v_corpus", 0.6, (8, 16, 0.05), 0.1), ("v_instruct", 1.0, (2, 2, 0.4), 0.5)],
)
def test_the_recipes_of_v_hold_the_published_values(
    stage: str, share: float, lora: tuple[float, float, float], decay: float
) -> None:
    recipe = load(FOLDER / "gaokerena" / f"{stage}.yaml")
    chosen = recipe.optimiser
    assert recipe.base == "CohereLabs/aya-expanse-8b"
    assert (recipe.share, recipe.max_length, recipe.packing) == (share, 1024, False)
    assert (recipe.lora.r, recipe.lora.lora_alpha, recipe.lora.lora_dropout) == lora
    assert recipe.lora.target_modules == PROJECTIONS
    assert (chosen.learning_rate, chosen.lr_scheduler_type, chosen.warmup_ratio) == (5e-4, "cosine", 0.03)
    assert (chosen.max_grad_norm, chosen.weight_decay, chosen.num_train_epochs) == (0.3, decay, 1)
    assert (chosen.per_device_train_batch_size, chosen.gradient_accumulation_steps) == (2, 16)
    assert chosen.max_steps == -1, "an epoch, not a number of steps"


def test_the_second_stage_of_v_goes_on_from_the_first() -> None:
    first, second = (load(FOLDER / "gaokerena" / f"v_{stage}.yaml") for stage in ("corpus", "instruct"))
    assert (first.form, second.form) == ("corpus", "instruction")
    assert first.start_from is None
    assert second.start_from == "runs/gaokerena/v_corpus/adapter"


# arXiv 2510.20059 states none; these are of its public src/train.py and the DPOConfig stored with its event file.
def test_the_recipe_of_r_holds_the_published_values() -> None:
    recipe = load(DPO)
    chosen = recipe.optimiser
    assert recipe.base == "CohereLabs/aya-expanse-8b"
    assert recipe.start_from is None, "R starts from the bare base"
    assert (recipe.beta, recipe.loss_type, recipe.label_smoothing, recipe.max_length) == (0.1, ["sigmoid"], 0.0, 1024)
    assert (recipe.lora.r, recipe.lora.lora_alpha, recipe.lora.lora_dropout) == (16, 16, 0.05)
    assert recipe.lora.target_modules == "all-linear"
    assert (chosen.learning_rate, chosen.lr_scheduler_type, chosen.warmup_ratio) == (1e-6, "linear", 0.03)
    assert (chosen.weight_decay, chosen.max_grad_norm, chosen.num_train_epochs) == (0.0, 1.0, 1)
    assert (chosen.per_device_train_batch_size, chosen.gradient_accumulation_steps) == (1, 4)
    assert recipe.seed == 42


def test_an_unknown_key_stops_the_run_with_its_name_and_file(tmp_path: Path) -> None:
    message = refusal(changed(tmp_path, betta=0.2))
    assert "changed.yaml" in message
    assert "betta" in message


def test_an_unknown_key_inside_a_part_is_named_with_the_part(tmp_path: Path) -> None:
    lora = {"r": 16, "lora_alpha": 16, "lora_dropout": 0.05, "alpha": 16}
    assert "lora.alpha" in refusal(changed(tmp_path, lora=lora))


def test_missing_keys_are_all_named(tmp_path: Path) -> None:
    message = refusal(changed(tmp_path, beta=None, max_length=None))
    assert "beta: Field required" in message
    assert "max_length: Field required" in message


@pytest.mark.parametrize(("key", "value"), [("beta", -0.1), ("beta", "much"), ("label_smoothing", 0.5)])
def test_a_wrong_value_is_named_with_its_key(tmp_path: Path, key: str, value: object) -> None:
    assert f"{key}: " in refusal(changed(tmp_path, **{key: value}))


def test_a_wrong_kind_and_no_kind_are_refused_by_name(tmp_path: Path) -> None:
    wrong = refusal(changed(tmp_path, kind="ppo"))
    assert "kind: " in wrong
    assert "'dpo'" in wrong, "it says which kinds there are"
    assert "kind: " in refusal(changed(tmp_path, kind=None))


@pytest.mark.parametrize(
    "content", [b"kind: [dpo", b"", b"- dpo\n- sft\n", "kind: \u0645".encode("utf-16"), b"kind: 'x\n\xff"]
)
def test_what_is_no_recipe_is_refused_with_its_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    assert "broken.yaml" in refusal(path)


def test_a_file_that_is_not_there_says_where_recipes_are(tmp_path: Path) -> None:
    message = refusal(tmp_path / "none.yaml")
    assert "none.yaml" in message
    assert "recipes/" in message
