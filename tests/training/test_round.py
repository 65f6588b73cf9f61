"""A round on the tiny pair: what is published and what its card names, what is refused, and `kill -9`."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from typer.testing import CliRunner

from gaokerena.engines.loading import revision
from gaokerena.prompts import VERSION
from tests.training import round_cases
from tests.training.killing import kill_when
from tests.training.round_cases import as_mini, case, recipe
from training import round as rounds
from training import round_publish
from training.cli import app
from training.errors import TrainingError
from training.manifest import read_json, read_jsonl, write_jsonl
from training.recipe import FOLDER, load
from training.round import Outcome, refusals, run
from training.round_plan import Round

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Round, Outcome]:
    """One round, run to its end."""
    folder = tmp_path_factory.mktemp("round")
    with pytest.MonkeyPatch.context() as patch:
        as_mini(folder, patch)
        asked = case(folder)
        return asked, run(asked)


class TestPublished:
    def test_the_folder_is_whole_and_goes_on_from_the_adapter_named(self, published: tuple[Round, Outcome]) -> None:
        asked, outcome = published
        assert outcome.place == asked.out
        names = sorted(path.name for path in asked.out.iterdir())
        assert names == [
            "README.md", "adapter_config.json", "adapter_model.safetensors", "evaluation.json", "labels.jsonl",
            "lineage.json",
        ]  # fmt: skip
        folder = asked.out.parents[1]
        lineage = read_json(asked.out / "lineage.json")
        assert lineage["base_weights"] == revision(str(folder / "base"))
        assert lineage["starts_from"] == revision(str(folder / "r"))
        assert (lineage["round"]["continues"], lineage["round"]["prompting"]) == ("r", "cot")
        assert revision(str(asked.out)) == revision(str(asked.work / "dpo" / "adapter"))
        assert not list(asked.out.parent.glob(".*"))

    def test_every_pair_leads_to_its_verdicts_and_no_text_or_doctor_leaves(
        self, published: tuple[Round, Outcome]
    ) -> None:
        asked, _ = published
        labels = read_jsonl(asked.out / "labels.jsonl")
        given = {row["id"]: row for row in round_cases.verdicts()}
        built = {
            split: {row["id"] for row in read_jsonl(asked.work / "build" / f"{name}.jsonl")}
            for split, name in (("train", "pairs"), ("held_out", "held_out"))
        }
        assert len(built["train"]) > 20
        assert len(built["held_out"]) >= 10
        assert {split: {row["pair_id"] for row in labels if row["split"] == split} for split in built} == built
        for row in labels:
            assert row["verdict_ids"] == given[row["pair_id"]]["provenance"]["verdict_ids"]
            assert (row["question_id"], row["judges"]) == (given[row["pair_id"]]["question_id"], 2)
        everything = "".join(path.read_text("utf-8") for path in asked.out.iterdir() if path.suffix != ".safetensors")
        texts = [row[part][0]["content"] for row in given.values() for part in ("prompt", "chosen", "rejected")]
        assert not [text for text in texts if text in everything]
        assert '"d1"' not in everything

    def test_the_hashes_are_those_of_the_files(self, published: tuple[Round, Outcome]) -> None:
        asked, _ = published
        told = read_json(asked.out / "lineage.json")["round"]
        for name, path in {
            "verdicts_file": asked.verdicts,
            "pairs": asked.work / "build" / "pairs.jsonl",
            "labels": asked.out / "labels.jsonl",
            "evaluation": asked.out / "evaluation.json",
        }.items():
            assert told[name] == hashlib.sha256(path.read_bytes()).hexdigest()
            if name != "evaluation":
                assert told[name] in (asked.out / "README.md").read_text("utf-8")

    def test_the_card_names_labels_licence_audit_figures_and_weaknesses(self, published: tuple[Round, Outcome]) -> None:
        asked, outcome = published
        text = (asked.out / "README.md").read_text("utf-8")
        data = ModelCard(text).data
        assert (data.license, data.language, data.base_model) == ("cc-by-nc-sa-4.0", ["fa"], "base")
        for row in read_jsonl(asked.out / "labels.jsonl"):
            assert all(f"`{name}`" in text for name in row["verdict_ids"])
        assert "for this reason: the wish is a phrase" in text
        assert "failed its shortcut audit" in text
        assert "NOT looked for" in text, "there was no data folder"
        told = outcome.evaluation["held_out"]["prefers_chosen"]
        line = next(line for line in text.splitlines() if line.startswith("| held-out pairs: chosen side likelier"))
        assert f"| {told['old']:.1f} % | {told['new']:.1f} % |" in line
        assert re.search(r"It missed urgent care in \d+ % of answers to \d+ emergencies", text)
        safety = outcome.evaluation["safety"]
        assert safety["sends_to_care"]["old"] == 0, "the tiny model sends nobody to care, so nothing can get worse"
        assert safety["can_worsen"] == 0
        assert f"sent the asker to urgent care on 0 of the {safety['sends_to_care']['n']} emergencies" in text
        assert "Its medical knowledge was not measured" in text
        assert not re.search(r"/(tmp|home|root)/", text)

    def test_the_card_says_what_it_cost_and_what_of_that_is_estimated(self, published: tuple[Round, Outcome]) -> None:
        asked, _ = published
        text = (asked.out / "README.md").read_text("utf-8")
        assert re.search(r"\| DPO: CPU hours of the main process \| [\d.e-]+ \|", text)
        by = read_json(asked.work / "dpo" / "ledger.json")["starts"][0]["energy_by"]
        guessed = ", estimated" if "estimated from its load" in by else ""
        assert f"| DPO: energy, kWh{guessed} | " in text
        assert f"| DPO: CO2, kg{guessed} | not known |" in text

    def test_it_learned_the_wish(self, published: tuple[Round, Outcome]) -> None:
        away = published[1].evaluation["held_out"]
        assert away["margin"]["difference"] > 1
        assert away["margin"]["p"] < 0.01
        assert away["reward_accuracy"]["value"] > 90

    def test_given_again_it_does_nothing(
        self, published: tuple[Round, Outcome], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked, outcome = published
        as_mini(asked.out.parents[1], monkeypatch)
        before = {path: path.stat().st_mtime_ns for path in asked.out.parents[1].rglob("*") if path.is_file()}
        monkeypatch.setattr(rounds, "measure", lambda *_: pytest.fail("measured again"))
        assert run(asked) == outcome
        changed = {path.name for path, time in before.items() if path.stat().st_mtime_ns != time}
        assert changed == {"round.json"}

    def test_another_adapter_is_not_written_over(
        self, published: tuple[Round, Outcome], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked, _ = published
        as_mini(asked.out.parents[1], monkeypatch)
        (asked.out / "lineage.json").rename(asked.out / "aside")
        try:
            with pytest.raises(TrainingError, match="holds another adapter"):
                run(asked)
        finally:
            (asked.out / "aside").rename(asked.out / "lineage.json")


KILLED = """
import sys
from pathlib import Path
import pytest
from tests.training.round_cases import as_mini, case
from training.round import run
folder = Path(sys.argv[1])
with pytest.MonkeyPatch.context() as patch:
    as_mini(folder, patch)
    run(case(folder))
