"""Weights of pairs in the loss, and reference log-probabilities that a kill does not lose."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from peft import PeftModel
from safetensors.torch import load_file
from trl import DPOConfig, RewardConfig

from tests import tiny
from tests.training import small
from tests.training.killing import kill_when
from training import dpo, fit, pair_trainers, reward_model
from training.errors import TrainingError
from training.manifest import read_json, read_jsonl, write_jsonl
from training.pair_trainers import DPOTrainer, RewardTrainer, token_shares
from training.references import References

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_tiny(tmp_path_factory.mktemp("weights"))


WEIGHTS = "adapter_model.safetensors"


def pairs(*weights: float | None) -> list[dict[str, Any]]:
    """Pair number n with the n-th weight; a weight listed as None leaves the pair out."""
    rows = []
    for place, weight in enumerate(weights):
        asked, said, other = small.QUESTIONS[place], small.ANSWERS[place], small.ANSWERS[(place + 1) % 6]
        if weight is not None:
            rows.append(small.pair(asked, said, other) | {"weight": weight})
    return rows


def gradient(kind: str, models: Path, folder: Path, rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """Loss and gradient of all `rows` in one batch, from an adapter that already prefers something."""
    make = small.dpo_recipe if kind == "dpo" else small.reward_recipe
    recipe = make(models / "base", optimiser=small.optimiser(per_device_train_batch_size=len(rows)))
    given = fit.arguments(recipe, folder)
    columns = ("prompt", "chosen", "rejected", "weight")
    data = Dataset.from_list([{name: row[name] for name in columns if name in row} for row in rows])
    if kind == "dpo":
        base, tokenizer = fit.load_base(recipe.base, recipe.optimiser)
        model = PeftModel.from_pretrained(base, models / "v", is_trainable=True)
        config = DPOConfig(**given, precompute_ref_log_probs=False, **changes)
        trainer: Any = DPOTrainer(model=model, args=config, train_dataset=data, processing_class=tokenizer)
        move(trainer.model, "lora_B.default")
    else:
        base, tokenizer = fit.load_base(recipe.base, recipe.optimiser, reward_model.Reward)
        trainer = RewardTrainer(
            model=base, args=RewardConfig(**given, **changes), train_dataset=data, processing_class=tokenizer,
            peft_config=fit.lora_config(recipe.lora, "SEQ_CLS"),
        )  # fmt: skip
        move(trainer.model, "lora_B.default", "score.modules_to_save")
    (batch,) = trainer.get_train_dataloader()
    trainer.model.train()
    loss = trainer.compute_loss(trainer.model, trainer._prepare_inputs(batch))
    loss.backward()
    found = {name: weight.grad for name, weight in trainer.model.named_parameters() if weight.grad is not None}
    return {"loss": loss.item(), "gradient": found, "trainer": trainer}


def move(model: Any, *names: str) -> None:
    """Away from where it starts, so that neither loss nor gradient is that of a coin."""
    torch.manual_seed(4)
    for name, weight in model.named_parameters():
        if any(part in name for part in names):
            weight.data += 0.05 * torch.randn_like(weight)


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)
    assert one["gradient"].keys() == other["gradient"].keys()
    assert max(weight.abs().max() for weight in one["gradient"].values()) > 1e-4
    for name, weight in one["gradient"].items():
        torch.testing.assert_close(weight, other["gradient"][name], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("kind", ["dpo", "reward"])
def test_half_the_weight_twice_pulls_as_the_whole_once(kind: str, models: Path, tmp_path: Path) -> None:
    twice = [*pairs(0.5), *pairs(0.5), *pairs(None, 1.0, 1.0)]
    same(gradient(kind, models, tmp_path, twice), gradient(kind, models, tmp_path, pairs(1.0, 1.0, 1.0)))


@pytest.mark.parametrize("kind", ["dpo", "reward"])
def test_equal_weights_are_trls_own_loss_whatever_their_scale(kind: str, models: Path, tmp_path: Path) -> None:
    bare = [{name: row[name] for name in row if name != "weight"} for row in pairs(1.0, 1.0, 1.0)]
    plain = gradient(kind, models, tmp_path, bare)
    assert "weight" not in plain["trainer"].train_dataset.column_names
    same(gradient(kind, models, tmp_path, pairs(0.3, 0.3, 0.3)), plain)


ROBUST_AND_SFT = {"loss_type": ["robust", "sft"], "loss_weights": [1.0, 0.3], "label_smoothing": 0.2}
LONG = small.ANSWERS[0] + " " + " ".join(small.ANSWERS)
"""Many times the tokens of the other answers: a mean over pairs would be far from one over tokens."""


def uneven(*weights: float) -> list[dict[str, Any]]:
    """Pairs of very different lengths."""
    first, *rest = pairs(*weights)
    return [first | {"chosen": [{"role": "assistant", "content": LONG}]}, *rest]


def test_sft_beside_equal_weights_is_trls_mean_over_tokens(models: Path, tmp_path: Path) -> None:
    bare = [{name: row[name] for name in row if name != "weight"} for row in uneven(1.0, 1.0, 1.0)]
    plain = gradient("dpo", models, tmp_path, bare, **ROBUST_AND_SFT)
    same(gradient("dpo", models, tmp_path, uneven(0.3, 0.3, 0.3), **ROBUST_AND_SFT), plain)


def test_a_weight_a_little_below_one_moves_the_sft_part_a_little(models: Path, tmp_path: Path) -> None:
    """Against TRL's own figure for rows without weights."""
    bare = [{name: row[name] for name in row if name != "weight"} for row in uneven(1.0, 1.0, 1.0)]
    equal, near, half = (
        gradient("dpo", models, tmp_path, rows, loss_type=["sft"])["loss"]
        for rows in (bare, uneven(1.0, 1.0, 0.999), uneven(1.0, 1.0, 0.5))
    )
    assert 0 < abs(near - equal) < 1e-3
    assert abs(half - equal) > 10 * abs(near - equal)


