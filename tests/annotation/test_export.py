"""Pairs, corrections and step labels worked out by hand, and a manifest that accounts for every verdict."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.export import ExportError, export
from annotation.items import Item, Ledger
from annotation.judged import Judged
from annotation.pairs import corrections, preferences
from annotation.steps import labelled, step_labels
from annotation.usable import Rules
from annotation.workspace import FILES, Adjudicated, Workspace, WorkspaceError, read_workspace
from gaokerena.expert_verdicts import ExpertVerdict, VerdictFile
from gaokerena.prompts import COT_FREE
from tests.annotation.verdict_cases import STEPS, confusion, item, judged, simulated, steps_said, twin_of, verdict


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


def test_step_labels_by_hand() -> None:
    shown = item("one")
    made = step_labels([judged("a", shown, "left", **steps_said(right=3))], Rules())
    (row,) = made.pairs
    assert row["prompt"] == f"{shown.question.text}\n\n{COT_FREE}"
    assert row["completions"] == list(STEPS)
    assert row["labels"] == [True, True, False]
    (whole,) = step_labels([judged("a", shown, "left", **steps_said(right=0))], Rules()).pairs
    assert whole["labels"] == [True, True, True]
    (first,) = step_labels([judged("a", shown, "left", **steps_said(right=1))], Rules()).pairs
    assert (first["completions"], first["labels"]) == ([STEPS[0]], [False])


@pytest.mark.parametrize(
    ("named", "count", "labels", "shares"),
    [
        ([2, 2, 0], 3, [True, False], [1, 2 / 3]),
        ([2, 0, 0], 3, [True, True, True], [1, 2 / 3, 1]),
        ([0, 3], 3, [True, True], [1, 1]),  # evenly split on the third
        ([1, 0], 3, [], []),
        ([21], 25, [True] * 20, [1] * 20),  # wrong somewhere after the twentieth
        ([21, 0], 22, [True] * 22, [1] * 22),
        ([0], 2, [True, True], [1, 1]),
    ],
)
def test_several_doctors_label_step_by_step(
    named: list[int], count: int, labels: list[bool], shares: list[float]
) -> None:
    found = labelled(named, count)
    assert found[0] == labels
    assert found[1] == pytest.approx(shares)


@given(st.lists(st.integers(0, 21), min_size=1, max_size=5), st.integers(1, 25))
def test_labels_end_at_the_first_wrong_step(named: list[int], count: int) -> None:
    labels, shares = labelled(named, count)
    assert all(labels[:-1])
    assert len(labels) == len(shares) <= count
    assert labelled(sorted(named, reverse=True), count) == (labels, shares)
    if labels and not labels[-1]:
        assert len(labels) in named


def test_why_there_are_no_step_labels() -> None:
    rows = [
        judged("a", item("straight"), "left", **steps_said(left=1)),
        judged("a", item("beyond"), "left", **steps_said(right=7)),
        judged("a", item("split"), "left", **steps_said(right=1)),
        judged("b", item("split"), "left", **steps_said(right=0)),
        judged("a", item("unsure"), "left", confidence=1, **steps_said(right=2)),
        judged("a", item("mixed"), "left", **steps_said(right=7)),
        judged("b", item("mixed"), "left", **steps_said(right=2)),
        judged("a", item("silent"), "left"),
    ]
    made = step_labels(rows, Rules())
    assert made.dropped == {"no_steps": 1, "no_such_step": 1, "doctors_disagree": 1, "low_confidence": 1}
    assert [row["provenance"]["item_id"] for row in made.pairs] == ["mixed"]
    assert made.pairs[0]["provenance"]["first_wrong_step"] == {"b": 2}
    assert made.candidates == 5


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


def test_places_that_cannot_be(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "a", [judged("a", item("one"), "left")])
    with pytest.raises(WorkspaceError, match="annotation pull"):
        read_workspace(tmp_path)
    for out, why in (
        (folder / "pairs.jsonl", "where push and pull keep their files"),
        (tmp_path / "manifest.json", "the name of a file written beside it"),
        (tmp_path / "steps.jsonl", "the name of a file written beside it"),
    ):
        with pytest.raises(ExportError, match=f"{why}; .*--out"):
            export(folder, out, Rules())


def test_the_manifest_names_every_file_that_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files of one name, and a pull that appends while the first reading goes on."""
    folder = workspace(tmp_path / "a", [judged("a", item("one"), "left")])
    more = tmp_path / "b" / "verdicts.jsonl"
    with VerdictFile(more) as file:
        file.append(verdict("s", "one", "left", where="page"))
    reads = []

    def read_workspace_late(*given: Any) -> Workspace:
        found = read_workspace(*given)
        if not reads:
            with VerdictFile(folder / FILES["submitted"]) as file:
                file.append(verdict("b", "one", "left"))
        reads.append(len(found.judged))
        return found

    monkeypatch.setattr("annotation.export.read_workspace", read_workspace_late)
    manifest = export(folder, tmp_path / "out" / "pairs.jsonl", Rules(), [more])
    assert reads == [2, 3]
    assert manifest["verdicts"]["in"] == 3
    hashes = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "verdicts.jsonl", more)}
    assert [(each["name"], each["rows"]) for each in manifest["inputs"]] == [
        ("items.jsonl", 1), ("verdicts.jsonl", 2), ("…/verdicts.jsonl", 1),
    ]  # fmt: skip
    assert [each["sha256"] for each in manifest["inputs"]][1:] == list(hashes.values())
    assert str(tmp_path) not in json.dumps(manifest)


