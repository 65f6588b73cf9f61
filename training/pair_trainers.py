"""TRL's trainers on pairs, with a weight for each pair, and reference log-probabilities that survive a kill.

    trainer = DPOTrainer(model=..., args=..., train_dataset=..., references=Path("runs/r1"))

A dataset with a column `weight` gives each pair's loss that share; the weights are divided by their mean over the
dataset, so a learning rate means the same whatever scale they have, and a pair of weight 0.5 given twice pulls as one
of weight 1 given once. TRL takes the mean over a batch inside its loss, so the batch goes through the model once and
TRL's loss is asked for each pair's part of what came out. `sft` is a mean over the batch's tokens: there a pair counts
by its tokens times its weight (`token_shares`). Losses that compare pairs of a batch (`aot`) have no weights.

Reference log-probabilities are kept on disk (`references`). Not covered: weights with Liger's fused loss.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import trl
from datasets import Dataset
from torch.utils.data import DataLoader

from training.errors import TrainingError
from training.manifest import fingerprint
from training.ranks import processes, wait
from training.references import References

log = logging.getLogger("training")

WEIGHT = "weight"
AT_ONCE = 32
"""Batches of pairs whose reference is written together."""
_PER_TOKEN = ("log_probs", "entropy", "mean_logits", "is_top1")


class Weighing:
    """A collator that carries the pairs' weights beside what TRL's makes of them."""

    def __init__(self, collate: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> None:
        self.collate = collate

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        batch = dict(self.collate(examples))
        if WEIGHT in examples[0]:
            batch[WEIGHT] = torch.tensor([example[WEIGHT] for example in examples], dtype=torch.float32)
        return batch


def mean_weight(dataset: Dataset | None) -> float:
    """The mean of the column `weight`, 1 without one."""
    if dataset is None or WEIGHT not in dataset.column_names:
        return 1.0
    weights = dataset[WEIGHT]
    return float(sum(weights) / len(dataset))


def one_pair(batch: Mapping[str, Any], place: int, pairs: int) -> dict[str, Any]:
    """The rows of one pair in a batch of [chosen ..., rejected ...]; what has one row a pair keeps that one."""
    places = {2 * pairs: [place, place + pairs], pairs: [place]}
    return {
        name: value[places[len(value)]] if isinstance(value, torch.Tensor) and value.ndim else value
        for name, value in batch.items()
    }


def weighted_mean(losses: list[torch.Tensor], weights: torch.Tensor, mean: float) -> torch.Tensor:
    """The batch's loss; `mean` is that of the whole dataset's weights."""
    return (torch.stack(losses) * weights).mean() / mean


def token_shares(weights: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """What the pairs' mean losses over tokens [n] are multiplied by, so that their weighted sum is one over tokens.

    With equal weights the batch's mean over all tokens comes out; a pair alone in its batch keeps its own mean.
    """
    return tokens * weights.sum() / (weights * tokens).sum()


class _Weighted:
    """What both trainers share; comes before TRL's class."""

    def _weigh(self: Any, given: Dataset, away: Dataset | None, columns: list[str]) -> None:
        """To be called when TRL's own constructor is done."""
        self.mean_weights = {"train": mean_weight(given), "eval": mean_weight(away)}
        self.data_collator = Weighing(self.data_collator)
        self._signature_columns = None
        self._set_signature_columns_if_needed()
        self._signature_columns += columns

    def _mean(self: Any) -> float:
        return float(self.mean_weights["train" if self.model.training else "eval"])


