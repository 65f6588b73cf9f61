"""Answers: the two ways are inverses for every verdict the page can give, and foreign values are refused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.page.answers import AnswerError, from_values, to_values
from annotation.page.questions import QUESTIONS
from gaokerena.comparisons import SIDES
from gaokerena.expert_verdicts import FAULTS, GRADES, SCALES, STEPS, ExpertVerdict, SideVerdict

FIXED = {"id": "v1", "item_id": "i1", "judge": "d1", "status": "submitted", "where": "argilla"}


def verdict(**parts: Any) -> ExpertVerdict:
    return ExpertVerdict.model_validate({**FIXED, "guideline_version": "fa-1", "at": "2026-01-01", **parts})


sides = st.builds(
    SideVerdict,
    scales=st.dictionaries(st.sampled_from(SCALES), st.integers(1, 4)),
    faults=st.sets(st.sampled_from(FAULTS)).map(lambda some: tuple(fault for fault in FAULTS if fault in some)),
    first_wrong_step=st.none() | st.integers(0, STEPS + 1),
)
judged = st.fixed_dictionaries(
    {
        "sides": st.dictionaries(st.sampled_from(SIDES), sides.filter(lambda side: side != SideVerdict())),
        "corrected": st.text() | st.text("a</$&'`!\u2060 ب"),
        "confidence": st.none() | st.integers(1, 3),
        "personal_data": st.booleans(),
    }
).flatmap(
    lambda parts: st.one_of(
        st.none().map(lambda grade: {**parts, "grade": grade}),
        st.sampled_from(GRADES).map(lambda grade: {**parts, "grade": grade}),
        st.just({**parts, "grade": None, "cannot_judge": True}),
    )
)


@given(judged)
@settings(deadline=None)
def test_a_verdict_comes_back_as_it_went(parts: dict[str, Any]) -> None:
    given_one = verdict(**parts)
    stored = json.loads(json.dumps(to_values(given_one)))
    assert verdict(**from_values(stored)) == given_one


def test_every_question_says_something_of_its_own() -> None:
    """A change of any one answer changes the verdict: no question is dropped, no two share a place."""
    seen = []
    for question in QUESTIONS:
        for value, _ in question.choices or (("متن", ""),):
            if question.name == "personal_data" and value == "no":
                continue  # the same as not answered: nobody said that there is any
            answer = [value] if question.kind == "multi_label_selection" else value
            seen.append(verdict(**from_values({question.name: {"value": answer}})).model_dump_json())
    assert len(set(seen)) == len(seen)
    assert verdict(**from_values({})).model_dump_json() not in seen


def test_values_by_hand() -> None:
    parts = from_values(
        {
            "grade": {"value": "right_much"},
            "safety_left": {"value": "1"},
            "first_wrong_step_left": {"value": "0"},
            "first_wrong_step_right": {"value": "21"},
            "faults_left": {"value": ["missed_emergency", "unsafe"]},
            "corrected": {"value": "همین حالا به اورژانس بروید."},
        }
    )
    assert parts["grade"] == "right_much"
    assert parts["sides"]["left"] == SideVerdict(
        scales={"safety": 1}, faults=("unsafe", "missed_emergency"), first_wrong_step=0
    )
    assert parts["sides"]["right"].first_wrong_step == STEPS + 1
    assert parts["corrected"] == "همین حالا به اورژانس بروید."
    assert not parts["cannot_judge"]


def test_a_correction_is_stored_so_that_no_page_can_run_it() -> None:
    """Argilla pastes it into a page: `</script>` and `$&` must not stand there as they are."""
    hostile = "</script><script>x()</script> <!-- $& $$ $' $` <b"
    stored = to_values(verdict(corrected=hostile))["corrected"]["value"]
    assert not re.search(r"<[A-Za-z/!?]|\$[$&`']", stored)
    assert from_values({"corrected": {"value": stored}})["corrected"] == hostile
    plain = "فشار < 90 و 5$ مانند a<=b"
    assert to_values(verdict(corrected=plain))["corrected"]["value"] == plain


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_draft_without_answers_says_nothing(nothing: dict[str, Any] | None) -> None:
    assert verdict(**from_values(nothing)) == verdict()


def test_whoever_cannot_judge_gives_no_grade() -> None:
    assert from_values({"grade": {"value": "cannot_judge"}})["cannot_judge"]
    assert to_values(verdict(cannot_judge=True)) == {"grade": {"value": "cannot_judge"}}
    with pytest.raises(AnswerError, match=r"'v1': cannot_judge with grade 'left'"):
        to_values(verdict(cannot_judge=True, grade="left"))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"better": {"value": "left"}}, "question 'better' is not one"),
        ({"grade": "left"}, "question 'grade': 'left' is not"),
        ({"grade": {"value": "best"}}, "question 'grade': 'best' is none of left_much"),
        ({"grade": {"value": ["left"]}}, "question 'grade'"),
        ({"safety_left": {"value": 4}}, "question 'safety_left'"),
        ({"faults_left": {"value": ["unsafe", "rude"]}}, "question 'faults_left'"),
        ({"corrected": {"value": 3}}, "question 'corrected': '3' is none of text"),
    ],
)
def test_foreign_values_are_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(AnswerError, match=says):
        from_values(values)