def test_drafts_and_discards_are_counted_apart(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "a", [judged("a", item("one"), "left")])
    with VerdictFile(folder / FILES["draft"]) as file:
        file.append(verdict("b", "one", "left", status="draft"), verdict("c", "one", None, status="draft"))
        file.append(verdict("c", "one", None, status="submitted"))
    with VerdictFile(folder / FILES["discarded"]) as file:
        file.append(
            verdict("a", "one", None, status="discarded", id="other"), verdict("d", "one", None, status="discarded")
        )
    found = read_workspace(folder)
    assert found.apart == {"draft": {"b": 1}, "discarded": {"d": 1}}
    assert (folder / FILES["submitted"]).read_bytes().count(b"\n") == 1


def test_personal_data_marked_in_a_draft_or_a_discard_counts(tmp_path: Path) -> None:
    """Nobody submitted the mark; the page promised that such a text is left out."""
    shown = [item(name) for name in ("plain", "drafted", "discarded", "twinned", "corrected")]
    rows = [judged("a", each, "left", **steps_said(right=1)) for each in shown]
    rows += [judged("b", shown[4], "both_bad", corrected="به اورژانس بروید.")]
    rows += [judged("a", twin_of(shown[3], "twin"), "right")]
    folder = workspace(tmp_path / "a", rows)
    with VerdictFile(folder / FILES["draft"]) as file:
        file.append(verdict("c", "drafted", None, status="draft", personal_data=True))
        file.append(verdict("c", "plain", None, status="draft", personal_data=True))
        file.append(verdict("c", "plain", None, status="submitted"))  # taken back when it was submitted
    with VerdictFile(folder / FILES["discarded"]) as file:
        for name in ("discarded", "twin", "corrected"):
            file.append(verdict("c", name, None, status="discarded", personal_data=True))
    manifest = export(folder, tmp_path / "out" / "pairs.jsonl", Rules(min_posterior=0.1))
    for name in ("pairs.jsonl", "steps.jsonl"):
        assert {row["provenance"]["item_id"] for row in read(tmp_path / "out" / name)} == {"plain"}
    assert manifest["verdicts"]["dropped"]["personal_data"] == 5


def test_what_adjudicate_discarded_for_a_doctor_is_not_his_doing(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "a", [judged("a", item("one"), "left")])
    given = Adjudicated(dataset="third", item_id="one", judges=("z",))
    (folder / "adjudicated.jsonl").write_text(given.model_dump_json() + "\n")
    with VerdictFile(folder / FILES["discarded"]) as file:
        file.append(verdict("z", "one", None, status="discarded", id="third/r1"))
        assert read_workspace(folder).apart["discarded"] == {}
        file.append(verdict("z", "one", None, status="discarded", id="first/r2"))
    assert read_workspace(folder).apart["discarded"] == {"z": 1}
