"""Transcripts: what is written is read again, and a file that is not whole says where and why."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gaokerena.transcripts import COLUMNS, FILE, SCHEMA, Transcript, TranscriptsError, read, read_table, write
from tests.real_data import data_folder

CHOICE = Transcript(
    suite="نمونه",
    subject="گوارش",
    question_index=3,
    question="شایع‌ترین علت زخم دوازدهه چیست؟",
    option_a="استرس",
    option_b="هلیکوباکتر پیلوری",
    option_c="قهوه",
    option_d="الکل",
    gold="B",
    model="m1",
    prompting="cot",
    run=2,
    prompt="بپرس",
    response="نخست…\nپس گزینهٔ ب.",
    annotated_choice="B",
)
FREE = CHOICE.model_copy(
    update={"option_a": "", "option_b": "", "option_c": "", "option_d": "", "gold": None, "annotated_choice": None}
)
SUFFIXES = (".parquet", ".jsonl")


def table(**changes: object) -> pa.Table:
    """Two good rows, with `changes` to whole columns; None takes a column away."""
    columns = {name: [row.model_dump()[name] for row in (CHOICE, FREE)] for name in COLUMNS}
    return pa.table({name: values for name, values in {**columns, **changes}.items() if values is not None})


def saved(tmp_path: Path, **changes: object) -> Path:
    path = tmp_path / "bad.parquet"
    pq.write_table(table(**changes), path)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_rows_come_back_as_they_went(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows{suffix}"
    assert write([CHOICE, FREE], path) == 2
    assert list(read(path)) == [CHOICE, FREE]
    assert read_table(path).schema.equals(SCHEMA)
    assert read_table(path, ["run", "model"]).to_pylist() == [{"run": 2, "model": "m1"}] * 2
    assert [child.name for child in tmp_path.iterdir()] == [path.name]


def test_a_row_knows_its_question() -> None:
    assert CHOICE.asked().options == ("استرس", "هلیکوباکتر پیلوری", "قهوه", "الکل")
    assert (CHOICE.asked().gold, CHOICE.asked().suite) == ("B", "نمونه")
    assert FREE.asked().options == ()


def test_a_folder_stands_for_the_recordings_inside(tmp_path: Path) -> None:
    write([CHOICE], tmp_path / FILE)
    assert list(read(tmp_path)) == [CHOICE]
    with pytest.raises(TranscriptsError, match=f"no such file; give a transcripts file, or a folder that holds {FILE}"):
        list(read(tmp_path / "elsewhere.parquet"))
    (tmp_path / "rows.csv").write_text("a")
    with pytest.raises(TranscriptsError, match=r"\.parquet or \.jsonl, not \.csv"):
        list(read(tmp_path / "rows.csv"))
    with pytest.raises(TranscriptsError, match="name the file so"):
        write([CHOICE], tmp_path / "rows.csv")


def test_other_text_types_and_further_columns_are_welcome(tmp_path: Path) -> None:
    model = pa.array(["m1", "m1"]).dictionary_encode()
    path = saved(
        tmp_path, model=model, run=pa.array([2, 2], pa.int32()), question=pa.array(["ا", "ب"], pa.string()), more=[1, 2]
    )
    assert [(row.model, row.run, row.question) for row in read(path)] == [("m1", 2, "ا"), ("m1", 2, "ب")]
    assert read_table(path).schema.equals(SCHEMA)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"response": None}, r"bad\.parquet: no column 'response'; add it$"),
        ({"response": None, "answer": ["a", "b"]}, r"no column 'response'; it has 'answer': was one renamed\?"),
        ({"run": ["1", "2"]}, r"column 'run' holds string, not whole numbers; convert it"),
        ({"question": [1, 2]}, r"column 'question' holds int64, not text"),
        ({"response": ["a", None]}, r"column 'response' is empty in row 1; fill it in"),
        ({"prompting": ["cot", "think"]}, r"column 'prompting' is 'think' in row 1, not one of straight, cot"),
        ({"gold": ["E", "A"]}, r"column 'gold' is 'E' in row 0, not one of A, B, C, D, None"),
        ({"annotated_choice": ["A", ""]}, r"column 'annotated_choice' is '' in row 1"),
    ],
)
def test_a_wrong_table_names_the_place(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(TranscriptsError, match=message):
        read_table(saved(tmp_path, **changes))


@pytest.mark.parametrize("left", [0, 3, 500, -1])
def test_a_cut_parquet_file_is_told(tmp_path: Path, left: int) -> None:
    path = tmp_path / "cut.parquet"
    write([CHOICE, FREE], path)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(TranscriptsError, match=r"cut\.parquet: not a whole Parquet file .* fetch or write it again"):
        read_table(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_rows_is_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"none{suffix}"
    write([], path)
    with pytest.raises(TranscriptsError, match="no rows"):
        list(read(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run": "2"}, r"rows\.jsonl:2: column 'run': Input should be a valid integer"),
        ({"prompting": "think"}, r"rows\.jsonl:2: column 'prompting': Input should be 'straight' or 'cot'"),
        ({"gold": "E"}, r"column 'gold'"),
    ],
)
def test_a_wrong_line_names_the_place(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / "rows.jsonl"
    lines = [CHOICE.model_dump(), {**CHOICE.model_dump(), **change}]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    with pytest.raises(TranscriptsError, match=message):
        list(read(path))


def test_a_line_without_a_column_or_an_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(CHOICE.model_dump(exclude={"model"})) + "\n")
    with pytest.raises(TranscriptsError, match=r"rows\.jsonl:1: no column 'model'; a row needs suite, subject"):
        list(read(path))
    path.write_text(CHOICE.model_dump_json() + "\n" + CHOICE.model_dump_json()[:-20])
    with pytest.raises(TranscriptsError, match=r"rows\.jsonl:2: not a whole JSON line .* cut off or damaged"):
        list(read(path))


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write([CHOICE], path)

    def rows() -> object:
        yield FREE
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        write(rows(), path)  # type: ignore[arg-type]
    assert list(read(path)) == [CHOICE]
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.data
def test_the_published_recordings_are_read_whole() -> None:
    rows = list(read(data_folder()))
    assert len(rows) == 17_944
    assert {row.prompting for row in rows} == {"straight", "cot"}
    assert sum(row.annotated_choice is None for row in rows) == 904
    assert all(row.asked().is_multiple_choice for row in rows)
