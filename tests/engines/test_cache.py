"""The growing cache holds what transformers' own holds, through growth, cuts, choices of rows and replacement."""

from __future__ import annotations

import pytest
import torch
from transformers.cache_utils import DynamicCache

from gaokerena.engines.cache import LEAST, roomy_cache

ROWS, HEADS, WIDTH = 3, 2, 4


def tokens(count: int, seed: int, rows: int = ROWS) -> tuple[torch.Tensor, torch.Tensor]:
    drawn = torch.randn(2, rows, HEADS, count, WIDTH, generator=torch.Generator().manual_seed(seed))
    return drawn[0], drawn[1]


def test_it_holds_what_a_concatenating_cache_holds() -> None:
    ours, theirs = roomy_cache(), DynamicCache()
    rows = ROWS
    for step in range(3 * LEAST):
        for layer in (0, 1):
            new = tokens(5 if step == 0 else 1, 2 * step + layer, rows)
            found, expected = ours.update(*new, layer), theirs.update(*new, layer)
            assert torch.equal(found[0], expected[0])
            assert torch.equal(found[1], expected[1])
        if step == 40:
            rows = 2
            for cache in (ours, theirs):
                cache.batch_select_indices(torch.tensor([2, 0]))
        if step == 90:
            for cache in (ours, theirs):
                for held in cache.layers:
                    held.keys, held.values = held.keys[:, :, 7:], held.values[:, :, 7:]
    assert ours.get_seq_length() == theirs.get_seq_length() == 3 * LEAST + 4 - 7


def test_one_more_token_moves_nothing() -> None:
    cache = roomy_cache()
    cache.update(*tokens(10, 0), 0)
    cache.update(*tokens(1, 1), 0)
    before = cache.layers[0].keys.data_ptr()
    for step in range(LEAST - 1):
        cache.update(*tokens(1, 2 + step), 0)
    assert cache.layers[0].keys.data_ptr() == before


def test_what_was_handed_out_is_not_written_over() -> None:
    cache = roomy_cache()
    cache.update(*tokens(10, 0), 0)
    kept = cache.layers[0].keys
    copy = kept.clone()
    cache.update(*tokens(1, 1), 0)
    cache.layers[0].keys, cache.layers[0].values = kept, cache.layers[0].values[:, :, :10]
    cache.update(*tokens(1, 2), 0)
    assert torch.equal(kept, copy)
    assert cache.get_seq_length() == 11


@pytest.mark.parametrize("count", [1, 200])
def test_a_prompt_gets_no_room_it_may_never_need(count: int) -> None:
    cache = roomy_cache()
    cache.update(*tokens(count, 0), 0)
    assert cache.layers[0].keys.untyped_storage().nbytes() == count * ROWS * HEADS * WIDTH * 4
