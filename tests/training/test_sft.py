"""V's two stages: what is learned from, what is counted, `kill -9`, and one adapter that does what both stages do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from gaokerena.engines.base import EngineError, Request, Sampling
from gaokerena.engines.loading import revision
from gaokerena.engines.local import LocalEngine
from gaokerena.messages import Message
from tests.engines.contract import finished, play
from tests.tiny import make_tiny
from tests.training import small
from tests.training.killing import kill_when
from training import fit_run, sft
from training.errors import TrainingError
from training.manifest import file_hash, read_json, read_jsonl, write_json, write_jsonl

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("sft")) / "base"


@pytest.fixture(scope="module")
def stage_one(base: Path) -> Path:
    """V's first stage on the tiny base."""
    out = base.parent / "one"
    out.mkdir()
    strong = small.optimiser(max_steps=20, learning_rate=0.02)
    return sft.train(
        small.sft_recipe(base, "corpus", optimiser=strong), small.corpus(base.parent), out, small.manifest()
    )


@pytest.fixture
def trainers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The trainers `sft.train` makes."""
    made: list[Any] = []

    class Recorded(sft.SFTTrainer):  # type: ignore[misc]
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            made.append(self)

    monkeypatch.setattr(sft, "SFTTrainer", Recorded)
    return made


def supervised(trainer: Any) -> list[str]:
    """What the loss is on, row by row, of one epoch."""
    tokenizer, found = trainer.processing_class, []
    for batch in trainer.get_train_dataloader():
        found += [tokenizer.decode(labels[labels != -100]) for labels in batch["labels"]]
    return found


class TestWhatIsLearned:
    def test_of_instructions_the_answer_and_its_end_and_nothing_else(
        self, base: Path, tmp_path: Path, trainers: list[Any]
    ) -> None:
        recipe = small.sft_recipe(base, "instruction", optimiser=small.optimiser(max_steps=1))
        sft.train(recipe, small.instructions(tmp_path), tmp_path, small.manifest())
        assert sorted(supervised(trainers[0])) == sorted(f"{answer}<|END_OF_TURN_TOKEN|>" for answer in small.ANSWERS)
        shown = [trainers[0].processing_class.decode(row["input_ids"]) for row in trainers[0].train_dataset]
        assert all(text.startswith("<BOS_TOKEN><|START_OF_TURN_TOKEN|><|USER_TOKEN|>") for text in shown)

    def test_of_a_corpus_every_token_and_the_end(self, base: Path, tmp_path: Path, trainers: list[Any]) -> None:
        recipe = small.sft_recipe(base, "corpus", optimiser=small.optimiser(max_steps=1))
        data = small.corpus(tmp_path)
        sft.train(recipe, data, tmp_path, small.manifest())
        texts = [row["text"] for row in read_jsonl(data)]
        assert sorted(supervised(trainers[0])) == sorted(text + "<|END_OF_TURN_TOKEN|>" for text in texts)

    def test_instructions_that_do_not_fit_are_left_out_whole_and_counted(self, base: Path, tmp_path: Path) -> None:
        answers = [*small.ANSWERS[:-2], small.ANSWERS[-2] * 30, small.ANSWERS[-1] * 20]
        kept, counts = small.manifest(), small.manifest()
        _, tokenizer = small.load(base)
        recipe = small.sft_recipe(base, "instruction")
        rows = sft.load_rows(recipe, small.instructions(tmp_path, answers), kept)
        fitting = sft.drop_long(rows, tokenizer, recipe, counts)
        assert counts.dropped == {"longer than max_length": 2}
        assert sorted(row["completion"][0]["content"] for row in fitting) == sorted(answers[:-2])
        longest = max(
            len(tokenizer.apply_chat_template(row["prompt"] + row["completion"], return_dict=False)) for row in fitting
        )
        exact = small.sft_recipe(base, "instruction", max_length=longest)
        assert len(sft.drop_long(fitting, tokenizer, exact, small.manifest())) == 4, "as long as allowed is allowed"
        shorter = small.sft_recipe(base, "instruction", max_length=longest - 1)
        assert len(sft.drop_long(fitting, tokenizer, shorter, small.manifest())) < 4

    def test_a_share_is_drawn_by_the_seed_and_counted(self, base: Path, tmp_path: Path) -> None:
        data, counts = small.corpus(tmp_path), small.manifest()
        rows = len(read_jsonl(data))
        draw = [
            sft.load_rows(small.sft_recipe(base, "corpus", share=0.5, seed=seed), data, counts) for seed in (1, 1, 2)
        ]
        assert draw[0] == draw[1] != draw[2]
        assert (len(draw[0]), counts.counts_in["rows"], counts.dropped["outside the share"]) == (
            rows // 2,
            rows,
            rows // 2,
        )
        assert draw[0] != read_jsonl(data)[: rows // 2], "not the first ones, as the papers took"

    def test_rows_of_the_other_form_are_refused_by_line(self, base: Path, tmp_path: Path) -> None:
        write_jsonl(tmp_path / "mixed.jsonl", [{"text": "سلام"}, {"prompt": []}])
        with pytest.raises(TrainingError, match=r"mixed\.jsonl line 2: corpus needs \['text'\], found \['prompt'\]"):
            sft.load_rows(small.sft_recipe(base, "corpus"), tmp_path / "mixed.jsonl", small.manifest())


@pytest.mark.parametrize("over", [0, 1, 2, 7, 8, 9, 300])
def test_pieces_of_a_long_text_predict_every_token_but_the_first(base: Path, over: int) -> None:
    """A piece's first token has no target, so it must be the last of the piece before; none is a token alone."""

    def tokenizer(text: str) -> dict[str, list[int]]:
        return {"input_ids": list(range(8 + over))}

    tokenizer.eos_token = "."  # type: ignore[attr-defined]
    recipe = small.sft_recipe(base, "corpus", max_length=8)
    pieces = [row["input_ids"] for row in sft.split_long([{"text": "x"}], tokenizer, recipe, small.manifest())]
    assert [token for piece in pieces for token in piece[1:]] == list(range(1, 8 + over))
    assert all(2 <= len(piece) <= 8 for piece in pieces)


