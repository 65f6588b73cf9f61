"""Drawing the next token of one row, with that row's own settings and its own random stream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
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
        if not scores.max().isfinite():  # nan spreads through max; an overflow is inf; all masked is -inf
            raise ValueError("the model's logits are not numbers")
        if settings.repetition_penalty != 1.0 and seen:
            scores = _penalise(scores, seen, settings.repetition_penalty)
        if settings.temperature <= 0:
            return int(scores.argmax())
        scores = scores / settings.temperature
        places = None
        if settings.top_k > 0:
            scores, places = scores.topk(min(settings.top_k, len(scores)))
        if settings.top_p < 1.0:
            likeliest = _nucleus(scores, settings.top_p)
            scores, places = scores[likeliest], likeliest if places is None else places[likeliest]
        drawn = self._one_of(scores)
        return drawn if places is None else int(places[drawn])

    def _one_of(self, scores: torch.Tensor) -> int:
        """A place in `scores`, drawn by their softmax: one random number against the running sum."""
        reached = scores.double().softmax(-1).cumsum(-1)
        point = torch.rand(1, generator=self._generator, dtype=torch.float64) * reached[-1]
        return min(int(torch.searchsorted(reached, point, right=True)), len(scores) - 1)


def _penalise(scores: torch.Tensor, seen: Sequence[int], penalty: float) -> torch.Tensor:
    index = torch.tensor(sorted(set(seen)))
    chosen = scores[index]
    return scores.index_put((index,), torch.where(chosen > 0, chosen / penalty, chosen * penalty))


def _nucleus(scores: torch.Tensor, share: float) -> torch.Tensor:
    """Places of the likeliest tokens whose probabilities reach `share`, at least one; equals of the last are kept.

    numpy sorts a vocabulary many times faster than torch does on a CPU, so only the values are sorted, there.
    """
    ordered = np.sort(scores.numpy())[::-1]
    likely = np.exp(ordered - float(scores.logsumexp(-1)), dtype=np.float64)
    kept = max(1, int((likely.cumsum() - likely < share).sum()))
    return (scores >= float(ordered[kept - 1])).nonzero().squeeze(-1)
