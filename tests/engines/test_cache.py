"""The growing cache holds what transformers' own holds, through growth, cuts, choices of rows and replacement."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from transformers import CohereConfig
from transformers.cache_utils import DynamicCache

from gaokerena.engines.cache import LEAST, POSITIONS, position_bytes, room_for_positions, roomy_cache

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
            for layer in (0, 1):
                ours.layers[layer].cut(7)
                held = theirs.layers[layer]
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


@pytest.mark.parametrize(("above", "below"), [(10, 4), (4, 10), (7, 7)])
def test_rows_that_join_end_where_the_others_end(above: int, below: int) -> None:
    ours, new = roomy_cache(), roomy_cache()
    first, second = tokens(above, 0), tokens(below, 1, rows=2)
    ours.update(*first, 0)
    new.update(*second, 0)
    room = ours.layers[0].joined(new.layers[0])
    assert ours.get_seq_length() == above, "nothing has changed yet"
    length = max(above, below)
    ours.layers[0].settle(room, length)
    for found, one, other in zip((ours.layers[0].keys, ours.layers[0].values), first, second, strict=True):
        assert found.shape == (ROWS + 2, HEADS, length, WIDTH)
        assert torch.equal(found[:ROWS, :, length - above :], one)
        assert torch.equal(found[ROWS:, :, length - below :], other)
        assert not found[:ROWS, :, : length - above].any()
        assert not found[ROWS:, :, : length - below].any()
    before = ours.layers[0].keys.data_ptr()
    ours.update(*tokens(1, 2, rows=ROWS + 2), 0)
    assert ours.layers[0].keys.data_ptr() == before, "the join made room already"


def test_rows_that_leave_take_their_room_with_them() -> None:
    cache = roomy_cache()
    cache.update(*tokens(50, 0, rows=8), 0)
    cache.update(*tokens(1, 1, rows=8), 0)
    cache.batch_select_indices(torch.tensor([3]))
    assert cache.layers[0].keys.untyped_storage().nbytes() == 51 * HEADS * WIDTH * 4
    assert cache.layers[0]._rooms is None


@pytest.mark.parametrize("count", [1, 200])
def test_a_prompt_gets_no_room_it_may_never_need(count: int) -> None:
    cache = roomy_cache()
    cache.update(*tokens(count, 0), 0)
    assert cache.layers[0].keys.untyped_storage().nbytes() == count * ROWS * HEADS * WIDTH * 4


def test_a_positions_bytes_are_those_of_the_aya_base() -> None:
    config = CohereConfig(num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8, hidden_size=4096)
    assert position_bytes(config, torch.bfloat16) == 128 * 1024, "32 layers x 8 heads x 128 wide x 2 x 2 bytes"


def test_the_room_follows_from_what_a_gpu_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    config = CohereConfig(num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8, hidden_size=4096)
    model = SimpleNamespace(config=config, dtype=torch.bfloat16, device=torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (7 * 2**30, 24 * 2**30))
    assert room_for_positions(model) == int(0.6 * 7 * 2**30) // (128 * 1024)
    model.device = torch.device("cpu")
    assert room_for_positions(model) == POSITIONS
