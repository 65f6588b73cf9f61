"""What a round's card and labels say of pairs that no doctor judged, and that such pairs are no verdicts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from gaokerena.engines.local import LocalEngine
from tests.tiny import make_tiny
from tests.training import round_cases
from training import measure, round_measure, round_split
from training import round as rounds
from training.audit_gate import sha256
from training.errors import TrainingError
from training.manifest import read_json, write_json
from training.pair_rows import PairRow, read_pairs, write_pairs
from training.round_card import card, licence, terms
from training.round_compare import compare
from training.round_plan import Plan, Round
from training.round_publish import label_rows


def rows(count: int, source: str, seed: int = 1) -> list[PairRow]:
    made = [row | {"source": source, "id": f"{source}-{row['id']}"} for row in round_cases.verdicts(count, seed)]
    return [PairRow.model_validate(row) for row in made]


def mixed(folder: Path) -> Round:
    """A round after its mix: of four doctors' pairs it kept one, beside nine of a teacher."""
    folder.mkdir(exist_ok=True)
    work, (one, *rest) = folder / "work", rows(14, "expert")
    for name in ("build", "mix"):
        (work / name).mkdir(parents=True)
    write_pairs(work / "build" / "pairs.jsonl", [one, *rest[:3]])
    write_pairs(work / "build" / "held_out.jsonl", rest[3:])
    write_pairs(work / "mix" / "pairs.jsonl", [one, *rows(9, "teacher_correction", 2)])
    write_json(work / "build" / "manifest.json", {"dropped": {}, "decontaminated": False, "counts_out": {"pairs": 4}})
    write_json(work / "mix" / "manifest.json", {"dropped": {"expert: share": 3}, "counts_out": {"pairs": 10}})
    return Round(folder / "v.jsonl", "v", folder / "rounds" / "r9", work=work, also=(folder / "teacher.jsonl",))


def carded(asked: Round, can_worsen: int = 9) -> tuple[list[dict[str, Any]], str]:
    """(the labels, the card) of a round whose figures do not matter."""
    plan = asked.settled()
    labels = list(label_rows(asked, plan))
    same = compare([0.0, 1.0], [0.0, 1.0], ["a", "b"], unit="share", seed=1)
    reward = {"n": 10, "value": 50.0, "low": 20.0, "high": 80.0}
    away = {"prefers_chosen": same, "margin": same, "reward_accuracy": reward}
    safety = {"sends_to_care": same, "can_worsen": can_worsen}
    found = {"held_out": away, "safety": safety, "revisions": {"old": "o", "new": "n"}}
    told = {"audit": {"passed": True, "limit": 0.6}, "verdicts": 22, "also": ["the teacher's hash"]}
    told |= dict.fromkeys(("verdicts_file", "pairs", "labels", "evaluation"), "hash")
    lineage = {"recipe": plan.recipe.model_dump(mode="json"), "round": told}
    return labels, card(asked, plan, lineage, labels, found)


def test_a_mix_names_every_source_and_only_the_verdicts_it_kept(tmp_path: Path) -> None:
    labels, text = carded(mixed(tmp_path))
    trained = [row for row in labels if row["split"] == "train"]
    assert [row["source"] for row in trained] == ["expert"] + ["teacher_correction"] * 9
    assert [bool(row["verdict_ids"]) for row in trained] == [True] + [False] * 9
    assert "and on 9 pairs that no doctor judged (9 of teacher_correction)" in text
    assert "| of them teacher_correction, judged by no doctor | 9 |" in text
    assert "| pairs trained on | 10 |" in text
    assert "The 2 verdicts it was trained on" in text
    assert "| expert: share | 3 |" in text
    assert "`the teacher's hash`" in text
    assert "Of the source expert: doctors compared" in text


@pytest.mark.parametrize(("heeded", "blind"), [(0, True), (4, True), (5, False)])
def test_a_card_says_when_the_gate_on_safety_could_not_have_shut(tmp_path: Path, heeded: int, blind: bool) -> None:
    _, text = carded(mixed(tmp_path), heeded)
    assert ("The gate on safety could not have shut" in text) == blind
    assert (f"sent the asker to urgent care on {heeded} of the 2 emergencies" in text) == blind


def test_without_a_mix_nothing_is_said_of_other_sources(tmp_path: Path) -> None:
    asked = mixed(tmp_path)
    labels, text = carded(Round(**vars(asked) | {"also": ()}))
    assert {row["source"] for row in labels} == {"expert"}
    assert "no doctor judged" not in text
    assert "The 8 verdicts it was trained on" in text


def test_pairs_too_long_to_train_on_are_told_apart_and_teach_nothing(tmp_path: Path) -> None:
    asked = mixed(tmp_path)
    (tmp_path / "work" / "dpo").mkdir()
    write_json(tmp_path / "work" / "dpo" / "manifest.json", {"train_too_long": ["expert-e0", "teacher_correction-e3"]})
    labels, text = carded(asked)
    assert [row["pair_id"] for row in labels if row["split"] == "too_long"] == ["expert-e0", "teacher_correction-e3"]
    assert "| pairs trained on | 8 |" in text
    assert "| of them teacher_correction, judged by no doctor | 8 |" in text
    assert "The 0 verdicts it was trained on" in text
    assert f"| longer than {asked.settled().recipe.max_length} tokens | 2 |" in text


