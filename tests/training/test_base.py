"""Pretraining learns, is cut into batches fairly, and goes on after `kill -9` as if nothing had happened."""

from __future__ import annotations

import json
import math
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM

from tests import tiny
from tests.training.killing import kill_when
from training import tokenizer as tokenizers
from training.base import (
    CHECKPOINT,
    IGNORED,
    LOG,
    HeadLoss,
    Run,
    batches,
    build_model,
    collate,
    load_documents,
    plan,
    save_weights,
    schedule,
    train,
)
from training.manifest import Manifest
from training.recipe import BaseRecipe

Document = NDArray[np.uint16]


def documents(count: int = 24, seed: int = 1) -> list[Document]:
    """Documents of five to sixty tokens with a pattern that can be learned: each token is the one before plus three."""
    rng = np.random.default_rng(seed)
    starts, lengths = rng.integers(13, 400, count), rng.integers(5, 60, count)
    return [
        ((start + 3 * np.arange(length)) % 387 + 13).astype(np.uint16)
        for start, length in zip(starts, lengths, strict=True)
    ]


def model(recipe: BaseRecipe) -> Any:
    return build_model(recipe, tokenizers.wrap(tokenizers.train(tiny.TEXTS, 400)))


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / LOG).read_text().splitlines()]


LENGTHS = st.lists(st.integers(2, 90), min_size=1, max_size=80).map(lambda sizes: np.array(sizes, np.int64))


class TestPlan:
    @given(LENGTHS, st.integers(16, 400), st.integers(0, 9))
    def test_an_epoch_holds_every_document_once_and_no_batch_too_many_tokens(
        self, lengths: NDArray[np.int64], tokens: int, seed: int
    ) -> None:
        planned = plan(lengths, tokens, np.random.default_rng(seed))
        assert sorted(np.concatenate(planned).tolist()) == list(range(len(lengths)))
        for batch in planned:
            padded = len(batch) * int(lengths[batch].max())
            assert padded <= tokens or len(batch) == 1, "only a document longer than a batch may exceed it, alone"

    def test_the_order_follows_the_generator(self) -> None:
        lengths = np.arange(2, 80)
        orders = [[batch.tolist() for batch in plan(lengths, 100, np.random.default_rng(seed))] for seed in (1, 1, 2)]
        assert orders[0] == orders[1] != orders[2]

    def test_documents_of_like_length_share_a_batch(self) -> None:
        lengths = np.random.default_rng(0).integers(2, 300, 2000)
        planned = plan(lengths, 600, np.random.default_rng(1))
        padded = sum(len(batch) * int(lengths[batch].max()) for batch in planned)
        assert lengths.sum() / padded > 0.9, "less than a tenth is padding"


class TestCollate:
    @given(st.lists(st.integers(2, 40), min_size=1, max_size=6), st.integers(2, 30))
    def test_every_token_but_the_first_is_predicted_from_those_before(self, sizes: list[int], length: int) -> None:
        rows = [np.arange(100, 100 + size, dtype=np.uint16) for size in sizes]
        ids, labels = collate(rows, length)
        assert ids.shape == labels.shape == (len(rows), min(length, max(sizes) - 1))
        for row, shown, wanted in zip(rows, ids, labels, strict=True):
            kept = wanted != IGNORED
            assert wanted[kept].tolist() == row[1 : length + 1].tolist()
            assert shown[kept].tolist() == row[: int(kept.sum())].tolist()
            assert not kept[int(kept.sum()) :].any(), "padding is on the right"

    def test_padding_changes_neither_loss_nor_gradient(self, tmp_path: Path) -> None:
        recipe = tiny.recipe()
        short, long = documents()[0][:9], documents()[1][:40]
        run = Run(model(recipe), recipe, tmp_path)
        apart = [run.loss(collate([row], 256)) for row in (short, long)]
        sum(apart).backward()  # type: ignore[union-attr]
        alone = [weight.grad.clone() for weight in run.model.parameters()]
        run.model.zero_grad()
        together = run.loss(collate([short, long], 256))
        together.backward()  # type: ignore[no-untyped-call]
        assert together.item() == pytest.approx(sum(loss.item() for loss in apart), rel=1e-6)
        for weight, grad in zip(run.model.parameters(), alone, strict=True):
            torch.testing.assert_close(weight.grad, grad, atol=2e-5, rtol=1e-4)


