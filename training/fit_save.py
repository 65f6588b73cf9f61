"""The trained adapter as a folder: weights, config, and a lineage that names what it was made of by hash.

    save_trained(trainer, recipe, data, out / "adapter")

Not covered: training it (`fit_run`), a card (`cards`, `round_card`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from gaokerena.engines.loading import revision
from training.fit import trained_lora
from training.manifest import file_hash, read_json, write_json
from training.ranks import main_process, wait
from training.recipe import PATHS, RewardRecipe, TrainedRecipe


def save_trained(trainer: Any, recipe: TrainedRecipe, data: Path, folder: Path, trained: Any = None) -> None:
    """Save the trainer's adapter, or `trained` made from it, from whole weights, whatever shards they lie in."""
    state = None
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        state = trainer.accelerator.get_state_dict(trainer.model_wrapped)  # every process takes part
    if main_process():
        save_adapter(trained or trainer.model, recipe, data, folder, state)
    wait()


def save_adapter(model: PeftModel, recipe: TrainedRecipe, data: Path, folder: Path, state: Any = None) -> None:
    """Write the adapter into `folder`, with `lineage.json`: base weights, recipe and data by hash.

    In bfloat16; as it was trained, in float32, what small differences decide: a reward model's scores, and an adapter
    that goes on from another, whose steps bfloat16 would round away.
    """
    if not (isinstance(recipe, RewardRecipe) or recipe.start_from):
        for weight in model.parameters():
            weight.data = weight.data.to(torch.bfloat16)
        state = state and {name: weight.to(torch.bfloat16) for name, weight in state.items()}
    model.save_pretrained(folder, selected_adapters=["default"], save_embedding_layers=False, state_dict=state)
    (folder / "README.md").unlink(missing_ok=True)
    if Path(recipe.base).is_dir():  # a machine's path means nothing elsewhere; lineage.json names the weights
        config = read_json(folder / "adapter_config.json")
        write_json(folder / "adapter_config.json", config | {"base_model_name_or_path": Path(recipe.base).name})
    write_json(
        folder / "lineage.json",
        {
            "base_weights": revision(recipe.base),
            "starts_from": revision(recipe.start_from) if recipe.start_from else None,
            "data": file_hash(data),
            "recipe": recipe.model_dump(mode="json", exclude=set(PATHS)) | {"lora": trained_lora(model, recipe)},
        },
    )
