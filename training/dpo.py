"""Direct preference optimisation of a LoRA adapter with TRL: R, on the mini base as on aya-expanse-8b.

    python -m training run training/recipes/gaokerena/r_dpo.yaml --data pairs.jsonl --out runs/r1

Rows are pairs (see `pairs`): prompt, chosen and rejected as chat messages, so the chat template is always applied.
Without `start_from` the reference is the base (adapter off); with it, policy and reference both start from that
adapter.
A pair longer than `max_length` is left out and counted: a cut would take the conclusion first.

Not covered: online preference optimisation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import PeftModel
from trl import DPOConfig, DPOTrainer

from training import fit
from training.errors import TrainingError
from training.manifest import Manifest, read_jsonl, write_json
from training.recipe import DpoRecipe

COLUMNS = ("prompt", "chosen", "rejected")


def load_pairs(path: Path, tokenizer: Any, max_length: int, manifest: Manifest, name: str) -> list[dict[str, Any]]:
    """The pairs of `path` whose both sides fit `max_length` tokens. Raises TrainingError for rows that are no pairs."""
    rows = read_jsonl(path)
    kept = []
    for number, row in enumerate(rows, 1):
        if missing := [column for column in COLUMNS if column not in row]:
            raise TrainingError(
                f"{path} line {number}: a pair needs {', '.join(COLUMNS)}; missing {', '.join(missing)}"
            )
        sides = [tokenizer.apply_chat_template(row["prompt"] + row[side], return_dict=False) for side in COLUMNS[1:]]
        if max(map(len, sides)) <= max_length:
            kept.append({column: row[column] for column in COLUMNS})
    manifest.counts_in[name] = len(rows)
    manifest.counts_out[name] = len(kept)
    manifest.dropped[f"{name}: longer than max_length"] = len(rows) - len(kept)
    return kept


def train(recipe: DpoRecipe, data: Path, held_out: Path | None, out: Path, manifest: Manifest) -> Path:
    """Train, or go on where a killed run stopped; returns the folder of the adapter."""
    model, tokenizer = fit.load_base(recipe.base, recipe.optimiser)
    rows = load_pairs(data, tokenizer, recipe.max_length, manifest, "train")
    away = load_pairs(held_out, tokenizer, recipe.max_length, manifest, "held_out") if held_out else []
    fresh = None if recipe.start_from else fit.lora_config(recipe.lora)
    if recipe.start_from:  # with a peft_config beside it TRL would drop this adapter and start from the base
        model = PeftModel.from_pretrained(model, recipe.start_from, is_trainable=True)
    arguments = DPOConfig(
        **fit.arguments(recipe, out),
        beta=recipe.beta,
        loss_type=recipe.loss_type,
        loss_weights=recipe.loss_weights,
        label_smoothing=recipe.label_smoothing,
        precompute_ref_log_probs=recipe.precompute_ref_log_probs,
        eval_strategy="steps" if away else "no",
        eval_steps=recipe.eval_steps,
    )
    trainer = DPOTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(away) if away else None,
        processing_class=tokenizer,
        peft_config=fresh,
    )
    fit.quiet(trainer)
    trainer.train(resume_from_checkpoint=fit.last_checkpoint(out))
    write_json(out / "log.json", fit.history(trainer.state.log_history))
    manifest.counts_out["steps"] = trainer.state.global_step
    manifest.extra["rows_seen"] = fit.rows_seen(trainer)
    manifest.tokens = int(trainer.state.num_input_tokens_seen or 0)
    fit.save_adapter(trainer.model, recipe, data, out / "adapter")
    return out / "adapter"
