"""A verifier's file: read whole or refused, given to the model it belongs to, row by row to the right question."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gaokerena.evaluation.answers import NOT_ASKED, Group, grouped, letters, load
from gaokerena.evaluation.rules import right, verifier
from gaokerena.evaluation.verifier_file import COLUMNS, attach, beside, read
from gaokerena.transcripts import TranscriptsError
from tests.evaluation.recorded_cases import ITEMS, group
from tests.real_data import data_folder

R = group(["AAAAA", "BBBCC", "AABBC", "ABCD-", "DDDDD", "AABCD"], "ABACDD", "r")
V = group(["BBBBB", "CCCCC", "AABBC", "ABCD-", "DDDDD", "AABCD"], "ABACDD", "v")
AGREED = ["A", "B", None, None, "D", None]
FINAL = ["A", "B", "A", "C", "D", None]
Rows = list[dict[str, Any]]


def rows(final: list[str | None] = FINAL, agreed: list[str | None] = AGREED, **changes: Any) -> Rows:
    found = []
    for place, (text, gold) in enumerate(zip(ITEMS, "ABACDD", strict=False)):
        values = ("s", "گوارش", place, text[0], gold, agreed[place], final[place])
        found.append(dict(zip(COLUMNS, values, strict=True)) | changes)
    return found


def parquet(path: Path, found: Rows) -> Path:
    pq.write_table(pa.Table.from_pylist(found), path)
    return path


def lines(path: Path, found: Rows) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found), "utf-8")
    return path


WRITERS: list[Any] = [pytest.param(parquet, "v.parquet", id="parquet"), pytest.param(lines, "v.jsonl", id="jsonl")]
Writer = Callable[[Path, Rows], Path]


def given_to(path: Path, *groups: Group) -> dict[tuple[str, str], list[int]]:
    return {name: final.tolist() for name, final in attach(read(path), groups).items()}


@pytest.mark.parametrize(("write", "name"), WRITERS)
def test_a_file_goes_to_the_model_whose_choices_it_repeats(tmp_path: Path, write: Writer, name: str) -> None:
    path = write(tmp_path / name, rows())
    assert given_to(path, V, R) == {("r", "cot"): [0, 1, 0, 2, 3, -1]}
    decided = verifier(R.choices, attach(read(path), [V, R])["r", "cot"])
    assert right(decided, R.gold).tolist() == [1, 1, 1, 1, 1, 0]


def test_rows_go_to_their_question_wherever_it_stands(tmp_path: Path) -> None:
    order = [4, 2, 5, 0, 3, 1]
    mixed = group(
        [["AAAAA", "BBBCC", "AABBC", "ABCD-", "DDDDD", "AABCD"][n] for n in order],
        "".join("ABACDD"[n] for n in order), texts=[ITEMS[n] for n in order], indices=range(50, 56),
    )  # fmt: skip
    path = parquet(tmp_path / "v.parquet", rows())
    assert given_to(path, mixed)["r", "cot"] == [[0, 1, 0, 2, 3, -1][n] for n in order]


def test_an_edited_text_is_found_by_number_and_gold_letter(tmp_path: Path) -> None:
    found = rows()
    found[2]["question"] += " (ویرایش دوم)"
    assert given_to(parquet(tmp_path / "v.parquet", found), R)["r", "cot"][2] == 0
    found[2]["gold"] = "B"
    twenty = group([*["AAAAA"] * 18, "AABBC", "ABCD-"], "A" * 20)
    changed = [
        dict(zip(COLUMNS, ("s", "گوارش", n, f"{twenty.texts[n][0]}؟؟ دیگر" if n > 17 else twenty.texts[n][0], "A",
                           "A" if n < 18 else None, "B"), strict=True)) for n in range(20)
    ]  # fmt: skip
    changed[19]["gold"] = "B"
    final = given_to(parquet(tmp_path / "w.parquet", changed), twenty)["r", "cot"]
    assert final[18:] == [1, -1], "another gold letter under the number is another question"


def test_a_text_that_stands_twice_is_told_apart_by_number_only_among_its_like(tmp_path: Path) -> None:
    """Two questions with one stem under numbers 0 and 1; the file's number 2 is neither of them."""
    stem = "کدام عبارت نادرست است؟"
    texts = [(stem, "۱", "۲", "۳", "۴"), (stem, "۵", "۶", "۷", "۸"), *ITEMS]
    one = group(["AABBC", "AABBC", *["AAAAA"] * 12], "A" * 14, texts=texts)
    settled = [(None, "C"), (None, "D"), *[("A", "A")] * 12]
    found = [
        dict(zip(COLUMNS, ("s", "گوارش", number, text[0], "A", *letters_), strict=True))
        for number, (text, letters_) in enumerate(zip(texts, settled, strict=True))
    ]
    assert given_to(parquet(tmp_path / "v.parquet", found), one)["r", "cot"][:2] == [2, 3]
    found[0]["question_index"] = 7
    final = given_to(parquet(tmp_path / "w.parquet", [*found[1:], found[0]]), one)["r", "cot"]
    assert (final[0], final[1], final[7]) == (-1, 3, 0), "neither guessed nor written over the seventh"


def test_a_row_twice_is_refused(tmp_path: Path) -> None:
    twice = parquet(tmp_path / "v.parquet", [*rows(), rows()[2] | {"final_choice": "D"}])
    with pytest.raises(TranscriptsError, match="stands twice; keep one of the rows"):
        given_to(twice, R)