class DPOTrainer(_Weighted, trl.DPOTrainer):  # type: ignore[misc]
    """See the module. `references` is the folder of the reference's log-probabilities; None keeps them in memory."""

    precompute_ref_logps: bool
    loss_types: list[str]
    loss_weights: list[Any]

    def __init__(self, *, references: Path | None = None, **given: Any) -> None:
        self.references = references
        weighted = WEIGHT in given["train_dataset"].column_names
        if weighted and any(name.startswith("aot") for name in given["args"].loss_type):
            raise TrainingError("the losses aot sort the pairs of a batch, which leaves no weight to each; use another")
        super().__init__(**given)
        self._weigh(self.train_dataset, self.eval_dataset, [WEIGHT])

    def compute_ref_log_probs(self, model: Any, inputs: Mapping[str, Any]) -> Any:
        """As TRL's, which would hand the weights to the model."""
        return super().compute_ref_log_probs(model, {name: inputs[name] for name in inputs if name != WEIGHT})

    def _compute_loss(self, model: Any, inputs: Mapping[str, Any], return_outputs: bool) -> Any:
        batch = dict(inputs)
        weights = batch.pop(WEIGHT, None)
        if weights is None:
            return super()._compute_loss(model, batch, return_outputs)
        if not self.precompute_ref_logps:
            reference = self.compute_ref_log_probs(self.ref_model or self.model, batch)
            batch["ref_chosen_logps"], batch["ref_rejected_logps"] = reference
        labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, -100)
        shown = {name: batch[name] for name in ("input_ids", "attention_mask")}
        outputs = model(**shown, labels=labels, use_cache=False, fused_lm_head=True)
        found = {name: getattr(outputs, name) for name in _PER_TOKEN}
        loss = weighted_mean(self._one_by_one(batch, found, weights), weights, self._mean())
        return (loss, outputs) if return_outputs else loss

    def _one_by_one(
        self, batch: Mapping[str, Any], found: Mapping[str, Any], weights: torch.Tensor
    ) -> list[torch.Tensor]:
        """TRL's loss of each pair; the reference is in the batch by now."""
        pairs = len(weights)
        shares = token_shares(weights, batch["completion_mask"][:pairs, 1:].sum(1))
        before = self.precompute_ref_logps, self.loss_weights
        losses = []
        try:
            self.precompute_ref_logps = True
            for place in range(pairs):
                self.loss_weights = [
                    weight * shares[place] if name == "sft" else weight
                    for name, weight in zip(self.loss_types, before[1], strict=True)
                ]
                part = SimpleNamespace(**one_pair(found, place, pairs))
                losses.append(super()._compute_loss(lambda part=part, **_: part, one_pair(batch, place, pairs), False))
        finally:
            self.precompute_ref_logps, self.loss_weights = before
        return losses

    def _precompute_ref_logps(self, dataset: Dataset, name: str, batch_size: int) -> Dataset:
        """Instead of TRL's, whose cache lies in a folder of one process and dies with it."""
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:
            raise TrainingError(
                "the reference cannot be worked out before the weights are sharded; set precompute_ref_log_probs: false"
            )
        ids = [list(dataset[column]) for column in ("prompt_ids", "chosen_ids", "rejected_ids")]
        mark = fingerprint(self._precompute_model_hash, ids, batch_size, processes())
        file = References(self.references and self.references / f"references_{name}.jsonl", mark)
        if len(file.rows) < len(dataset):
            log.info("reference of %s: %s of %s pairs, worked out once", name, len(file.rows), len(dataset))
        waiting: list[tuple[float, float]] = []
        for place, rows in enumerate(self._reference(dataset, len(file.rows), batch_size), 1):
            waiting += rows
            if place % AT_ONCE == 0:
                file.add(waiting)
                log.info("reference of %s: %s of %s pairs", name, len(file.rows), len(dataset))
                waiting = []
        file.add(waiting)
        wait()
        for column, values in zip(
            ("ref_chosen_logps", "ref_rejected_logps"), zip(*file.rows, strict=True), strict=True
        ):
            dataset = dataset.add_column(column, list(values))
        return dataset

    def _reference(self, dataset: Dataset, start: int, batch_size: int) -> Iterator[list[tuple[float, float]]]:
        """(chosen, rejected) of the pairs from `start` on, a batch of each process at a time, in their order."""
        if start >= len(dataset):
            return
        rest = dataset.select(range(start, len(dataset)))
        loader = self.accelerator.prepare(DataLoader(rest, batch_size, collate_fn=self.data_collator))
        for batch in loader:
            found = self.compute_ref_log_probs(self.ref_model or self.model, batch)
            chosen, rejected = self.accelerator.gather_for_metrics(found)
            yield list(zip(chosen.tolist(), rejected.tolist(), strict=True))


class RewardTrainer(_Weighted, trl.RewardTrainer):  # type: ignore[misc]
    """See the module."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._weigh(self.train_dataset, self.eval_dataset, [WEIGHT])

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """As TRL's, pair by pair where they have weights."""
        batch = dict(inputs)
        weights = batch.pop(WEIGHT, None)
        if weights is None:
            return super().compute_loss(model, batch, return_outputs, num_items_in_batch)
        outputs = model(**batch, use_cache=False)
        losses = []
        for place in range(len(weights)):
            part = SimpleNamespace(logits=one_pair({"logits": outputs.logits}, place, len(weights))["logits"])
            its = one_pair({"attention_mask": batch["attention_mask"]}, place, len(weights))
            losses.append(super().compute_loss(lambda part=part, **_: part, its))
        loss = weighted_mean(losses, weights, self._mean())
        return (loss, outputs) if return_outputs else loss
