"""Model cards hold the numbers of the files they are made from, and refuse files that do not belong together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from typer.testing import CliRunner

from gaokerena.engines.loading import revision
from tests import tiny
from tests.training import small
from tests.training.test_report import figure, figures
from training import sft
from training.cards import STAGES, write_cards
from training.cli import app
from training.errors import TrainingError
from training.manifest import NAME, Manifest, read_json, write_json
from training.mini import RECIPES
from training.recipe import load

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

CUES = {"before": {"upper_case_latin": 0.9977}, "after": {"upper_case_latin": 0.5512}}
COUNTS: dict[str, dict[str, Any]] = {
    "documents": {"counts_in": {"reference_8_grams": 45601}, "counts_out": {"train": 50149, "held_out": 931}},
    "tokenizer": {"counts_out": {"vocabulary": 12007}, "tokens": 12518137},
    "base": {"counts_in": {"documents": 50149}, "tokens": 6190007},
    "v_data": {"counts_in": {"documents": 20011}},
    "v_corpus": {"counts_in": {"rows": 20012}, "counts_out": {"rows": 12007, "steps": 121}, "tokens": 700111},
    "v_instruct": {"counts_in": {"rows": 20013}, "counts_out": {"rows": 19001, "steps": 122}, "tokens": 800222},
    "pairs": {"counts_out": {"train": 3011, "held_out": 61}},
    "r_dpo": {"counts_out": {"train": 2999, "held_out": 59, "steps": 151}, "tokens": 900333},
}
DROPS = {
    "documents": {"explained: shares_8_gram_with_mmlu_fa": 289, "consultation: short": 86},
    "v_corpus": {"outside the share": 8005},
    "v_instruct": {"longer than max_length": 1012},
    "pairs": {"chosen: does not reach the key": 2213, "balancing lengths": 0},
}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A toy run in `run`, tiny models in `models` with real lineages, figures of them in `mini.json`."""
    models, run = tiny.make_tiny(tmp_path / "models"), tmp_path / "run"
    write_json(models / "base" / "parameters.json", {"parameters": 99520})
    for stage in STAGES:
        (run / stage).mkdir(parents=True)
    for stage in STAGES:
        recipe = load(RECIPES / "base.yaml").model_dump(mode="json") if stage == "base" else {}
        manifest = Manifest(stage, 7, f"mark-of-{stage}", recipe=recipe, **COUNTS[stage])
        manifest.dropped.update(DROPS.get(stage, {}))
        extra = {
            "documents": {"characters": 47449343},
            "tokenizer": {"characters_per_token": 3.791},
            "pairs": {"cues": CUES},
            "v_corpus": {"rows_seen": 3872},
            "v_instruct": {"rows_seen": 3904},
            "r_dpo": {"rows_seen": 2416},
        }
        manifest.extra |= extra.get(stage, {})
        manifest.write(run / stage)
    recipes = {
        "v_corpus": small.sft_recipe(models / "base", "corpus", share=0.6),
        "v": small.sft_recipe(models / "base", "instruction", lora={"r": 2, "lora_alpha": 2, "lora_dropout": 0.4}),
        "r": small.dpo_recipe(models / "base", beta=0.17),
    }
    (run / "v_corpus" / "adapter").mkdir()
    for name, recipe in recipes.items():
        folder = run / "v_corpus" / "adapter" if name == "v_corpus" else models / name
        lineage = {"base_weights": revision(str(models / "base")), "starts_from": None, "data": f"data-of-{name}"}
        if name == "v":
            lineage["starts_from"] = "adapter-of-stage-one"
        values = recipe.model_dump(mode="json", exclude={"base", "start_from", "data"})
        write_json(folder / "lineage.json", lineage | {"recipe": values})
    write_figures(tmp_path)
    return tmp_path


def write_figures(folder: Path) -> None:
    """Figures of the weights that lie in `models` now."""
    hashes = {name: revision(str(folder / "models" / name)) for name in ("base", "v", "r")}
    revisions = {name: hashes[name] if name == "base" else f"{hashes[name]}+{hashes['base']}" for name in hashes}
    given = figures(revisions=revisions)
    given["suites"]["v"]["mmlu_fa"] = figure(44.4, 33.3, 55.5, 90)
    given["bits_per_character"]["consultation"]["r"] = figure(1.2345, 1.2, 1.3, 61)
    write_json(folder / "mini.json", given)


