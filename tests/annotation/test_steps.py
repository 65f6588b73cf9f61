"""Step labels worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.steps import labelled, step_labels
from annotation.usable import Rules
from gaokerena.prompts import COT_FREE
from tests.annotation.verdict_cases import STEPS, item, judged, steps_said


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
