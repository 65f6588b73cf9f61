"""A round that goes on from a round: its lineage, card and split know what the rounds before have learned."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

from gaokerena.engines.loading import revision
from tests.training import round_cases
from tests.training.round_cases import as_mini, case
from training import round_ancestors
from training.audit_gate import sha256
from training.errors import TrainingError
from training.manifest import read_json, read_jsonl, write_json, write_jsonl
from training.pair_rows import PairRow, write_pairs
from training.round import run
from training.round_ancestors import ancestors, file_of, learned, lineage_of
from training.round_plan import Round
from training.round_split import audited, held_out

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


def more_verdicts(prefix: str, seed: int) -> list[dict[str, Any]]:
    """Verdicts of another month, their ids their own."""
    rows = round_cases.verdicts(seed=seed)
    for row in rows:
        row["id"] = prefix + row["id"]
        row["provenance"] |= {"verdict_ids": [prefix + name for name in row["provenance"]["verdict_ids"]]}
    return rows


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Round]:
    """r2 from r; r3 from r2, on the same verdicts and new ones, with twice the share held out; r4 from r3."""
    folder, made = tmp_path_factory.mktemp("rounds"), {}
    first = round_cases.verdicts()
    given = {"r2": first, "r3": [*first, *more_verdicts("b", 2)], "r4": more_verdicts("c", 3)}
    with pytest.MonkeyPatch.context() as patch:
        as_mini(folder, patch)
        start = "r"
        for name, rows in given.items():
            share = 0.25 if name == "r2" else 0.5
            made[name] = asked = case(
                folder, start=start, out=folder / "rounds" / name, work=folder / f"work-{name}", held_out=share
            )
            write_jsonl(folder / f"{name}.jsonl", rows)
            made[name] = asked = Round(**vars(asked) | {"verdicts": folder / f"{name}.jsonl"})
            assert run(asked).place == asked.out
            start = str(asked.out)
    return made


def side(asked: Round, split: str, what: str) -> set[str]:
    rows = read_jsonl(asked.out / "labels.jsonl")
    return {
        str(name) for row in rows if row["split"] == split for name in ([row[what]] if what[0] == "q" else row[what])
    }


def test_no_question_an_ancestor_was_trained_on_is_held_out(rounds: dict[str, Round]) -> None:
    """Half of the questions fall into r3's share, a quarter fell into r2's: else r3 would hold out what r2 learned."""
    before = side(rounds["r2"], "train", "question_id")
    away = side(rounds["r3"], "held_out", "question_id")
    assert before
    assert len(away) >= 10
    assert not before & away
    assert before & side(rounds["r3"], "train", "question_id"), "they are trained on again"
    again = read_json(rounds["r3"].work / "build" / "manifest.json")["recipe"]["trained_before"]
    assert set(again) == before


def test_the_lineage_is_a_chain_and_the_folder_holds_every_label(rounds: dict[str, Round]) -> None:
    told = {name: read_json(asked.out / "lineage.json") for name, asked in rounds.items()}
    assert "before" not in told["r2"]["round"]
    assert told["r3"]["round"]["before"] == told["r2"]["round"]
    assert told["r4"]["round"]["before"] == told["r3"]["round"]
    assert told["r4"]["starts_from"] == revision(str(rounds["r3"].out))
    last = rounds["r4"].out
    for name in ("r2", "r3"):
        kept = last / f"labels.{name}.jsonl"
        assert kept.read_bytes() == (rounds[name].out / "labels.jsonl").read_bytes()
        block = told["r4"]["round"]["before"] if name == "r3" else told["r4"]["round"]["before"]["before"]
        assert block["labels"] == sha256(kept)
    assert not list(rounds["r2"].out.glob("labels.*.jsonl"))


def test_the_card_names_the_verdicts_of_every_round(rounds: dict[str, Round]) -> None:
    text = (rounds["r4"].out / "README.md").read_text("utf-8")
    for name, asked in rounds.items():
        ids = side(asked, "train", "verdict_ids")
        assert ids
        assert all(f"`{one}`" in text for one in ids), name
        who = "it" if name == "r4" else name
        assert f"The {len(ids)} verdicts {who} was trained on" in text
    assert f"r2 from {len(side(rounds['r2'], 'train', 'verdict_ids'))} verdicts (`labels.r2.jsonl`)" in text
    assert f"| labels.r3.jsonl | `{sha256(rounds['r3'].out / 'labels.jsonl')}` |" in text


def test_a_folder_copied_alone_leads_to_everything(rounds: dict[str, Round], tmp_path: Path) -> None:
    alone = tmp_path / "somewhere"
    shutil.copytree(rounds["r4"].out, alone)
    line = ancestors(str(alone), lineage_of(str(alone)))
    assert [one.name for one in line] == ["r4", "r3", "r2"]
    assert learned(line) == {name for asked in rounds.values() for name in side(asked, "train", "question_id")}


def test_a_name_of_a_round_before_is_not_taken_again(
    rounds: dict[str, Round], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_mini(rounds["r4"].out.parents[1], monkeypatch)
    asked = Round(**vars(rounds["r4"]) | {"out": tmp_path / "r2"})
    with pytest.raises(TrainingError, match="r2 is a round before this one"):
        asked.settled()


@pytest.mark.parametrize(
    ("spoil", "said"), [("missing", "is missing"), ("changed", "is not the file its lineage names")]
)
def test_labels_that_are_not_the_lineages_are_refused(
    rounds: dict[str, Round], tmp_path: Path, spoil: str, said: str
) -> None:
    folder = tmp_path / "r4"
    shutil.copytree(rounds["r4"].out, folder)
    labels = folder / "labels.r2.jsonl"
    if spoil == "missing":
        labels.unlink()
    else:
        labels.write_text(labels.read_text("utf-8").replace('"train"', '"held_out"', 1), "utf-8")
    with pytest.raises(TrainingError, match=rf"labels\.r2\.jsonl {said}, so nobody can say what r2 learned from"):
        ancestors(str(folder), lineage_of(str(folder)))


@pytest.mark.parametrize("block", [{"labels": "x"}, {"name": "../r2", "labels": "x"}, {"name": "r2"}])
def test_a_block_that_names_nothing_is_refused(tmp_path: Path, block: dict[str, str]) -> None:
    with pytest.raises(TrainingError, match="lacks a name or the hash of its labels"):
        ancestors(str(tmp_path), {"round": block})


def test_too_few_new_questions_are_told_with_the_reason(tmp_path: Path) -> None:
    rows = [PairRow.model_validate(row) for row in round_cases.verdicts(30)]
    (tmp_path / "build").mkdir()
    write_pairs(tmp_path / "build" / "held_out.jsonl", rows[:4])
    write_pairs(tmp_path / "build" / "pairs.jsonl", rows[4:])
    labels = [{"question_id": row.question_id, "split": "train"} for row in rows[4:24]]
    before = SimpleNamespace(name="r2", rows=lambda: labels)
    plan: Any = SimpleNamespace(work=tmp_path, recipe=SimpleNamespace(early_stop=None), ancestors=(before,))
    with pytest.raises(
        TrainingError, match=r"4 questions are held out .*; 20 others have been trained on before \(r2\)"
    ):
        held_out(plan)


class TestARepository:
    def test_a_file_it_has_not_is_none_and_one_nobody_can_reach_is_an_error(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        raised: list[Exception] = [EntryNotFoundError("404"), LocalEntryNotFoundError("offline"), OSError("no network")]

        def download(source: str, name: str) -> str:
            raise raised.pop(0)

        monkeypatch.setattr(round_ancestors, "hf_hub_download", download)
        assert file_of("owner/r2", "lineage.json") is None
        while raised:
            with pytest.raises(TrainingError, match="no adapter at owner/r2: no such folder, and no such repository"):
                lineage_of("owner/r2")

    def test_its_lineage_is_read_as_a_folders(
        self, rounds: dict[str, Round], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        as_mini(rounds["r3"].out.parents[1], monkeypatch)
        monkeypatch.setattr(round_ancestors, "hf_hub_download", lambda _, name: str(rounds["r3"].out / name))
        plan = Round(**vars(rounds["r4"]) | {"start": "owner/r3", "out": tmp_path / "r9"}).settled()
        assert [one.name for one in plan.ancestors] == ["r3", "r2"]
        assert plan.prompting == "cot"

    def test_a_folder_that_is_not_there_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        as_mini(tmp_path, monkeypatch)
        asked = case(tmp_path, start=str(tmp_path / "rounds" / "r7"))
        with pytest.raises(TrainingError, match="no such folder, and no such repository"):
            asked.settled()


class TestTheAudit:
    def pairs(self, folder: Path) -> Path:
        write_pairs(folder / "pairs.jsonl", [PairRow.model_validate(row) for row in round_cases.verdicts()])
        return folder / "pairs.jsonl"

    @pytest.mark.parametrize(
        "stale", [{"code": "of last year"}, {"pairs_sha256": "of other pairs"}, {"seed": 7}, {"limit": 0.9}, None]
    )
    def test_one_that_is_stale_or_torn_is_made_anew(self, tmp_path: Path, stale: dict[str, Any] | None) -> None:
        path = self.pairs(tmp_path)
        place = tmp_path / "pairs.audit.json"
        fresh = audited(path, "the wish is a phrase", suites=False)
        made = place.read_bytes()
        if stale is None:
            place.write_bytes(made[:40])
        else:
            write_json(place, read_json(place) | stale | {"passed": True})
        assert audited(path, "the wish is a phrase", suites=False) == fresh
        assert place.read_bytes() == made

    def test_a_failed_one_may_be_given_a_reason_at_the_next_start(self, tmp_path: Path) -> None:
        path = self.pairs(tmp_path)
        with pytest.raises(TrainingError, match="failed its shortcut audit"):
            audited(path, None, suites=False)
        before = (tmp_path / "pairs.audit.json").stat().st_mtime_ns
        assert audited(path, "the wish is a phrase", suites=False)["overridden"] == "the wish is a phrase"
        assert (tmp_path / "pairs.audit.json").stat().st_mtime_ns == before, "it is not made again"