class TestBatches:
    def recipe(self) -> BaseRecipe:
        return tiny.recipe(micro_tokens=120, accumulate=3)

    def seen(self, steps: list[list[Any]]) -> list[tuple[int, ...]]:
        """The documents of some steps, padding taken off, as comparable tuples."""
        return [tuple(wanted[wanted != IGNORED].tolist()) for step in steps for _, labels in step for wanted in labels]

    def test_an_epoch_shows_every_document_once_but_for_the_incomplete_last_step(self) -> None:
        rows, recipe = documents(), self.recipe()
        planned = plan(np.array([len(row) for row in rows]), 120, np.random.default_rng([recipe.seed, 0]))
        steps = len(planned) // 3
        shown = self.seen(list(islice(batches(rows, recipe, 0), steps)))
        left_out = sum(len(batch) for batch in planned[steps * 3 :])
        assert len(shown) == len(rows) - left_out
        everything = [tuple(row[1:].tolist()) for row in rows]
        assert set(shown) <= set(everything)
        assert all(shown.count(row) <= everything.count(row) for row in shown)

    @given(st.integers(0, 12))
    @settings(max_examples=13, deadline=None)
    def test_starting_at_any_step_gives_what_would_have_come_then(self, step: int) -> None:
        rows, recipe = documents(), self.recipe()
        straight = list(islice(batches(rows, recipe, 0), step + 2))[step:]
        resumed = list(islice(batches(rows, recipe, step), 2))
        assert self.seen(resumed) == self.seen(straight)

    def test_epochs_differ(self) -> None:
        rows, recipe = documents(), self.recipe()
        steps = len(plan(np.array([len(row) for row in rows]), 120, np.random.default_rng([recipe.seed, 0]))) // 3
        both = list(islice(batches(rows, recipe, 0), 2 * steps))
        assert self.seen(both[:steps]) != self.seen(both[steps:])

    def test_too_few_documents_for_one_step_are_refused(self) -> None:
        with pytest.raises(ValueError, match="2 documents fill less than one step of 3 batches"):
            next(batches(documents(2), self.recipe(), 0))


class TestHeadLoss:
    def test_it_is_cross_entropy_and_its_gradients_are_autograds(self) -> None:
        torch.manual_seed(0)
        count = 2 * HeadLoss.CHUNK + 37  # whole chunks and a rest
        hidden = torch.randn(count, 16, dtype=torch.float32, requires_grad=True)
        head = torch.randn(50, 16, requires_grad=True)
        labels = torch.randint(0, 50, (count,))
        plain = torch.nn.functional.cross_entropy(hidden @ head.T, labels, reduction="sum")
        wanted = torch.autograd.grad(plain * 0.3, [hidden, head])
        ours = HeadLoss.apply(hidden, head, labels)  # type: ignore[no-untyped-call]
        found = torch.autograd.grad(ours * 0.3, [hidden, head])
        torch.testing.assert_close(ours, plain, rtol=1e-6, atol=1e-3)
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)

    def test_a_runs_loss_is_the_models_own(self, tmp_path: Path) -> None:
        recipe = tiny.recipe()
        run = Run(model(recipe), recipe, tmp_path)
        ids = torch.from_numpy(documents()[1].astype(np.int64))[None]
        own = run.model(input_ids=ids, labels=ids).loss.item() * (ids.shape[1] - 1)
        assert run.loss(collate([documents()[1]], 256)).item() == pytest.approx(own, rel=1e-5)

    def test_an_update_does_not_depend_on_how_a_step_is_cut(self, tmp_path: Path) -> None:
        rows, found = documents(8), []
        for parts in ([collate(rows, 256)], [collate([row], 256) for row in rows]):
            recipe = tiny.recipe()
            run = Run(model(recipe), recipe, tmp_path)
            loss, predicted = run.update(parts)
            assert predicted == sum(len(row) - 1 for row in rows)
            found.append((loss, torch.cat([weight.detach().flatten() for weight in run.model.parameters()])))
        assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
        moved = (found[0][1] - found[1][1]).abs()
        assert (moved > 1e-4).float().mean() < 1e-3, "Adam's first step is a sign: rounding may turn a few of them"


