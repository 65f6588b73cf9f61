"""Several LoRA adapters on one base, one of them per row of a batch, as two small products a layer.

PEFT reads the adapters; this module then puts their A and B matrices side by side in every adapted layer. A row's own
columns are kept by a gate (its adapter's scaling) and all others by zero, so a row computes exactly its adapter:

    out = base(x) + (x A^T * gate[row]) B^T          A [sum of ranks, in], B [out, sum of ranks], gate [rows, 1, ranks]

PEFT's own `adapter_names` computes the same row by row through hooks, which leak when a generation fails and cost
more than the products (docs/LOG.md). Not covered: DoRA, adapters with biases or on embeddings; `stack` refuses them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from peft import PeftType
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import AuxiliaryTrainingWrapper
from torch import nn

from gaokerena.engines.base import EngineError

BASE = "base"
"""The row name that means: no adapter."""


class Selection:
    """Which adapter each row of the coming batch uses; shared by all layers of one model."""

    def __init__(self, names: Sequence[str]) -> None:
        self._numbers = {name: number for number, name in enumerate(names)} | {BASE: len(names)}
        self.index = torch.tensor([len(names)])

    def choose(self, rows: Sequence[str], device: torch.device) -> None:
        """Set the adapters of the rows, top to bottom."""
        self.index = torch.tensor([self._numbers[name] for name in rows], device=device)


class StackedLora(nn.Module):
    """A linear layer with the adapters of all rows beside it."""

    down: torch.Tensor
    up: torch.Tensor
    gate: torch.Tensor

    def __init__(self, layer: Any, names: Sequence[str], selection: Selection) -> None:
        super().__init__()
        self.base_layer = layer.base_layer
        self._selection = selection
        carried = [name for name in names if name in layer.lora_A]
        ranks = [layer.lora_A[name].weight.shape[0] for name in carried]
        gate = torch.zeros(len(names) + 1, sum(ranks))
        start = 0
        for name, rank in zip(carried, ranks, strict=True):
            gate[names.index(name), start : start + rank] = layer.scaling[name]
            start += rank
        down = torch.cat([layer.lora_A[name].weight.detach() for name in carried])
        self.register_buffer("down", down.contiguous())
        self.register_buffer("up", torch.cat([layer.lora_B[name].weight.detach() for name in carried], 1).contiguous())
        self.register_buffer("gate", gate.to(down))

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """x [rows, tokens, in] to [rows, tokens, out]; rows as chosen in the selection."""
        out: torch.Tensor = self.base_layer(x, *args, **kwargs)
        gate = self.gate[self._selection.index].unsqueeze(1)
        small = nn.functional.linear(x.to(self.down.dtype), self.down) * gate
        return out + nn.functional.linear(small, self.up).to(out.dtype)


def stack(model: Any, names: Mapping[str, str]) -> tuple[Any, Selection]:
    """The base model of a PeftModel with its adapted layers replaced by `StackedLora`, and the row selection.

    `names` maps the names rows will use to the adapters' names inside the PeftModel.
    Raises EngineError for an adapter with parts this form cannot hold.
    """
    selection = Selection(list(names))
    base = model.get_base_model()
    for path, layer in list(base.named_modules()):
        if not hasattr(layer, "lora_A"):
            continue
        _check_layer(path, layer)
        parent, _, leaf = path.rpartition(".")
        setattr(base.get_submodule(parent), leaf, StackedLora(layer, list(names.values()), selection))
    left = [path for path, part in base.named_modules() if isinstance(part, BaseTunerLayer | AuxiliaryTrainingWrapper)]
    if left:
        raise EngineError(f"the adapter changes {left[0]} in a way this engine cannot batch; merge it or retrain it")
    return base, selection


def check_config(name: str, config: Any) -> None:
    """Raise EngineError for an adapter that PEFT can run and the stacked form cannot."""
    unusual = [
        setting
        for setting in ("modules_to_save", "lora_bias", "trainable_token_indices", "use_dora", "layer_replication")
        if getattr(config, setting, None)
    ]
    if getattr(config, "bias", "none") != "none":
        unusual.append("bias")
    if getattr(config, "peft_type", None) != PeftType.LORA or unusual:
        kind = getattr(config.peft_type, "value", config.peft_type)
        raise EngineError(
            f"adapter {name} is {kind} with {', '.join(unusual) or 'no LoRA'}; only plain LoRA can be batched"
        )


def _check_layer(path: str, layer: Any) -> None:
    if not isinstance(layer.base_layer, nn.Linear) or len(getattr(layer, "lora_embedding_A", {})):
        raise EngineError(f"the adapter on layer {path} is not plain LoRA on a linear layer; merge it or retrain it")
