"""The door `python -m training`: recipes run to the end and once, errors are one line, figures become pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors import SafetensorError
from typer.testing import CliRunner

from tests import tiny
from tests.training import small
from tests.training.test_report import figures
from training import cli, dpo
from training.cli import app
from training.errors import TrainingError
from training.ledger import NAME as LEDGER
from training.manifest import read_json, read_jsonl, write_jsonl
from training.recipe import FOLDER

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


@pytest.fixture
def called(tmp_path: Path) -> Any:
    """Call the door with arguments in a folder where `models` holds the tiny pair and `data` what it trains on."""
    tiny.make_tiny(tmp_path / "models")

    def call(*arguments: object) -> str:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return call


GATE = ("--override-audit", "four pairs of a test")


def written(folder: Path, recipe: Any, **changes: Any) -> Path:
    path = folder / f"{recipe.kind}.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json") | changes), "utf-8")
    return path


class TestRun:
    def test_a_recipe_runs_to_its_adapter_and_manifest_and_then_not_again(
        self, called: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        recipe = written(tmp_path, small.dpo_recipe(tmp_path / "elsewhere", optimiser=small.optimiser(max_steps=1)))
        arguments = (
            "run",
            recipe,
            "--out",
            tmp_path / "out",
            "--data",
            small.pairs(tmp_path),
            "--base",
            tmp_path / "models" / "base",
            *GATE,
        )
        caplog.set_level("INFO", "training")
        called(*arguments)
        assert f"finished; the adapter is in {tmp_path / 'out' / 'adapter'}" in caplog.text
        assert (tmp_path / "out" / "adapter" / "adapter_model.safetensors").exists()
        assert (tmp_path / "out" / "curves.svg").read_text("utf-8").startswith("<svg")
        assert read_json(tmp_path / "out" / LEDGER)["finished"]
        manifest = read_json(tmp_path / "out" / "manifest.json")
        assert manifest["audit"]["overridden"] == GATE[1], "why these pairs were trained on stays with the run"
        assert (manifest["stage"], manifest["counts_out"]["steps"]) == ("dpo", 1)
        assert manifest["tokens"] > 0

        monkeypatch.setattr(dpo, "train", None)  # would fail if it were called
        called(*arguments)
        with pytest.raises(TypeError):
            called(*arguments, "--start-from", tmp_path / "models" / "v", "--out", tmp_path / "other")

    def test_another_adapter_to_start_from_is_another_run(self, called: Any, tmp_path: Path) -> None:
        recipe = written(
            tmp_path, small.dpo_recipe(tmp_path / "models" / "base", optimiser=small.optimiser(max_steps=1))
        )
        called(
            "run",
            recipe,
            "--out",
            tmp_path / "out",
            "--data",
            small.pairs(tmp_path),
            "--start-from",
            tmp_path / "models" / "v",
            *GATE,
        )
        assert read_json(tmp_path / "out" / "adapter" / "lineage.json")["starts_from"]

    def test_changed_data_are_not_gone_on_with_from_old_checkpoints(self, called: Any, tmp_path: Path) -> None:
        recipe = written(tmp_path, small.sft_recipe(tmp_path / "models" / "base", "corpus"))
        data = small.corpus(tmp_path)
        called("run", recipe, "--out", tmp_path / "out", "--data", data)
        data.write_text(data.read_text("utf-8") + '{"text": "سطری تازه"}\n', "utf-8")
        with pytest.raises(TrainingError, match="another recipe or other inputs"):
            called("run", recipe, "--out", tmp_path / "out", "--data", data)

    @pytest.mark.parametrize("changed", ["base", "start_from", "held_out", "code", "nothing"])
    def test_a_run_is_another_when_anything_it_reads_has_changed_under_the_same_name(
        self, called: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
    ) -> None:
        models = tmp_path / "models"
        recipe = written(tmp_path, small.dpo_recipe(models / "base", start_from=str(models / "v")))
        away = tmp_path / "away.jsonl"
        rows = read_jsonl(small.pairs(tmp_path))
        write_jsonl(away, [row | {"chosen": row["rejected"], "rejected": row["chosen"]} for row in rows])
        trained: list[str] = []

        def train(recipe: Any, data: Path, held_out: Path, out: Path, manifest: Any) -> None:
            trained.append(manifest.fingerprint)
            (out / "log.json").write_text("[]")

        monkeypatch.setattr(dpo, "train", train)
        data = ("--data", small.pairs(tmp_path), "--held-out", away)
        arguments = ("run", recipe, "--out", tmp_path / "out", *data, *GATE)
        called(*arguments)
        if changed in {"base", "start_from"}:
            folder = models / ("base" if changed == "base" else "v")
            (weights,) = folder.glob("*.safetensors")
            weights.write_bytes(weights.read_bytes()[:-1] + b"!")
        elif changed == "held_out":
            away.write_bytes(away.read_bytes().splitlines(True)[0])
        elif changed == "code":
            monkeypatch.setattr("training.run.code_hash", lambda *modules: "other code")
        called(*arguments)
        assert len(set(trained)) == len(trained) == (1 if changed == "nothing" else 2)

    def test_a_base_that_is_nowhere_is_one_line(
        self, called: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recipe = written(tmp_path, small.sft_recipe(tmp_path / "nowhere", "corpus"))
        with pytest.raises(TrainingError, match=r"no model at .*nowhere: no such folder, and no such repository"):
            called("run", recipe, "--out", tmp_path / "out", "--data", small.corpus(tmp_path))

    def test_held_out_pairs_that_are_not_there_are_named(self, called: Any, tmp_path: Path) -> None:
        recipe = written(tmp_path, small.dpo_recipe(tmp_path / "models" / "base"))
        data, away = small.pairs(tmp_path), tmp_path / "none.jsonl"
        with pytest.raises(TrainingError, match=r"no held-out rows at .*none\.jsonl"):
            called("run", recipe, "--out", tmp_path / "out", "--data", data, "--held-out", away)

    def test_a_kind_this_command_does_not_run_is_refused(self, called: Any, tmp_path: Path) -> None:
        with pytest.raises(TrainingError, match=r"kind base; this command runs sft, dpo and reward, `mini` runs"):
            called("run", FOLDER / "mini" / "base.yaml", "--out", tmp_path / "out")

    def test_data_that_are_not_there_are_named(self, called: Any, tmp_path: Path) -> None:
        recipe = written(tmp_path, small.sft_recipe(tmp_path / "models" / "base", "corpus"))
        with pytest.raises(TrainingError, match=r"no data at .*none\.jsonl; give the file with --data"):
            called("run", recipe, "--out", tmp_path / "out", "--data", tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (OSError(28, "No space left on device"), True),
        (SafetensorError("I/O error: No space left on device (os error 28)"), True),
        (OSError(13, "Permission denied"), False),
    ],
)
def test_a_full_disk_is_one_line_too_and_no_other_fault_is_hidden(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raised: Exception, told: bool
) -> None:
    def fails() -> None:
        try:
            raise raised
        finally:
            raise RuntimeError("while tidying up")

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit if told else RuntimeError):
        cli.main()
    said = capsys.readouterr().err
    assert said.count("\n") == told
    assert not told or "the disk is full" in said


def test_an_expected_error_is_one_line_and_status_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.argv", ["training", "run", str(tmp_path / "none.yaml"), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "none.yaml" in said.err


class TestMini:
    def test_an_unknown_stage_is_refused_with_those_there_are(self, called: Any, tmp_path: Path) -> None:
        with pytest.raises(TrainingError, match="no stage 'bases'; there are documents, tokenizer, base"):
            called("mini", "--out", tmp_path, "--only", "bases")

    def test_a_stage_needs_the_stages_before_it(self, called: Any, tmp_path: Path) -> None:
        with pytest.raises(TrainingError, match="tokenizer reads documents, which has not been run"):
            called("mini", "--out", tmp_path, "--only", "tokenizer")

    @pytest.mark.parametrize("folder", ["", "nowhere"])
    def test_without_the_data_folder_it_says_what_to_set(
        self, called: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
    ) -> None:
        monkeypatch.setenv("GAOKERENA_DATA", folder and str(tmp_path / folder))
        with pytest.raises(TrainingError, match=r"GAOKERENA_DATA is .* Set it to the folder"):
            called("mini", "--out", tmp_path, "--only", "documents")

    def test_an_unfinished_run_is_not_shipped(
        self, called: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("training.mini.make", lambda out, only, rates: None)
        with pytest.raises(TrainingError, match="base/model is missing"):
            called("mini", "--out", tmp_path, "--ship", tmp_path / "shipped")

    def test_a_finished_run_is_shipped_without_its_checkpoints(
        self, called: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("training.mini.make", lambda out, only, rates: None)
        run = tmp_path / "run"
        for source in ("base/model", "v_instruct/adapter", "r_dpo/adapter"):
            (run / source).mkdir(parents=True)
            (run / source / "weights").write_text(source)
            (run / source / "README.md").write_text("from a library")
            (run / source).parent.joinpath("checkpoint.pt").write_text("large")
        (tmp_path / "shipped" / "v").mkdir(parents=True)
        (tmp_path / "shipped" / "v" / "README.md").write_text("the card")
        called("mini", "--out", run, "--ship", tmp_path / "shipped")
        files = {
            str(path.relative_to(tmp_path / "shipped")) for path in (tmp_path / "shipped").rglob("*") if path.is_file()
        }
        assert files == {"base/weights", "v/weights", "v/README.md", "r/weights"}
        assert (tmp_path / "shipped" / "v" / "README.md").read_text() == "the card"
        assert (tmp_path / "shipped" / "r" / "weights").read_text() == "r_dpo/adapter"


class TestFigures:
    def test_report_prints_a_page(self, called: Any, tmp_path: Path) -> None:
        (tmp_path / "mini.json").write_text(json.dumps(figures()))
        said = called("report", tmp_path / "mini.json")
        assert said.startswith("# The mini pair, measured\n")
        assert said.endswith("\n")
        assert not said.endswith("\n\n")

    def test_measure_prints_the_page_or_json_and_writes_it(
        self, called: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[tuple[object, ...]] = []
        monkeypatch.setattr("training.measure.measure", lambda *given: asked.append(given) or figures())
        page = called("measure", "--models", "m", "--run", "r", "--count", 7, "--out", tmp_path / "mini.json")
        assert asked == [(Path("m"), Path("r"), 7)]
        assert page == called("report", tmp_path / "mini.json")
        assert json.loads(called("measure", "--json")) == figures() == read_json(tmp_path / "mini.json")


@pytest.mark.parametrize("command", ["mini", "run", "score", "curves", "ledger", "measure", "report", "cards", "gguf"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert f"python -m training {command}" in result.stdout
