"""How far a judge agrees with doctors: their files read, the majority, the figures by hand, the intervals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gaokerena.evaluation.freeform import Pair
from gaokerena.evaluation.freeform_score import Verdict, Winner
from gaokerena.expert_verdicts import ExpertVerdict, Grade, VerdictFile
from gaokerena.statistics import wilson
from tests.training.rlaif.cases import task, write_questions
from tests.training.rlaif.judge_cases import BAD, GOOD, doctors_pairs
from training.errors import TrainingError
from training.rlaif.agreement import measure
from training.rlaif.doctors import read_doctors
from training.rlaif.job import Job, prepare
from training.rlaif.parties import Wanted


def test_one_comparison_a_question_has_the_exact_interval(tmp_path: Path) -> None:
    doctors = read_doctors(doctors_pairs(tmp_path, agree=9, disagree=3), None)
    said = [Verdict(Pair(c.question.id, 0, c.question.text, c.a, c.b), ("a", "a")) for c, _ in doctors.known]
    measured = measure(doctors, said)
    expected = sum(expert == "a" for _, expert in doctors.known)
    assert measured.decided == wilson(expected, 12)


def _verdicts(folder: Path, grades: list[tuple[str, str, Grade]]) -> tuple[Path, Path]:
    """A file of verdicts (judge, item, grade) and a ledger of the items, the useful answer always left."""
    with VerdictFile(folder / "verdicts.jsonl") as file:
        for number, (judge, item, grade) in enumerate(grades):
            file.append(
                ExpertVerdict(id=f"v{number}", item_id=item, judge=judge, status="submitted", where="page",
                              guideline_version="1", grade=grade)
            )  # fmt: skip
    items = [
        {
            "id": item,
            "kind": "gold" if item.startswith("g") else "comparison",
            "question": {"text": task(number).question.text},
            "sides": {"left": {"model": "v", "text": GOOD}, "right": {"model": "r", "text": BAD}},
        }
        for number, item in enumerate(sorted({item for _, item, _ in grades} - {"lost"}))
    ]
    ledger = folder / "items.jsonl"
    ledger.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in items), "utf-8")
    return folder / "verdicts.jsonl", ledger


def test_other_items_under_the_same_verdicts_are_other_work(tmp_path: Path) -> None:
    """A run finished on the old items must not pass for one on the new."""
    path, ledger = _verdicts(tmp_path, [("d1", "i1", "left")])
    questions = write_questions(tmp_path, 1)
    job = Job("judge", tmp_path, Wanted("x"), Wanted("y"), questions, verdicts=path, items=ledger)
    before = prepare(job).content
    assert prepare(job).content == before
    ledger.write_text(ledger.read_text("utf-8").replace(BAD, BAD + " همین."), "utf-8")
    assert prepare(job).content != before


def test_of_several_doctors_the_majority_counts(tmp_path: Path) -> None:
    path, ledger = _verdicts(tmp_path, [
        ("d1", "i1", "left"), ("d2", "i1", "left_much"), ("d3", "i1", "right"),
        ("d1", "i2", "left"), ("d2", "i2", "right"),
        ("d1", "i3", "right"), ("d1", "i3", "both_bad"),
        ("d1", "g1", "left"), ("d1", "lost", "left"),
    ])  # fmt: skip
    found = read_doctors(path, ledger)
    assert [(compared.id, winner) for compared, winner in found.known] == [("i1", "a"), ("i2", "tie"), ("i3", "tie")]
    assert (found.left_out, found.ties) == ({"gold": 1, "unknown item": 1}, True)
    with pytest.raises(TrainingError, match="give --items"):
        read_doctors(path, None)


def _said(*winners: Winner | None) -> list[Verdict]:
    return [Verdict(Pair(str(number), 0, "", "", ""), (winner, winner)) for number, winner in enumerate(winners)]


def test_the_figures_by_hand(tmp_path: Path) -> None:
    """Doctors: a, a, b, tie, a. The judge: a, b, b, tie, nothing readable."""
    path, ledger = _verdicts(tmp_path, [
        ("d", "i1", "left"), ("d", "i2", "left"), ("d", "i3", "right"), ("d", "i4", "equal"), ("d", "i5", "left"),
    ])  # fmt: skip
    found = measure(read_doctors(path, ledger), _said("a", "b", "b", "tie", None))
    assert (found.n, found.unreadable, found.n_decided, found.doctors_decided) == (5, 1, 3, 4)
    assert found.all is not None
    assert found.decided is not None
    assert (found.all.estimate, found.decided.estimate) == (0.75, pytest.approx(2 / 3))
    assert found.table == {"a, a": 1, "a, b": 1, "b, b": 1, "tie, tie": 1}
    assert (found.kinds, found.first_wins and found.first_wins.estimate) == ({"consistent": 4, "unreadable": 1}, 0.5)
    perfect = measure(read_doctors(path, ledger), _said("a", "a", "b", "tie", "a")).decided
    assert perfect is not None
    assert (perfect.low, perfect.high) == (wilson(4, 4).low, 1.0)


def test_the_order_shown_does_not_follow_from_the_doctors_choice(tmp_path: Path) -> None:
    """Else a judge that likes the first place would look right."""
    known = read_doctors(doctors_pairs(tmp_path, agree=6, disagree=6)).known
    assert {winner for _, winner in known} == {"a", "b"}
    assert all(compared.a <= compared.b for compared, _ in known)