def test_the_rate_warms_up_stays_and_falls_to_nothing() -> None:
    rates = [schedule(step, 100, 10, 0.4) for step in range(100)]
    assert rates[0] == 0.1
    assert rates[9:60] == [1.0] * 51
    assert rates[80] == pytest.approx(0.5)
    assert rates[99] == pytest.approx(1 / 40)
    assert schedule(100, 100, 10, 0.4) == 0.0
    assert max(abs(one - other) for one, other in pairwise(rates)) <= 0.1 + 1e-9, "no jump"


def test_the_loss_falls_and_the_log_and_the_tokens_say_so(tmp_path: Path) -> None:
    recipe = tiny.recipe(steps=60, micro_tokens=400, warmup=5)
    manifest = Manifest("base", recipe.seed, "x")
    train(model(recipe), recipe, documents(), tmp_path, manifest)
    found = losses(tmp_path)
    assert len(found) == 60
    assert found[0] == pytest.approx(math.log(400), rel=0.1), "an untrained model spreads its bets over the vocabulary"
    assert found[-1] < 0.7 * found[0]
    shown = [
        sum(int((labels != IGNORED).sum()) for _, labels in step)
        for step in islice(batches(documents(), recipe, 0), 60)
    ]
    assert manifest.tokens == sum(shown)


STEPS = 160
KILLED = f"""
import sys
from pathlib import Path
from tests.training import test_base as test
from training.manifest import Manifest
recipe = test.tiny.recipe(steps={STEPS}, micro_tokens=300, accumulate=2, checkpoint_seconds=0)
test.train(test.model(recipe), recipe, test.documents(), Path(sys.argv[1]), Manifest("base", 3, "x"))
"""


def test_a_run_killed_and_taken_up_again_ends_with_the_same_bits(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kill_when(KILLED, killed, killed / CHECKPOINT)
    at, before = torch.load(killed / CHECKPOINT, weights_only=True)["step"], len(losses(killed))
    assert 0 < at < STEPS, "killed on its way, not at the end"
    (killed / (CHECKPOINT + ".part")).write_bytes(b"half a checkpoint, as a kill in the middle of writing leaves it")
    recipe = tiny.recipe(steps=STEPS, micro_tokens=300, accumulate=2)
    found = []
    for folder in (killed, whole):
        manifest = Manifest("base", 3, "x")
        found.append((train(model(recipe), recipe, documents(), folder, manifest), manifest.tokens))
    (resumed, seen), (straight, tokens) = found
    assert seen == tokens, "tokens of both parts are counted"
    assert len(losses(killed)) - before == STEPS - at, "what was done before is not done again"
    assert losses(killed)[-1] == losses(whole)[-1]
    for name, weight in straight.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], weight), name


def test_a_finished_run_is_not_trained_further(tmp_path: Path) -> None:
    recipe = tiny.recipe(steps=3)
    first = train(model(recipe), recipe, documents(), tmp_path, Manifest("base", 3, "x"))
    again = train(model(recipe), recipe, documents(), tmp_path, Manifest("base", 3, "x"))
    assert len(losses(tmp_path)) == 3
    assert all(torch.equal(one, other) for one, other in zip(first.parameters(), again.parameters(), strict=True))


def test_token_documents_come_back_as_they_were_written(tmp_path: Path) -> None:
    rows = documents(5)
    np.save(tmp_path / "ids.npy", np.concatenate(rows))
    np.save(tmp_path / "ends.npy", np.cumsum([len(row) for row in rows]))
    found = load_documents(tmp_path / "ids.npy", tmp_path / "ends.npy")
    assert [row.tolist() for row in found] == [row.tolist() for row in rows]


def test_saved_weights_load_and_compute_the_same(tmp_path: Path) -> None:
    recipe = tiny.recipe()
    tokens, made = tokenizers.wrap(tokenizers.train(tiny.TEXTS, 400)), model(recipe)
    save_weights(made, tokens, tmp_path / "model")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.bfloat16)
    assert all(torch.equal(loaded.state_dict()[name], weight) for name, weight in made.state_dict().items())
    assert made.dtype == torch.bfloat16, "the files are half as large"
    stated = json.loads((tmp_path / "model" / "parameters.json").read_text())["parameters"]
    assert stated == sum(weight.numel() for weight in loaded.parameters())
    assert loaded.config.rope_parameters["rope_theta"] == 10_000.0
