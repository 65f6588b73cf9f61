"""R's preference optimisation: where it starts, what it scores, that it learns, and `kill -9`."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from gaokerena.engines.base import Request, Sampling
from gaokerena.engines.local import LocalEngine
from gaokerena.messages import Message
from tests import tiny
from tests.engines.contract import play
from tests.training import small
from tests.training.killing import kill_when
from training import dpo, fit_run
from training import tokenizer as tokenizers
from training.base import Run, batches, build_model
from training.errors import TrainingError
from training.manifest import read_json, read_jsonl, write_jsonl

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

LN2 = math.log(2)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base and two adapters of it: `base`, `v`, `r`."""
    return tiny.make_tiny(tmp_path_factory.mktemp("dpo"))


@pytest.fixture
def trainers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The trainers `dpo.train` makes."""
    made: list[Any] = []

    class Recorded(dpo.DPOTrainer):  # type: ignore[misc]
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            made.append(self)

    monkeypatch.setattr(dpo, "DPOTrainer", Recorded)
    return made


def at_once(**changes: Any) -> dict[str, Any]:
    """Every pair in one batch, so that the first log is of the whole set before anything was learned."""
    return small.optimiser(per_device_train_batch_size=4, gradient_accumulation_steps=1, **changes)


def log_of(out: Path) -> list[dict[str, float]]:
    found: Any = read_json(out / "log.json")
    return [{name: float(value) for name, value in row.items()} for row in found]


def by_hand(model: Any, tokenizer: Any, data: Path, side: str) -> float:
    return fmean(small.logprob(model, tokenizer, row, side) for row in read_jsonl(data))


class TestWhereItStarts:
    def test_without_an_adapter_policy_and_reference_are_the_base(self, models: Path, tmp_path: Path) -> None:
        data = small.pairs(tmp_path)
        dpo.train(small.dpo_recipe(models / "base", optimiser=at_once()), data, None, tmp_path, small.manifest())
        first = log_of(tmp_path)[0]
        assert first["loss"] == pytest.approx(LN2, abs=1e-4)
        assert first["rewards/margins"] == pytest.approx(0, abs=1e-4)
        model, tokenizer = small.load(models / "base")
        for side in ("chosen", "rejected"):
            assert first[f"logps/{side}"] == pytest.approx(by_hand(model, tokenizer, data, side), rel=1e-4)

    @pytest.mark.parametrize("precompute", [True, False])
    def test_with_an_adapter_both_start_from_it(self, models: Path, tmp_path: Path, precompute: bool) -> None:
        data = small.pairs(tmp_path)
        recipe = small.dpo_recipe(
            models / "base", start_from=str(models / "v"), optimiser=at_once(), precompute_ref_log_probs=precompute
        )
        dpo.train(recipe, data, None, tmp_path, small.manifest())
        rows = log_of(tmp_path)
        assert rows[0]["loss"] == pytest.approx(LN2, abs=1e-4), "the reference is not the bare base"
        assert rows[-1]["loss"] < 0.9 * LN2, "and the policy moves away from it"
        bare, tokenizer = small.load(models / "base")
        without = by_hand(bare, tokenizer, data, "chosen")
        adapted = by_hand(PeftModel.from_pretrained(bare, models / "v").eval(), tokenizer, data, "chosen")
        assert abs(adapted - without) > 0.5, "the adapter must matter for the comparison to prove anything"
        assert rows[0]["logps/chosen"] == pytest.approx(adapted, rel=1e-4), "the policy starts from the adapter"

    def test_the_adapter_it_starts_from_names_itself_in_the_lineage(self, models: Path, tmp_path: Path) -> None:
        recipe = small.dpo_recipe(models / "base", start_from=str(models / "v"), optimiser=at_once(max_steps=1))
        out = dpo.train(recipe, small.pairs(tmp_path), None, tmp_path, small.manifest())
        lineage = read_json(out / "lineage.json")
        assert lineage["starts_from"] not in {None, "unknown", lineage["base_weights"]}
        assert sorted(path.name for path in out.iterdir()) == [
            "adapter_config.json", "adapter_model.safetensors", "lineage.json",
        ], "TRL's frozen copy, the reference, is not part of what is saved"  # fmt: skip


class TestWhatIsScored:
    def test_the_chat_template_and_only_the_answer(self, models: Path, tmp_path: Path, trainers: list[Any]) -> None:
        data = small.pairs(tmp_path)
        recipe = small.dpo_recipe(models / "base", optimiser=at_once(max_steps=1))
        dpo.train(recipe, data, None, tmp_path, small.manifest())
        tokenizer = trainers[0].processing_class
        (batch,) = trainers[0].get_train_dataloader()
        whole = [
            tokenizer.decode(ids[mask.bool()])
            for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)
        ]
        scored = [
            tokenizer.decode(ids[mask.bool()])
            for ids, mask in zip(batch["input_ids"], batch["completion_mask"], strict=True)
        ]
        rows = read_jsonl(data)
        wanted = [
            tokenizer.apply_chat_template(row["prompt"] + row[side], tokenize=False)
            for side in ("chosen", "rejected")
            for row in rows
        ]
        assert sorted(whole) == sorted(wanted)
        assert all(text.count("<|START_OF_TURN_TOKEN|>") == 2 for text in whole)
        answers = [row[side][0]["content"] for side in ("chosen", "rejected") for row in rows]
        assert sorted(scored) == sorted(f"{answer}<|END_OF_TURN_TOKEN|>" for answer in answers)

    def test_pairs_that_do_not_fit_are_left_out_whole_and_counted(self, models: Path, tmp_path: Path) -> None:
        rows = [
            small.pair("تب دارم", "آب بنوشید.", "صبر کنید."),
            small.pair("تب دارم", "آب بنوشید. " * 30, "صبر کنید."),
            small.pair("تب دارم", "آب بنوشید.", "صبر کنید. " * 40),
        ]
        write_jsonl(tmp_path / "pairs.jsonl", rows)
        counts, (_, tokenizer) = small.manifest(), small.load(models / "base")
        kept = dpo.load_pairs(tmp_path / "pairs.jsonl", tokenizer, 64, counts, "train")
        assert kept == rows[:1]
        assert (counts.counts_in, counts.counts_out) == ({"train": 3}, {"train": 1})
        assert counts.dropped == {"train: longer than max_length": 2}
        assert counts.extra["train_too_long"] == ["line 2", "line 3"], "by their ids where they have some"

    def test_rows_that_are_no_pairs_are_refused_by_line(self, models: Path, tmp_path: Path) -> None:
        write_jsonl(tmp_path / "pairs.jsonl", [small.pair("الف", "ب", "پ"), {"prompt": [], "text": "ت"}])
        _, tokenizer = small.load(models / "base")
        with pytest.raises(TrainingError, match=r"pairs\.jsonl line 2: .*missing chosen, rejected"):
            dpo.load_pairs(tmp_path / "pairs.jsonl", tokenizer, 64, small.manifest(), "train")


def test_learning_raises_the_margin_and_held_out_pairs_are_watched(models: Path, tmp_path: Path) -> None:
    away = tmp_path / "away.jsonl"
    write_jsonl(away, [small.pair(small.QUESTIONS[4], small.ANSWERS[4], small.ANSWERS[5])])
    counts = small.manifest()
    recipe = small.dpo_recipe(models / "base", eval_steps=5, optimiser=at_once(max_steps=20))
    dpo.train(recipe, small.pairs(tmp_path), away, tmp_path, counts)
    rows = log_of(tmp_path)
    trained = [row for row in rows if "rewards/margins" in row]
    assert trained[-1]["rewards/margins"] > 1
    assert trained[-1]["rewards/accuracies"] == 1
    assert trained[-1]["loss"] < LN2 / 2
    assert [row["step"] for row in rows if "eval_rewards/accuracies" in row] == [5, 10, 15, 20]
    assert counts.counts_out == {"train": 4, "held_out": 1, "steps": 20}
    _, tokenizer = small.load(models / "base")
    lengths = [
        len(tokenizer.apply_chat_template(row["prompt"] + row[side], return_dict=False))
        for row in read_jsonl(tmp_path / "pairs.jsonl")
        for side in ("chosen", "rejected")
    ]
    assert counts.tokens == 20 * sum(lengths), "both sides of every pair at every step"


def test_the_lineage_says_the_shape_that_was_used_not_the_recipes(models: Path, tmp_path: Path) -> None:
    """The recipe's rank, alpha and dropout are not those of the adapter it goes on with."""
    real = read_json(models / "r" / "adapter_config.json")
    lora = {"r": 32, "lora_alpha": 64, "lora_dropout": 0.4}
    recipe = small.dpo_recipe(models / "base", start_from=str(models / "r"), lora=lora, optimiser=at_once(max_steps=1))
    counts = small.manifest()
    counts.recipe = recipe.model_dump(mode="json")
    adapter = dpo.train(recipe, small.pairs(tmp_path), None, tmp_path / "out", counts)
    told = read_json(adapter / "lineage.json")["recipe"]["lora"]
    assert (told["r"], told["lora_alpha"], told["lora_dropout"]) == (real["r"], real["lora_alpha"], 0.0)
    assert sorted(told["target_modules"]) == sorted(real["target_modules"])
    assert counts.recipe["lora"] == told
    fresh = recipe.model_copy(update={"start_from": None})
    told = read_json(
        dpo.train(fresh, tmp_path / "pairs.jsonl", None, tmp_path / "new", small.manifest()) / "lineage.json"
    )
    assert told["recipe"]["lora"] == lora | {"lora_dropout": 0.0, "target_modules": "all-linear"}