class TestTwoStages:
    def test_the_joined_adapter_computes_what_the_second_stage_on_the_merged_first_did(
        self, base: Path, stage_one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = torch.tensor([[5, 40, 90, 133, 270]])
        found: dict[str, torch.Tensor] = {}
        real = sft.join

        def watched(bare: Any, first: Path, second: PeftModel) -> PeftModel:
            found["bare"], found["second"] = bare(ids).logits, second.eval()(ids).logits
            joined = real(bare, first, second)
            found["joined"] = joined.eval()(ids).logits
            return joined

        monkeypatch.setattr(sft, "join", watched)
        recipe = small.sft_recipe(
            base, "instruction", start_from=str(stage_one), lora={"r": 2, "lora_alpha": 2, "lora_dropout": 0.4}
        )
        adapter = sft.train(recipe, small.instructions(tmp_path), tmp_path, small.manifest())
        torch.testing.assert_close(found["joined"], found["second"], atol=2e-5, rtol=1e-4)

        model, _ = small.load(base)
        first = PeftModel.from_pretrained(model, stage_one)(ids).logits
        apart = [(found["second"] - other).abs().max().item() for other in (first, found["bare"])]
        assert min(apart) > 1e-2, "each stage must have changed something for the comparison to prove anything"

        config = read_json(adapter / "adapter_config.json")
        assert (config["r"], config["lora_alpha"]) == (6, 6)
        saved = PeftModel.from_pretrained(small.load(base)[0], adapter).float().eval()(ids).logits
        assert (saved - found["second"]).abs().max().item() < min(apart) / 5, "bfloat16 on disk costs little"

    def test_stages_that_adapt_different_layers_are_refused(self, base: Path, stage_one: Path, tmp_path: Path) -> None:
        lora = small.LORA | {"target_modules": ["q_proj", "v_proj"]}
        recipe = small.sft_recipe(base, "instruction", start_from=str(stage_one), lora=lora)
        with pytest.raises(TrainingError, match="same target_modules"):
            sft.train(recipe, small.instructions(tmp_path), tmp_path, small.manifest())


KILLED = """
import sys
from pathlib import Path
from tests.training import small, test_sft
from training import sft
folder = Path(sys.argv[1])
sft.train(test_sft.long_recipe(folder.parent / "base"), folder.parent / "corpus.jsonl", folder, small.manifest())
"""


def long_recipe(base: Path) -> Any:
    return small.sft_recipe(base, "corpus", optimiser=small.optimiser(max_steps=60, save_steps=3))


def test_a_run_killed_in_its_middle_ends_with_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, data = make_tiny(tmp_path) / "base", small.corpus(tmp_path)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kill_when(KILLED, killed, lambda: fit_run.last_checkpoint(killed) is not None)
    assert not (killed / "adapter").exists()
    half = killed / "checkpoints" / "checkpoint-59"
    half.mkdir()
    (half / "adapter_model.safetensors").write_bytes(b"half a checkpoint, as a kill in the middle of writing leaves it")
    found, seen = {}, {killed: list[int](), whole: list[int]()}
    real = sft.SFTTrainer
    for out in (killed, whole):
        monkeypatch.setattr(sft, "SFTTrainer", small.counting(real, seen[out]))
        out.mkdir(exist_ok=True)
        counts = small.manifest()
        folder = sft.train(long_recipe(base), data, out, counts)
        log = [row["loss"] for row in read_json(out / "log.json")]  # type: ignore[index]
        found[out.name] = ((folder / "adapter_model.safetensors").read_bytes(), log, counts.tokens)
    assert found["killed"] == found["whole"]
    assert min(seen[killed]) >= 3, "what was done before is not done again"
    assert min(seen[whole]) == 0
    assert len(found["whole"][1]) == 60
    assert found["whole"][1][-1] < found["whole"][1][0], "and it has learned something"


def test_the_newest_whole_checkpoint_is_gone_on_from(tmp_path: Path) -> None:
    assert fit_run.last_checkpoint(tmp_path) is None
    for number in (2, 4, 10):
        (tmp_path / "checkpoints" / f"checkpoint-{number}").mkdir(parents=True)
    assert fit_run.last_checkpoint(tmp_path) is None, "none of them is whole"
    for number in (2, 4):
        write_json(tmp_path / "checkpoints" / f"checkpoint-{number}" / "trainer_state.json", {})
    assert fit_run.last_checkpoint(tmp_path) == str(tmp_path / "checkpoints" / "checkpoint-4")
    newest = tmp_path / "checkpoints" / "checkpoint-10" / "trainer_state.json"
    for torn in ("", '{"epoch": 1.0, "log_his'):
        newest.write_text(torn)
        assert fit_run.last_checkpoint(tmp_path) == str(tmp_path / "checkpoints" / "checkpoint-4"), (
            "killed while writing"
        )
    write_json(newest, {})
    assert fit_run.last_checkpoint(tmp_path) == str(tmp_path / "checkpoints" / "checkpoint-10"), (
        "by number, not by name"
    )


class TestWhatIsLeft:
    def test_the_manifest_counts_rows_steps_and_tokens(self, base: Path, tmp_path: Path) -> None:
        data, counts = small.corpus(tmp_path), small.manifest()
        recipe = small.sft_recipe(base, "corpus", optimiser=small.optimiser(max_steps=-1))
        sft.train(recipe, data, tmp_path, counts)
        _, tokenizer = small.load(base)
        texts = [row["text"] for row in read_jsonl(data)]
        assert counts.counts_in["rows"] == counts.counts_out["rows"] == len(texts)
        assert counts.counts_out["steps"] == -(-len(texts) // 4)
        assert counts.tokens == sum(len(tokenizer(text, add_special_tokens=False).input_ids) + 1 for text in texts)

    def test_the_adapter_names_its_base_its_data_and_its_recipe(self, base: Path, stage_one: Path) -> None:
        lineage = read_json(stage_one / "lineage.json")
        assert lineage["base_weights"] == revision(str(base))
        assert lineage["data"] == file_hash(base.parent / "corpus.jsonl")
        assert lineage["starts_from"] is None
        assert lineage["recipe"]["lora"]["r"] == 4
        assert read_json(stage_one / "adapter_config.json")["base_model_name_or_path"] == "base", "no machine's path"
        assert not any(str(base.parent) in path.read_text("utf-8") for path in stage_one.glob("*.json"))
        assert {weight.dtype for weight in load_file(stage_one / "adapter_model.safetensors").values()} == {
            torch.bfloat16
        }

    def test_the_engine_runs_it_and_says_something_else_than_the_base(self, base: Path, stage_one: Path) -> None:
        engine = LocalEngine(str(base), {"v": str(stage_one)}, threads=1)
        asked = (Message("user", small.QUESTIONS[0]),)
        try:
            rows = play(engine, *(Request(name, asked, sampling=Sampling(max_new_tokens=12)) for name in ("v", "base")))
        finally:
            engine.close()
        assert [finished(row).usage.completion_tokens for row in rows] == [12, 12]
        assert rows[0].text != rows[1].text

    def test_the_engine_refuses_it_on_other_weights(self, stage_one: Path, tmp_path: Path) -> None:
        other, tokenizer = small.load(stage_one.parent.parent / "base")
        other.model.norm.weight.data += 0.5
        other.save_pretrained(tmp_path / "other")
        tokenizer.save_pretrained(tmp_path / "other")
        with pytest.raises(EngineError, match="was trained on base weights"):
            LocalEngine(str(tmp_path / "other"), {"v": str(stage_one)}, threads=1)
