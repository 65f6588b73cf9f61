"""Published figures: every cell is there, and each gets the right mark, reason and counts."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.evaluation.evaluate import as_json, evaluate
from gaokerena.evaluation.report.published import Check, checks, own_averages, same, tables
from gaokerena.evaluation.report.schema import Evaluation
from tests.evaluation.report import sample
from tests.evaluation.report.sample import AYA, R, V
from tests.real_data import data_folder

CELLS = {
    "v_straight": 48, "r_straight": 8, "sc": 24, "sc_negative": 24, "pass_1": 21, "pass_2": 21, "pass_3": 21,
    "verifier": 8,
}  # fmt: skip
"""Cells of each published table: rows (six subjects, an average but for pass@k, the other examination) by models."""


def found(cells: list[dict[str, Any]], choices: str = "annotated") -> dict[tuple[str, str, str], Check]:
    made = Evaluation.model_validate(sample.evaluation() | {"cells": cells, "choices": choices})
    return {(check.table.name, check.row, check.model): check for check in checks(made)}


def test_every_published_cell_is_typed_in() -> None:
    assert {table.name: sum(map(len, table.cells.values())) for table in tables()} == CELLS
    assert sum(CELLS.values()) == 175
    for table in tables():
        assert all(len(row) == len(table.models) for row in table.cells.values())
        assert len(table.cells) == (7 if table.measure.startswith("pass@") else 8)
        assert all(0 < figure < 100 for row in table.cells.values() for figure in row)


@pytest.mark.parametrize(
    ("published", "recomputed", "expected"),
    [
        (48.14, 48.148148, True),  # truncated
        (48.15, 48.148148, True),  # rounded
        (48.16, 48.148148, False),
        (48.13, 48.148148, False),
        (45.39, 45.4, True),  # truncated in floating point: 45.4 * 100 may be 4539.999…
        (45.38, 45.4, False),
        (45.39, 45.41, False),
        (39.40, 39.404762, True),
        (65.77, 65.808824, False),
        (0.01, -0.01, False),
    ],
)
def test_two_decimals_are_the_same_when_cut_or_rounded(published: float, recomputed: float, expected: bool) -> None:
    assert same(published, recomputed) is expected


@given(st.integers(0, 1360), st.integers(1, 1360))
def test_any_share_is_the_same_cut_and_rounded_and_not_beyond(count: int, of: int) -> None:
    value = 100 * min(count, of) / of
    cut = math.floor(100 * min(count, of) * 100 / of + 1e-9) / 100
    assert same(cut, value)
    assert same(math.floor(value * 100 + 0.5) / 100, value)
    assert not same(cut - 0.02, value)
    assert not same(cut + 0.02, value)


def test_marks() -> None:
    cells = [
        sample.cell("anatomy", V, 135, 65, 70),
        sample.cell("anatomy", AYA, 135, 54, 81),
        sample.cell("college_biology", V, 20, 9, 11),
        sample.cell("anatomy", R, 135, 57, 59, rule="sc3of5", prompting="cot"),
    ]
    marked = found(cells)
    exact, wrong = marked["v_straight", "anatomy", V], marked["v_straight", "anatomy", AYA]
    assert (exact.mark, exact.recomputed, exact.n) == ("exact", pytest.approx(48.148148), 135)
    assert (wrong.mark, wrong.reason) == ("differs", "why_unknown")
    assert wrong.counts is not None
    assert (wrong.counts.published, wrong.counts.recomputed, wrong.counts.of) == (55, 54, 135)
    partial = marked["v_straight", "college_biology", V]
    assert (partial.mark, partial.reason, partial.recomputed, partial.n) == ("absent", "why_partial", 45.0, 20)
    absent = marked["v_straight", "medical_genetics", V]
    assert (absent.mark, absent.reason, absent.recomputed) == ("absent", "why_absent", None)
    assert marked["sc", "anatomy", R].mark == "exact"


def test_known_reasons_stand_only_where_a_cell_differs() -> None:
    marked = found([
        sample.cell("anatomy", R, 135, 57, 59, rule="sc3of5", prompting="cot"),
        sample.cell("college_biology", R, 144, 71, 51, rule="sc3of5", prompting="cot"),
        sample.cell("college_biology", "qwen2.5-7b-instruct", 136, 61, 75),
    ])  # fmt: skip
    stale = marked["sc_negative", "anatomy", R]
    assert (stale.mark, stale.reason) == ("differs", "why_stale_sheet")
    assert stale.counts is not None
    assert (stale.counts.published, stale.counts.recomputed, stale.counts.of) == (118, 112, 405)
    edited = marked["sc", "college_biology", R]
    assert (edited.mark, edited.reason) == ("differs", "why_letter_of_sheet")
    qwen = marked["v_straight", "college_biology", "qwen2.5-7b-instruct"]
    assert (qwen.mark, qwen.reason, qwen.remark) == ("exact", "", "why_fewer_answers")


def test_letters_of_the_reader_are_a_reason_of_their_own() -> None:
    marked = found([sample.cell("anatomy", AYA, 135, 54, 81)], choices="extracted")
    assert marked["v_straight", "anatomy", AYA].reason == "why_extracted"


def test_averages_are_held_against_their_own_cells() -> None:
    marked = found([sample.cell("anatomy", V, 135, 65, 70), sample.cell("all", V, 135, 65, 70)])
    consistent, odd = marked["v_straight", "all", V], marked["sc", "all", R]
    assert (consistent.mark, consistent.reason) == ("absent", "why_own_micro")
    assert (odd.mark, odd.reason, odd.contradicts, odd.whole) == ("differs", "", True, False)
    assert not consistent.contradicts
    assert odd.own == (pytest.approx(48.669, abs=1e-3), pytest.approx(48.252, abs=1e-3))
    sc = next(table for table in tables() if table.name == "sc")
    # papers: 530 of 1,089 right by the cells as printed, that is 57 + 50 + 83 + 148 + 122 + 70
    assert own_averages(sc, R)[0] == pytest.approx(100 * 530 / 1089)


def test_a_whole_average_is_held_against_the_answers() -> None:
    marked = found([sample.cell("all", V, 1089, 537, 552)])
    assert marked["v_straight", "all", V].mark == "exact"
    other = found([sample.cell("all", V, 1089, 536, 553)])["v_straight", "all", V]
    assert (other.mark, other.reason, other.contradicts) == ("differs", "why_own_cells", False)
    assert other.counts is not None
    assert (other.counts.published, other.counts.recomputed) == (537, 536)


def test_a_whole_average_that_contradicts_its_cells_says_so_beside_what_is_recomputed() -> None:
    marked = found([
        sample.cell("all", "qwen2.5-7b-instruct", 1081, 488, 593),
        sample.cell("all", R, 1089, 530, 419, rule="sc3of5", prompting="cot"),
    ])  # fmt: skip
    qwen, sc = marked["v_straight", "all", "qwen2.5-7b-instruct"], marked["sc", "all", R]
    assert (qwen.mark, qwen.contradicts, qwen.whole, qwen.size) == ("differs", True, True, 1081)
    assert qwen.recomputed == pytest.approx(45.1434, abs=1e-4)
    assert (sc.mark, sc.contradicts, sc.whole, sc.reason) == ("differs", True, True, "")
    assert marked["v_straight", "college_biology", "qwen2.5-7b-instruct"].mark == "absent"


def test_a_reason_holds_only_for_the_figure_it_explains() -> None:
    known = {"1": 44.338235, "2": 59.044118, "3": 66.911765}
    marked = found([sample.cell("professional_medicine", AYA, 272, 120.6, 151.4, prompting="cot", passes=known)])
    assert {marked[f"pass_{k}", "professional_medicine", AYA].reason for k in (1, 2, 3)} == {"why_other_exam"}
    other = {"1": 43.0, "2": 59.0, "3": 66.0}
    marked = found([sample.cell("professional_medicine", AYA, 272, 117, 155, prompting="cot", passes=other)])
    assert {marked[f"pass_{k}", "professional_medicine", AYA].reason for k in (1, 2, 3)} == {"why_unknown"}


def test_what_the_reason_of_the_wrong_file_says_is_so() -> None:
    """Aya's professional medicine equals its examination digit for digit, and 272 questions cannot give two of them."""
    column = tables()[4].models.index(AYA)
    for table in (table for table in tables() if table.measure.startswith("pass@")):
        assert table.cells["professional_medicine"][column] == table.cells["ibmsee_2023"][column]
    for figure, draws in ((37.73, 5), (58.92, 10)):
        assert not [n for n in range(272 * draws + 1) if same(figure, 100 * n / (272 * draws))]
        assert [n for n in range(168 * draws + 1) if same(figure, 100 * n / (168 * draws))]


