"""Agreement by question and subject, and kappa by pair, from verdicts."""

from __future__ import annotations

import pytest

from annotation.agreement import QUESTIONS, by_question, by_subject, pairwise, table
from annotation.alpha import alpha
from annotation.judged import Judged, join, mirror, outcome, standing
from gaokerena.expert_verdicts import FAULTS, GRADES, SCALES, Grade, SideVerdict
from gaokerena.questions import Question
from tests.annotation.verdict_cases import item, judged, twin_of, verdict

BY_NAME = {question.name: question for question in QUESTIONS}


def graded(*grades: str) -> list[Judged]:
    """One item for each word of grades, one grade a doctor: l L = r R b, or . for none."""
    names: dict[str, Grade] = dict(zip("Ll=rRb", GRADES, strict=True))
    return [
        judged(f"d{doctor}", item(f"i{place}"), names[letter])
        for place, word in enumerate(grades)
        for doctor, letter in enumerate(word)
        if letter != "."
    ]


def test_both_bad_is_out_of_the_grade_and_in_the_choice() -> None:
    rows = graded("Ll", "=r", "bR", "bb", "r.")
    counts, items, doctors = table(BY_NAME["grade"], rows)
    assert counts.tolist() == [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0]]
    assert (items, doctors) == (["i0", "i1"], 2)
    counts, items, _ = table(BY_NAME["choice"], rows)
    assert counts.tolist() == [[2, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 1], [0, 0, 0, 2]]
    assert items == ["i0", "i1", "i2", "i3"]


def test_alpha_of_a_question_is_that_of_its_table() -> None:
    rows = graded("LLl", "lLl", "=lr", "Rrr", "rRb", "b==")
    found = {each.question: each for each in by_question(rows, seed=1)}
    assert set(found) == set(BY_NAME)
    for name in ("grade", "choice"):
        counts, items, _ = table(BY_NAME[name], rows)
        got = found[name].alpha
        assert got
        assert got.estimate == pytest.approx(alpha(counts, BY_NAME[name].level))
        assert got.low <= got.estimate <= got.high
        assert found[name].items == len(items)
    assert found["safety"].alpha is None
    assert found["safety"].units == 0


def test_each_side_is_a_unit_and_unanswered_is_missing() -> None:
    def said(left: int, right: int | None, *faults: str) -> dict[str, SideVerdict]:
        sides = {"left": SideVerdict(scales={"safety": left}, faults=faults, first_wrong_step=0)}
        return sides | ({} if right is None else {"right": SideVerdict(scales={"safety": right})})

    shown = item("one")
    rows = [
        judged("a", shown, "left", sides=said(4, 1, "unsafe")),
        judged("b", shown, "left", sides=said(3, 1)),
        judged("c", shown, "left", sides=said(4, None)),
        judged("d", shown, "left", cannot_judge=True, sides=said(1, 1)),
    ]
    counts, _, doctors = table(BY_NAME["safety"], rows)
    assert counts.tolist() == [[0, 0, 1, 2], [2, 0, 0, 0]]
    assert doctors == 3
    assert table(BY_NAME["unsafe"], rows)[0].tolist() == [[2, 1], [2, 0]]
    assert table(BY_NAME["any_wrong_step"], rows)[0].tolist() == [[3, 0]]
    assert table(BY_NAME["cannot_judge"], rows)[0].tolist() == [[3, 1]]
    assert {*SCALES, *FAULTS} <= set(BY_NAME)


def test_gold_and_duplicates_are_left_out() -> None:
    first = item("one")
    rows = [
        judged(name, shown, "left")
        for name in "ab"
        for shown in (first, twin_of(first, "two"), item("three", kind="gold", gold="left"))
    ]
    assert table(BY_NAME["choice"], rows)[1] == ["one", "three", "two"]
    assert {each.items for each in by_question(rows, seed=1) if each.question == "choice"} == {1}
    assert [each.items for each in pairwise(rows, seed=1)] == [1, 1]


def test_subjects_are_apart() -> None:
    def about(name: str, subject: str | None) -> object:
        return item(name, question=Question(text=f"پرسش {name}", subject=subject))

    heart, skin = about("h", "heart"), about("s", "skin")
    rows = [judged(name, shown, "left") for name in "ab" for shown in (heart, skin, about("n", None))]  # type: ignore[arg-type]
    assert [(each.subject, each.question, each.items) for each in by_subject(rows, seed=1)] == [
        (subject, question, 1) for subject in ("", "heart", "skin") for question in ("grade", "choice")
    ]


def test_kappa_is_over_items_both_judged() -> None:
    rows = graded("Ll.", "lL=", "==r", "rR.", "RR.", ".r=")
    found = {(each.question, each.one, each.other): each for each in pairwise(rows, seed=1)}
    both = found["choice", "d0", "d1"]
    assert (both.items, both.same) == (5, 1.0)
    assert both.kappa
    assert both.kappa.estimate == 1
    weighted = found["grade", "d0", "d1"].kappa
    assert weighted
    # By hand: differences 1, 1, 0, 1, 0; squares 3 of 5. Expected: every difference of 0 1 2 3 4 with 1 0 2 4 4.
    expected = sum((a - b) ** 2 for a in range(5) for b in (1, 0, 2, 4, 4)) / 25
    assert weighted.estimate == pytest.approx(1 - (3 / 5) / expected)
    assert found["choice", "d0", "d2"].items == 2
    assert found["choice", "d1", "d2"].kappa


def test_the_newest_submitted_verdict_stands() -> None:
    first, again = verdict("a", "one", "left", 1, id="x"), verdict("a", "one", "right", 5, id="y")
    taken_back = verdict("b", "one", "left", 1), verdict("b", "one", "left", 2, status="discarded")
    draft = verdict("c", "one", "left", 1, status="draft")
    for rows in ([first, again, *taken_back, draft], [again, first, draft, *taken_back]):
        assert standing(rows) == [again]
    known, unknown = join([first, verdict("a", "gone", "left")], {"one": item("one")})
    assert [row.item.id for row in known] == ["one"]
    assert [row.item_id for row in unknown] == ["gone"]


def test_mirrors_and_outcomes() -> None:
    assert [mirror(mirror(grade)) for grade in GRADES] == list(GRADES)
    assert [outcome(grade) for grade in GRADES] == ["left", "left", "neither", "right", "right", "neither"]
    flipped = {"left": "right", "right": "left", "neither": "neither"}
    assert all(outcome(mirror(grade)) == flipped[outcome(grade)] for grade in GRADES)