KILLED = """
import sys
from pathlib import Path
from tests.training import small, test_dpo
from training import dpo
folder = Path(sys.argv[1])
dpo.train(test_dpo.long_recipe(folder.parent), folder.parent / "pairs.jsonl", None, folder, small.manifest())
"""


def long_recipe(folder: Path) -> Any:
    lora = small.LORA | {"lora_dropout": 0.05}
    return small.dpo_recipe(folder / "base", lora=lora, optimiser=small.optimiser(max_steps=50, save_steps=3))


def test_a_run_killed_in_its_middle_ends_with_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.make_tiny(tmp_path)
    data = small.pairs(tmp_path)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kill_when(KILLED, killed, lambda: fit_run.last_checkpoint(killed) is not None)
    assert not (killed / "adapter").exists()
    found, seen = {}, {killed: list[int](), whole: list[int]()}
    real = dpo.DPOTrainer
    for out in (killed, whole):
        monkeypatch.setattr(dpo, "DPOTrainer", small.counting(real, seen[out]))
        out.mkdir(exist_ok=True)
        counts = small.manifest()
        folder = dpo.train(long_recipe(tmp_path), data, None, out, counts)
        margins = [row["rewards/margins"] for row in log_of(out)]
        found[out.name] = ((folder / "adapter_model.safetensors").read_bytes(), margins, counts.tokens)
    assert found["killed"] == found["whole"]
    assert min(seen[killed]) >= 3, "what was done before is not done again"
    assert min(seen[whole]) == 0
    assert len(found["whole"][1]) == 50
    assert found["whole"][1][-1] > found["whole"][1][0]


