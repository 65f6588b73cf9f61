"""Pairs, corrections and step labels worked out by hand, and a manifest that accounts for every verdict."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from annotation.export import export
from annotation.items import Item, Ledger
from annotation.judged import Judged
from annotation.pairs import corrections, preferences
from annotation.usable import Rules
from annotation.workspace import FILES
from gaokerena.expert_verdicts import ExpertVerdict, VerdictFile
from gaokerena.prompts import COT_FREE
from tests.annotation.verdict_cases import confusion, item, judged, simulated, steps_said, twin_of, verdict


def test_one_doctor_one_item_by_hand() -> None:
    """The simplest case worked out on paper.

    A doctor is taken to have given four verdicts on every class, three of them right. One verdict «left» on one item
    starts at the posterior (1, 0, 0). Prevalences are then 4/3 + (1, 0, 0), left and right made equal: 11/6, 11/6, 4/3.
    P(says left | left) = (3 + 1) / (4 + 1), and 1/8 where right or neither is true: the next posterior of left is
    (11/6)(4/5) / ((11/6)(4/5) + (11/6)(1/8) + (4/3)(1/8)) = 0.787, and so on to the fixed point.
    """
    p, r, n = 1.0, 0.0, 0.0
    for _ in range(500):
        side = (8 / 3 + p + r) / 2
        left = side * (3 + p) / (4 + p)
        right = side * (0.5 + r) / (4 + r)
        neither = (4 / 3 + n) * (0.5 + n) / (4 + n)
        p, r, n = (part / (left + right + neither) for part in (left, right, neither))
    (pair,) = preferences([judged("a", item("one"), "left_much")], Rules()).pairs
    assert pair["weight"] == pytest.approx(p, abs=1e-6)
    assert pair["margin"] == 2


def test_a_pair_has_the_schema_of_the_design() -> None:
    shown = item("one", comparison_id="c9")
    made = preferences([judged("a", shown, "right_much", confidence=3), judged("b", shown, "right")], Rules())
    (pair,) = made.pairs
    left, right = shown.sides["left"].text, shown.sides["right"].text
    assert pair["prompt"] == [{"role": "user", "content": f"{shown.question.text}\n\n{COT_FREE}"}]
    assert pair["chosen"] == [{"role": "assistant", "content": right}]
    assert pair["rejected"] == [{"role": "assistant", "content": left}]
    assert (pair["source"], pair["question_id"], pair["margin"]) == ("expert", shown.question.id, 1.5)
    assert set(pair) == {
        "id", "prompt", "chosen", "rejected", "source", "question_id", "weight", "margin", "provenance",
    }  # fmt: skip
    told = pair["provenance"]
    assert (told["chosen_model"], told["rejected_model"], told["item_id"]) == ("r", "v", "one")
    assert told["judges"] == ["a", "b"]
    assert told["comparison_id"] == "c9"
    assert told["prompting"] == {"prompt": "cot", "chosen": "cot", "rejected": "straight"}
    assert pair["weight"] == round(told["posterior"]["right"], 6)
    assert 0.85 < pair["weight"] < 1
    mirrored = preferences([judged("a", shown, "left")], Rules()).pairs[0]
    assert mirrored["prompt"][0]["content"] == shown.question.text


def test_what_makes_no_pair() -> None:
    same = item("same")
    same = same.model_copy(update={"sides": {"left": same.sides["left"], "right": same.sides["left"]}})
    rows = [
        *(judged(name, item("tie"), "equal") for name in "ab"),
        *(judged(name, item("bad"), "both_bad") for name in "ab"),
        judged("a", item("split"), "left"),
        judged("b", item("split"), "right"),
        *(judged(name, same, "left") for name in "ab"),
        judged("a", item("gold", kind="gold", gold="left"), "left"),
        judged("a", twin_of(item("fine"), "again"), "right"),
        judged("a", item("unsure"), "left", confidence=1),
        judged("a", item("cannot"), None, cannot_judge=True),
        judged("a", item("private"), "left", personal_data=True),
        *(judged(name, item("fine"), "left") for name in "ab"),
    ]
    made = preferences(rows, Rules())
    assert [pair["provenance"]["item_id"] for pair in made.pairs] == ["fine"]
    assert made.dropped == {
        "tie": 1, "both_bad": 1, "low_posterior": 1, "same_text": 1, "gold": 1, "duplicate": 1, "low_confidence": 1,
        "cannot_judge": 1, "personal_data": 1,
    }  # fmt: skip
    assert made.candidates == 10


def test_refused_verdicts_have_no_say() -> None:
    """A verdict without confidence changes nothing of the pair it is about."""
    sure = [judged("a", item("one"), "left"), judged("b", item("one"), "left_much")]
    unsure = judged("c", item("one"), "right_much", confidence=1)
    assert preferences([*sure, unsure], Rules()).pairs == preferences(sure, Rules()).pairs
    assert preferences([*sure, unsure], Rules(min_confidence=1)).pairs != preferences(sure, Rules()).pairs


def test_a_correction_stands_over_both_answers() -> None:
    shown = item("one")
    text = " همین امشب کودک را به اورژانس ببرید. "
    rows = [
        judged("a", shown, "both_bad", corrected=text),
        judged("b", shown, "both_bad", corrected=shown.sides["left"].text),
        judged("c", shown, "both_bad", corrected="چیزی", confidence=1),
        judged("d", shown, "both_bad"),
    ]
    made = corrections(rows, Rules())
    assert made.candidates == 6
    assert made.dropped == {"same_text": 1, "low_confidence": 2}
    mine = [pair for pair in made.pairs if pair["provenance"]["judges"] == ["a"]]
    assert [pair["rejected"][0]["content"] for pair in mine] == [shown.sides[side].text for side in ("left", "right")]
    for pair in mine:
        assert pair["chosen"] == [{"role": "assistant", "content": text.strip()}]
        assert pair["prompt"] == [{"role": "user", "content": shown.question.text}]
        assert (pair["weight"], pair["margin"], pair["source"]) == (0.5, 1.0, "expert")
    assert len({pair["id"] for pair in made.pairs}) == 3


def test_a_correction_is_scrubbed_wherever_it_was_written(tmp_path: Path) -> None:
    """Argilla stores what a doctor types as it is."""
    text = "به ۰۹۱۲۳۴۵۶۷۸۹ زنگ بزنید؛ کد ملی بیمار ۰۰۷۳۵۸۹۵۴۱ است.\u202e"
    folder = workspace(tmp_path / "a", [judged("a", item("one"), "both_bad", corrected=text)])
    manifest = export(folder, tmp_path / "out" / "pairs.jsonl", Rules())
    chosen = {row["chosen"][0]["content"] for row in read(tmp_path / "out" / "pairs.jsonl")}
    assert len(chosen) == 1
    assert not re.search(r"[0-9۰-۹]|\u202e", *chosen)
    assert sum(manifest["scrubbed"].values()) == 2


def workspace(folder: Path, rows: list[Judged], *more: ExpertVerdict) -> Path:
    """A folder as `push` and `pull` leave it."""
    items: dict[str, Item] = {row.item.id: row.item for row in rows}
    Ledger(folder).add(items.values())
    with VerdictFile(folder / FILES["submitted"]) as file:
        file.append(*(row.verdict for row in rows), *more)
    return folder


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_the_manifest_accounts_for_everything(tmp_path: Path) -> None:
    rows, _ = simulated({"a": confusion(0.9), "b": confusion(0.8), "c": confusion(0.2)}, 150, 3, gold=20, duplicates=20)
    rows += [
        judged("a", item("own"), "both_bad", corrected="به اورژانس بروید.", **steps_said(right=2)),
        judged("b", item("own"), "both_bad", confidence=1, corrected="صبر کنید.", **steps_said(left=1)),
    ]
    folder = workspace(tmp_path / "a", rows, verdict("a", "gone", "left"))
    manifest = export(folder, tmp_path / "out" / "pairs.jsonl", Rules())
    for block in ("verdicts", "preferences", "corrections", "steps"):
        counted = manifest[block]
        assert counted["in"] == counted["out"] + sum(counted["dropped"].values())
    assert manifest["verdicts"]["in"] == len(rows) + 1
    assert manifest["verdicts"]["dropped"]["unknown_item"] == 1
    assert manifest["preferences"]["in"] == 150 + 20 + 1
    assert manifest["corrections"]["in"] == 4
    pairs, steps = read(tmp_path / "out" / "pairs.jsonl"), read(tmp_path / "out" / "steps.jsonl")
    kinds = Counter(pair["provenance"]["kind"] for pair in pairs)
    assert kinds == {"preference": manifest["preferences"]["out"], "correction": manifest["corrections"]["out"]}
    assert len(steps) == manifest["steps"]["out"] == 1
    assert len({row["id"] for row in pairs}) == len(pairs)
    assert manifest == json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["failed_doctors"] == {"c": "doctor_failed_gold"}


def test_the_same_verdicts_give_the_same_bytes(tmp_path: Path) -> None:
    rows, _ = simulated({"a": confusion(0.9), "b": confusion(0.8)}, 60, 3)
    export(workspace(tmp_path / "a", rows), tmp_path / "x" / "pairs.jsonl", Rules())
    export(workspace(tmp_path / "b", rows[::-1]), tmp_path / "y" / "pairs.jsonl", Rules())
    assert (tmp_path / "x" / "pairs.jsonl").read_bytes() == (tmp_path / "y" / "pairs.jsonl").read_bytes()


def test_chosen_answers_of_known_doctors_are_mostly_the_better_ones(tmp_path: Path) -> None:
    rows, truths = simulated({"a": confusion(0.9), "b": confusion(0.8), "c": confusion(0.75)}, 400, 8)
    pairs = preferences(rows, Rules(min_posterior=0.9)).pairs
    right = [
        ["r", "v"].index(pair["provenance"]["rejected_model"]) == truths[int(pair["provenance"]["item_id"][1:])]
        for pair in pairs
    ]
    assert len(pairs) > 150
    assert sum(right) / len(right) > 0.95
