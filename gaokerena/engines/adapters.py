"""Several LoRA adapters on one base, one of them per row of a batch, as two small products a layer.

PEFT reads the adapters; this module then puts their A and B matrices side by side in every adapted layer. A row's own
columns are kept by a gate (its adapter's scaling) and all others by zero, so a row computes exactly its adapter, in the
base's dtype where the adapter's values have one there, else in the adapter's own:

    out = base(x) + (x A^T * gate[row]) B^T          A [sum of ranks, in], B [out, sum of ranks], gate [rows, 1, ranks]

PEFT's own `adapter_names` computes the same row by row through hooks, which leak when a generation fails and cost
more than the products (docs/LOG.md). Not covered: DoRA, adapters with biases or on embeddings; `stack` refuses them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

import torch
from peft import PeftType
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import AuxiliaryTrainingWrapper
from torch import nn

from gaokerena.engines.base import EngineError

BASE = "base"
"""The row name that means: no adapter."""


class Part(NamedTuple):
    """What one adapter adds to one layer: down [rank, in], up [out, rank], and the factor of their product."""

    down: torch.Tensor
    up: torch.Tensor
    scaling: float


class Selection:
    """Which adapter each row of the coming batch uses; shared by all layers of one model. Number 0 is the base."""

    def __init__(self, names: Sequence[str]) -> None:
        self._numbers = {BASE: 0} | {name: number for number, name in enumerate(names, 1)}
        self.index = torch.tensor([0])

    def __len__(self) -> int:
        return len(self._numbers)

    def choose(self, rows: Sequence[str], device: torch.device) -> None:
        """Set the adapters of the rows, top to bottom."""
        self.index = torch.tensor([self._numbers[name] for name in rows], device=device)

    def add(self, name: str) -> None:
        """Give the next number to `name`; every stacked layer must have grown by it."""
        self._numbers[name] = len(self._numbers)


class StackedLora(nn.Module):
    """A linear layer with the adapters of all rows beside it; `parts` in the order of the selection's numbers."""

    down: torch.Tensor
    up: torch.Tensor
    gate: torch.Tensor

    def __init__(self, base_layer: nn.Module, parts: Sequence[Part | None], selection: Selection) -> None:
        super().__init__()
        self.base_layer = base_layer
        self._selection = selection
        for name, value in zip(("down", "up", "gate"), side_by_side(parts), strict=True):
            self.register_buffer(name, value)

    def parts(self) -> list[Part | None]:
        """Each adapter's own columns again, None where it leaves this layer alone."""
        found: list[Part | None] = []
        for row in self.gate[1:]:
            mine = row != 0
            scaling = float(row[mine][0]) if mine.any() else 0.0
            found.append(Part(self.down[mine], self.up[:, mine], scaling) if mine.any() else None)
        return found

    def settle(self, down: torch.Tensor, up: torch.Tensor, gate: torch.Tensor) -> None:
        """Take these matrices from the next forward pass on."""
        self.down, self.up, self.gate = down, up, gate

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """x [rows, tokens, in] to [rows, tokens, out]; rows as chosen in the selection."""
        out: torch.Tensor = self.base_layer(x, *args, **kwargs)
        gate = self.gate[self._selection.index].unsqueeze(1)
        small = nn.functional.linear(x.to(self.down.dtype), self.down) * gate
        return out + nn.functional.linear(small, self.up).to(out.dtype)


def exact(part: Part, dtype: torch.dtype) -> Part:
    """The part in `dtype` where that changes no value, else as it is.

    A round moves a matrix by less than bfloat16 can tell at these sizes: rounding such an adapter to its base's dtype
    would serve much of what it started from.
    """
    narrow = Part(part.down.to(dtype), part.up.to(dtype), part.scaling)
    same = torch.equal(narrow.down.to(part.down.dtype), part.down) and torch.equal(narrow.up.to(part.up.dtype), part.up)
    return narrow if same else part


def side_by_side(parts: Sequence[Part | None]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """down [sum of ranks, in], up [out, sum of ranks], gate [1 + adapters, sum of ranks] of a layer's parts.

    All in the dtype that holds every part.
    """
    carried = [(number, part) for number, part in enumerate(parts, 1) if part]
    dtype = reduce(torch.promote_types, (part.down.dtype for _, part in carried))
    down = torch.cat([part.down.to(dtype) for _, part in carried]).contiguous()
    up = torch.cat([part.up.to(dtype) for _, part in carried], 1).contiguous()
    gate, start = torch.zeros(len(parts) + 1, len(down)), 0
    for number, part in carried:
        gate[number, start : start + len(part.down)] = part.scaling
        start += len(part.down)
    return down, up, gate.to(down)


def part_of(layer: Any, name: str) -> Part | None:
    """What the adapter `name` adds to this layer of a PeftModel."""
    if name not in layer.lora_A:
        return None
    return Part(layer.lora_A[name].weight.detach(), layer.lora_B[name].weight.detach(), layer.scaling[name])


def _exact_part_of(layer: Any, name: str, dtype: torch.dtype) -> Part | None:
    part = part_of(layer, name)
    return exact(part, dtype) if part else None


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
        check_layer(path, layer)
        parent, _, leaf = path.rpartition(".")
        parts = [_exact_part_of(layer, inside, base.dtype) for inside in names.values()]
        setattr(base.get_submodule(parent), leaf, StackedLora(layer.base_layer, parts, selection))
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


def check_layer(path: str, layer: Any) -> None:
    """Raise EngineError for a layer of a PeftModel that the stacked form cannot hold."""
    if not isinstance(layer.base_layer, nn.Linear) or len(getattr(layer, "lora_embedding_A", {})):
        raise EngineError(f"the adapter on layer {path} is not plain LoRA on a linear layer; merge it or retrain it")
