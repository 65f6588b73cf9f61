"""Pretrain the mini base from nothing: a small `CohereForCausalLM` on chat documents, on a CPU or one GPU.

    python -m training mini --only base

Documents are rendered with the chat template and shuffled by epoch and seed; a row is one document, so nothing is read
across documents, and documents of like length share a batch. Every token is predicted. Muon moves the matrices, AdamW
the embeddings and norms. A checkpoint every few minutes holds weights, optimiser states and the step: kill the run at
any moment and start it again. bfloat16 autocast, float32 weights.

Not covered: several GPUs (the 8 B base is not pretrained here).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import CohereConfig, CohereForCausalLM

from gaokerena.files import sync
from training.manifest import Manifest, write_json
from training.recipe import BaseRecipe

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"


def build_model(recipe: BaseRecipe, tokenizer: Any) -> CohereForCausalLM:
    """A freshly initialised model with the recipe's sizes and the tokenizer's vocabulary and special tokens."""
    config = CohereConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden_size,
        intermediate_size=recipe.intermediate_size,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.kv_heads,
        max_position_embeddings=recipe.length,
        rope_theta=10_000.0,
        logit_scale=recipe.logit_scale,
        layer_norm_eps=1e-5,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )
    torch.manual_seed(recipe.seed)
    return CohereForCausalLM(config)


IGNORED = -100
"""The label of a position that is not predicted: padding."""

Batch = tuple[torch.Tensor, torch.Tensor]
"""Token ids and labels, both [rows, length]; labels are shifted already."""


def plan(lengths: NDArray[np.int64], tokens: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """One epoch as lists of document numbers: documents of like length together, at most `tokens` with padding.

    Documents are shuffled, sorted by length within a window of many batches, cut, and the batches shuffled.
    """
    batches = []
    window = max(64 * tokens // int(lengths.mean()), 1)
    order = rng.permutation(len(lengths))
    for start in range(0, len(order), window):
        part = order[start : start + window]
        part = part[np.argsort(-lengths[part], kind="stable")]
        while len(part):
            rows = max(1, tokens // int(lengths[part[0]]))
            batches.append(part[:rows])
            part = part[rows:]
    return [batches[number] for number in rng.permutation(len(batches))]


def collate(documents: list[NDArray[np.uint16]], length: int) -> Batch:
    """Documents as one right-padded batch of at most `length` positions; causal attention needs no mask for it."""
    width = min(length, max(map(len, documents)) - 1)
    ids = np.zeros((len(documents), width), np.int64)
    labels = np.full((len(documents), width), IGNORED, np.int64)
    for row, document in enumerate(documents):
        shown = document[: width + 1].astype(np.int64)
        ids[row, : len(shown) - 1], labels[row, : len(shown) - 1] = shown[:-1], shown[1:]
    return torch.from_numpy(ids), torch.from_numpy(labels)


def batches(documents: list[NDArray[np.uint16]], recipe: BaseRecipe, step: int) -> Iterator[list[Batch]]:
    """The micro-batches of each step from `step` on, for ever; the same for the same recipe and documents."""
    lengths = np.array([min(len(document), recipe.length) for document in documents], np.int64)
    epoch = 0
    while True:
        planned = plan(lengths, recipe.micro_tokens, np.random.default_rng([recipe.seed, epoch]))
        steps = len(planned) // recipe.accumulate
        if steps == 0:
            raise ValueError(f"{len(documents)} documents fill less than one step of {recipe.accumulate} batches")
        for number in range(min(step, steps), steps):
            chosen = planned[number * recipe.accumulate : (number + 1) * recipe.accumulate]
            yield [collate([documents[index] for index in batch], recipe.length) for batch in chosen]
        step, epoch = max(0, step - steps), epoch + 1


class HeadLoss(torch.autograd.Function):
    """Sum of cross-entropies of `hidden` [n, d] against a tied head [v, d], a few rows at a time.

    The gradient is worked out on the way forward while a chunk's logits are still in the processor's cache; the full
    [n, v] logits never exist. On two cores this takes half the time of logits and loss in one piece (docs/LOG.md).
    """

    CHUNK = 256

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, head: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        small = head.to(hidden.dtype)
        grad_hidden, grad_head = torch.empty_like(hidden), torch.zeros_like(head, dtype=torch.float32)
        total = torch.zeros((), device=hidden.device)
        for start in range(0, len(hidden), HeadLoss.CHUNK):
            part, wanted = hidden[start : start + HeadLoss.CHUNK], labels[start : start + HeadLoss.CHUNK]
            logits = (part @ small.T).float()
            logits -= logits.logsumexp(-1, keepdim=True)
            rows = torch.arange(len(part), device=hidden.device)
            total -= logits[rows, wanted].sum()
            grad = logits.exp_()
            grad[rows, wanted] -= 1.0
            grad = grad.to(hidden.dtype)
            grad_hidden[start : start + HeadLoss.CHUNK] = grad @ small
            grad_head += (grad.T @ part).float()
        ctx.save_for_backward(grad_hidden, grad_head)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        grad_hidden, grad_head = ctx.saved_tensors
        return grad_hidden * grads[0].to(grad_hidden.dtype), grad_head * grads[0], None


def optimisers(model: torch.nn.Module, recipe: BaseRecipe) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for embeddings (tied to the head) and norms."""
    matrices = [weight for name, weight in model.named_parameters() if weight.ndim == 2 and "embed" not in name]
    others = [weight for name, weight in model.named_parameters() if weight.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(
            matrices, lr=recipe.matrix_lr, weight_decay=recipe.weight_decay, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(others, lr=recipe.embedding_lr, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def schedule(step: int, steps: int, warmup: int, decay_share: float) -> float:
    """Learning-rate factor: linear warm-up, flat, then linear to nothing over the last `decay_share` of the run."""
    flat_until = steps * (1 - decay_share)
    if step < warmup:
        return (step + 1) / warmup
    return 1.0 if step < flat_until else max(0.0, (steps - step) / (steps - flat_until))


class Run:
    """One pretraining run in `folder`; `train` starts it or goes on where its checkpoint is."""

    def __init__(self, model: CohereForCausalLM, recipe: BaseRecipe, folder: Path) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = model.to(self.device).train()
        self.recipe = recipe
        self.folder = folder
        self.optimisers = optimisers(self.model, recipe)
        self.rates = [group["lr"] for optimiser in self.optimisers for group in optimiser.param_groups]
        self.step = self.tokens = 0

    def resume(self) -> None:
        """Load the last checkpoint, if there is one."""
        path = self.folder / CHECKPOINT
        if path.exists():
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.model.load_state_dict(state["model"])
            for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
                optimiser.load_state_dict(saved)
            self.step, self.tokens = state["step"], state["tokens"]

    def save(self) -> None:
        """Write the checkpoint, whole or not at all, and wait until it has reached the disk."""
        states = [optimiser.state_dict() for optimiser in self.optimisers]
        state = {"model": self.model.state_dict(), "optimisers": states, "step": self.step, "tokens": self.tokens}
        part = self.folder / (CHECKPOINT + ".part")
        torch.save(state, part)
        sync(part)
        part.replace(self.folder / CHECKPOINT)
        sync(self.folder)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Summed cross-entropy, nats, of one micro-batch's predicted tokens."""
        ids, labels = (part.to(self.device) for part in batch)
        mixed = torch.autocast(self.device.type, torch.bfloat16) if self.recipe.bf16 else nullcontext()
        with mixed:
            hidden = self.model.model(input_ids=ids, use_cache=False).last_hidden_state
        wanted = labels.flatten() != IGNORED
        shown = hidden.flatten(0, 1)[wanted] * self.recipe.logit_scale
        shown = shown.to(torch.bfloat16) if self.recipe.bf16 else shown
        loss: torch.Tensor = HeadLoss.apply(shown, self.model.lm_head.weight, labels.flatten()[wanted])  # type: ignore[no-untyped-call]
        return loss

    def update(self, parts: list[Batch]) -> tuple[float, int]:
        """One step: accumulate over micro-batches, clip, move. Returns (mean loss in nats, tokens predicted)."""
        recipe, total = self.recipe, 0.0
        predicted = sum(int((labels != IGNORED).sum()) for _, labels in parts)
        for part in parts:
            loss = self.loss(part) / predicted
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        factor = schedule(self.step, recipe.steps, recipe.warmup, recipe.decay_share)
        groups = [group for optimiser in self.optimisers for group in optimiser.param_groups]
        for group, rate in zip(groups, self.rates, strict=True):
            group["lr"] = rate * factor
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        return total, predicted


def load_documents(path: Path, index: Path) -> list[NDArray[np.uint16]]:
    """Token documents written by `training.mini`: one flat array of ids and the ends of the documents in it."""
    ids, ends = np.load(path), np.load(index)
    return list(np.split(ids, ends[:-1]))


def train(
    model: CohereForCausalLM, recipe: BaseRecipe, documents: list[NDArray[np.uint16]], folder: Path, manifest: Manifest
) -> CohereForCausalLM:
    """Run to the last step, resuming when there is a checkpoint; returns the trained model."""
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(model, recipe, folder)
    run.resume()
    started = saved = time.monotonic()
    seen = 0
    for parts in batches(documents, recipe, run.step):
        if run.step >= recipe.steps:
            break
        loss, predicted = run.update(parts)
        run.tokens, seen = run.tokens + predicted, seen + predicted
        if run.step % recipe.log_every == 0:
            speed = round(seen / (time.monotonic() - started))
            note = {"step": run.step, "steps": recipe.steps, "loss": round(loss, 4), "tokens_per_second": speed}
            with (folder / LOG).open("a") as log:
                log.write(json.dumps(note) + "\n")
        if time.monotonic() - saved > recipe.checkpoint_seconds:
            run.save()
            saved = time.monotonic()
    run.save()
    manifest.tokens = run.tokens
    return run.model


def save_weights(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write bfloat16 safetensors, config and tokenizer into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_json(folder / "parameters.json", {"parameters": sum(weight.numel() for weight in model.parameters())})
