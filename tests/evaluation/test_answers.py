"""Recorded answers as arrays: what a file's rows become, and what is refused rather than mixed up."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaokerena.evaluation.answers import NO_CHOICE, NOT_ASKED, files_of, grouped, letters, load
from gaokerena.transcripts import FILE, Transcript, TranscriptsError, write
from tests.evaluation.recorded_cases import ITEMS, choices, rows_of

SIGNS, GOLD = ["AAB-C", "DDD.D", "....B"], "ADB"


def saved(tmp_path: Path, rows: Sequence[Transcript], name: str = FILE) -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write(rows, path)
    return path


def test_letters_are_numbers_and_no_letter_is_below_them() -> None:
    assert letters(["A", None, "D", "B"]).tolist() == [0, NO_CHOICE, 3, 1]
    assert letters([]).dtype == np.int8


@pytest.mark.parametrize("name", [FILE, "mine.jsonl"])
def test_a_file_becomes_groups(tmp_path: Path, name: str) -> None:
    rows = rows_of("r", "cot", SIGNS, GOLD) + rows_of("r", "straight", ["A", "B", "-"], GOLD)
    loaded = load(saved(tmp_path, rows, name))
    assert len(loaded) == len(rows)
    cot, straight = grouped(loaded, letters(loaded.annotated))
    assert (cot.suite, *cot.name, cot.samples) == ("s", "r", "cot", 5)
    assert (straight.name, straight.samples) == (("r", "straight"), 1)
    assert cot.choices.tolist() == choices(SIGNS).tolist()
    assert straight.choices[:, 0].tolist() == [0, 1, NO_CHOICE]
    assert cot.gold.tolist() == straight.gold.tolist() == [0, 3, 1]
    assert cot.texts == ITEMS[:3]
    assert (cot.subjects, cot.indices) == (("گوارش",) * 3, (0, 1, 2))


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_is_nothing(tmp_path_factory: pytest.TempPathFactory, chance: object) -> None:
    rows = rows_of("r", "cot", SIGNS, GOLD) + rows_of("v", "cot", SIGNS[::-1], "ADB")
    chance.shuffle(rows)  # type: ignore[attr-defined]
    loaded = load(saved(tmp_path_factory.mktemp("mixed"), rows, "rows.jsonl"))
    for found in grouped(loaded, letters(loaded.annotated)):
        order = np.argsort(found.indices)
        wanted = choices(SIGNS if found.model == "r" else SIGNS[::-1])
        assert found.choices[order].tolist() == wanted.tolist()
        assert [found.texts[place] for place in order] == list(ITEMS[:3])


def test_letters_may_come_from_elsewhere(tmp_path: Path) -> None:
    loaded = load(saved(tmp_path, rows_of("r", "cot", ["AB"], "A")))
    assert grouped(loaded, letters(["D", None]))[0].choices.tolist() == [[3, NO_CHOICE]]


def test_runs_keep_their_column_whatever_their_numbers(tmp_path: Path) -> None:
    rows = [row.model_copy(update={"run": row.run * 10}) for row in rows_of("r", "cot", ["AB", ".C"], "AA")]
    loaded = load(saved(tmp_path, rows))
    assert grouped(loaded, letters(loaded.annotated))[0].choices.tolist() == [[0, 1], [NOT_ASKED, 2]]


def test_free_form_rows_and_rows_without_gold_are_counted_not_scored(tmp_path: Path) -> None:
    plain = rows_of("r", "cot", ["AA"], "A")
    free = [row.model_copy(update={"suite": "آزاد", "gold": None, "option_a": "", "option_b": "", "option_c": "",
                                   "option_d": ""}) for row in plain]  # fmt: skip
    keyless = [row.model_copy(update={"gold": None, "question_index": 9}) for row in plain]
    loaded = load(saved(tmp_path, plain + free + keyless))
    assert len(loaded) == 2
    assert loaded.unscored == {("آزاد", "free form"): 2, ("s", "no gold letter"): 2}
    with pytest.raises(TranscriptsError, match=r"rows\.jsonl: no row can be scored \(2 free form\); free-form answers"):
        load(saved(tmp_path, free, "rows.jsonl"))


def test_one_empty_option_is_enough_and_nameless_rows_are_refused(tmp_path: Path) -> None:
    plain = rows_of("r", "cot", ["AA"], "A")
    for option in ("option_a", "option_d"):
        holed = [row.model_copy(update={option: " ", "question_index": 5}) for row in plain]
        loaded = load(saved(tmp_path, plain + holed, f"{option}.jsonl"))
        assert loaded.unscored == {("s", "an empty question or option"): 2}
    for name, value in (("model", ""), ("suite", " "), ("subject", "all")):
        rows = [*plain, plain[0].model_copy(update={name: value})]
        with pytest.raises(TranscriptsError, match=rf"{name}.*row 2"):
            load(saved(tmp_path, rows, f"{name}.jsonl"))


def test_missing_runs_are_counted(tmp_path: Path) -> None:
    rows = [row for row in rows_of("r", "cot", ["AAA", "ABC"], "AB") if (row.question_index, row.run) != (1, 2)]
    loaded = load(saved(tmp_path, rows))
    (found,) = grouped(loaded, letters(loaded.annotated))
    assert found.incomplete() == {"گوارش": 1}
    assert found.only([1]).choices.tolist() == [[0, NOT_ASKED, 2]]


def test_one_run_twice_is_refused(tmp_path: Path) -> None:
    rows = rows_of("r", "cot", ["AB"], "A")
    loaded = load(saved(tmp_path, [*rows, rows[1]]))
    with pytest.raises(TranscriptsError, match=r"s, گوارش, question_index 0, r cot: run 2 stands twice; keep one"):
        grouped(loaded, letters(loaded.annotated))


def test_runs_with_two_gold_letters_are_refused(tmp_path: Path) -> None:
    rows = rows_of("r", "cot", ["AB"], "A")
    loaded = load(saved(tmp_path, [rows[0], rows[1].model_copy(update={"gold": "C"})]))
    with pytest.raises(TranscriptsError, match="question_index 0, r cot: its runs have different gold letters"):
        grouped(loaded, letters(loaded.annotated))


def test_runs_that_ask_two_questions_under_one_number_are_refused(tmp_path: Path) -> None:
    one, two = rows_of("r", "cot", ["AB"], "A"), rows_of("r", "cot", ["AB"], "A", texts=[ITEMS[4]])
    loaded = load(saved(tmp_path, [one[0], two[1]]))
    with pytest.raises(TranscriptsError, match="question_index 0, r cot: its runs ask different questions"):
        grouped(loaded, letters(loaded.annotated))
    edited = one[1].model_copy(update={"question": one[1].question.replace("را می‌برد", "را بر عهده دارد")})
    loaded = load(saved(tmp_path, [one[0], edited]))
    assert grouped(loaded, letters(loaded.annotated))[0].choices.tolist() == [[0, 1]]


def test_files_of_a_file_a_folder_and_a_live_run(tmp_path: Path) -> None:
    path = saved(tmp_path, rows_of("r", "cot", ["AB"], "A"))
    assert files_of(path) == files_of(tmp_path) == (path,)
    live = [saved(tmp_path / "run", rows_of(name, "cot", ["AB"], "A"), f"transcripts/s.{name}.jsonl") for name in "vr"]
    assert files_of(tmp_path / "run") == tuple(sorted(live))
    loaded = load(tmp_path / "run")
    assert [found.model for found in grouped(loaded, letters(loaded.annotated))] == ["r", "v"]
    assert loaded.digest() == hashlib.sha256(b"".join(file.read_bytes() for file in sorted(live))).hexdigest()


def test_a_folder_without_answers_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "transcripts").mkdir()
    with pytest.raises(TranscriptsError, match=rf"holds neither {FILE} nor transcripts/\*\.jsonl; give a transcripts"):
        load(tmp_path)
    with pytest.raises(TranscriptsError, match=r"nowhere\.parquet: no such file"):
        load(tmp_path / "nowhere.parquet")
