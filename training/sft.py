"""Supervised fine-tuning of a LoRA adapter with TRL: V's two stages, on the mini base as on aya-expanse-8b.

    python -m training run training/recipes/gaokerena/v_corpus.yaml --data corpus.jsonl --out runs/v1

`corpus` rows are {"text"}: every token but a text's first is learned; one longer than `max_length` goes on in the next
row, so none is cut off. `instruction` rows are {"prompt", "completion"} chat messages: the chat template always, loss
on the completion only; one that does not fit is left out and counted. A stage that starts from an adapter trains a new
one on top of the merged old one and joins both into one adapter of the base, exactly: the ranks add, the products are
kept.

Not covered: full fine-tuning.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from trl import SFTConfig, SFTTrainer

from training import fit, fit_run, fit_save
from training.errors import TrainingError
from training.manifest import Manifest, read_jsonl
from training.recipe import SftRecipe


def load_rows(recipe: SftRecipe, path: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """The rows of `path` the recipe's share draws. Raises TrainingError for rows of another form."""
    rows = read_checked(recipe, path)
    kept = random.Random(recipe.seed).sample(rows, round(len(rows) * recipe.share))
    manifest.counts_in["rows"] = len(rows)
    manifest.dropped["outside the share"] = len(rows) - len(kept)
    return kept


def read_checked(recipe: SftRecipe, path: Path) -> list[dict[str, Any]]:
    """Every row of `path`, its needed columns alone. Raises TrainingError for rows of another form."""
    rows = read_jsonl(path)
    wanted = {"text"} if recipe.form == "corpus" else {"prompt", "completion"}
    for number, row in enumerate(rows, 1):
        if not wanted <= set(row):
            raise TrainingError(f"{path} line {number}: {recipe.form} needs {sorted(wanted)}, found {sorted(row)}")
    return [{key: row[key] for key in sorted(wanted)} for row in rows]


def fitted(
    rows: list[dict[str, Any]], tokenizer: Any, recipe: SftRecipe, manifest: Manifest, name: str = ""
) -> list[dict[str, Any]]:
    """Rows of at most `max_length` tokens: long texts go on in the next row, long answers are left out and counted."""
    if recipe.form == "corpus":
        return split_long(rows, tokenizer, recipe, manifest, name)
    return drop_long(rows, tokenizer, recipe, manifest, name)


def drop_long(
    rows: list[dict[str, Any]], tokenizer: Any, recipe: SftRecipe, manifest: Manifest, name: str = ""
) -> list[dict[str, Any]]:
    """Instruction rows that fit `max_length` whole: an answer without its end teaches not to end."""
    kept = []
    for row in rows:
        ids = tokenizer.apply_chat_template(row["prompt"] + row["completion"], return_dict=False)
        if len(ids) <= recipe.max_length:
            kept.append(row)
    manifest.dropped[f"{name}longer than max_length"] = len(rows) - len(kept)
    return kept


def split_long(
    rows: list[dict[str, Any]], tokenizer: Any, recipe: SftRecipe, manifest: Manifest, name: str = ""
) -> list[dict[str, Any]]:
    """Texts as token ids with their end, in pieces of at most `max_length`.

    A piece begins with the last token of the one before, as a piece's first token is never predicted: every token of a
    text but its first is learned, its end too.
    """
    kept: list[dict[str, Any]] = []
    for row in rows:
        ids = tokenizer(row["text"] + tokenizer.eos_token)["input_ids"]
        starts = range(0, max(len(ids) - 1, 1), recipe.max_length - 1)
        kept += [{"input_ids": ids[at : at + recipe.max_length]} for at in starts]
    if len(kept) > len(rows):
        manifest.extra[f"{name}pieces_of_long_texts"] = len(kept) - len(rows)
    return kept


def train(recipe: SftRecipe, data: Path, out: Path, manifest: Manifest, held_out: Path | None = None) -> Path:
    """Train, or go on where a killed run stopped; returns the folder of the adapter."""
    model, tokenizer = fit.load_base(recipe.base, recipe.optimiser)
    rows = fitted(load_rows(recipe, data, manifest), tokenizer, recipe, manifest)
    away = fitted(read_checked(recipe, held_out), tokenizer, recipe, manifest, "held_out: ") if held_out else []
    if recipe.start_from:
        model = PeftModel.from_pretrained(model, recipe.start_from).merge_and_unload()
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**fit.arguments(recipe, out, bool(away)), packing=recipe.packing, eval_packing=False),
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(away) if away else None,
        processing_class=tokenizer,
        peft_config=fit.lora_config(recipe.lora),
    )
    fit_run.train(trainer, recipe, out, manifest)
    manifest.counts_out["rows"] = len(rows)
    if held_out:
        manifest.counts_out["held_out"] = len(away)
    fit_save.save_trained(trainer, recipe, data, out / "adapter", joined(trainer, recipe))
    return out / "adapter"


def joined(trainer: Any, recipe: SftRecipe) -> PeftModel | None:
    """One adapter for this stage and the one before it; None where there is none before."""
    if not recipe.start_from:
        return None
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        raise TrainingError(
            "a second stage cannot be joined from sharded weights; train it on one GPU, or several with ddp.yaml"
        )
    bare = fit.load_base(recipe.base, recipe.optimiser)[0]
    return join(bare, Path(recipe.start_from), trainer.model)


def join(base: Any, first: Path, second: PeftModel) -> PeftModel:
    """One adapter of `base` that does what `first` and then `second` (trained on top of it) do.

    B1 A1 s1 + B2 A2 s2 = [s1 B1, s2 B2] [A1; A2]: the ranks add and the scaling of the joined adapter is one.
    """
    earlier = PeftModel.from_pretrained(base, first)
    one, two = earlier.peft_config["default"], second.peft_config["default"]
    rank = one.r + two.r
    earlier.add_adapter(
        "joined",
        LoraConfig(r=rank, lora_alpha=rank, target_modules=one.target_modules, bias="none", task_type="CAUSAL_LM"),
    )
    later_layers = _adapted(second)
    if later_layers.keys() != _adapted(earlier).keys():
        raise TrainingError(
            f"{first} and the adapter on top of it change different layers; give both the same target_modules"
        )
    for path, layer in _adapted(earlier).items():
        later = later_layers[path]
        down = [part.lora_A["default"].weight.data.float() for part in (layer, later)]
        up = [part.lora_B["default"].weight.data.float() * part.scaling["default"] for part in (layer, later)]
        layer.lora_A["joined"].weight.data = torch.cat(down)
        layer.lora_B["joined"].weight.data = torch.cat(up, 1)
    earlier.set_adapter("joined")
    earlier.delete_adapter("default")
    return _rename(earlier)


def _adapted(model: PeftModel) -> dict[str, Any]:
    """The layers an adapter called `default` changes, by their path."""
    return {path: layer for path, layer in model.named_modules() if "default" in getattr(layer, "lora_A", ())}


def _rename(model: PeftModel) -> PeftModel:
    """The joined adapter under PEFT's own name, so that it saves into the folder itself."""
    config = model.peft_config["joined"]
    model.add_adapter("default", config)
    for layer in _adapted(model).values():
        layer.lora_A["default"].weight.data = layer.lora_A["joined"].weight.data
        layer.lora_B["default"].weight.data = layer.lora_B["joined"].weight.data
    model.set_adapter("default")
    model.delete_adapter("joined")
    return model
