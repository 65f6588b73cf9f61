"""Direct preference optimisation of a LoRA adapter with TRL: R, on the mini base as on aya-expanse-8b.

    python -m training run training/recipes/gaokerena/r_dpo.yaml --data pairs.jsonl --out runs/r1

Rows are pairs (see `pairs`): prompt, chosen and rejected as chat messages, so the chat template is always applied.
Without `start_from` the reference is the base (adapter off); with it, policy and reference both start from that
adapter.
A pair longer than `max_length` is left out and counted: a cut would take the conclusion first. A pair's `weight` is its
share of the loss (`pair_trainers`); label smoothing may come from the doctors' own contradictions (`smoothing`).

Not covered: online preference optimisation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import PeftModel
from trl import DPOConfig

from training import fit, fit_run, fit_save
from training.errors import TrainingError
from training.manifest import Manifest, read_jsonl
from training.pair_trainers import WEIGHT, DPOTrainer
from training.recipe import DpoRecipe
from training.smoothing import from_report

COLUMNS = ("prompt", "chosen", "rejected")


def load_pairs(path: Path, tokenizer: Any, max_length: int, manifest: Manifest, name: str) -> list[dict[str, Any]]:
    """The pairs of `path` whose both sides fit `max_length` tokens, with their weight where it is not one.

    Raises TrainingError for rows that are no pairs, and when none fits.
    """
    if not (rows := read_jsonl(path)):
        raise TrainingError(f"{path} holds no pairs; give another file")
    kept, too_long = [], []
    for number, row in enumerate(rows, 1):
        if missing := [column for column in COLUMNS if column not in row]:
            raise TrainingError(
                f"{path} line {number}: a pair needs {', '.join(COLUMNS)}; missing {', '.join(missing)}"
            )
        weight = row.get(WEIGHT, 1.0)
        if not (isinstance(weight, int | float) and 0 < weight <= 1):
            raise TrainingError(f"{path} line {number}: weight is {weight!r}, not a number above 0 and up to 1")
        sides = [tokenizer.apply_chat_template(row["prompt"] + row[side], return_dict=False) for side in COLUMNS[1:]]
        if max(map(len, sides)) <= max_length:
            kept.append({column: row[column] for column in COLUMNS} | ({WEIGHT: weight} if weight != 1 else {}))
        else:
            too_long.append(row.get("id", f"line {number}"))
    manifest.counts_in[name] = len(rows)
    manifest.counts_out[name] = len(kept)
    manifest.dropped[f"{name}: longer than max_length"] = len(too_long)
    manifest.extra[f"{name}_too_long"] = too_long
    if not kept:
        raise TrainingError(
            f"{path}: none of its {len(rows)} pairs fits max_length {max_length}; raise it in the recipe"
        )
    return kept


def as_dataset(pairs: list[dict[str, Any]]) -> Dataset:
    """The pairs for a trainer; a column of weights only where one differs from 1."""
    weighted = any(WEIGHT in pair for pair in pairs)
    return Dataset.from_list([{WEIGHT: 1.0} | pair if weighted else pair for pair in pairs])


def smoothing_of(recipe: DpoRecipe, manifest: Manifest) -> float:
    """The recipe's label smoothing, worked out of the doctors' report where it says so."""
    if recipe.label_smoothing != "from_report":
        return recipe.label_smoothing
    if not recipe.doctors:
        raise TrainingError("label_smoothing is from_report; name the doctors.json with --doctors or in the recipe")
    found = from_report(Path(recipe.doctors))
    manifest.extra["label_smoothing"] = found
    return float(found["label_smoothing"])


def train(recipe: DpoRecipe, data: Path, held_out: Path | None, out: Path, manifest: Manifest) -> Path:
    """Train, or go on where a killed run stopped; returns the folder of the adapter."""
    smoothing = smoothing_of(recipe, manifest)
    model, tokenizer = fit.load_base(recipe.base, recipe.optimiser)
    rows = load_pairs(data, tokenizer, recipe.max_length, manifest, "train")
    away = load_pairs(held_out, tokenizer, recipe.max_length, manifest, "held_out") if held_out else []
    fresh = None if recipe.start_from else fit.lora_config(recipe.lora)
    if recipe.start_from:  # with a peft_config beside it TRL would drop this adapter and start from the base
        model = PeftModel.from_pretrained(model, recipe.start_from, is_trainable=True)
        model.peft_config["default"].base_model_name_or_path = recipe.base  # else each checkpoint asks the Hub for it
    arguments = DPOConfig(
        **fit.arguments(recipe, out, bool(away)),
        beta=recipe.beta,
        loss_type=recipe.loss_type,
        loss_weights=recipe.loss_weights,
        label_smoothing=smoothing,
        disable_dropout=True,
        precompute_ref_log_probs=recipe.precompute_ref_log_probs,
    )
    trainer = DPOTrainer(
        model=model,
        args=arguments,
        train_dataset=as_dataset(rows),
        eval_dataset=as_dataset(away) if away else None,
        processing_class=tokenizer,
        peft_config=fresh,
        references=out,
    )
    fit_run.train(trainer, recipe, out, manifest)
    fit_save.save_trained(trainer, recipe, data, out / "adapter")
    return out / "adapter"
