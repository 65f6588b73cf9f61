"""The reward model: where it starts, that it learns, that it comes back from disk bit-equal, and `kill -9`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from gaokerena.messages import Message
from tests import tiny
from tests.training import small
from tests.training.killing import kill_when
from training import fit_run, reward, reward_model
from training.errors import TrainingError
from training.manifest import read_json, read_jsonl
from training.recipe import PATHS

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_tiny(tmp_path_factory.mktemp("reward"))


def at_once(**changes: Any) -> dict[str, Any]:
    return small.optimiser(per_device_train_batch_size=4, gradient_accumulation_steps=1, **changes)


def chats(data: Path, side: str) -> list[list[Message]]:
    return [[Message(turn["role"], turn["content"]) for turn in row["prompt"] + row[side]] for row in read_jsonl(data)]


@pytest.fixture
def trained(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Any, Path]:
    """(adapter folder, the trainer that made it, the pairs)."""
    made: list[Any] = []

    class Recorded(reward.RewardTrainer):  # type: ignore[misc]
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            made.append(self)

    monkeypatch.setattr(reward, "RewardTrainer", Recorded)
    data = small.pairs(tmp_path)
    recipe = small.reward_recipe(models / "base", optimiser=at_once(max_steps=25))
    return reward.train(recipe, data, None, tmp_path, small.manifest()), made[0], data


def test_it_starts_undecided_and_learns_which_side_is_better(trained: tuple[Path, Any, Path], tmp_path: Path) -> None:
    rows: list[dict[str, float]] = read_json(tmp_path / "log.json")  # type: ignore[assignment]
    assert rows[0]["loss"] == pytest.approx(math.log(2), abs=1e-7), "a head of zeros scores everything alike"
    assert rows[-1]["loss"] < 0.3
    assert rows[-1]["accuracy"] == 1


def test_what_is_scored_is_the_whole_chat_up_to_the_end_of_the_answer(trained: tuple[Path, Any, Path]) -> None:
    _, trainer, data = trained
    tokenizer = trainer.processing_class
    (batch,) = trainer.get_train_dataloader()
    shown = [
        tokenizer.decode(ids[mask.bool()])
        for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)
    ]
    wanted = [
        tokenizer.apply_chat_template(row["prompt"] + row[side], tokenize=False)
        for side in ("chosen", "rejected")
        for row in read_jsonl(data)
    ]
    assert sorted(shown) == sorted(wanted)
    assert all(text.endswith("<|END_OF_TURN_TOKEN|>") for text in shown)


def test_from_disk_it_scores_bit_for_bit_as_it_was_trained(
    trained: tuple[Path, Any, Path], models: Path, tmp_path: Path
) -> None:
    adapter, trainer, data = trained
    trainer.model.eval()
    loaded = reward_model.load(adapter, str(models / "base"))
    with torch.inference_mode():
        ids = loaded.tokenizer.apply_chat_template(
            [{"role": turn.role, "content": turn.content} for turn in chats(data, "chosen")[0]], return_dict=False
        )
        assert torch.equal(trainer.model(torch.tensor([ids])).logits, loaded.model(torch.tensor([ids])).logits)
    saved = load_file(adapter / "adapter_model.safetensors")
    assert any("score" in name for name in saved)
    assert {weight.dtype for weight in saved.values()} == {torch.float32}


def test_scores_prefer_the_chosen_side_whatever_they_are_batched_with(
    trained: tuple[Path, Any, Path], models: Path
) -> None:
    adapter, _, data = trained
    loaded = reward_model.load(adapter, str(models / "base"))
    chosen, rejected = (loaded.score(chats(data, side)) for side in ("chosen", "rejected"))
    assert all(one > other for one, other in zip(chosen, rejected, strict=True))
    alone = [loaded.score([chat], at_once=1)[0] for chat in chats(data, "chosen")]
    assert chosen == pytest.approx(alone, abs=1e-5)


def test_an_answer_longer_than_the_context_is_refused_not_cut(trained: tuple[Path, Any, Path], models: Path) -> None:
    loaded = reward_model.load(trained[0], str(models / "base"))
    with pytest.raises(TrainingError, match="1 answers are longer than the context of 256 tokens"):
        loaded.score([[Message("user", "تب دارم"), Message("assistant", "آب بنوشید. " * 90)]])


def test_another_base_and_an_adapter_that_is_no_reward_model_are_refused(
    trained: tuple[Path, Any, Path], models: Path, tmp_path: Path
) -> None:
    other, tokenizer = small.load(models / "base")
    other.model.norm.weight.data += 0.5
    other.save_pretrained(tmp_path / "other")
    tokenizer.save_pretrained(tmp_path / "other")
    with pytest.raises(TrainingError, match="was trained on base weights"):
        reward_model.load(trained[0], str(tmp_path / "other"))
    with pytest.raises(TrainingError, match=r"no reward model at .*v: no lineage"):
        reward_model.load(models / "v", str(models / "base"))
    lineage = read_json(trained[0] / "lineage.json")
    assert lineage["recipe"]["kind"] == "reward"
    assert not set(lineage["recipe"]) & set(PATHS)


KILLED = """
import sys
from pathlib import Path
from tests.training import small, test_reward
from training import reward
folder = Path(sys.argv[1])
base = folder.parent / "base"
reward.train(test_reward.long_recipe(base), folder.parent / "pairs.jsonl", None, folder, small.manifest())
"""


def long_recipe(base: Path) -> Any:
    lora = small.LORA | {"lora_dropout": 0.05}
    return small.reward_recipe(base, lora=lora, optimiser=small.optimiser(max_steps=40, save_steps=3))


def test_a_run_killed_in_its_middle_ends_with_the_same_bytes(tmp_path: Path) -> None:
    tiny.make_tiny(tmp_path)
    data = small.pairs(tmp_path)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kill_when(KILLED, killed, lambda: fit_run.last_checkpoint(killed) is not None)
    found = {}
    for out in (killed, whole):
        out.mkdir(exist_ok=True)
        counts = small.manifest()
        folder = reward.train(long_recipe(tmp_path / "base"), data, None, out, counts)
        losses = [row["loss"] for row in read_json(out / "log.json")]  # type: ignore[index]
        found[out.name] = ((folder / "adapter_model.safetensors").read_bytes(), losses, counts.tokens)
    assert found["killed"] == found["whole"]
    assert len(found["whole"][1]) == 40
