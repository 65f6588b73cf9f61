"""What SFT, DPO and the reward model share: base and tokenizer, the arguments of a run, going on after a kill, saving.

Several GPUs: `accelerate launch --config_file training/recipes/accelerate/ddp.yaml -m training run ...` starts the same
command once a GPU; every process comes through here, the main one alone writes.

Not covered: quantised bases.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import datasets
import torch
from huggingface_hub import hf_hub_download
from peft import LoraConfig, PeftModel
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    EarlyStoppingCallback,
    PreTrainedModel,
    PrinterCallback,
    TrainerCallback,
    TrainerState,
)
from transformers.utils.logging import disable_progress_bar
from trl.kernels import chunked_logprob

from gaokerena.engines.loading import revision
from training.errors import TrainingError
from training.manifest import Manifest, file_hash, read_json, write_json
from training.ranks import main_process, wait
from training.recipe import PATHS, Lora, Optimiser, RewardRecipe, SftRecipe, TrainedRecipe

log = logging.getLogger("training")

SHOWN = ("loss", "eval_loss", "learning_rate", "rewards/accuracies", "rewards/margins", "eval_rewards/accuracies",
         "accuracy", "margin", "eval_accuracy")  # fmt: skip
"""What of the trainer's logs a person watches; the run's log.json holds all of it."""


CPU_TILE = 64
"""Tokens whose logits TRL's fused head holds at once on a CPU. Its own 4,096, made for GPUs, goes through memory for
every one of a dozen passes over the logits; 64 rows of 12,000 stay in the cache (docs/LOG.md)."""


def settle() -> None:
    """Fit the fused head of TRL's trainers to this machine."""
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
    raise TrainingError(f"no model at {source}: no such folder, and no such repository can be reached ({cause})")


def rows_seen(trainer: Any) -> int:
    """Rows the steps made so far have gone through; the last batch of an epoch may be a small one."""
    given, rows = trainer.args, len(trainer.train_dataset)
    batch = given.train_batch_size * given.gradient_accumulation_steps * given.world_size
    epochs, rest = divmod(trainer.state.global_step, -(-rows // batch))
    return int(epochs * rows + min(rest * batch, rows))


def load_base(source: str, optimiser: Optimiser, kind: Any = AutoModelForCausalLM) -> tuple[PreTrainedModel, Any]:
    """Base and tokenizer for training. float32 weights on a CPU, bfloat16 on a GPU; the tokenizer pads on the right."""
    settle()
    datasets.disable_progress_bars()
    disable_progress_bar()
    dtype = torch.bfloat16 if torch.cuda.is_available() and optimiser.bf16 else torch.float32
    model = kind.from_pretrained(source, dtype=dtype)
    model.config.use_cache = False
    tokenizer = AutoTokenizer.from_pretrained(source, padding_side="right")
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


def last_checkpoint(out: Path) -> str | None:
    """The newest checkpoint that was written whole (its trainer state comes last), None before the first."""
    whole = [path.parent for path in (out / "checkpoints").glob("checkpoint-*/trainer_state.json") if _is_json(path)]
    if not whole:
        return None
    newest = max(whole, key=lambda path: int(path.name.rpartition("-")[2]))
    log.info("going on from %s", newest.name)
    return str(newest)


def _is_json(path: Path) -> bool:
    """Whether the file was written to its end: a kill may leave it empty or cut off."""
    try:
        read_json(path)
    except ValueError:
        return False
    return True


def train(trainer: Any, recipe: TrainedRecipe, out: Path, manifest: Manifest) -> None:
    """Run the trainer to its end, or go on where it was killed; write log.json and count into the manifest."""
    quiet(trainer)
    checkpoint = last_checkpoint(out)
    if checkpoint:
        best_is_here(Path(checkpoint))
        wait()
    if recipe.early_stop:
        trainer.add_callback(EarlyStoppingCallback(recipe.early_stop.patience, recipe.early_stop.min_delta))
    if recipe.early_stop and checkpoint and had_stopped(checkpoint, recipe.early_stop.patience):
        trainer.state = TrainerState.load_from_json(str(Path(checkpoint) / "trainer_state.json"))
        trainer._load_best_model()  # it was killed between its last step and saving the adapter
    else:
        trainer.train(resume_from_checkpoint=checkpoint)
    if main_process():
        write_json(out / "log.json", history(trainer.state.log_history))
    if manifest.recipe:
        manifest.recipe["lora"] = trained_lora(trainer.model, recipe)
    manifest.counts_out["steps"] = trainer.state.global_step
    manifest.extra["rows_seen"] = rows_seen(trainer)
    manifest.tokens = int(trainer.state.num_input_tokens_seen or 0)
    if recipe.early_stop:
        found = trainer.state
        manifest.extra["best"] = {"step": found.best_global_step, "eval_loss": found.best_metric}
        manifest.extra["stopped_early"] = found.global_step < found.max_steps


def best_is_here(checkpoint: Path) -> None:
    """Let a checkpoint's state name its best one in this very folder, wherever the run was started.

    Raises TrainingError where the best one is gone: transformers would only warn, and keep untrained weights as best.
    """
    place = checkpoint / "trainer_state.json"
    state = read_json(place)
    if not (named := state.get("best_model_checkpoint")):
        return
    best = checkpoint.parent / Path(named).name
    if not best.is_dir():
        raise TrainingError(
            f"{place} says that {best.name} was the best, and it is not there; put it back, or delete "
            f"{checkpoint.parent} to start anew"
        )
    if named != str(best) and main_process():
        write_json(place, state | {"best_model_checkpoint": str(best)})


def had_stopped(checkpoint: str, patience: int) -> bool:
    """Whether early stopping had ended the run when it wrote this checkpoint."""
    kept = read_json(Path(checkpoint) / "trainer_state.json").get("stateful_callbacks", {})
    found = kept.get("EarlyStoppingCallback", {}).get("attributes", {})
    return bool(found.get("early_stopping_patience_counter", 0) >= patience)


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

    In bfloat16, but a reward model as it was trained: its scores are compared by small differences.
    """
    if not isinstance(recipe, RewardRecipe):
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


class Progress(TrainerCallback):  # type: ignore[misc]
    """One log line for each of the trainer's logs, instead of dictionaries on standard output."""

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """See transformers.TrainerCallback."""
        shown = {name: logs[name] for name in SHOWN if name in logs} if logs else {}
        text = ", ".join(f"{name} {float(value):.4g}" for name, value in shown.items())
        log.info("step %s of %s: %s", state.global_step, state.max_steps, text)


def quiet(trainer: Any) -> None:
    """Log with `Progress` alone, and only where the books are kept."""
    trainer.remove_callback(PrinterCallback)
    if main_process():
        trainer.add_callback(Progress())


def history(log_history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The trainer's log without its last summary row and without speeds, so that equal runs leave equal logs.

    TRL's own count of tokens starts anew after a kill; `num_input_tokens_seen` is the one that does not.
    """
    rows = [row for row in log_history if "train_loss" not in row]
    return [{name: value for name, value in row.items() if not name.endswith(_SPEEDS)} for row in rows]


_SPEEDS = ("runtime", "_per_second", "num_tokens")
