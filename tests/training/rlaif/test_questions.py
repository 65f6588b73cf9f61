"""Where questions come from, what is left out, and what is refused before anything is paid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.real_data import data_folder
from tests.training.rlaif.cases import DRUGS, arguments, chain, door, manifest, party, task, write_questions
from training.errors import TrainingError
from training.pair_rows import read_pairs
from training.rlaif.job import Job, prepare
from training.rlaif.parties import Wanted, opened
from training.rlaif.questions import read_questions


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "q.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def test_a_question_comes_once_however_it_is_spelt(tmp_path: Path) -> None:
    row = {"question": "کدام دارو تب را می‌برد؟", "options": list(DRUGS), "gold": "B"}
    found = read_questions(write(tmp_path, row, row | {"question": "كدام دارو تب را مي‌برد؟"}))
    assert (found.available, len(found.tasks), dict(found.left_out)) == (2, 1, {"repeated": 1})
    assert found.tasks[0].gold_text == DRUGS[1]


def test_a_larger_limit_holds_the_smaller_one(tmp_path: Path) -> None:
    path = write_questions(tmp_path)
    drawn = [[one.question.id for one in read_questions(path, seed=3, limit=limit).tasks] for limit in (4, 9, None)]
    assert drawn[1][:4] == drawn[0]
    assert drawn[2][:9] == drawn[1]
    assert drawn[2] != [one.question.id for one in read_questions(path, seed=4).tasks]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "چرا؟", "options": ["یک", "دو"], "gold": "A"}, "no options or four, not 2"),
        ({"question": "چرا؟", "options": list(DRUGS), "gold": "E"}, "Input should be"),
        ({"question": "چرا؟", "options": list(DRUGS)}, "no gold letter"),
        ({"options": list(DRUGS), "gold": "A"}, "KeyError"),
        ([], "TypeError"),
    ],
)
def test_a_row_that_is_no_question_is_named(tmp_path: Path, row: Any, said: str) -> None:
    with pytest.raises(TrainingError, match=rf"q\.jsonl line 1: .*{said}"):
        read_questions(write(tmp_path, row))


def test_options_that_read_alike_have_no_key(tmp_path: Path) -> None:
    path = write(tmp_path, {"question": task(0).question.text, "options": ["تب", "تَب", "درد", "لرز"], "gold": "A"})
    with party(lambda one, before: chain(one)) as server:
        assert door(*arguments("a", server.base_url, path, tmp_path / "out")).exit_code == 0
        assert server.asks == []
    assert manifest(tmp_path / "out")["dropped"] == {"two options read alike": 1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"student": None}, "give --student"),
        ({"verdicts": Path("v.jsonl")}, "belong to --method judge"),
        ({"method": "judge"}, "--unmeasured"),
        ({"method": "judge", "verdicts": Path("none.jsonl")}, "No such file"),
        ({"method": "judge", "unmeasured": True, "compare": Path("none.jsonl")}, "--compare .*: No such file"),
        ({"questions": Path("none.jsonl")}, "--questions .*: No such file"),
        ({"questions": Path("other.parquet")}, "questions come from"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_loaded(changes: dict[str, Any], said: str) -> None:
    values: dict[str, Any] = {
        "method": "a",
        "out": Path("out"),
        "teacher": Wanted("mini:r"),
        "student": Wanted("mini:base"),
    }
    with pytest.raises(TrainingError, match=said):
        prepare(Job(**values | changes))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted("mini"), "write mini:MODEL"),
        (Wanted("echo:v"), "write mini:MODEL"),
        (Wanted("http://127.0.0.1:1/v1"), "give --teacher-model NAME"),
        (Wanted("http://user:pw@127.0.0.1:1/v1", "m"), "base_url may hold no user"),
        (Wanted("endpoint:nobody"), r"no \[endpoints.nobody\]"),
    ],
)
def test_a_party_that_cannot_be_opened_is_named(wanted: Wanted, said: str) -> None:
    with pytest.raises(TrainingError, match=said), opened({"teacher": wanted}, at_once=1, timeout=1.0):
        raise AssertionError("it was opened")


def test_the_students_own_samples_can_be_judged(tmp_path: Path) -> None:
    """Without --compare two samples of the student are compared; the babbling judge here settles nothing."""
    questions, other = write_questions(tmp_path, 2), "هر چهار دارو سود و زیان خود را دارند."
    said = lambda one, before: chain(one) if before else other  # noqa: E731
    with party(lambda one, before: "داوری: برابر", said) as server:
        result = door(*arguments("judge", server.base_url, questions, tmp_path / "out", "--unmeasured"))
        count = len(server.asks)
    assert result.exit_code == 0, result.stderr
    assert (manifest(tmp_path / "out")["dropped"], count) == ({"judge: tie": 2}, 2 * 2 + 2 * 2)
    assert read_pairs(tmp_path / "out" / "pairs.jsonl") == []


@pytest.mark.data
def test_of_the_published_questions_only_those_both_referees_rated_five() -> None:
    found = read_questions(data_folder() / "medmcqa_fa_rated.parquet", limit=40)
    assert len(found.tasks) == 40
    assert found.available == 17_888  # the papers say 17,885: three scores stood there as text
    assert found.left_out["not_rated_five_by_both"] == 22_000 - 17_888
    assert all(one.question.gold and len(one.question.options) == 4 for one in found.tasks)