def cards(made: Path) -> dict[str, str]:
    arguments = ["--figures", made / "mini.json", "--models", made / "models", "--run", made / "run"]
    result = CliRunner().invoke(app, ["cards", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return {name: (made / "models" / name / "README.md").read_text("utf-8") for name in ("base", "v", "r")}


def row(one: str, other: str) -> str:
    return f"| {one} | {other} |"


def test_the_front_matter_is_what_a_hub_reads(made: Path) -> None:
    found = {name: ModelCard(text).data for name, text in cards(made).items()}
    for name, data in found.items():
        assert (data.license, data.language) == ("cc-by-nc-sa-4.0", ["fa"])
        assert {"persian", "medical"} <= set(data.tags or [])
        assert data.pipeline_tag == "text-generation"
        assert data.library_name == ("transformers" if name == "base" else "peft")
        assert data.base_model == (None if name == "base" else "../base")
    assert "dpo" in (found["r"].tags or [])
    assert "dpo" not in (found["v"].tags or [])


def test_every_card_says_it_knows_no_medicine_why_its_licence_and_how_it_is_made(made: Path) -> None:
    for text in cards(made).values():
        assert "It knows no medicine" in text
        assert "Never act on what it says" in text
        assert "پزشکی نمی‌داند" in text
        assert "because it learned from data published under that licence" in text
        assert "python -m training mini --ship models/mini" in text


def test_r_tells_what_the_audit_of_its_pairs_said(made: Path) -> None:
    assert "Shortcut audit: none was made of these pairs" in cards(made)["r"]
    told = {"passed": False, "found": "train.jsonl failed", "limit": 0.6, "overridden": "it shows the stages at work"}
    path = made / "run" / "r_dpo" / NAME
    write_json(path, read_json(path) | {"audit": told})
    said = "**not passed** (train.jsonl failed). Trained all the same, for this reason: it shows the stages at work"
    assert said in cards(made)["r"]
    write_json(path, read_json(path) | {"audit": told | {"passed": True, "overridden": None}})
    assert "Shortcut audit: passed; no surface cue" in cards(made)["r"]


def test_the_base_counts_its_documents_and_what_was_left_out(made: Path) -> None:
    text = cards(made)["base"]
    for line in (
        row("documents trained on", "50,149"),
        row("documents held out, by question", "931"),
        row("characters in them", "47,449,343"),
        row("vocabulary", "12,007"),
        row("tokens in the documents", "12,518,137"),
        row("characters a token", "3.791"),
        row("parameters", "99,520"),
        row("base: tokens seen", "6,190,007"),
        row("explained: shares 8 gram with mmlu fa", "289"),
        "Documents left out: 375.",
        row("fingerprint of documents", "`mark-of-documents`"),
    ):
        assert line in text, line
    recipe = load(RECIPES / "base.yaml")
    assert row("base: steps", f"{recipe.steps:,}") in text
    assert row("base: matrix_lr", str(recipe.matrix_lr)) in text


def test_v_tells_both_its_stages_apart(made: Path) -> None:
    text = cards(made)["v"]
    for line in (
        row("stage 1: rows", "20,012"),
        row("stage 1: outside the share, left out", "8,005"),
        row("stage 2: longer than max_length, left out", "1,012"),
        row("stage 1: lora.r", "4"),
        row("stage 2: lora.r", "2"),
        row("stage 2: lora.lora_dropout", "0.4"),
        row("stage 1: rows kept", "12,007"),
        row("stage 1: rows seen in training", "3,872"),
        row("stage 1: steps", "121"),
        row("stage 2: steps", "122"),
        row("stage 2: tokens seen", "800,222"),
        row("adapter of stage 1", "`adapter-of-stage-one`"),
        row("data of stage 1", "`data-of-v_corpus`"),
    ):
        assert line in text, line


def test_r_tells_its_pairs_their_cues_and_its_rewards(made: Path) -> None:
    text = cards(made)["r"]
    for line in (
        row("pairs fit to train on", "3,011"),
        row("of these, fit the length", "2,999"),
        row("pairs seen in training", "2,416"),
        row("chosen: does not reach the key", "2,213"),
        row("upper case latin", "0.998 → 0.551"),
        row("DPO: beta", "0.17"),
        row("DPO: steps", "151"),
        row("data", "`data-of-r`"),
        "71.1 [60.2, 80.1] % of 76 held-out pairs",
    ):
        assert line in text, line
    assert "balancing lengths" not in text, "nothing was left out for it"


def test_each_card_has_its_own_figures_beside_the_bases(made: Path) -> None:
    found = cards(made)
    assert "| | base | V | n |" in found["v"]
    assert "| | base | R | n |" in found["r"]
    assert "| | base | n |" in found["base"]
    assert "44.4 [33.3, 55.5]" in found["v"]
    assert "V on MMLU-fa, 44.4 [33.3, 55.5], above it" in found["v"]
    assert "44.4" not in found["r"] + found["base"]
    assert "all 4 intervals contain it" in found["r"]
    assert "1.234 [1.200, 1.300]" in found["r"]
    assert "% of 76 held-out pairs" not in found["v"]


def test_the_hashes_are_those_of_the_weights(made: Path) -> None:
    found = cards(made)
    base = revision(str(made / "models" / "base"))
    for name, text in found.items():
        assert row("weights", f"`{revision(str(made / 'models' / name))}`") in text
        assert row("base weights", f"`{base}`") in text


def test_a_manifests_time_machine_and_versions_are_shown(made: Path) -> None:
    manifest = read_json(made / "run" / "r_dpo" / NAME)
    text = cards(made)["r"]
    assert row("DPO: seconds, over 1 start(s)", str(manifest["seconds"])) in text
    assert row("DPO: commit of the code", manifest["commit"] or "not run from a repository") in text
    assert row("DPO: machine", manifest["machine"]) in text
    assert f"trl {manifest['versions']['trl']}" in text


class TestRefused:
    def refusal(self, made: Path) -> str:
        with pytest.raises(TrainingError) as caught:
            write_cards(made / "mini.json", made / "models", made / "run")
        assert not list(made.glob("models/*/README.md")), "no card at all rather than some of them"
        return str(caught.value)

    def change(self, path: Path, **changes: Any) -> None:
        write_json(path, json.loads(path.read_text("utf-8")) | changes)

    def test_an_adapter_of_another_base(self, made: Path) -> None:
        self.change(made / "models" / "r" / "lineage.json", base_weights="0123456789abcdef")
        assert "r was trained on base weights 0123456789abcdef" in self.refusal(made)

    def test_figures_of_other_weights(self, made: Path) -> None:
        self.change(made / "mini.json", revisions={"base": "old"})
        assert "the figures are of {'base': 'old'}" in self.refusal(made)

    def test_a_stage_that_was_not_run(self, made: Path) -> None:
        (made / "run" / "pairs" / NAME).unlink()
        assert "pairs/manifest.json is missing" in self.refusal(made)

    def test_weights_that_are_not_there(self, made: Path) -> None:
        (made / "models" / "v" / "adapter_model.safetensors").unlink()
        assert "no weights in" in self.refusal(made)

    def test_no_figures(self, made: Path) -> None:
        (made / "mini.json").unlink()
        assert "training measure --out" in self.refusal(made)


def test_a_run_with_real_stages_of_v_has_what_the_card_reads(made: Path) -> None:
    """The toy manifests above could drift from what the stages write: here the stages write them."""
    base = made / "models" / "base"
    for stage, form in (("v_corpus", "corpus"), ("v_instruct", "instruction")):
        out = made / "run" / stage
        data = small.corpus(made) if form == "corpus" else small.instructions(made)
        manifest = small.manifest()
        recipe = small.sft_recipe(base, form, optimiser=small.optimiser(max_steps=1))
        sft.train(recipe, data, out, manifest)
        manifest.write(out)
    (made / "run" / "v_instruct" / "adapter" / "lineage.json").replace(made / "models" / "v" / "lineage.json")
    text = cards(made)["v"]
    assert row("stage 1: rows kept", "16") in text
    assert row("stage 1: rows seen in training", "4") in text
    assert row("stage 2: rows kept", "6") in text
    assert row("stage 2: steps", "1") in text
