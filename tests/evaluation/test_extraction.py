"""The option reader measured: counts by hand, intervals over whole questions, every disagreement with its reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gaokerena.evaluation import extraction
from gaokerena.evaluation.answers import Rows, load
from gaokerena.evaluation.extraction import begin, disagreements, measured, write_disagreements
from gaokerena.options import Reading, read_option
from gaokerena.statistics import bootstrap_mean
from gaokerena.transcripts import Transcript, write
from tests.evaluation.recorded_cases import rows_of


def loaded(tmp_path: Path, rows: Sequence[Transcript]) -> Rows:
    write(rows, tmp_path / "rows.jsonl")
    return load(tmp_path / "rows.jsonl")


def annotated(rows: list[Transcript], letters: str) -> list[Transcript]:
    """The same answers as somebody else read them."""
    return [row.model_copy(update={"annotated_choice": None if sign == "-" else sign})
            for row, sign in zip(rows, letters, strict=True)]  # fmt: skip


def test_every_answer_is_read_with_its_own_options(tmp_path: Path) -> None:
    rows = rows_of("r", "cot", ["AB-", "CDA"], "AB")
    by_words = rows[0].model_copy(update={"response": "بنابراین پاسخ «عصب واگ» است.", "run": 9})
    found = loaded(tmp_path, [*rows, by_words])
    read = begin(found)()
    assert extraction.choices(read) == ["A", "B", None, "C", "D", "A", "D"]
    asked = zip(found.responses, found.texts, strict=True)
    assert read == [read_option(said, text[1:], question=text[0]) for said, text in asked]


def test_many_answers_are_read_by_workers_in_the_same_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "".join(np.random.default_rng(1).choice([*"ABCD-"], 500))
    found = loaded(tmp_path, rows_of("r", "cot", [said[start : start + 25] for start in range(0, 500, 25)], "A" * 20))
    alone = begin(found, workers=1)()
    monkeypatch.setattr(extraction, "_ALONE", 100)
    monkeypatch.setattr(extraction, "_AT_ONCE", 150)
    assert begin(found, workers=2)() == alone
    assert extraction.choices(alone) == [None if sign == "-" else sign for sign in said]


def test_agreement_by_hand(tmp_path: Path) -> None:
    """The reader reads A B - C | A B C D; a person read A C - - | A B C - in the first, all alike in the second."""
    r = annotated(rows_of("r", "cot", ["AB-C", "ABCD"], "AB"), "AC--ABC-")
    v = rows_of("v", "straight", ["A", "B"], "AB")
    found = loaded(tmp_path, r + v)
    first, second = measured(found, begin(found)(), seed=1)
    assert (first["model"], first["prompting"], first["n"], first["n_lettered"]) == ("r", "cot", 8, 5)
    assert first["agreement"] == pytest.approx(100 * 5 / 8)
    assert first["agreement_lettered"] == pytest.approx(100 * 4 / 5)
    assert first["reasons"] == {"answer": 7, "none": 1}
    assert (second["n"], second["agreement"], second["ci95"]) == (2, 100.0, [100.0, 100.0])


def test_without_a_letter_there_is_no_agreement_on_letters(tmp_path: Path) -> None:
    found = loaded(tmp_path, rows_of("r", "cot", ["--"], "A") + rows_of("v", "cot", ["A"], "A"))
    first = measured(found, begin(found)(), seed=1)[0]
    assert (first["n_lettered"], first["agreement_lettered"], first["ci95_lettered"]) == (0, None, None)
    assert first["agreement"] == 100.0


def test_the_interval_draws_whole_questions(tmp_path: Path) -> None:
    """Runs of one question are right or wrong together, so the interval is as wide as that of 30 questions."""
    generator = np.random.default_rng(2)
    wrong = generator.random(30) < 0.3
    signs = ["AAAAA" if bad else "BBBBB" for bad in wrong]
    rows = annotated(rows_of("r", "cot", signs, "B" * 30), "B" * 150)
    found = loaded(tmp_path, rows)
    entry = measured(found, begin(found)(), seed=1)[0]
    whole = bootstrap_mean(~wrong, seed=3)
    assert entry["ci95"] == pytest.approx([100 * whole.low, 100 * whole.high], abs=2)
    alone = bootstrap_mean(np.repeat(~wrong, 5), seed=3)
    assert entry["ci95"][1] - entry["ci95"][0] > 1.5 * 100 * (alone.high - alone.low)


def test_every_disagreement_is_listed_with_the_readers_reason(tmp_path: Path) -> None:
    rows = annotated(rows_of("r", "cot", ["ABD", "-C"], "AB"), "AA--B")
    both = rows[0].model_copy(update={"run": 7, "response": "پاسخ درست گزینه‌های [A] و [C] است."})
    found = loaded(tmp_path, [*rows, both])
    read = begin(found)()
    listed = list(disagreements(found, read))
    assert [(one["question_index"], one["run"], one["annotated"], one["read"]) for one in listed] == [
        (0, 2, "A", "B"), (0, 3, None, "D"), (1, 2, "B", "C"), (0, 7, "A", None)
    ]  # fmt: skip
    assert listed[0]["reason"] == "answer"
    assert "[B]" in listed[0]["quote"]
    assert (listed[3]["reason"], listed[3]["chosen"]) == ("several", ["A", "C"])
    assert listed[0]["question"] == found.texts[1][0]
    assert listed[0]["options"] == list(found.texts[1][1:])
    path = tmp_path / "new" / "wrong.jsonl"
    assert write_disagreements(path, found, read) == 4
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == listed


def test_nothing_to_disagree_on_is_an_empty_file(tmp_path: Path) -> None:
    found = loaded(tmp_path, rows_of("r", "cot", ["A"], "A"))
    assert write_disagreements(tmp_path / "none.jsonl", found, [Reading("A", "answer")]) == 0
    assert (tmp_path / "none.jsonl").read_text() == ""
