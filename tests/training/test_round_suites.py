"""What a round may train on: pairs compared with the suites, where those are at hand; ways out of a failed audit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.training import round_cases
from tests.training.pairing.samples import exchangeable, planted
from training import round as rounds
from training.audit_gate import sha256
from training.errors import TrainingError
from training.manifest import read_json, write_json
from training.pair_rows import write_pairs
from training.pairing.audit_files import audit_file
from training.round_plan import Round
from training.round_split import audited

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


def other(folder: Path) -> Path:
    folder.mkdir()
    write_pairs(folder / "pairs.jsonl", exchangeable(40, seed=6, source="teacher_correction"))
    return folder / "pairs.jsonl"


def test_other_sources_must_have_been_compared_where_the_suites_are_at_hand(tmp_path: Path) -> None:
    path = other(tmp_path / "teacher")
    asked = Round(tmp_path / "v.jsonl", "r", tmp_path / "r9", also=(path,))
    rounds._compared(asked)
    with pytest.raises(TrainingError, match=f"--also {path} was never compared .*pairs build {path} --out FOLDER"):
        rounds._compared(replace(asked, data=tmp_path, override_audit="no excuse for what can be built at once"))
    write_json(path.with_name("manifest.json"), {"decontaminated": True, "files": {"pairs.jsonl": sha256(path)}})
    rounds._compared(replace(asked, data=tmp_path))
    with pytest.raises(TrainingError, match=r"no file at .*none\.jsonl; give the pairs\.jsonl"):
        rounds._compared(replace(asked, also=(tmp_path / "none.jsonl",)))


def test_uncompared_pairs_are_told_without_the_suites_and_refused_with_them(tmp_path: Path) -> None:
    path = other(tmp_path / "pairs")
    assert audit_file(path)["passed"]
    told = audited(path, None, suites=False)
    assert (told["passed"], told["decontaminated"], told["overridden"]) == (True, False, None)
    with pytest.raises(TrainingError, match="never compared with the evaluation suites"):
        audited(path, None, suites=True)


def test_the_card_of_a_round_without_the_suites_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    round_cases.as_mini(tmp_path, monkeypatch)
    asked = round_cases.case(tmp_path)
    assert rounds.run(asked).place == asked.out
    text = (asked.out / "README.md").read_text("utf-8")
    assert "Pairs that share a run of words with the suites were NOT looked for" in text
    assert "Its pairs were not compared with any suite" in text
    assert asked.work
    told = read_json(asked.work / "dpo" / "manifest.json")["audit"]
    assert (told["decontaminated"], told["overrode"]) == (False, ["audit"]), "the reason was for the audit alone"


def test_a_failed_audit_names_every_way_out(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    write_pairs(path, planted(exchangeable(60, seed=6), "length"))
    ways = "--override-audit REASON; {}; or gather more verdicts"
    with pytest.raises(
        TrainingError, match="length.*" + ways.format("or give --balance-people, which leaves verdicts.*")
    ):
        audited(path, None, suites=False)
    with pytest.raises(TrainingError, match="length.*" + ways.format("counted cues were balanced already")):
        audited(path, None, suites=False, balanced=True)
    write_pairs(path, exchangeable(60, seed=6))
    with pytest.raises(TrainingError, match="never compared") as caught:
        audited(path, None, suites=True)
    assert "--balance-people" not in str(caught.value), "nothing failed that balancing could mend"


@pytest.mark.parametrize(("dropped", "told"), [(99, True), (4, False)])
def test_what_building_left_out_is_told_where_it_was_most(tmp_path: Path, dropped: int, told: bool) -> None:
    """Verdicts on a suite's questions: no audit, and none of its ways out, brings those pairs back."""
    path = tmp_path / "pairs.jsonl"
    write_pairs(path, exchangeable(4, seed=6))
    why = {"expert: shares_8_gram_with_mmlu_fa": dropped, "expert: duplicate": 0}
    write_json(tmp_path / "manifest.json", {"dropped": why, "counts_out": {"pairs": 4, "held_out": 1}})
    with pytest.raises(TrainingError, match="too few") as caught:
        audited(path, None, suites=False)
    said = "building left out 99 pairs and kept 5, most often for this: expert: shares_8_gram_with_mmlu_fa (99)"
    assert (said in str(caught.value)) == told


@pytest.mark.parametrize("balanced", [False, True])
def test_doctors_verdicts_are_balanced_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, balanced: bool
) -> None:
    round_cases.as_mini(tmp_path, monkeypatch)
    asked = round_cases.case(tmp_path, balance_people=balanced)
    rows = [row.model_copy(update={"source": "expert"}) for row in planted(exchangeable(60, seed=5), "length")]
    write_pairs(asked.verdicts, rows)
    rounds._pairs(asked, asked.settled())
    assert asked.work
    manifest = read_json(asked.work / "build" / "manifest.json")
    left_out = sum(count for reason, count in manifest["dropped"].items() if "balancing" in reason)
    assert (left_out > 20) == balanced
    assert left_out == 0 or balanced