def test_closed_subjects_have_their_reasons_and_remarks() -> None:
    passes = {"1": 49.8, "2": 64.5, "3": 72.5}
    marked = found([
        sample.cell("medical_genetics", R, 100, 49, 31, rule="sc3of5", prompting="cot"),
        sample.cell("medical_genetics", R, 100, 49.8, 50.2, prompting="cot", passes=passes),
        sample.cell("medical_genetics", V, 100, 53, 47),
        sample.cell("professional_medicine", "persianmind-v1.0", 272, 65, 207),
    ])  # fmt: skip
    genetics = [check for (_, row, model), check in marked.items() if (row, model) == ("medical_genetics", R)]
    assert Counter((check.mark, check.reason) for check in genetics) == {
        ("differs", "why_genetics"): 5, ("absent", "why_absent"): 2,
    }  # fmt: skip
    prompt = marked["v_straight", "medical_genetics", V]
    assert (prompt.mark, prompt.reason, prompt.remark) == ("exact", "", "remark_other_prompt")
    older = marked["v_straight", "professional_medicine", "persianmind-v1.0"]
    assert (older.mark, older.remark) == ("exact", "remark_older_text")


def test_a_reason_of_an_exact_cell_is_no_remark() -> None:
    exact = found([sample.cell("medical_genetics", R, 100, 50, 30, rule="sc3of5", prompting="cot")])
    assert (exact["sc", "medical_genetics", R].mark, exact["sc", "medical_genetics", R].remark) == ("exact", "")


