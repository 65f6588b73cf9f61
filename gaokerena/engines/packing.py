"""Linear layers whose float32 weights are laid out for a CPU's caches, so that a second row costs next to nothing.

    pack(model)      # every nn.Linear of a model that will not be trained any more

A decoding step multiplies one to five rows with every weight. MKL, which `nn.Linear` calls in float32, reads the
weights anew for each row; oneDNN with weights in its blocked layout reads them once (docs/LOG.md has the figures).
bfloat16 goes through oneDNN already. Packed layers cannot be trained, saved or moved to another device.

A head tied to the embeddings is held twice, once for each use. Not covered: CUDA, MPS, other dtypes, layers
that are not plain `nn.Linear`; they are left as they are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

ROWS = 2
"""The number of rows the layout is chosen for: V's and R's. Other numbers work too."""


class PackedLinear(nn.Module):
    """x [..., in] to [..., out], as the `nn.Linear` it was made from; float32, CPU, no gradient."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.bias = layer.bias
        self._weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), ROWS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self.bias, "none", [], "")
        return out


def can_pack() -> bool:
    """Whether this build of torch has oneDNN and the two operators; without them models stay as they are."""
    here = hasattr(torch.ops.mkldnn, "_linear_pointwise") and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
    return bool(here and torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def pack(model: nn.Module) -> int:
    """Replace every float32 `nn.Linear` on the CPU inside `model` by a `PackedLinear`; how many were replaced."""
    if not can_pack():
        return 0
    chosen: list[tuple[nn.Module, str, nn.Linear]] = [
        (parent, name, layer)
        for parent in model.modules()
        for name, layer in parent.named_children()
        if type(layer) is nn.Linear and _packable(layer.weight)
    ]
    count = len(chosen)
    while chosen:  # one by one, so that plain and packed weights are never all there at once
        parent, name, layer = chosen.pop()
        setattr(parent, name, PackedLinear(layer))
        del layer
    return count


def _packable(weight: Any) -> bool:
    return bool(weight.dtype == torch.float32 and weight.device.type == "cpu")