def test_half_the_weight_twice_pulls_as_the_whole_once_beside_sft_too(models: Path, tmp_path: Path) -> None:
    once = uneven(1.0, 1.0, 1.0)
    halves = [row | {"weight": 0.5} for row in (once[0], once[0])]
    twice = gradient("dpo", models, tmp_path, [*halves, *once[1:]], **ROBUST_AND_SFT)
    same(twice, gradient("dpo", models, tmp_path, once, **ROBUST_AND_SFT))


def test_the_sft_part_by_hand() -> None:
    """Pairs of 10 tokens at 1.0 nats and 400 at 3.0, the second of half weight; alone in a batch, its own mean."""
    weights, tokens, means = torch.tensor([1.0, 0.5]), torch.tensor([10, 400]), torch.tensor([1.0, 3.0])
    found = (weights * token_shares(weights, tokens) * means).sum() / weights.sum()
    assert found.item() == pytest.approx((10 * 1.0 + 0.5 * 400 * 3.0) / (10 + 0.5 * 400))
    assert token_shares(weights[1:], tokens[1:]).tolist() == [1.0]


def test_weights_matter(models: Path, tmp_path: Path) -> None:
    one, other = (gradient("dpo", models, tmp_path, pairs(*given))["loss"] for given in ((0.1, 1.0), (1.0, 0.1)))
    alone = [gradient("dpo", models, tmp_path, pairs(*given))["loss"] for given in ((1.0,), (None, 1.0))]
    assert one == pytest.approx((0.1 * alone[0] + alone[1]) / 1.1, rel=1e-5)
    assert other == pytest.approx((alone[0] + 0.1 * alone[1]) / 1.1, rel=1e-5)
    assert abs(one - other) > 1e-3


def test_the_robust_loss_is_weighted_and_smoothed(models: Path, tmp_path: Path) -> None:
    robust = {"loss_type": ["robust"], "label_smoothing": 0.2}
    both = gradient("dpo", models, tmp_path, pairs(0.25, 0.75), **robust)["loss"]
    alone = [gradient("dpo", models, tmp_path, pairs(*given), **robust)["loss"] for given in ((1.0,), (None, 1.0))]
    assert both == pytest.approx(0.25 * alone[0] + 0.75 * alone[1], rel=1e-5)
    plain = gradient("dpo", models, tmp_path, pairs(1.0))
    metrics = plain["trainer"]._metrics["train"]
    margin = metrics["rewards/margins"][0]
    by_hand = (-0.8 * -math.log1p(math.exp(-margin)) + 0.2 * -math.log1p(math.exp(margin))) / 0.6
    assert alone[0] == pytest.approx(by_hand, rel=1e-4), "(arXiv 2403.00409, eq. 11)"