def test_subjects_the_file_does_not_cover_are_not_judged(tmp_path: Path) -> None:
    elsewhere = [row | {"subject": "پوست", "self_consistent_choice": "A"} for row in rows()]
    told: list[dict[str, Any]] = []
    path = parquet(tmp_path / "v.parquet", [*rows(), *elsewhere])
    (final,) = attach(read(path), [R], told).values()
    assert NOT_ASKED not in final.tolist()
    assert [(one["model"], one["rows"], one["unmatched"]) for one in told] == [("r", 12, 0)]


def test_a_file_that_names_its_model_is_believed(tmp_path: Path) -> None:
    like_r = group(["AAAAA", "BBBCC", "AABBC", "ABCD-", "DDDDD", "AABCD"], "ABACDD", "q")
    named = lines(tmp_path / "v.jsonl", rows(model="q", prompting="cot"))
    assert list(given_to(named, R, like_r)) == [("q", "cot")]
    unnamed = parquet(tmp_path / "v.parquet", rows())
    with pytest.raises(TranscriptsError, match="by 2 models alike; give the transcripts it was made from"):
        given_to(unnamed, R, like_r)
    with pytest.raises(TranscriptsError, match="repeated by no model"):
        given_to(lines(tmp_path / "x.jsonl", rows(model="elsewhere", prompting="cot")), R, like_r)


def test_a_file_of_nobody_here_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "v.parquet", rows())
    with pytest.raises(
        TranscriptsError, match=r"v\.parquet: its 6 self-consistent choices are repeated by no model \(best 67"
    ):
        given_to(path, V)
    with pytest.raises(TranscriptsError, match=r"repeated by no model \(best 0%\)"):
        given_to(path, group(["A"] * 6, "ABACDD", "r", "straight"))


def test_two_files_for_one_model_are_refused(tmp_path: Path) -> None:
    one, two = parquet(tmp_path / "v.parquet", rows()), lines(tmp_path / "w.jsonl", rows(["A"] * 6))
    with pytest.raises(TranscriptsError, match=r"w\.jsonl: verifies r:cot once more; give one file a model"):
        attach(read(one) + read(two), [R, V])
    like_v = rows(agreed=["B", "C", None, None, "D", None])
    both = attach(read(one) + read(lines(tmp_path / "w.jsonl", like_v)), [R, V])
    assert set(both) == {("r", "cot"), ("v", "cot")}


def without(column: str) -> Rows:
    return [{name: value for name, value in row.items() if name != column} for row in rows()]


@pytest.mark.parametrize(("write", "name"), WRITERS)
@pytest.mark.parametrize(
    ("found", "message"),
    [
        (without("final_choice"), "no column 'final_choice'; a verifier's file needs suite, subject"),
        (rows(gold="E"), "column 'gold' is 'E' in row 0, not one of A to D; correct it"),
        (rows(gold=1), "column 'gold' is 1 in row 0"),
        (rows(final_choice="invalid"), "column 'final_choice' is 'invalid' in row 0"),
        (rows(self_consistent_choice="a"), "column 'self_consistent_choice' is 'a' in row 0"),
        ([rows()[0], rows()[1] | {"question": None}], "column 'question' is None in row 1, not text; write it again"),
        (rows(question=7), "column 'question' is 7 in row 0, not text"),
        (rows(subject=None), "column 'subject' is None in row 0, not text"),
        (rows(question_index="3"), "column 'question_index' is '3' in row 0, not a whole number"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, write: Writer, name: str, found: Rows, message: str) -> None:
    with pytest.raises(TranscriptsError) as caught:
        read(write(tmp_path / name, found))
    assert message in str(caught.value)
    assert name in str(caught.value)


def test_a_broken_file_is_named_in_one_line(tmp_path: Path) -> None:
    whole = parquet(tmp_path / "v.parquet", rows()).read_bytes()
    text = lines(tmp_path / "v.jsonl", rows()).read_bytes()
    broken = {
        "cut.parquet": whole[: len(whole) // 2], "cut.jsonl": text[:-20], "list.jsonl": b"[1, 2]\n", "empty.jsonl": b"",
        "empty.parquet": b"", "noise.parquet": b"\x00\xff" * 300, "noise.jsonl": b"\xff\xfe{\n",
    }  # fmt: skip
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(TranscriptsError, match="not a whole file of a verifier") as caught:
            read(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(TranscriptsError, match="nowhere"):
        read(tmp_path / "nowhere.parquet")
    pq.write_table(pa.Table.from_pylist(rows()).slice(0, 0), tmp_path / "none.parquet")
    with pytest.raises(TranscriptsError, match="no rows; a verifier's file needs"):
        read(tmp_path / "none.parquet")


def test_files_beside_the_transcripts(tmp_path: Path) -> None:
    answers = tmp_path / "transcripts.parquet"
    answers.touch()
    assert beside(answers) == beside(tmp_path) == ()
    published = parquet(tmp_path / "verifier.parquet", rows())
    assert beside(answers) == beside(tmp_path) == (published,)
    (tmp_path / "verifier").mkdir()
    live = lines(tmp_path / "verifier" / "s.r.cot.jsonl", rows(model="r", prompting="cot"))
    assert beside(tmp_path) == (live,)


@pytest.mark.data
def test_the_published_verifier_belongs_to_r() -> None:
    answers = load(data_folder())
    found = attach(read(data_folder() / "verifier.parquet"), grouped(answers, letters(answers.annotated)))
    assert list(found) == [("gaokerena-r1.0", "cot")]
    assert (found["gaokerena-r1.0", "cot"] >= 0).sum() >= 813
