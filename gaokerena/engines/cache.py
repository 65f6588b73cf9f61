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

POSITIONS = 65_536
"""Cache positions of all rows together where the device does not say how much memory is left."""

FREE_SHARE = 0.6
"""Of a GPU's free memory, what the cache may take; the rest is for spare room and the layers' own work."""


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values [rows, heads, tokens, width], as `DynamicLayer` holds them; `keys` and `values` may be replaced.

    Whatever replaces them (other rows, a cut) is copied into new room at the next `update`.
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
            room = _spare(want) if have else 0
            self._rooms = (self._roomy(self.keys, key_states, room), self._roomy(self.values, value_states, room))
        for buffer, new in zip(self._rooms, (key_states, value_states), strict=True):
            buffer[:, :, have:want] = new
        self.settle(self._rooms, want)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows; the room of all others is given back at once."""
        super().batch_select_indices(indices)
        self._rooms = self._shown = None

    def cut(self, begin: int) -> None:
        """Forget the first `begin` tokens of every row."""
        self.keys, self.values = self.keys[:, :, begin:], self.values[:, :, begin:]
        self._rooms = self._shown = None

    def joined(self, other: RoomyLayer) -> tuple[torch.Tensor, torch.Tensor]:
        """New room for this layer's rows and the `other`'s below them, both ending at the same place; for `settle`."""
        length = max(self.get_seq_length(), other.get_seq_length())
        pairs = ((self.keys, other.keys), (self.values, other.values))
        first, second = (_stacked(mine, theirs, length) for mine, theirs in pairs)
        return first, second

    def settle(self, rooms: tuple[torch.Tensor, torch.Tensor], length: int) -> None:
        """Hold `rooms`, of which `length` tokens are filled."""
        self._rooms = rooms
        self._shown = (rooms[0][:, :, :length], rooms[1][:, :, :length])
        self.keys, self.values = self._shown

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


def _spare(length: int) -> int:
    return max(length // SHARE, LEAST)


def _stacked(above: torch.Tensor, below: torch.Tensor, length: int) -> torch.Tensor:
    """Rows of two tensors in one with room, `length` tokens filled: the shorter rows begin with zeros."""
    rows, heads, _, width = above.shape
    room = above.new_empty(rows + below.shape[0], heads, length + _spare(length), width)
    for part, old in ((room[:rows], above), (room[rows:], below)):
        missing = length - old.shape[2]
        part[:, :, :missing] = 0
        part[:, :, missing:length] = old
    return room


def room_for_positions(model: Any) -> int:
    """How many positions (rows times tokens) the memory that is left holds: measured on CUDA, else `POSITIONS`."""
    if model.device.type != "cuda":
        return POSITIONS
    free, _ = torch.cuda.mem_get_info(model.device)
    return max(1, int(FREE_SHARE * free) // position_bytes(model.config, model.dtype))


def position_bytes(config: Any, dtype: torch.dtype) -> int:
    """Bytes of keys and values of one token in all layers of a decoder with this config."""
    text = config.get_text_config(decoder=True)
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return int(2 * text.num_hidden_layers * heads * width * dtype.itemsize)


def roomy_cache() -> Cache:
    """An empty cache of `RoomyLayer`s, one a layer of the model that first writes to it."""
    return Cache(layer_class_to_replicate=RoomyLayer)
