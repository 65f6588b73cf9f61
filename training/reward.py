"""Train an outcome reward model from pairs with TRL: which of two answers is better, as a score of each alone.

    python -m training run training/recipes/mini/reward.yaml --data pairs.jsonl --held-out away.jsonl --out runs/reward

Bradley-Terry loss, each pair with its weight; the chat template always. A pair longer than `max_length` is left out and
counted. What it is for: `python -m training score`, a verifier for the rules of `python -m gaokerena evaluate`.

Not covered: margins in the loss, rewards for online training.
"""

from __future__ import annotations

from pathlib import Path

from trl import RewardConfig

from training import fit, fit_run, fit_save
from training.dpo import as_dataset, load_pairs
from training.manifest import Manifest
from training.pair_trainers import RewardTrainer
from training.recipe import RewardRecipe
from training.reward_model import Reward


def train(recipe: RewardRecipe, data: Path, held_out: Path | None, out: Path, manifest: Manifest) -> Path:
    """Train, or go on where a killed run stopped; returns the folder of the adapter with its score."""
    model, tokenizer = fit.load_base(recipe.base, recipe.optimiser, Reward)
    rows = load_pairs(data, tokenizer, recipe.max_length, manifest, "train")
    away = load_pairs(held_out, tokenizer, recipe.max_length, manifest, "held_out") if held_out else []
    trainer = RewardTrainer(
        model=model,
        args=RewardConfig(
            **fit.arguments(recipe, out, bool(away)),
            center_rewards_coefficient=recipe.center or None,
            disable_dropout=True,
        ),
        train_dataset=as_dataset(rows),
        eval_dataset=as_dataset(away) if away else None,
        processing_class=tokenizer,
        peft_config=fit.lora_config(recipe.lora, "SEQ_CLS"),
    )
    fit_run.train(trainer, recipe, out, manifest)
    fit_save.save_trained(trainer, recipe, data, out / "adapter")
    return out / "adapter"
