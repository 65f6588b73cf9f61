"""What SFT, DPO and the reward model begin with: base and tokenizer, the adapter's shape, the arguments of a run.

Several GPUs: `accelerate launch --config_file training/recipes/accelerate/ddp.yaml -m training run ...` starts the same
command once a GPU; every process comes through here.

Not covered: running and going on after a kill (`fit_run`), saving (`fit_save`), quantised bases.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import datasets
import torch
from huggingface_hub import hf_hub_download
from peft import LoraConfig, PeftModel
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
)
from transformers.utils.logging import disable_progress_bar
from trl.kernels import chunked_logprob

from gaokerena.engines.loading import revision
from training.errors import TrainingError
from training.recipe import Lora, Optimiser, SftRecipe, TrainedRecipe

CPU_TILE = 64
"""Tokens whose logits TRL's fused head holds at once on a CPU. Its own 4,096, made for GPUs, goes through memory for
every one of a dozen passes over the logits; 64 rows of 12,000 stay in the cache (docs/LOG.md)."""


TOO_LONG = "sequence-length-is-longer-than-the-specified-maximum"
"""A warning that must not be shown: what is longer than the model's context is split or left out, and never run."""


def settle() -> None:
    """Fit the fused head of TRL's trainers to this machine; be quiet about bars and what peft asks of transformers."""
    datasets.disable_progress_bars()
    disable_progress_bar()
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
    if not torch.cuda.is_available():
        chunked_logprob.TOKEN_CHUNK_SIZE = CPU_TILE


def pinned(source: str) -> str:
    """The revision of a base or adapter, before a run starts: the hash of a folder's weights, a repository's commit.

    Raises TrainingError when there is neither such a folder nor such a repository.
    """
    if Path(source).is_dir():
        return revision(source)
    cause = ""
    for name in ("config.json", "adapter_config.json"):
        try:
            hf_hub_download(source, name)  # puts the commit into the cache, where `revision` finds it
            return revision(source)
        except (OSError, ValueError) as error:
            cause = str(error).partition("\n")[0]
    raise TrainingError(
        f"no model at {source}: no such folder, and no such repository can be reached ({cause}); give a folder or "
        "owner/name with --base or --start-from"
    )


def load_base(source: str, optimiser: Optimiser, kind: Any = AutoModelForCausalLM) -> tuple[PreTrainedModel, Any]:
    """Base and tokenizer for training. float32 weights on a CPU, bfloat16 on a GPU; the tokenizer pads on the right."""
    settle()
    dtype = torch.bfloat16 if torch.cuda.is_available() and optimiser.bf16 else torch.float32
    model = kind.from_pretrained(source, dtype=dtype)
    model.config.use_cache = False
    tokenizer = AutoTokenizer.from_pretrained(source, padding_side="right")
    tokenizer.deprecation_warnings[TOO_LONG] = True
    return model, tokenizer


def lora_config(lora: Lora, task: str = "CAUSAL_LM") -> LoraConfig:
    """The adapter's shape; its own dropout, no biases, every linear layer unless the recipe names some."""
    return LoraConfig(
        r=lora.r, lora_alpha=lora.lora_alpha, lora_dropout=lora.lora_dropout, target_modules=lora.target_modules,
        bias="none", task_type=task,
    )  # fmt: skip


def trained_lora(model: PeftModel, recipe: TrainedRecipe) -> dict[str, Any]:
    """The recipe's `lora` as it was used: no dropout on pairs, and the shape of the adapter that DPO goes on with."""
    told = recipe.lora.model_dump(mode="json")
    if isinstance(recipe, SftRecipe):
        return told
    told["lora_dropout"] = 0.0  # `disable_dropout`: policy and reference are compared by the same network
    if recipe.start_from:
        found = model.peft_config["default"]
        layers = found.target_modules
        named = layers if isinstance(layers, str) else sorted(layers)
        told |= {"r": found.r, "lora_alpha": float(found.lora_alpha), "target_modules": named}
    return told


def arguments(recipe: TrainedRecipe, out: Path, evaluated: bool = False) -> dict[str, Any]:
    """TrainingArguments for the recipe, every default that matters stated; nothing is reported over a network.

    `evaluated` says that there are held-out rows. Raises TrainingError when early stopping has none.
    """
    if recipe.early_stop and not evaluated:
        raise TrainingError("early_stop looks at held-out rows and there are none; give them with --held-out")
    chosen, gpu = recipe.optimiser, torch.cuda.is_available()
    if recipe.report_to != "none":
        os.environ |= {"TRACKIO_DIR": str(out / "trackio"), "TENSORBOARD_LOGGING_DIR": str(out / "tensorboard")}
    best = {
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
        "restore_callback_states_from_checkpoint": True,  # else a kill would forget how long it has been patient
    }
    return (best if recipe.early_stop else {}) | {
        "eval_strategy": "steps" if evaluated else "no",
        "eval_steps": recipe.eval_steps,
        "ddp_find_unused_parameters": False,
        "project": "gaokerena",
        "run_name": out.name,
        "trackio_static_space_id": False,
        "output_dir": str(out / "checkpoints"),
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "learning_rate": chosen.learning_rate,
        "lr_scheduler_type": chosen.lr_scheduler_type,
        "warmup_steps": chosen.warmup_ratio,
        "weight_decay": chosen.weight_decay,
        "max_grad_norm": chosen.max_grad_norm,
        "per_device_train_batch_size": chosen.per_device_train_batch_size,
        "per_device_eval_batch_size": chosen.per_device_train_batch_size,
        "gradient_accumulation_steps": chosen.gradient_accumulation_steps,
        "num_train_epochs": chosen.num_train_epochs,
        "max_steps": chosen.max_steps,
        "save_steps": chosen.save_steps,
        "save_total_limit": 2,
        "logging_steps": chosen.logging_steps,
        "activation_checkpointing": chosen.gradient_checkpointing,
        "bf16": chosen.bf16,
        "use_cpu": not gpu,
        "dataloader_pin_memory": gpu,
        "include_num_input_tokens_seen": "non_padding",
        "report_to": recipe.report_to,
        "disable_tqdm": True,
        "max_length": recipe.max_length,
    }