"""


@pytest.mark.parametrize("reached", ["dpo/checkpoints", "evaluation/answers.jsonl"])
def test_killed_in_its_middle_it_ends_with_the_same_adapter_and_answers(
    published: tuple[Round, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reached: str
) -> None:
    asked = case(tmp_path)
    place = asked.work / reached

    def there() -> bool:
        return (
            any(place.glob("*/trainer_state.json")) if place.is_dir() else place.is_file() and place.stat().st_size > 0
        )

    kill_when(KILLED, tmp_path, there)
    assert not asked.out.exists()
    kept = place.read_bytes() if place.is_file() else b""
    as_mini(tmp_path, monkeypatch)
    outcome = run(asked)
    assert outcome.place == asked.out
    assert revision(str(asked.out)) == revision(str(published[0].out))
    if kept:
        whole = kept[: kept.rfind(b"\n") + 1]
        assert (asked.work / reached).read_bytes().startswith(whole), "answers that were there are not asked again"
    assert outcome.evaluation["held_out"] == published[1].evaluation["held_out"]
    assert outcome.evaluation["safety"] == published[1].evaluation["safety"]


class TestRefused:
    def run(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str, **changes: Any) -> Any:
        """The door, on a case."""
        as_mini(folder, monkeypatch)
        monkeypatch.delenv("GAOKERENA_DATA", raising=False)
        asked = case(folder, **changes)
        words = ["round", "--verdicts", str(asked.verdicts), "--from", asked.start, "--out", str(asked.out)]
        words += ["--work", str(asked.work), "--recipe", str(asked.recipe), "--draws", "1", *more]
        return CliRunner().invoke(app, words)

    def test_pairs_that_fail_the_audit_are_not_trained_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result = self.run(tmp_path, monkeypatch)
        assert isinstance(result.exception, TrainingError)
        assert re.search(r"failed its shortcut audit: .*--override-audit REASON", str(result.exception))
        assert not (tmp_path / "work" / "dpo").exists()

    def test_what_is_worse_on_held_out_pairs_is_measured_kept_and_not_published(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The wish of the pairs held out is the opposite of what was trained on: really worse, really measured."""
        build = rounds.build

        def build_and_turn(out: Path, options: Any) -> Any:
            made = build(out, options)
            path = out / "held_out.jsonl"
            rows = read_jsonl(path)
            write_jsonl(path, [row | {"chosen": row["rejected"], "rejected": row["chosen"]} for row in rows])
            return made

        monkeypatch.setattr(rounds, "build", build_and_turn)
        result = self.run(tmp_path, monkeypatch, "--override-audit", "the wish is a phrase")
        assert result.exit_code == 3, result.output
        assert "refused: worse on held-out pairs (margin of the chosen side)" in result.output
        assert f"not published; all figures: {tmp_path / 'work' / 'round.json'}" in result.output
        assert not (tmp_path / "rounds").exists()
        told = read_json(tmp_path / "work" / "round.json")
        assert told["published"] is False
        assert told["evaluation"]["held_out"]["margin"]["difference"] < 0
        assert (tmp_path / "work" / "dpo" / "adapter" / "adapter_model.safetensors").exists()

    def test_too_few_held_out_pairs_to_judge_by(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        case(tmp_path)
        write_jsonl(tmp_path / "verdicts.jsonl", round_cases.verdicts(12))
        result = self.run(tmp_path, monkeypatch, "--override-audit", "few")
        assert re.search(r"questions are held out to judge by, 10 are needed", str(result.exception))

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "holds no pairs"),
            ('{"schema_version": 1, "choice": "left"}\n', "annotation export --to pairs"),
            (None, "no file at"),
        ],
    )
    def test_a_file_that_is_no_export(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, said: str
    ) -> None:
        case(tmp_path)
        path = tmp_path / "other.jsonl"
        if text is not None:
            path.write_text(text, "utf-8")
        assert said in str(self.run(tmp_path, monkeypatch, verdicts=path).exception)

    def test_an_export_of_an_earlier_wording_is_made_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        case(tmp_path)
        rows = read_jsonl(tmp_path / "verdicts.jsonl")
        for row, version in zip(rows, [VERSION, "2020-01-01"], strict=False):
            row["provenance"]["prompts"] = version
        write_jsonl(tmp_path / "verdicts.jsonl", rows)
        said = str(self.run(tmp_path, monkeypatch).exception)
        assert (
            f"1 of 60 pairs are asked with the prompts of 2020-01-01, a model is asked with those of {VERSION}" in said
        )
        assert "annotation export" in said
        assert not (tmp_path / "work").exists()

    def test_a_name_that_is_taken_is_told_before_anything_is_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "rounds" / "r2"
        out.mkdir(parents=True)
        result = self.run(tmp_path, monkeypatch, "--override-audit", "why", out=out)
        assert "holds another adapter" in str(result.exception)
        assert not (tmp_path / "work").exists()

    def test_a_missing_licence_is_told_before_anything_is_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        case(tmp_path)
        (tmp_path / "r" / "README.md").unlink()
        assert "no licence is known" in str(self.run(tmp_path, monkeypatch, "--override-audit", "why").exception)
        assert not (tmp_path / "work").exists()

    def test_a_report_of_doctors_is_read_or_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The recipe has a number: the report would do nothing."""
        result = self.run(tmp_path, monkeypatch, "--doctors", str(tmp_path / "doctors.json"))
        assert "would not be read: the recipe's label_smoothing is 0.0" in str(result.exception)
        assert not (tmp_path / "work").exists()

    def test_the_shipped_round_takes_its_smoothing_from_the_doctors(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = load(FOLDER / "gaokerena" / "round.yaml")
        assert (made.label_smoothing, made.loss_type) == ("from_report", ["robust"])
        case(tmp_path)
        path = recipe(tmp_path, loss_type=["robust"], label_smoothing="from_report")
        monkeypatch.setattr(round_cases, "recipe", lambda _: path)
        assert "give the doctors.json" in str(self.run(tmp_path, monkeypatch).exception)

    @pytest.mark.parametrize("name", ["R2", "r", "base", "r_2"])
    def test_a_name_the_page_could_not_use(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        result = self.run(tmp_path, monkeypatch, out=tmp_path / "rounds" / name)
        assert "cannot be the new model's name" in str(result.exception)

    def test_a_recipe_of_another_kind(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        case(tmp_path)
        other = tmp_path / "pairs.yaml"
        other.write_text("kind: pairs\nseed: 1\n", "utf-8")
        assert "of kind pairs; a round needs" in str(self.run(tmp_path, monkeypatch, recipe=other).exception)

    def test_a_kill_while_publishing_leaves_nothing_half_done(
        self, published: tuple[Round, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked, _ = published
        as_mini(asked.out.parents[1], monkeypatch)
        out = tmp_path / "rounds" / "r3"
        again = Round(**{**vars(asked), "out": out})
        monkeypatch.setattr(round_publish, "card", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(again)
        assert not out.exists()
        monkeypatch.undo()
        as_mini(asked.out.parents[1], monkeypatch)
        assert run(again).place == out
        assert [path.name for path in out.parent.iterdir()] == ["r3"]


def told(old: float, new: float, p: float) -> dict[str, Any]:
    return {"unit": "%", "n": 40, "old": old, "new": new, "difference": new - old, "ci95": [-1.0, 1.0], "p": p}


def measured(**changes: Any) -> dict[str, Any]:
    same = told(50.0, 50.0, 1.0)
    found = {"prefers_chosen": same, "margin": same, "sends_to_care": same} | changes
    away = {name: found[name] for name in ("prefers_chosen", "margin")}
    more = {"scored": found["scored"]} if "scored" in found else {}
    return {"held_out": away, "safety": {"sends_to_care": found["sends_to_care"]}} | more


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sends_to_care", "worse on safety items"),
        ("prefers_chosen", "worse on held-out pairs (the chosen side is the likelier one)"),
        ("margin", "worse on held-out pairs (margin"),
        ("scored", "worse on scored answers"),
    ],
)
def test_each_gate_shuts_alone_and_only_on_evidence(name: str, said: str) -> None:
    assert refusals(measured()) == []
    assert refusals(measured(**{name: told(50.0, 40.0, 0.2)})) == [], "that may be chance"
    assert refusals(measured(**{name: told(40.0, 50.0, 0.001)})) == [], "that is better"
    (reason,) = refusals(measured(**{name: told(50.0, 40.0, 0.05)}))
    assert reason.startswith(said)
    assert "50.0 → 40.0 %" in reason


def test_the_outcome_as_json_is_one_object(published: tuple[Round, Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    asked, _ = published
    as_mini(asked.out.parents[1], monkeypatch)
    monkeypatch.delenv("GAOKERENA_DATA", raising=False)
    words = ["--verdicts", str(asked.verdicts), "--out", str(asked.out), "--work", str(asked.work)]
    more = ["--recipe", str(asked.recipe), "--draws", "1", "--override-audit", "the wish is a phrase", "--json"]
    result = CliRunner().invoke(app, ["round", *words, *more], catch_exceptions=False)
    assert result.exit_code == 0
    assert json.loads(result.stdout.splitlines()[-1])["published"] == str(asked.out)
