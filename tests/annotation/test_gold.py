"""A gold file is taken whole or refused, with the line that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annotation.cleaning import Cleaner
from annotation.gold import GoldError, read_gold
from tests.annotation.push_cases import gold_file

ROW: dict[str, Any] = {"question": "تب کودک را چگونه پایین بیاوریم؟", "left": "پاشویه", "right": "هیچ", "grade": "left"}


def written(folder: Path, *rows: Any) -> Path:
    path = folder / "gold.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


def test_a_file_is_read_with_its_grades(tmp_path: Path) -> None:
    golds = read_gold(gold_file(tmp_path / "gold.jsonl", 3), Cleaner())
    assert [gold.grade for gold in golds] == ["left_much"] * 3
    assert golds[1].first.text == "بیمار 1 باید همین حالا با اورژانس ۱۱۵ تماس بگیرد."
    assert golds[1].question.subject is None


def test_a_chain_of_thought_is_split(tmp_path: Path) -> None:
    text = "1. تب را اندازه بگیرید.\n2. دارو بدهید.\nبنابراین، پاسخ صحیح گزینه [الف] است."
    [gold] = read_gold(written(tmp_path, {**ROW, "left": text, "cot": True}), Cleaner())
    assert len(gold.first.steps) == 2
    assert gold.first.conclusion.startswith("بنابراین")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"grade": "better"}, "grade"),
        ({"left": ""}, "left"),
        ({"options": ["یک", "دو"]}, "four"),
        ({"question": " "}, "text"),
        ({"model": "v"}, "model"),
        ({"right": "پاشویه."}, "same text"),
        ({"left": "0912 123", "right": " \n"}, "empty"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(GoldError, match=rf"gold\.jsonl:2: .*{said}"):
        read_gold(written(tmp_path, ROW, {**ROW, "question": "دیگری؟", **changes}), Cleaner())


def test_the_same_comparison_twice_is_refused_even_with_its_sides_exchanged(tmp_path: Path) -> None:
    turned = {**ROW, "left": ROW["right"], "right": ROW["left"], "grade": "right"}
    with pytest.raises(GoldError, match=r":2: the same question"):
        read_gold(written(tmp_path, ROW, turned), Cleaner())


@pytest.mark.parametrize("content", ["", "\n\n", "{not json"])
def test_an_empty_or_broken_file_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(GoldError, match=r"gold\.jsonl"):
        read_gold(written(tmp_path, content), Cleaner())
    with pytest.raises(GoldError, match="give gold items as JSON lines"):
        read_gold(tmp_path / "nowhere.jsonl", Cleaner())
