"""Suites are read as published from a file, a folder or by name, and what cannot be read says where and why."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gaokerena.evaluation.suite_files import SuiteError
from gaokerena.evaluation.suites import load_all, load_file, load_suite
from tests.evaluation.suite_cases import OPTIONS, TEXTS, item, row, write

SUFFIXES = (".parquet", ".jsonl", ".csv")
ROWS = [row(0), row(1, subject="زنان"), row(2), row(3)]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_is_read_as_published(tmp_path: Path, suffix: str) -> None:
    suite = load_suite(write(tmp_path / f"mine{suffix}", ROWS))
    assert (suite.name, suite.base, suite.subjects) == ("mine", 1, ("داخلی", "زنان"))
    assert [one.text for one in suite.items] == list(TEXTS[:4])
    assert [one.gold for one in suite.items] == ["A", "B", "C", "D"]
    assert [(one.row, one.index) for one in suite.items] == [(0, 0), (1, 0), (2, 1), (3, 2)]
    assert suite.items[1].options == OPTIONS[1]
    assert suite.origin == str(tmp_path / f"mine{suffix}")
    asked = suite.items[1].question()
    assert (asked.text, asked.options, asked.gold, asked.subject) == (TEXTS[1], OPTIONS[1], "B", "زنان")


def test_text_is_left_alone(tmp_path: Path) -> None:
    text = " كدام\u200f  ﻻيه؟ "
    suite = load_suite(write(tmp_path / "mine.jsonl", [row(0, question=text), row(3)]))
    assert suite.items[0].text == suite.items[0].question().text == text


def test_whole_numbers_are_keys_whatever_their_type(tmp_path: Path) -> None:
    for name, keys in (("whole", [0, 3]), ("spreadsheet", [0.0, 3.0]), ("hole", [0.0, None])):
        path = tmp_path / f"{name}.parquet"
        columns = {column: [row(0)[column], row(1)[column]] for column in row(0)}
        pq.write_table(pa.table({**columns, "gold": keys}), path)
        assert [one.gold for one in load_suite(path).items] == ["A", "D" if keys[1] else None]


def test_an_item_that_cannot_be_asked_says_so() -> None:
    broken = item(options=("یک", " ", "سه", "چهار"))
    assert broken.trouble == "option B is empty"
    with pytest.raises(ValueError, match=r"subject 'داخلی', question 0: option B is empty; mend the file"):
        broken.question()
    assert item(options=("یک", "دو")).trouble == "there are 2 options, not four"
    assert item(text=" \n").trouble == "the text is empty"
    assert item(options=(), gold=None, reference="پاسخ پزشک").question().options == ()


def test_askable_leaves_out_what_cannot_be_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", [*ROWS, row(4, option_c="")])
    suite = load_suite(path)
    assert (len(suite.items), len(suite.askable)) == (5, 4)
    assert suite.items[4] not in suite.askable


def test_a_file_of_several_suites_wants_a_name(tmp_path: Path) -> None:
    path = write(tmp_path / "two.csv", [*ROWS, row(0, suite="other", gold="0"), row(1, suite="other", gold="3")])
    assert [(suite.name, suite.base) for suite in load_file(path)] == [("mine", 1), ("other", 0)]
    with pytest.raises(SuiteError, match=r"two\.csv: holds the suites mine, other; .*name one"):
        load_suite(path)
    assert len(load_suite("other", path).items) == 2


def test_free_form_comes_by_split(tmp_path: Path) -> None:
    rows = [
        {"Question": f"پرسش {number}", "Answer": f"پاسخ {number}", "Source": "سایت", "split": split}
        for number, split in enumerate(["train", "test", "dev", "test"])
    ]
    write(tmp_path / "mf3qa.parquet", rows)
    suite = load_suite("mf3qa", tmp_path)
    assert [one.reference for one in suite.items] == ["پاسخ 1", "پاسخ 3"]
    assert [(one.subject, one.index, one.gold, one.options) for one in suite.items] == [
        ("سایت", 0, None, ()), ("سایت", 1, None, ()),
    ]  # fmt: skip
    assert suite.is_free_form
    assert suite.left_out == {"split train": 1, "split dev": 1}
    assert load_suite("mf3qa:dev", tmp_path).items[0].suite == "mf3qa:dev"
    assert [one.name for one in load_all(tmp_path)] == ["mf3qa:train", "mf3qa", "mf3qa:dev"]
    with pytest.raises(SuiteError, match=r"no suite 'mf3qa:old'; there are mf3qa:train, mf3qa, mf3qa:dev"):
        load_suite("mf3qa:old", tmp_path)


def test_the_split_may_be_in_the_name_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for split in ("train", "validation", "test"):
        write(tmp_path / "data" / f"{split}-00000-of-00001.parquet", [{"Question": split, "Answer": "پاسخ"}])
    assert load_suite("mf3qa", tmp_path).items[0].text == "test"
    assert load_suite("mf3qa:dev", tmp_path).items[0].text == "validation"


def test_the_listed_layout_is_read_by_its_schema(tmp_path: Path) -> None:
    rows = [
        {
            "question": TEXTS[n],
            "options": list(OPTIONS[n]),
            "answer_idx": n % 4,
            "specialty": "داخلی",
            "language": tongue,
        }
        for n, tongue in ((0, "fa"), (1, "fa"), (2, "en"), (4, "en"))
    ]
    suites = load_file(write(tmp_path / "test.jsonl", rows))
    assert [(suite.name, len(suite.items), suite.base) for suite in suites] == [
        ("persianmedqa", 2, 0), ("persianmedqa_en", 2, 0),
    ]  # fmt: skip
    assert [one.gold for one in suites[0].items] == ["A", "B"]
    assert suites[0].items[0].options == OPTIONS[0]


def test_a_name_is_looked_up_in_the_data_alone(tmp_path: Path) -> None:
    write(tmp_path / "benchmarks.parquet", [{**one, "suite": "mmlu_fa"} for one in ROWS])
    write(tmp_path / "transcripts.parquet", [{"unrelated": 1}])
    assert load_suite("mmlu_fa", tmp_path).origin.endswith("benchmarks.parquet")
    assert [suite.name for suite in load_all(tmp_path)] == ["mmlu_fa"]
    with pytest.raises(SuiteError, match=r"no suite 'kopp_larger' in .*; known are mmlu_fa, .* --data"):
        load_suite("kopp_larger", tmp_path)
    with pytest.raises(SuiteError, match=r"without a folder of data.*GAOKERENA_DATA"):
        load_suite("mmlu_fa", None)
    with pytest.raises(SuiteError, match=r"or give a file or hub:gaokerena/MF3QA$"):
        load_suite("mf3qa:dev", None)
    with pytest.raises(SuiteError, match="no folder of data; set GAOKERENA_DATA"):
        load_all(None)


def test_an_empty_folder_says_what_would_be_read(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"no suite files \(\.parquet, \.jsonl, \.csv\); save spreadsheets as CSV"):
        load_all(tmp_path)


def damaged(tmp_path: Path, name: str) -> Path:
    """A file that is broken in the way its name says."""
    path = tmp_path / name
    if name == "cut.parquet":
        whole = write(tmp_path / "whole.parquet", ROWS).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif name == "latin.csv":
        path.write_bytes(write(tmp_path / "whole.csv", ROWS).read_text("utf-8").encode("cp1256", "replace"))
    elif name.startswith("cut"):
        text = write(tmp_path / f"whole{path.suffix}", ROWS).read_text("utf-8")
        path.write_text(text[: int(len(text) * 0.9)] if name == "cut.jsonl" else text[: text.rindex(",") - 3], "utf-8")
    elif name == "torn.csv":
        path.write_text(write(tmp_path / "whole.csv", ROWS).read_text("utf-8") + 'mine,"never closed', "utf-8")
    elif name.startswith("renamed"):
        write(path, [{("gold_letter" if key == "gold" else key): value for key, value in row(0).items()}])
    elif name == "list.jsonl":
        path.write_text("[1, 2]\n", "utf-8")
    elif name == "gap.jsonl":
        write(path, [row(0), {key: value for key, value in row(1).items() if key != "subject"}])
    elif name == "typed.parquet":
        write(path, [row(0, subject=["a"])])
    elif name == "header.csv":
        path.write_text(",".join(row(0)) + "\n", "utf-8")
    else:
        path.write_bytes(b"")
    return path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cut.parquet", r"cut\.parquet: not a whole Parquet file .*; fetch or write it again"),
        ("empty.parquet", r"empty\.parquet: not a whole Parquet file"),
        ("renamed.parquet", r"no column 'gold'; it has .*: rename them to suite, subject"),
        ("typed.parquet", r"typed\.parquet: row 0: column 'subject' holds list, not text; convert"),
        ("cut.jsonl", r"cut\.jsonl:4: not a whole JSON line .*; the file is cut off or damaged, write it again"),
        ("renamed.jsonl", r"no column 'gold'; it has .*'gold_letter'"),
        ("list.jsonl", r"list\.jsonl:1: a row is a JSON object, not '\[1, 2\]'"),
        ("gap.jsonl", r"gap\.jsonl: no column 'subject' in row 1; fill it in"),
        ("empty.jsonl", r"empty\.jsonl: no rows; fetch or write it again"),
        ("latin.csv", r"latin\.csv:2: byte \d+ is not UTF-8; save the file as UTF-8"),
        ("cut.csv", r"cut\.csv:5: \d cells under 9 columns; the file is cut off"),
        ("torn.csv", r"torn\.csv:6: not whole CSV .*write it again"),
        ("renamed.csv", r"no column 'gold'; it has .*'gold_letter'"),
        ("header.csv", r"header\.csv: no rows"),
        ("empty.csv", r"empty\.csv: no rows"),
        ("book.xlsx", r"book\.xlsx: suites are \.parquet, \.jsonl, \.csv, not \.xlsx"),
    ],
)
def test_a_broken_file_gives_one_named_error(tmp_path: Path, name: str, said: str) -> None:
    path = damaged(tmp_path, name)
    with pytest.raises(SuiteError, match=said):
        load_file(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"gone\.csv: no such file; check the path"):
        load_suite(tmp_path / "gone.csv")


def test_a_csv_from_a_spreadsheet_begins_with_a_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", ROWS)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_suite(path).items[0].suite == "mine"