def test_a_loss_that_sorts_a_batch_has_no_weights(models: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="leaves no weight to each"):
        gradient("dpo", models, tmp_path, pairs(0.5, 1.0), loss_type=["aot"])


def test_a_weight_that_is_none_is_refused_by_line(models: Path, tmp_path: Path) -> None:
    _, tokenizer = small.load(models / "base")
    for weight in (0, -1, 1.5, "much", True):
        write_jsonl(tmp_path / "pairs.jsonl", [small.pair("الف", "ب", "پ") | {"weight": weight}])
        if weight is not True:
            with pytest.raises(TrainingError, match=r"pairs\.jsonl line 1: weight is .*, not a number above 0"):
                dpo.load_pairs(tmp_path / "pairs.jsonl", tokenizer, 64, small.manifest(), "train")


def test_a_run_with_weights_learns_and_is_evaluated_with_them(models: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pairs.jsonl", pairs(0.4, 1.0, 0.8, 0.6))
    write_jsonl(tmp_path / "away.jsonl", pairs(None, None, None, None, 0.5, 1.0))
    optimiser = small.optimiser(per_device_train_batch_size=4, gradient_accumulation_steps=1, max_steps=12)
    recipe = small.dpo_recipe(models / "base", optimiser=optimiser, eval_steps=6)
    dpo.train(recipe, tmp_path / "pairs.jsonl", tmp_path / "away.jsonl", tmp_path, small.manifest())
    rows: list[dict[str, float]] = read_json(tmp_path / "log.json")  # type: ignore[assignment]
    trained = [row for row in rows if "rewards/margins" in row]
    assert trained[0]["loss"] == pytest.approx(math.log(2), abs=1e-6), "weights leave the start at the toss of a coin"
    assert trained[-1]["loss"] < 0.5 * math.log(2)
    assert [row["step"] for row in rows if "eval_loss" in row] == [6, 12]


class TestReferences:
    def test_policy_and_reference_are_the_adapter_and_not_the_base_bit_for_bit(
        self, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = small.pairs(tmp_path)
        recipe = small.dpo_recipe(
            models / "base", start_from=str(models / "v"),
            optimiser=small.optimiser(per_device_train_batch_size=4, gradient_accumulation_steps=1, max_steps=2),
        )  # fmt: skip
        dpo.train(recipe, data, None, tmp_path, small.manifest())
        first = read_json(tmp_path / "log.json")[0]  # type: ignore[index]
        assert first["loss"] == pytest.approx(math.log(2), abs=1e-7)
        assert first["rewards/chosen"] == first["rewards/rejected"] == first["rewards/margins"] == 0
        kept = References(tmp_path / "references_train.jsonl", mark_of(tmp_path)).rows
        bare, tokenizer = small.load(models / "base")
        rows = read_jsonl(data)
        without = [small.logprob(bare, tokenizer, row, "chosen") for row in rows]
        adapted_model = PeftModel.from_pretrained(bare, models / "v").eval()
        for place, side in enumerate(("chosen", "rejected")):
            adapted = [small.logprob(adapted_model, tokenizer, row, side) for row in rows]
            assert [row[place] for row in kept] == pytest.approx(adapted, rel=1e-4)
        assert min(abs(one[0] - other) for one, other in zip(kept, without, strict=True)) > 0.5, "not the base's"

    def test_after_a_resume_the_reference_is_still_the_adapter_it_started_from(
        self, models: Path, tmp_path: Path
    ) -> None:
        """A reference that moved with the policy would bring the loss back to ln 2 at the resume."""
        data, found = small.pairs(tmp_path), {}
        for name, precompute in (("kept", True), ("live", False)):
            out = tmp_path / name
            optimiser = small.optimiser(per_device_train_batch_size=4, gradient_accumulation_steps=1, save_steps=3)
            recipe = small.dpo_recipe(
                models / "base", start_from=str(models / "v"), optimiser=optimiser, precompute_ref_log_probs=precompute
            )
            out.mkdir()
            whole = dpo.train(recipe, data, None, out, small.manifest())
            before = (whole / "adapter_model.safetensors").read_bytes()
            (out / "checkpoints" / "checkpoint-6" / "trainer_state.json").unlink()  # as if killed while writing it
            again = dpo.train(recipe, data, None, out, small.manifest())
            assert (again / "adapter_model.safetensors").read_bytes() == before
            rows: list[dict[str, float]] = read_json(out / "log.json")  # type: ignore[assignment]
            found[name] = [row["loss"] for row in rows]
            assert max(found[name][3:]) < 0.6 * math.log(2)
        assert found["kept"] == pytest.approx(found["live"], rel=1e-4)

    @pytest.mark.parametrize(("start", "dtype"), [("v", torch.float32), (None, torch.bfloat16)])
    def test_what_goes_on_from_an_adapter_is_saved_as_it_was_trained(
        self, models: Path, tmp_path: Path, start: str | None, dtype: torch.dtype
    ) -> None:
        """bfloat16 would round the doctors' small steps away (a fresh adapter has no small steps beside large ones)."""
        start_from = str(models / start) if start else None
        optimiser = small.optimiser(max_steps=2, learning_rate=1e-5)
        recipe = small.dpo_recipe(models / "base", start_from=start_from, optimiser=optimiser)
        saved = load_file(dpo.train(recipe, small.pairs(tmp_path), None, tmp_path, small.manifest()) / WEIGHTS)
        trained = load_file(tmp_path / "checkpoints" / "checkpoint-2" / WEIGHTS)
        assert {weight.dtype for weight in saved.values()} == {dtype}
        assert all(torch.equal(weight.to(dtype), saved[name]) for name, weight in trained.items())

    def test_other_pairs_or_another_model_are_not_mistaken_for_the_same(self, tmp_path: Path) -> None:
        path = tmp_path / "references_train.jsonl"
        first = References(path, "one")
        first.add([(-1.25, -2.1234567165374756)])
        first.add([(-3.0, -4.0)])
        assert References(path, "one").rows == [(-1.25, -2.1234567165374756), (-3.0, -4.0)]
        assert References(path, "two").rows == []
        assert References(path, "one").rows == [], "and the old ones are gone"

    def test_a_torn_last_line_is_worked_out_again(self, tmp_path: Path) -> None:
        path = tmp_path / "references_train.jsonl"
        References(path, "one").add([(-1.0, -2.0)])
        with path.open("a") as file:
            file.write("[[-3.0, -4")
        again = References(path, "one")
        assert again.rows == [(-1.0, -2.0)]
        again.add([(-5.0, -6.0)])
        assert References(path, "one").rows == [(-1.0, -2.0), (-5.0, -6.0)]

    def test_a_kill_while_they_are_worked_out_repeats_none_of_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tiny.make_tiny(tmp_path)
        data, out = small.pairs(tmp_path, 6), tmp_path / "killed"
        path = out / "references_train.jsonl"
        kill_when(KILLED, out, lambda: path.exists() and path.read_text().count("\n") >= 3)
        done = len(References(path, mark_of(out)).rows)
        assert 2 <= done < 6
        asked: list[int] = []
        real = DPOTrainer.compute_ref_log_probs

        def counted(self: Any, model: Any, inputs: Any) -> Any:
            asked.append(len(inputs["input_ids"]) // 2)
            return real(self, model, inputs)

        monkeypatch.setattr(DPOTrainer, "compute_ref_log_probs", counted)
        monkeypatch.setattr(pair_trainers, "AT_ONCE", 1)
        killed = dpo.train(small_recipe(tmp_path), data, None, out, small.manifest())
        assert sum(asked) == 6 - done
        whole = dpo.train(small_recipe(tmp_path), data, None, tmp_path / "whole", small.manifest())
        assert (killed / "adapter_model.safetensors").read_bytes() == (whole / "adapter_model.safetensors").read_bytes()


def mark_of(folder: Path) -> str:
    """What the references kept in `folder` belong to."""
    return str(read_jsonl(folder / "references_train.jsonl")[0]["of"])


def small_recipe(folder: Path) -> Any:
    optimiser = small.optimiser(per_device_train_batch_size=1, max_steps=2)
    return small.dpo_recipe(folder / "base", optimiser=optimiser)


KILLED = """
import sys, time
from pathlib import Path
from tests.training import small, test_pair_trainers
from training import dpo, pair_trainers
pair_trainers.AT_ONCE = 1
real = pair_trainers.References.add
def slowly(self, rows):
    real(self, rows)
    time.sleep(0.5)
pair_trainers.References.add = slowly
folder = Path(sys.argv[1])
data = folder.parent / "pairs.jsonl"
dpo.train(test_pair_trainers.small_recipe(folder.parent), data, None, folder, small.manifest())
"""
