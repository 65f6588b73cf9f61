"""One recipe run: the audit gate, held-out rows, the log's other homes, what the command line may change."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import tiny
from tests.training import small
from training import sft
from training.errors import TrainingError
from training.manifest import read_json, read_jsonl, write_json, write_jsonl
from training.recipe import FOLDER, load
from training.run import MINI, Options, run, with_changes

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_tiny(tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize("kind", ["dpo", "reward"])
def test_pairs_without_an_audit_are_not_trained_on(models: Path, tmp_path: Path, kind: str) -> None:
    make = small.dpo_recipe if kind == "dpo" else small.reward_recipe
    recipe = make(models / "base", data=str(small.pairs(tmp_path)), optimiser=small.optimiser(max_steps=1))
    with pytest.raises(TrainingError, match="has no shortcut audit"):
        run(recipe, tmp_path / "out", Options(uncompared="told"))
    with pytest.raises(TrainingError, match=r"never compared .* audit FOLDER/pairs\.jsonl") as refused:
        run(recipe, tmp_path / "out", Options())
    assert "has no shortcut audit" not in str(refused.value), "an audit now would be of a file that is not trained on"
    assert not (tmp_path / "out").exists(), "refused before anything is made"
    assert run(recipe, tmp_path / "out", Options("a test"))
    assert read_json(tmp_path / "out" / "manifest.json")["audit"]["overridden"] == "a test"
    assert not run(recipe, tmp_path / "out", Options("a test")), "finished earlier"


class TestRefusedBeforeAnythingIsMade:
    @pytest.fixture
    def given(self, models: Path, tmp_path: Path) -> dict[str, Any]:
        return {"data": str(small.pairs(tmp_path)), "optimiser": small.optimiser(max_steps=1)}

    def refused(self, base: Path, tmp_path: Path, said: str, **given: Any) -> None:
        with pytest.raises(TrainingError, match=said):
            run(small.dpo_recipe(base, **given), tmp_path / "out", Options("a test"))
        assert not (tmp_path / "out").is_dir()

    def test_an_adapter_of_another_base(self, models: Path, tmp_path: Path, given: dict[str, Any]) -> None:
        adapter = tmp_path / "r"
        shutil.copytree(models / "r", adapter)
        write_json(adapter / "lineage.json", {"base_weights": "of another"})
        self.refused(
            models / "base", tmp_path, "is an adapter of the base of another", start_from=str(adapter), **given
        )
        self.refused(models / "base", tmp_path, "is no adapter: no adapter", start_from=str(models / "base"), **given)
        self.refused(models / "r", tmp_path, "is no base model: no config.json there", **given)

    def test_held_out_rows_that_are_trained_on(self, models: Path, tmp_path: Path, given: dict[str, Any]) -> None:
        rows = read_jsonl(Path(given["data"]))
        other = small.pair("پرسشی دیگر", "الف", "ب")
        write_jsonl(tmp_path / "away.jsonl", [other, *(row | {"id": "another", "weight": 0.5} for row in rows[:2])])
        away = str(tmp_path / "away.jsonl")
        self.refused(
            models / "base", tmp_path, r"2 of 3 rows of .*away\.jsonl are trained on too", held_out=away, **given
        )

    def test_a_file_where_the_folder_should_be(self, models: Path, tmp_path: Path, given: dict[str, Any]) -> None:
        (tmp_path / "out").write_text("a file")
        self.refused(models / "base", tmp_path, "out is a file; a run needs a folder", **given)

    @pytest.mark.parametrize(
        ("text", "said"), [("", "holds no pairs"), ('{"prompt": [\n', r"line 1 is not JSON .*may be cut off")]
    )
    def test_a_file_that_is_empty_or_torn(self, models: Path, tmp_path: Path, text: str, said: str) -> None:
        (tmp_path / "pairs.jsonl").write_text(text, "utf-8")
        recipe = small.dpo_recipe(models / "base", data=str(tmp_path / "pairs.jsonl"))
        with pytest.raises(TrainingError, match=said):
            run(recipe, tmp_path / "out", Options("a test"))

    def test_a_base_that_is_nowhere_is_told_with_the_option(self, tmp_path: Path, given: dict[str, Any]) -> None:
        self.refused(tmp_path / "nowhere", tmp_path, "give a folder or owner/name with --base", **given)


class TestHeldOutRowsOfTexts:
    def test_they_are_evaluated_and_never_trained_on(self, models: Path, tmp_path: Path) -> None:
        recipe = small.sft_recipe(
            models / "base", "instruction", eval_steps=2, data=str(small.instructions(tmp_path)),
            held_out=str(tmp_path / "away.jsonl"), optimiser=small.optimiser(max_steps=4),
        )  # fmt: skip
        rows = read_jsonl(tmp_path / "instruct.jsonl")
        write_jsonl(
            tmp_path / "away.jsonl",
            [row | {"completion": rows[place - 1]["completion"]} for place, row in enumerate(rows)],
        )
        run(recipe, tmp_path / "out", Options())
        told: list[dict[str, float]] = read_json(tmp_path / "out" / "log.json")  # type: ignore[assignment]
        assert [row["step"] for row in told if "eval_loss" in row] == [2, 4]
        manifest = read_json(tmp_path / "out" / "manifest.json")
        assert manifest["counts_out"] == {"steps": 4, "rows": 6, "held_out": 6}
        assert set(manifest["hashes"]) == {"data", "held_out"}

    def test_a_text_longer_than_a_row_goes_on_in_the_next_and_loses_nothing(self, models: Path, tmp_path: Path) -> None:
        _, tokenizer = small.load(models / "base")
        rows = [{"text": row["text"]} for row in read_jsonl(small.corpus(tmp_path))]
        counts = small.manifest()
        recipe = small.sft_recipe(models / "base", "corpus", max_length=32)
        pieces = sft.fitted(rows, tokenizer, recipe, counts)
        assert max(len(piece["input_ids"]) for piece in pieces) == 32
        assert counts.extra["pieces_of_long_texts"] == len(pieces) - len(rows) > 0
        predicted = [number for piece in pieces for number in piece["input_ids"][1:]]
        whole = [number for row in rows for number in tokenizer(row["text"] + tokenizer.eos_token)["input_ids"][1:]]
        assert predicted == whole, "a piece's first token has no target, so the one before ends with it"


class TestWhereTheLogGoes:
    """In a process of its own: trackio takes its folder when it is imported."""

    @pytest.mark.parametrize("home", ["tensorboard", "trackio"])
    def test_it_lands_in_the_runs_folder_without_a_network(self, models: Path, tmp_path: Path, home: str) -> None:
        recipe = small.dpo_recipe(
            models / "base", data=str(small.pairs(tmp_path)), report_to=home, optimiser=small.optimiser(max_steps=2)
        )
        path = tmp_path / "recipe.yaml"
        path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")), "utf-8")
        out = tmp_path / "out"
        done = subprocess.run(
            [sys.executable, "-c", OFFLINE, "run", str(path), "--out", str(out), "--override-audit", "a test"],
            cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        assert "CONNECTS" not in done.stderr
        if home == "tensorboard":
            assert [file.stat().st_size > 100 for file in (out / "tensorboard").rglob("events.out.*")] == [True]
        else:
            (database,) = [file for file in (out / "trackio").rglob("*.db") if "gaokerena" in file.name]
            with sqlite3.connect(database) as opened:
                tables = [name for (name,) in opened.execute("select name from sqlite_master where type = 'table'")]
                assert "metrics" in tables
                (count,) = opened.execute("select count(*) from metrics").fetchone()
            assert count >= 2


OFFLINE = """
import socket, sys
real = socket.socket.connect
def local(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "localhost", "::1"):
        print("CONNECTS", address, file=sys.stderr)
        raise OSError("no network")
    return real(self, address)
