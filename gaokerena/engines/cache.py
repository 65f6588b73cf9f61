"""A key-value cache that grows in place: a token is written behind the others instead of copying them all.

transformers' own growing cache concatenates at every step, which for five rows of 200 tokens took half of the mini
model's time on a CPU (docs/LOG.md); its static cache computes attention over its whole length. This one keeps spare
room behind the tokens and hands out views of what is filled.

Not covered: sliding windows, beams.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

SHARE = 4
"""A layer that is full gets room for a quarter more tokens,"""

LEAST = 64
"""but for at least this many."""


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values [rows, heads, tokens, width], as `DynamicLayer` holds them; `keys` and `values` may be replaced.

    Whatever replaces them (other rows, a cut, a join) is copied into new room at the next `update`.
    """

    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._rooms: tuple[torch.Tensor, torch.Tensor] | None = None
        self._shown: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add tokens [rows, heads, new, width]; all keys and values so far."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        have = self.get_seq_length()
        want = have + key_states.shape[-2]
        if self._rooms is None or not self._ours() or self._rooms[0].shape[-2] < want:
            room = max(want // SHARE, LEAST) if have else 0
            self._rooms = (self._roomy(self.keys, key_states, room), self._roomy(self.values, value_states, room))
        for buffer, new in zip(self._rooms, (key_states, value_states), strict=True):
            buffer[:, :, have:want] = new
        self._shown = (self._rooms[0][:, :, :want], self._rooms[1][:, :, :want])
        self.keys, self.values = self._shown
        return self._shown

    def _ours(self) -> bool:
        """Whether nothing has replaced what the last update handed out."""
        return self._shown is not None and self.keys is self._shown[0] and self.values is self._shown[1]

    @staticmethod
    def _roomy(old: torch.Tensor, new: torch.Tensor, room: int) -> torch.Tensor:
        have = old.shape[-2] if old.numel() else 0
        rows, heads, more, width = new.shape
        buffer = new.new_empty(rows, heads, have + more + room, width)
        if have:
            buffer[:, :, :have] = old
        return buffer


def roomy_cache() -> Cache:
    """An empty cache of `RoomyLayer`s, one a layer of the model that first writes to it."""
    return Cache(layer_class_to_replicate=RoomyLayer)
