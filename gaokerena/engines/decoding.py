"""Several rows decoded together: prefill, one token for every row, rows that leave and rows that join.

A `Batch` holds one key-value cache for all rows, padded on the left. Rows of different adapters, lengths, samplings
and visitors share each forward pass. A finished row leaves at once and makes the rest cheaper; new rows are prefilled
on their own and joined. Equal prompts of equal adapters are prefilled once.

Greedy tokens of a row equal those of that row alone in float32; in bfloat16 they may differ by rounding. No threads
here: `local` calls this from its one worker thread. Not covered: sliding-window models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers.cache_utils import Cache

from gaokerena.engines.adapters import Selection
from gaokerena.engines.base import Sampling
from gaokerena.engines.cache import roomy_cache
from gaokerena.engines.sampling import Drawer


@dataclass(eq=False)
class Row:
    """One answer being written. `shared` prompt tokens were computed for an equal row."""

    adapter: str
    prompt: tuple[int, ...]
    sampling: Sampling
    seed: int
    limit: int
    tokens: list[int] = field(default_factory=list)
    shared: int = 0
    drawer: Drawer = field(init=False)

    def __post_init__(self) -> None:
        self.drawer = Drawer(self.sampling, self.seed)


class Batch:
    """The rows being decoded, their cache [rows, heads, length, width] a layer and their mask [rows, length]."""

    def __init__(self, model: Any, selection: Selection, end_tokens: frozenset[int], pad: int) -> None:
        self._model = model
        self._selection = selection
        self._ends = end_tokens
        self._pad = pad
        self.rows: list[Row] = []
        self._cache: Cache | None = None
        self._mask = torch.empty(0)
        self._logits = torch.empty(0)

    @property
    def device(self) -> torch.device:
        device: torch.device = self._model.device
        return device

    @torch.inference_mode()
    def join(self, rows: Sequence[Row]) -> None:
        """Prefill `rows` and let them take part from the next step on. Nothing changes when this raises."""
        unique: dict[tuple[str, tuple[int, ...]], int] = {}
        places = [unique.setdefault((row.adapter, row.prompt), len(unique)) for row in rows]
        prompts = list(unique)
        width = max(len(prompt) for _, prompt in prompts)
        ids = torch.tensor([[self._pad] * (width - len(prompt)) + list(prompt) for _, prompt in prompts])
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for _, prompt in prompts])
        cache = roomy_cache()
        logits = self._forward([name for name, _ in prompts], ids.to(self.device), mask.to(self.device), cache)
        index = torch.tensor(places, device=self.device)
        cache.batch_select_indices(index)
        self._merge(cache, mask.to(self.device)[index], logits[index])
        first = set()
        for row, place in zip(rows, places, strict=True):
            row.shared = len(row.prompt) if place in first else 0
            first.add(place)
        self.rows += rows

    @torch.inference_mode()
    def step(self) -> list[tuple[Row, int | Exception | None]]:
        """One token for every row: (row, token), None for a row whose model ended it. Rows that end leave.

        A row whose token cannot be drawn (its logits are not numbers) leaves with the error in the token's place.

        A row also leaves after its `limit`-th token; its caller sees that from `len(row.tokens)`.
        """
        drawn = [_drawn(row, self._logits[number]) for number, row in enumerate(self.rows)]
        said: list[tuple[Row, int | Exception | None]] = []
        going: list[int] = []
        for number, (row, token) in enumerate(zip(self.rows, drawn, strict=True)):
            if isinstance(token, Exception) or token in self._ends:
                said.append((row, token if isinstance(token, Exception) else None))
                continue
            row.tokens.append(token)
            said.append((row, token))
            if len(row.tokens) < row.limit:
                going.append(number)
        self._keep(going)
        if self.rows:
            ids = torch.tensor([[row.tokens[-1]] for row in self.rows], device=self.device)
            self._mask = torch.cat([self._mask, self._mask.new_ones(len(self.rows), 1)], 1)
            self._logits = self._forward([row.adapter for row in self.rows], ids, self._mask, self._cache)
        return said

    @torch.inference_mode()
    def leave(self, rows: Sequence[Row]) -> None:
        """Take `rows` out; the others go on."""
        self._keep([number for number, row in enumerate(self.rows) if row not in rows])

    def clear(self) -> None:
        """Drop every row and free the cache."""
        self.rows, self._cache = [], None
        self._mask = self._logits = torch.empty(0)

    def _forward(self, adapters: Sequence[str], ids: torch.Tensor, mask: torch.Tensor, cache: Any) -> torch.Tensor:
        """Logits of the last position, [rows, vocabulary]."""
        self._selection.choose(adapters, self.device)
        positions = (mask.long().cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        out = self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: torch.Tensor = out.logits[:, -1]
        return logits

    def _merge(self, cache: Cache, mask: torch.Tensor, logits: torch.Tensor) -> None:
        if self._cache is None or not self.rows:
            self._cache, self._mask, self._logits = cache, mask, logits
            return
        width = max(mask.shape[1], self._mask.shape[1])
        rooms = [mine.joined(new) for mine, new in zip(self._cache.layers, cache.layers, strict=True)]
        mask = torch.cat([_pad_left(self._mask, width), _pad_left(mask, width)])
        logits = torch.cat([self._logits, logits])
        # nothing has changed up to here, and nothing below can run out of memory
        for mine, room in zip(self._cache.layers, rooms, strict=True):
            mine.settle(room, width)
        self._mask, self._logits = mask, logits

    def _keep(self, numbers: Sequence[int]) -> None:
        if len(numbers) == len(self.rows):
            return
        if not numbers:
            self.clear()
            return
        index = torch.tensor(numbers, device=self.device)
        self.rows = [self.rows[number] for number in numbers]
        self._mask, self._logits = self._mask[index], self._logits[index]
        unused = int(self._mask.shape[1] - self._mask.sum(1).max())
        self._mask = self._mask[:, unused:]
        assert self._cache is not None
        self._cache.batch_select_indices(index)
        for layer in self._cache.layers if unused else ():
            layer.cut(unused)


def _drawn(row: Row, logits: torch.Tensor) -> int | Exception:
    try:
        return row.drawer.draw(logits, (*row.prompt, *row.tokens))
    except (RuntimeError, ValueError) as error:
        return error.with_traceback(None)


def _pad_left(mask: torch.Tensor, width: int) -> torch.Tensor:
    """A mask [rows, length] with zeros before it until it is `width` long."""
    return torch.nn.functional.pad(mask, (width - mask.shape[1], 0))
