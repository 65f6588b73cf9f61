"""Drawing one row's token: settings, seeds, and frequencies against the distribution they come from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gaokerena.engines.base import Sampling
from gaokerena.engines.sampling import Drawer, _nucleus

SCORES = torch.tensor([2.0, 1.0, 0.5, -1.0, -4.0])


def draws(sampling: Sampling, scores: torch.Tensor = SCORES, count: int = 4000, seed: int = 1) -> list[int]:
    drawer = Drawer(sampling, seed)
    return [drawer.draw(scores, ()) for _ in range(count)]


def test_no_temperature_takes_the_likeliest() -> None:
    assert set(draws(Sampling(temperature=0.0), count=20)) == {0}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_come_as_often_as_the_softmax_says(temperature: float) -> None:
    found = np.bincount(draws(Sampling(temperature=temperature)), minlength=5) / 4000
    expected = (SCORES / temperature).softmax(-1).numpy()
    assert np.abs(found - expected).max() < 4 * 0.5 / np.sqrt(4000), "four standard errors"


def test_top_k_keeps_the_k_likeliest() -> None:
    assert set(draws(Sampling(temperature=2.0, top_k=2))) == {0, 1}


def test_top_k_and_top_p_hold_together() -> None:
    settings = Sampling(temperature=1.0, top_k=3, top_p=0.7)
    ordered = SCORES[:3].softmax(-1)
    assert ordered[0] < 0.7 < ordered[:2].sum()
    assert set(draws(settings)) == {0, 1}


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_nucleus_is_the_fewest_tokens_that_reach_the_share(share: float) -> None:
    scores = torch.randn(5000, generator=torch.Generator().manual_seed(2)) * 3
    found = _nucleus(scores, share)
    likely = scores.double().softmax(-1)
    inside, outside = likely[found], np.delete(likely.numpy(), found.numpy())
    assert inside.min() >= outside.max()
    assert inside.sum() >= share - 1e-6
    assert inside.sum() - inside.min() < share + 1e-6


def test_tokens_as_likely_as_the_last_one_stay_in_the_nucleus() -> None:
    assert _nucleus(torch.zeros(8), 0.5).tolist() == list(range(8))


def test_the_same_seed_draws_the_same() -> None:
    settings = Sampling(temperature=1.0, top_p=0.95)
    assert draws(settings, count=50) == draws(settings, count=50)
    assert draws(settings, count=50) != draws(settings, count=50, seed=2)


def test_masked_tokens_are_never_drawn() -> None:
    scores = torch.tensor([0.0, -torch.inf, 0.0, -torch.inf])
    assert set(draws(Sampling(temperature=1.0), scores)) == {0, 2}


def test_a_penalty_lowers_what_was_seen() -> None:
    drawer = Drawer(Sampling(temperature=0.0, repetition_penalty=3.0), 0)
    assert drawer.draw(torch.tensor([2.0, 1.0]), (0,)) == 1
    assert drawer.draw(torch.tensor([-1.0, -2.0]), (0,)) == 1
    assert drawer.draw(torch.tensor([2.0, 1.0]), ()) == 0


@pytest.mark.parametrize("broken", [[1.0, torch.nan], [1.0, torch.inf], [-torch.inf, -torch.inf]])
@pytest.mark.parametrize("settings", [Sampling(), Sampling(temperature=0.7), Sampling(temperature=0.7, top_k=2)])
def test_logits_that_are_not_numbers_are_named(broken: list[float], settings: Sampling) -> None:
    with pytest.raises(ValueError, match="not numbers"):
        Drawer(settings, 0).draw(torch.tensor(broken), ())