@pytest.mark.parametrize(
    ("base", "adapter", "left", "asks"),
    [
        ("cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-sa-4.0", ": name the source, no commercial use, share alike"),
        ("cc-by-nc-4.0", "apache-2.0", "cc-by-nc-4.0", ": name the source, no commercial use"),
        ("cc-by-4.0", "apache-2.0", "cc-by-4.0", ": name the source"),
        ("apache-2.0", "mit", "apache-2.0", ""),
        ("openrail", "openrail", "openrail", ""),
    ],
)
def test_the_licence_is_the_one_that_asks_for_more(
    tmp_path: Path, base: str, adapter: str, left: str, asks: str
) -> None:
    plan = licensed(tmp_path, base, adapter)
    assert (licence(plan), terms(left)) == (left, asks)


def test_licences_nobody_can_compare_are_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"under openrail, .* under apache-2\.0, and which asks for more"):
        licence(licensed(tmp_path, "openrail", "apache-2.0"))


def licensed(folder: Path, base: str, adapter: str) -> Plan:
    for name, held in (("base", base), ("adapter", adapter)):
        (folder / name).mkdir()
        (folder / name / "README.md").write_text(f"---\nlicense: {held}\n---\n", "utf-8")
    return replace(mixed(folder).settled(), base=str(folder / "base"), start_from=str(folder / "adapter"))


def test_a_models_preferences_are_no_verdicts(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    write_pairs(path, [*rows(2, "expert"), *rows(1, "judge")])
    with pytest.raises(TrainingError, match=r"judge-e0 is of source judge and would pass as a doctor's .*--also"):
        rounds._readable(path)


def split(folder: Path, made: list[PairRow], preset: Literal["mini", "gaokerena"]) -> tuple[Path, Path]:
    (folder / "build").mkdir(parents=True)
    write_pairs(folder / "build" / "held_out.jsonl", made)
    plan = Round(folder / "v.jsonl", "r", folder / "r9", work=folder, preset=preset).settled()
    return round_split.held_out(plan)


def test_what_early_stopping_watches_is_not_counted_for_the_gate(tmp_path: Path) -> None:
    """Ten questions suffice without early stopping; with it too few are left to refuse anything by."""
    ten = rows(10, "expert")
    assert split(tmp_path / "all", ten, "mini") == (tmp_path / "all/build/held_out.jsonl",) * 2
    with pytest.raises(TrainingError, match=r"\d questions are held out to judge by, 10 are needed \(and early"):
        split(tmp_path / "half", ten, "gaokerena")
    watched, judged = (read_pairs(path) for path in split(tmp_path / "more", rows(40, "expert"), "gaokerena"))
    assert len(watched) + len(judged) == 40
    assert len(judged) >= 10
    assert not {row.question_id for row in watched} & {row.question_id for row in judged}


def test_many_pairs_of_one_question_are_one_question(tmp_path: Path) -> None:
    one = [row.model_copy(update={"question_id": "q"}) for row in rows(12, "expert")]
    with pytest.raises(TrainingError, match="1 questions are held out to judge by"):
        split(tmp_path, one, "mini")


def test_pairs_longer_than_the_context_are_left_out_and_counted_and_none_is_cut(tmp_path: Path) -> None:
    make_tiny(tmp_path)
    engine = LocalEngine(str(tmp_path / "base"), {"old": str(tmp_path / "v"), "new": str(tmp_path / "r")})
    try:
        made = rows(4, "expert")
        lengths = [
            max(
                measure.tokens(engine.loaded, [turn.model_dump() for turn in row.prompt], text)
                for text in (row.better, row.worse)
            )
            for row in made
        ]
        assert len(set(lengths)) > 1
        cut = sorted(lengths)[-1] - 1
        whole = round_measure.held_out(engine, made, 1)
        short = [row for row, length in zip(made, lengths, strict=True) if length <= cut]
        wanted = round_measure.held_out(engine, short, 1)
        object.__setattr__(engine.loaded, "context", cut)
        found = round_measure.held_out(engine, made, 1)
    finally:
        engine.close()
    assert (whole["pairs"], whole["too_long"]) == (4, 0)
    assert found == wanted | {"too_long": 4 - len(short)}


def test_a_mixed_round_keeps_the_hash_of_the_other_file_and_the_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_cases.as_mini(tmp_path, monkeypatch)
    also = tmp_path / "teacher.jsonl"
    write_pairs(also, rows(30, "teacher_correction", 2))
    asked = round_cases.case(tmp_path, also=(also,))
    outcome = rounds.run(asked)
    assert outcome.place == asked.out
    told = read_json(asked.out / "lineage.json")["round"]
    assert told["also"] == [sha256(also)]
    assert told["pairs"] == sha256(asked.work / "mix" / "pairs.jsonl")  # type: ignore[operator]
    card_text = (asked.out / "README.md").read_text("utf-8")
    assert "teacher_correction, judged by no doctor" in card_text
