"""Drawing the next token of one row, with that row's own settings and its own random stream."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from gaokerena.engines.base import Sampling


class Drawer:
    """One row's draws: the same seed and the same logits give the same tokens, whatever shares the batch.

    `draw` raises ValueError for logits that are not numbers, which an overflow in float16 can give.
    """

    def __init__(self, sampling: Sampling, seed: int) -> None:
        self._sampling = sampling
        self._generator = torch.Generator().manual_seed(seed % 2**63)

    def draw(self, logits: torch.Tensor, seen: Sequence[int]) -> int:
        """The next token id. logits [vocabulary], any device; `seen` are the ids a repetition penalty applies to."""
        settings = self._sampling
        scores = logits.float().cpu()
        if scores.isnan().any():
            raise ValueError("the model's logits are not numbers")
        if settings.repetition_penalty != 1.0 and seen:
            scores = _penalise(scores, seen, settings.repetition_penalty)
        if settings.temperature <= 0:
            return int(scores.argmax())
        scores = scores / settings.temperature
        if settings.top_k > 0:
            least = scores.topk(min(settings.top_k, len(scores))).values[-1]
            scores = scores.masked_fill(scores < least, -torch.inf)
        if settings.top_p < 1.0:
            scores = _nucleus(scores, settings.top_p)
        return int(torch.multinomial(scores.softmax(-1), 1, generator=self._generator))


def _penalise(scores: torch.Tensor, seen: Sequence[int], penalty: float) -> torch.Tensor:
    index = torch.tensor(sorted(set(seen)))
    chosen = scores[index]
    return scores.index_put((index,), torch.where(chosen > 0, chosen / penalty, chosen * penalty))


def _nucleus(scores: torch.Tensor, share: float) -> torch.Tensor:
    """Keep the likeliest tokens whose probabilities reach `share`, at least one."""
    ordered, places = scores.sort(descending=True)
    before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)
    return scores.index_fill(0, places[before >= share], -torch.inf)
