"""Packed linear layers compute what they were made from, for any number of rows, and only where they can."""

from __future__ import annotations

import weakref

import pytest
import torch
from torch import nn

from gaokerena.engines import packing
from gaokerena.engines.local import LocalEngine
from gaokerena.engines.packing import PackedLinear, pack


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(48, 96, bias=False), nn.ReLU(), nn.Linear(96, 32))
        self.other = nn.Linear(32, 32).bfloat16()
        self.words = nn.Embedding(8, 48)


@pytest.mark.parametrize("shape", [(48,), (1, 48), (2, 48), (5, 48), (2, 1, 48), (3, 70, 48)])
@torch.inference_mode()
def test_any_number_of_rows_gives_what_the_plain_layers_give(shape: tuple[int, ...]) -> None:
    torch.manual_seed(3)
    model = Small()
    x = torch.randn(shape)
    expected = model.inner(x)
    assert pack(model) == 2
    assert torch.allclose(model.inner(x), expected, atol=1e-5)
    assert model.inner(x).shape == expected.shape


@torch.inference_mode()
def test_a_view_with_strides_is_read_right() -> None:
    layer = nn.Linear(16, 8)
    x = torch.randn(4, 6, 32)[:, ::2, ::2]
    assert torch.allclose(PackedLinear(layer)(x), layer(x), atol=1e-5)


def test_only_float32_layers_are_packed() -> None:
    model = Small()
    pack(model)
    assert isinstance(model.inner[0], PackedLinear)
    assert type(model.other) is nn.Linear
    assert type(model.words) is nn.Embedding
    assert pack(model) == 0, "packing twice changes nothing"


def test_plain_and_packed_weights_are_never_all_held(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(*(nn.Linear(8, 8) for _ in range(6)))
    plain, alive = [weakref.ref(layer) for layer in model], []
    made = PackedLinear.__init__

    def counting(self: PackedLinear, layer: nn.Linear) -> None:
        alive.append(sum(ref() is not None for ref in plain))
        made(self, layer)

    monkeypatch.setattr(PackedLinear, "__init__", counting)
    assert pack(model) == 6
    assert alive == [6, 5, 4, 3, 2, 1]


def test_without_onednn_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert pack(Small()) == 0


@pytest.mark.skipif(not packing.can_pack(), reason="this torch has no oneDNN")
def test_the_engine_packs_what_it_loads(engine: LocalEngine) -> None:
    kinds = [type(part) for part in engine.loaded.model.modules()]
    assert kinds.count(nn.Linear) == 0
    assert kinds.count(PackedLinear) > 8