@pytest.mark.data
def test_open_subjects_of_the_published_recordings() -> None:
    """77 of the 92 cells of the four open subjects are exact; each of the others differs for a known reason."""
    recorded = evaluate(data_folder() / "transcripts.parquet", extract=False)
    marked = checks(Evaluation.model_validate(as_json(recorded, "test")))
    open_subjects = {"anatomy", "clinical_knowledge", "professional_medicine", "college_biology"}
    ours = [check for check in marked if check.row in open_subjects]
    assert Counter(check.mark for check in ours) == {"exact": 77, "differs": 15}
    assert "why_unknown" not in {check.reason for check in marked}
    assert Counter(check.reason for check in ours if check.mark == "differs") == {
        "why_stale_sheet": 1, "why_letter_of_sheet": 2, "why_one_letter": 6, "why_edited_later": 3, "why_other_exam": 3,
    }  # fmt: skip
    assert sum(check.contradicts for check in marked) == 10
    # what why_one_letter says: of five answers 3 instead of 2 are right in one question, so 1 answer, 2 pairs and
    # 1 triple more hold a right one
    for row in ("anatomy", "college_biology"):
        counts = [check.counts for check in ours if (check.row, check.reason) == (row, "why_one_letter")]
        assert [one.recomputed - one.published for one in counts if one] == [1, 2, 1]
    edited = [check.counts for check in ours if check.reason == "why_edited_later"]
    assert [one.recomputed - one.published for one in edited if one] == [1, 2, 1]
