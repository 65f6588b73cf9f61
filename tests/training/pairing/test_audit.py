"""The shortcut audit: planted cues are found and named, exchangeable pairs pass, few pairs cannot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from typer.testing import CliRunner

from tests.training.pairing.samples import PLANTS, exchangeable, pair, planted
from training.audit_gate import audit_path, check, sha256
from training.cli import app
from training.errors import TrainingError
from training.manifest import write_json
from training.pair_rows import write_pairs
from training.pairing.audit import audit, detectable
from training.pairing.audit_files import audit_file
from training.pairing.classify import FOLDS, folds, single, single_mined, together
from training.pairing.weighing import LEAST

NAMED = {
    "letter case": "has an upper-case letter",
    "length": "words",
    "opening words": "زنجیره افکار",
    "closing words": "تندرست باشید",
    "punctuation": "semicolons",
    "script": "Persian digits",
    "option letters": "options as «A»",
    "markdown": "bold marks",
    "phrases": "همان گونه که",
}
MORE_IN = {family: PLANTS[family][0] for family in PLANTS} | {"letter case": "rejected", "markdown": "chosen"}


@pytest.mark.parametrize("family", PLANTS)
def test_a_planted_cue_is_found_and_named(family: str) -> None:
    found = audit(planted(exchangeable(120, seed=5), family))
    assert not found["passed"]
    assert family in found["failed"], "the family as a whole"
    named = {cue["name"]: cue for cue in found["cues"] if cue["family"] == family}
    assert f"{family}: {NAMED[family]}" in found["failed"], "and the very feature"
    cue = named[NAMED[family]]
    assert cue["more_in"] == MORE_IN[family]
    assert cue["low"] <= cue["accuracy"] <= cue["high"]
    assert cue["wins"] + cue["ties"] <= 1
    assert cue["examples"]
    if family in ("opening words", "closing words", "phrases"):
        assert all(NAMED[family] in example for example in cue["examples"]), "an example shows the phrase"


def test_exchangeable_pairs_pass_but_for_a_few_by_chance() -> None:
    failed = [audit(exchangeable(60, seed))["failed"] for seed in range(8)]
    assert sum(map(bool, failed)) <= 1, failed  # measured: 1 of 60 (docs/pairs.md)


def test_few_pairs_cannot_pass_and_a_perfect_cue_is_still_named() -> None:
    found = audit(exchangeable(LEAST - 1, seed=2))
    assert not found["passed"]
    assert "too few" in found["reason"]
    assert "letter case" in audit(planted(exchangeable(10, seed=2), "letter case"))["failed"]


def test_a_cue_below_the_limit_passes_and_above_it_fails() -> None:
    rows = exchangeable(200, seed=3)
    some = planted(rows[:70], "phrases") + rows[120:]  # the phrase decides 35 % of the pairs: 67.5 %
    name = "phrases: همان گونه که"
    assert name in audit(some)["failed"]
    assert name not in audit(some, limit=0.75)["failed"]


def test_equal_pairs_and_seed_give_equal_findings() -> None:
    rows = exchangeable(60, seed=8)
    assert audit(rows) == audit(rows)


def test_no_pairs_and_a_silly_limit_are_refused() -> None:
    with pytest.raises(TrainingError, match="no pairs to audit"):
        audit([])
    with pytest.raises(TrainingError, match=r"a limit of 0\.3"):
        audit(exchangeable(30, 1), limit=0.3)


def test_what_can_be_detected_follows_the_rule() -> None:
    assert detectable(96, 0.5) == 0.6
    assert detectable(10_000, 0.6) == pytest.approx(0.6096, abs=1e-3)


class TestClassify:
    @given(st.lists(st.sampled_from("abcdefghijklmnop"), min_size=1, max_size=60), st.integers(0, 9))
    def test_a_question_lies_in_one_fold_and_folds_are_of_like_size(self, questions: list[str], seed: int) -> None:
        fold = folds(questions, seed)
        assert len({(name, place) for name, place in zip(questions, fold, strict=True)}) == len(set(questions))
        sizes = np.bincount([fold[questions.index(name)] for name in set(questions)], minlength=FOLDS)
        assert sizes.max() - sizes.min() <= 1

    def test_a_rule_learns_its_direction_from_the_other_folds(self) -> None:
        fold, ones = np.array([0] * 12 + [1, 2, 3, 4] * 2), np.ones(20)
        apart = np.where(fold[:, None] == 0, -1.0, 1.0)  # most pairs point one way, those outside fold 0 the other
        for scores in (single(apart, fold, ones)[:, 0], together(apart, [], fold, ones)):
            assert scores[fold == 0].tolist() == [0.0] * 12
            assert scores[fold != 0].tolist() == [0.0] * 8

    def test_a_feature_that_is_equal_says_nothing(self) -> None:
        fold, ones = np.arange(10) % FOLDS, np.ones(10)
        assert set(single(np.zeros((10, 2)), fold, ones).ravel()) == {0.5}
        assert set(together(np.zeros((10, 2)), [], fold, ones)) == {0.5}

    def test_swapping_all_sides_changes_no_score(self) -> None:
        rng = np.random.default_rng(1)
        apart, fold, weights = rng.normal(size=(40, 3)), np.arange(40) % FOLDS, rng.uniform(0.1, 1, 40)
        assert np.array_equal(single(apart, fold, weights), single(-apart, fold, weights))
        assert np.array_equal(together(apart, [], fold, weights), together(-apart, [], fold, weights))

    def test_a_gram_that_the_training_folds_do_not_name_says_nothing_there(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            "training.pairing.classify.telling", lambda apart, weights: np.array([0 if apart.sum() > 0 else 1])
        )
        fold = np.arange(10) % FOLDS
        apart = csr_matrix(np.where(fold[:, None] == 0, [5.0, 0.0], [-1.0, 1.0]))
        columns, scores = single_mined(apart, fold, np.ones(10))
        assert columns.tolist() == [0, 1]
        assert set(scores[fold == 0][:, 0]) == {0.5}, "without fold 0 the first gram is not named"
        assert set(scores[fold != 0][:, 1]) <= {0.5, 1.0}

    def test_pairs_of_one_question_are_drawn_together(self) -> None:
        rows = planted(exchangeable(30, seed=4), "phrases")[:15] + exchangeable(30, seed=4)[15:]
        same = [pair(f"x{n}", row.better, row.worse, asked="یک پرسش برای همه؟") for n, row in enumerate(rows)]
        alone = audit(same)
        assert alone["questions"] == 1
        cue = next(cue for cue in alone["families"] if cue["name"] == "phrases")
        assert cue["low"] == cue["high"], "one question: nothing to draw"


class TestFiles:
    def test_the_door_writes_the_audit_beside_the_pairs_and_fails_with_status_1(self, tmp_path: Path) -> None:
        path = tmp_path / "pairs.jsonl"
        write_pairs(path, planted(exchangeable(60, seed=6), "letter case"))
        result = CliRunner().invoke(app, ["pairs", "audit", str(path)])
        assert result.exit_code == 1, result.output
        assert "Failed: letter case" in result.stdout
        found = json.loads(audit_path(path).read_text("utf-8"))
        with pytest.raises(TrainingError, match="letter case"):
            check(path)
        assert check(path, "planted")["cues"] == found["failed"]
        page = path.with_name("pairs.audit.html").read_text("utf-8")
        assert "<svg" in page
        assert "has an upper-case letter" in page
        assert "has an upper-case letter" in path.with_name("pairs.audit.md").read_text("utf-8")
        assert path.with_name("pairs.audit.svg").read_text("utf-8").startswith("<svg")

    def test_pairs_that_pass_open_the_gate_and_say_so(self, tmp_path: Path) -> None:
        path = tmp_path / "pairs.jsonl"
        write_pairs(path, exchangeable(60, seed=6))
        result = CliRunner().invoke(app, ["pairs", "audit", str(path), "--json"])
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["passed"]
        assert check(path, uncompared="told")["passed"]

    def test_the_costs_stand_in_the_report_only_when_they_are_of_this_file(self, tmp_path: Path) -> None:
        path = tmp_path / "pairs.jsonl"
        write_pairs(path, exchangeable(30, seed=6))
        found = audit_file(path)
        page = path.with_name("pairs.audit.md")
        assert "cost" not in page.read_text("utf-8")
        files = {"files": {"pairs.jsonl": found["pairs_sha256"]}, "dropped": {"expert: short": 1234, "expert: none": 0}}
        changed = {"changed": {"teacher_correction: one hand": 30}}
        write_json(tmp_path / "manifest.json", files | changed)
        audit_file(path)
        assert "| expert: short | 1,234 |" in page.read_text("utf-8")
        assert "| teacher_correction: one hand (rewritten, kept) | 30 |" in page.read_text("utf-8")
        write_pairs(path, exchangeable(31, seed=6))
        audit_file(path)
        assert "1,234" not in page.read_text("utf-8")

    def test_an_export_beside_its_own_manifest_is_audited(self, tmp_path: Path) -> None:
        path = tmp_path / "pairs.jsonl"
        write_pairs(path, exchangeable(30, seed=6))
        told = {"stage": "annotation export", "files": {path.name: sha256(path)}, "verdicts": {"in": 40}}
        write_json(tmp_path / "manifest.json", told)
        assert audit_file(path)["pairs"] == 30
        (tmp_path / "manifest.json").write_text("{", "utf-8")
        assert audit_file(path)["pairs"] == 30

    def test_markup_in_a_phrase_stays_text(self, tmp_path: Path) -> None:
        path = tmp_path / "pairs.jsonl"
        rows = [row.model_copy(update={"id": f"<b>{row.id}"}) for row in exchangeable(30, seed=6)]
        write_pairs(path, planted(rows, "phrases"))
        audit_file(path)
        assert "<b>" not in path.with_name("pairs.audit.html").read_text("utf-8")