socket.socket.connect = local
from training.cli import main
main()
"""


class TestWhatTheCommandLineChanges:
    def test_it_wins_over_the_recipe_and_stages_of_the_mini_pair_are_found(self) -> None:
        recipe = with_changes(load(FOLDER / "mini" / "r_dpo.yaml"), base="elsewhere", held_out=None)
        assert (recipe.base, recipe.data, recipe.held_out) == ("elsewhere", f"{MINI}/pairs/train.jsonl", None)

    @pytest.mark.parametrize(
        ("stage", "name"), [("reward", "start_from"), ("reward", "doctors"), ("v_corpus", "doctors")]
    )
    def test_what_a_kind_has_not_is_refused(self, stage: str, name: str) -> None:
        recipe = load(FOLDER / "mini" / f"{stage}.yaml")
        with pytest.raises(TrainingError, match=f"a recipe of kind {recipe.kind} has no {name}"):
            with_changes(recipe, **{name: "x"})


def test_two_processes_train_one_adapter(tmp_path: Path) -> None:
    """torchrun, which accelerate's launcher calls on GPUs, with gloo: the main process writes, a batch is shared."""
    tiny.make_tiny(tmp_path)
    data, found = small.pairs(tmp_path), {}
    for name, processes, batch in (("one", 1, 2), ("two", 2, 1)):
        recipe = small.dpo_recipe(
            tmp_path / "base", data=str(data), precompute_ref_log_probs=True,
            optimiser=small.optimiser(
                max_steps=3, save_steps=3, per_device_train_batch_size=batch, gradient_accumulation_steps=1
            ),
        )  # fmt: skip
        path, out = tmp_path / f"{name}.yaml", tmp_path / name
        path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")), "utf-8")
        command = ["-m", "training", "run", str(path), "--out", str(out), "--override-audit", "a test"]
        launched = [
            "-m", "torch.distributed.run", "--nproc_per_node", str(processes), "--master_port", str(free_port()),
        ]  # fmt: skip
        given = [sys.executable, *(launched if processes > 1 else []), *command]
        done = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        found[name] = read_json(out / "log.json")
        ledger = read_json(out / "ledger.json")
        assert (ledger["finished"], ledger["hardware"]["processes"]) == (True, processes)
    one, two = ([row["loss"] for row in found[name]] for name in ("one", "two"))  # type: ignore[index]
    assert two == pytest.approx(one, rel=2e-3), "the same pairs in the same steps"
    assert two[-1] < two[0]


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def test_options_are_no_part_of_what_is_trained(models: Path, tmp_path: Path) -> None:
    """A price told later does not run a finished run again."""
    from training.ledger import Rates

    recipe: Any = small.sft_recipe(
        models / "base", "corpus", data=str(small.corpus(tmp_path)), optimiser=small.optimiser(max_steps=1)
    )
    assert run(recipe, tmp_path / "out", Options())
    assert not run(recipe, tmp_path / "out", Options(rates=Rates(9.0)))
