"""A study's file, order and verdicts: blinded, seeded, durable, nothing lost or doubled."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaokerena.expert_verdicts import GRADES, ExpertVerdict, SideVerdict, latest, read
from gaokerena.intake import RefusalError
from gaokerena.study import Study, StudyError, StudyHead, lines, open_study, read_study
from gaokerena.study_answers import made, step_choices
from tests.study_cases import item, study_file


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(study_file(tmp_path / "study.jsonl", 8), tmp_path / "out" / "verdicts.jsonl")


def rows(study: Study) -> list[ExpertVerdict]:
    return list(read(study._out.path))


def test_a_verdict_is_in_the_file_with_all_that_was_said(study: Study) -> None:
    sent = {
        "grade": "right_much",
        "left": {"scales": {"correctness": "1", "safety": 2}, "faults": ["unsafe", "wrong_fact"], "step": None},
        "right": {"scales": {"clarity": "4"}, "faults": [], "step": "2"},
        "corrected": "استراحت؛ شمارهٔ من 09123456789 است.\u202e",
        "confidence": "3",
        "personal_data": True,
    }
    study.submit("P12", "i1", sent, 41.53)
    [row] = rows(study)
    assert (row.id, row.judge, row.item_id, row.where, row.status) == ("page.i1.p12", "p12", "i1", "page", "submitted")
    assert (row.grade, row.confidence, row.seconds, row.guideline_version) == ("right_much", 3, 41.5, "fa-1")
    assert row.sides["left"] == SideVerdict(scales={"correctness": 1, "safety": 2}, faults=("wrong_fact", "unsafe"))
    assert row.sides["right"] == SideVerdict(scales={"clarity": 4}, first_wrong_step=2)
    assert row.corrected == "استراحت؛ شمارهٔ من [شماره همراه] است."
    assert row.personal_data


def test_the_order_is_the_codes_own_and_always_the_same(study: Study) -> None:
    def order(code: str) -> list[str]:
        return [item.id for item in study.order(code)]

    assert order("a1") == order("a1")
    assert sorted(order("a1")) == sorted(study.items)
    assert len({tuple(order(f"a{n}")) for n in range(6)}) == 6


def test_a_later_part_comes_later_for_everybody(tmp_path: Path) -> None:
    parts = [2, 0, 1, 0, 1, 2]
    path = tmp_path / "study.jsonl"
    head = StudyHead(name="s", guideline_version="fa-1")
    path.write_text("\n".join(lines(head, (item(n, part=part) for n, part in enumerate(parts)))) + "\n")
    study = Study(path, tmp_path / "out.jsonl")
    for code in ("a1", "b2", "c3"):
        assert [one.part for one in study.order(code)] == sorted(parts)


def test_a_code_goes_on_where_it_stopped_also_after_a_restart(
    study: Study, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    order = [one.id for one in study.order("a1")]
    for name in order[:3]:
        study.submit("a1", name, {"grade": "equal"}, 1)
    again = Study(tmp_path / "study.jsonl", study._out.path)
    place = again.place("a1")
    assert (place.item.id if place.item else None, place.done, place.total) == (order[3], 3, 8)
    assert again.place("b2").done == 0
    for name in order[3:]:
        again.submit("a1", name, {"grade": "equal"}, 1)
    assert study.place("a1").item is None, "the other process sees it too"
    assert caplog.text == ""


def test_the_same_verdict_twice_is_one_row_and_another_replaces_it(study: Study) -> None:
    assert not study.submit("a1", "i1", {"grade": "left"}, 5).replaced
    assert not study.submit("a1", "i1", {"grade": "left"}, 9).replaced
    assert len(rows(study)) == 1
    assert study.submit("a1", "i1", {"grade": "right"}, 9).replaced
    assert [row.grade for row in rows(study)] == ["left", "right"], "nothing is taken out of the file"
    assert [row.grade for row in latest(rows(study))] == ["right"]
    assert study.place("a1").done == 1


def test_two_tabs_of_one_code_lose_and_double_nothing(study: Study, tmp_path: Path) -> None:
    other = Study(tmp_path / "study.jsonl", study._out.path)
    order = [one.id for one in study.order("a1")]

    def tab(which: Study, names: list[str]) -> None:
        for name in names:
            which.submit("a1", name, {"grade": "left"}, 1)

    tabs = [
        threading.Thread(target=tab, args=(which, names))
        for which, names in ((study, order[:5]), (study, order[3:]), (other, order[::-1]))
    ]
    for thread in tabs:
        thread.start()
    for thread in tabs:
        thread.join()
    standing = latest(rows(study))
    assert sorted(row.item_id for row in standing) == sorted(order)
    assert study.place("a1").done == other.place("a1").done == 8


def test_going_back_names_the_verdict_before(study: Study) -> None:
    assert study.before("a1", "i1") is None
    for name in ("i3", "i5"):
        study.submit("a1", name, {"grade": "left"}, 1)
    assert [found.item_id if (found := study.before("a1", at)) else None for at in ("i1", "i5", "i3")] == [
        "i5", "i3", None,
    ]  # fmt: skip


@pytest.mark.parametrize("typed", ["", " ", "a", "دکتر رضایی", "x" * 41, "a/b", None, 7, ["a1"]])
def test_no_code_no_entry(study: Study, typed: object) -> None:
    with pytest.raises(RefusalError, match="کد"):
        study.enter(typed)


@pytest.mark.parametrize(("typed", "kept"), [(" P12 ", "p12"), ("پ۱۲", "پ12"), ("ك٣", "ک3"), ("a_b-1", "a_b-1")])
def test_a_code_typed_in_another_way_is_the_same_code(study: Study, typed: str, kept: str) -> None:
    assert study.enter(typed) == kept == study.enter(kept)


def test_with_a_list_only_its_codes_enter(tmp_path: Path) -> None:
    study = Study(study_file(tmp_path / "s.jsonl", codes=("پ۱", "پ۲")), tmp_path / "out.jsonl")
    assert study.enter("پ2") == "پ2"
    with pytest.raises(RefusalError, match="این کد در این پژوهش نیست"):
        study.enter("پ۳")


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({}, "which answer is better"),
        ({"grade": "best"}, "'best' is none of left_much"),
        ({"grade": ["left"]}, "is none of left_much"),
        ({"grade": "left", "confidence": 4}, "confidence 4 is none of 1, 2, 3"),
        ({"grade": "left", "confidence": True}, "confidence True"),
        ({"grade": "left", "left": {"scales": {"safety": 5}}}, "safety 5 is none of 1, 2, 3, 4"),
        ({"grade": "left", "left": {"scales": {"beauty": 1}}}, "'beauty' is none of correctness"),
        ({"grade": "left", "left": {"faults": ["ugly"]}}, "'ugly' is none of wrong_fact"),
        ({"grade": "left", "left": {"faults": "unsafe"}}, "faults 'unsafe'"),
        ({"grade": "left", "left": {"step": 4}}, "step 4 is none of 0, 1, 2, 3"),
        ({"grade": "left", "left": 3}, "verdict 3"),
        ({"grade": "left", "corrected": "x" * 20_001}, "20001 characters"),
        ({"grade": "left", "corrected": 3}, "corrected 3"),
        ("left", "verdict 'left'"),
    ],
)
def test_what_is_no_verdict_is_refused_and_not_kept(study: Study, sent: Any, says: str) -> None:
    with pytest.raises(RefusalError, match=says):
        study.submit("a1", "i3", sent, 1)
    assert rows(study) == []


def test_who_cannot_judge_gives_no_grade(study: Study) -> None:
    row = study.submit("a1", "i1", {"grade": "left", "cannot_judge": True}, 1).verdict
    assert (row.grade, row.cannot_judge) == (None, True)
    assert study.submit("a1", "i2", {"personal_data": True}, 1).verdict.grade is None


def test_an_item_of_another_study_is_refused(study: Study) -> None:
    for name in ("i99", None, 3, ["i1"]):
        with pytest.raises(RefusalError, match="not part of the study"):
            study.submit("a1", name, {"grade": "left"}, 1)


def test_a_side_without_steps_has_no_wrong_one_and_a_long_one_stops_at_twenty() -> None:
    sent = {"grade": "left", "left": {"step": 1}, "right": {"step": 21}}
    verdict = made("i1", "a1", sent, 1, {"left": 0, "right": 40}, "fa-1")
    assert list(verdict.sides) == ["right"]
    assert verdict.sides["right"].first_wrong_step == 21
    assert list(step_choices(40)) == list(range(22))
    assert list(step_choices(3)) == [0, 1, 2, 3]


@pytest.mark.parametrize("seconds", [None, "5", True, -1, float("nan"), float("inf"), 90_000])
def test_seconds_that_cannot_be_meant_are_not_kept(seconds: object) -> None:
    assert made("i1", "a1", {"grade": "left"}, seconds, {}, "fa-1").seconds is None


KEYS = ("grade", "left", "right", "scales", "faults", "step", "corrected", "confidence", "safety", "cannot_judge")
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(GRADES)
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner),
    max_leaves=12,
)


@given(ANYTHING)
@settings(max_examples=200, deadline=None)
def test_whatever_is_sent_gives_a_verdict_or_a_refusal(sent: object) -> None:
    try:
        verdict = made("i1", "a1", sent, sent, {"left": 3, "right": 0}, "fa-1")
    except RefusalError:
        return
    assert ExpertVerdict.model_validate_json(verdict.model_dump_json()) == verdict
    assert verdict.grade in GRADES or verdict.cannot_judge or verdict.personal_data


def test_the_ledger_itself_is_no_study(tmp_path: Path) -> None:
    head = StudyHead(name="s", guideline_version="fa-1").model_dump_json()
    shown = json.loads(item(1).model_dump_json())
    shown["sides"]["left"]["model"] = "gaokerena-v1.0"
    path = tmp_path / "items.jsonl"
    path.write_text(f"{head}\n{json.dumps(shown)}\n")
    with pytest.raises(StudyError, match=r"items\.jsonl:2: sides\.left\.model: Extra inputs .* study-file"):
        read_study(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: lines[:1], "has 1 lines and needs a head and an item"),
        (lambda lines: lines[1:], ":1: name: Field required"),
        (lambda lines: [*lines, lines[1]], "item i1 stands there twice"),
        (lambda lines: [*lines, "{"], ":6: line: Invalid JSON"),
        (lambda lines: [lines[0], lines[2].replace('"gold":null', '"gold":"A"')], "must not name its gold letter"),
    ],
)
def test_a_study_that_cannot_be_used_says_where_and_why(tmp_path: Path, change: Any, says: str) -> None:
    path = study_file(tmp_path / "study.jsonl")
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    with pytest.raises(StudyError, match=says):
        read_study(path)


def test_a_study_that_is_not_there_and_no_study(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="No such file"):
        open_study(tmp_path / "none.jsonl", tmp_path / "out.jsonl")
    assert open_study(None, tmp_path / "out.jsonl") is None
    assert not (tmp_path / "out.jsonl").exists()


def test_a_torn_verdict_is_not_counted_and_a_foreign_line_stops_the_start(study: Study, tmp_path: Path) -> None:
    study.submit("a1", "i1", {"grade": "left"}, 1)
    with study._out.path.open("ab") as file:
        file.write(b'{"id": "page.i2.a1"')
    study.submit("a1", "i3", {"grade": "left"}, 1)
    assert set(study.given("a1")) == {"i1", "i3"}
    with study._out.path.open("ab") as file:
        file.write(b'{"note": 1}\n')
    assert set(study.given("a1")) == {"i1", "i3"}, "nobody in the middle of a study is stopped"
    with pytest.raises(StudyError, match=r"verdicts\.jsonl:3: .*mend or delete"):
        Study(tmp_path / "study.jsonl", study._out.path)
