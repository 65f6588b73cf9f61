"""What one more row costs a linear layer on this CPU: MKL, oneDNN, oneDNN with packed weights, bfloat16.

    python benchmarks/linear_layers.py              # a Markdown table, microseconds, best of seven

One product x [rows, in] · W [out, in]ᵀ, one thread unless OMP_NUM_THREADS says otherwise. Shapes of the mini base and
of a model of about 300 M. Not covered: whole models (`side_by_side`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from gaokerena.engines.threads import calm

calm()

import torch
from torch import nn

from gaokerena.engines.packing import PackedLinear

SHAPES = ((384, 1152), (1152, 384), (384, 12_000), (1024, 4096), (4096, 1024), (1024, 49_152))
ROWS = (1, 2, 5, 60)
WORK = 20_000_000
"""Multiplications a measurement makes at least."""


def best(work: Callable[[], torch.Tensor], repeats: int) -> float:
    """Microseconds of one call, the best of seven runs of `repeats` calls."""
    found = []
    for _ in range(8):
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        found.append((time.perf_counter() - start) / repeats)
    return min(found[1:]) * 1e6


@torch.inference_mode()
def row(inputs: int, outputs: int, rows: int) -> list[float]:
    """One line of the table."""
    layer, x = nn.Linear(inputs, outputs, bias=False), torch.randn(rows, inputs)
    packed, half, x_half = PackedLinear(layer), layer.weight.bfloat16(), x.bfloat16()
    plain = torch.ops.mkldnn._linear_pointwise
    repeats = max(3, WORK // (inputs * outputs * rows))
    ways: tuple[Callable[[], torch.Tensor], ...] = (
        lambda: layer(x),
        lambda: plain(x, layer.weight, None, "none", [], ""),
        lambda: packed(x),
        lambda: nn.functional.linear(x_half, half),
    )
    return [best(way, repeats) for way in ways]


def main() -> None:
    print("| in → out | rows | `nn.Linear` (MKL) | oneDNN, plain | oneDNN, packed | bfloat16 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for inputs, outputs in SHAPES:
        for rows in ROWS:
            figures = " | ".join(f"{figure:,.0f}" for figure in row(inputs, outputs, rows))
            print(f"| {inputs:,} → {outputs:,} | {rows} | {figures} |")


if __name__ == "__main__":
    main()
