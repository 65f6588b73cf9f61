"""A trainer's run to its end: from the last whole checkpoint on, with early stop, a log that people watch, and counts.

    train(trainer, recipe, out, manifest)

Not covered: what a run begins with (`fit`), writing the adapter (`fit_save`).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback, TrainerState

from training.errors import TrainingError
from training.fit import trained_lora
from training.manifest import Manifest, read_json, write_json
from training.ranks import main_process, wait
from training.recipe import TrainedRecipe

log = logging.getLogger("training")

SHOWN = ("loss", "eval_loss", "learning_rate", "rewards/accuracies", "rewards/margins", "eval_rewards/accuracies",
         "accuracy", "margin", "eval_accuracy")  # fmt: skip
"""What of the trainer's logs a person watches; the run's log.json holds all of it."""


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


def rows_seen(trainer: Any) -> int:
    """Rows the steps made so far have gone through; the last batch of an epoch may be a small one."""
    given, rows = trainer.args, len(trainer.train_dataset)
    batch = given.train_batch_size * given.gradient_accumulation_steps * given.world_size
    epochs, rest = divmod(trainer.state.global_step, -(-rows // batch))
    return int(epochs * rows + min(rest * batch, rows))


class Progress(TrainerCallback):  # type: ignore[misc]
    """One log line for each of the trainer's logs, instead of dictionaries on standard output."""

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """See transformers.TrainerCallback."""
        shown = {name: logs[name] for name in SHOWN if name in logs} if logs else {}
        if text := ", ".join(f"{name} {float(value):.4g}" for name, value in shown.items()):
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
