"""By turn: how many reach the key, and how many would by elimination alone; figures by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.rlaif.cases import arguments, chain, door, lines, manifest, party, task, write_questions
from training.pair_rows import read_pairs
from training.rlaif.outcome import DroppedError
from training.rlaif.questions import Task
from training.rlaif.turns import by_turn, text

GUIDANCE = "در گام نخست سن بیمار و خطر داروها را نسنجیده‌اید. از خود بپرسید کدام یافته بیش از همه اهمیت دارد."
KEY = {"A": 0, "B": 1, "C": 2, "D": 3}


def guide(one: Task, before: int) -> str:
    return f"{GUIDANCE} این {before + 1}مین بار است که می‌پرسم."


def eliminating(one: Task, before: int) -> str:
    """Learns nothing: takes the letters in turn, beginning after the key's, so the fourth answer is right."""
    return chain(one, "ABCD"[(KEY[one.gold] + 1 + before) % 4])


@pytest.mark.parametrize(
    ("student", "turns", "expected"),
    [
        (eliminating, 4, [(1, 4, 0, 4 / 3), (2, 4, 0, 4 / 2)]),
        (lambda one, before: chain(one) if before else eliminating(one, 0), 4, [(1, 4, 4, 4 / 3)]),
        (lambda one, before: eliminating(one, 0), 3, [(1, 4, 0, 4 / 3), (2, 4, 0, 4 / 3), (3, 4, 0, 4 / 3)]),
        (lambda one, before: "نمی‌دانم." if not before else chain(one), 2, [(1, 4, 4, 4 / 4)]),
    ],
    ids=["one after the other", "taught", "stubborn", "said nothing first"],
)
def test_the_manifest_says_by_turn_who_reached_the_key(
    tmp_path: Path, student: object, turns: int, expected: list[tuple[int, int, int, float]]
) -> None:
    """Four questions; with three options refuted only the key is left, so no fourth answer is asked for."""
    questions, out = write_questions(tmp_path, 4), tmp_path / "out"
    with party(guide, student) as server:  # type: ignore[arg-type]
        result = door(*arguments("b", server.base_url, questions, out, "--turns", turns))
    assert result.exit_code == 0, result.stderr
    rows = manifest(out)["by_turn"]
    assert [(row["turn"], row["answered"], row["right"]) for row in rows] == [one[:3] for one in expected]
    assert [row["by_elimination"] for row in rows] == [round(one[3], 2) for one in expected]
    assert result.stdout.count("refuted and guessing would reach") == len(expected)
    told = [pair.provenance["open"] for pair in read_pairs(out / "pairs.jsonl")]
    assert len(told) == (4 if expected[-1][2] else 0)


def test_options_a_critique_names_count_as_refuted_and_a_spoilt_right_answer_as_right(tmp_path: Path) -> None:
    """Of question A the student said B, the critique names C: one of two is left. It then says thanks."""
    one = task(0)
    questions, out = write_questions(tmp_path, 1), tmp_path / "out"
    with party(
        lambda _, before: f"{GUIDANCE} برای گزینهٔ [C] هم دلیلی نیاورده‌اید.",
        lambda _, before: "متشکرم. " + chain(one) if before else eliminating(one, 0),
    ) as server:
        door(*arguments("b", server.base_url, questions, out))
    assert manifest(out)["by_turn"] == [{"turn": 1, "answered": 1, "right": 1, "by_elimination": 0.5}]
    (row,) = lines(out / "dropped.jsonl")
    assert (row["reason"], row["open"], row["turns"]) == ("right answer: reveals", [2], 1)


def test_conversations_of_several_lengths_are_added_up() -> None:
    ends = [
        DroppedError("never right", open=[3, 2]),
        DroppedError("right answer: reveals", open=[3, 3]),
        DroppedError("critique: cut_off", open=[4]),
        DroppedError("student is right"),
        None,
    ]
    rows = by_turn(ends)
    assert rows == [
        {"turn": 1, "answered": 3, "right": 0, "by_elimination": 0.92},
        {"turn": 2, "answered": 2, "right": 1, "by_elimination": 0.83},
    ]
    assert text(rows)[1].startswith("  turn 2: 1 of 2 answers reach the key")
    assert by_turn([None]) == []