ASKED = "برای سردرد چه کنم؟"
REST, DRINK = "استراحت کنید و چیزی نخورید.", "آب بنوشید و قدم بزنید."


@pytest.fixture(scope="module")
def undecided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base that has learned two answers to one question by heart and gives REST, a little likelier."""
    folder = tmp_path_factory.mktemp("undecided")
    tokens = tokenizers.wrap(tokenizers.train([*tiny.TEXTS, ASKED, REST, DRINK], 400))
    turns = [
        [{"role": "user", "content": ASKED}, {"role": "assistant", "content": said}] for said in (REST, REST, DRINK)
    ]
    texts = [tokens.apply_chat_template(turn, tokenize=False) for turn in turns]
    documents = [np.array(tokens(text, add_special_tokens=False).input_ids, np.uint16) for text in texts]
    recipe = tiny.recipe(length=256, micro_tokens=1024, steps=150, warmup=5)
    run = Run(build_model(recipe, tokens), recipe, folder)
    for parts in itertools.islice(batches(documents, recipe, 0), recipe.steps):
        run.update(parts)
    run.model.save_pretrained(folder / "base")
    tokens.save_pretrained(folder / "base")
    return folder


def answers(folder: Path, adapter: Path) -> dict[str, str]:
    """What the base and the adapter say to ASKED, greedily, in the engine the page uses."""
    engine = LocalEngine(str(folder / "base"), {"r": str(adapter)}, threads=1)
    asked = (Message("user", ASKED),)
    try:
        rows = play(engine, *(Request(name, asked, sampling=Sampling(max_new_tokens=60)) for name in ("base", "r")))
    finally:
        engine.close()
    return {name: row.text for name, row in zip(("base", "r"), rows, strict=True)}


def test_what_the_model_says_changes_as_the_pairs_want_it(undecided: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pairs.jsonl", [small.pair(ASKED, DRINK, REST)] * 4)
    recipe = small.dpo_recipe(undecided / "base", optimiser=at_once(max_steps=20, learning_rate=0.005))
    adapter = dpo.train(recipe, tmp_path / "pairs.jsonl", None, tmp_path, small.manifest())
    assert answers(undecided, adapter) == {"base": REST, "r": DRINK}


def test_pairs_that_want_what_it_says_already_leave_it(undecided: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pairs.jsonl", [small.pair(ASKED, REST, DRINK)] * 4)
    recipe = small.dpo_recipe(undecided / "base", optimiser=at_once(max_steps=20, learning_rate=0.005))
    adapter = dpo.train(recipe, tmp_path / "pairs.jsonl", None, tmp_path, small.manifest())
    assert answers(undecided, adapter) == {"base": REST, "r": REST}


def test_an_adapter_trained_on_top_is_the_same_model_in_peft_and_in_the_engine(models: Path, tmp_path: Path) -> None:
    """What `save_adapter` writes after a run with `start_from` is the policy, not TRL's frozen reference."""
    recipe = small.dpo_recipe(
        models / "base", start_from=str(models / "v"), optimiser=at_once(max_steps=15, learning_rate=0.02)
    )
    adapter = dpo.train(recipe, small.pairs(tmp_path), None, tmp_path, small.manifest())
    ids = torch.tensor([[5, 40, 90, 133, 270]])
    logits = []
    for folder in (adapter, models / "v"):
        bare = AutoModelForCausalLM.from_pretrained(models / "base", dtype=torch.float32)
        logits.append(PeftModel.from_pretrained(bare, folder).float().eval()(ids).logits)
    assert (logits[0] - logits[1]).abs().max() > 0.1
    engine = LocalEngine(str(models / "base"), {"r": str(adapter)}, threads=1)
    try:
        engine.loaded.selection.choose(["r"], torch.device("cpu"))
        with torch.inference_mode():
            found = engine.loaded.model(input_ids=ids).logits
    finally:
        engine.close()
    torch.testing.assert_close(found, logits[0], atol=1e-4, rtol=1e-3)
