"""Comparisons from recorded answers: the same question by two models, and how sure each was."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from annotation.sources_transcripts import from_transcripts
from gaokerena.transcripts import TranscriptsError
from tests.annotation.source_cases import recorded, row
from tests.real_data import data_folder


def test_the_same_question_is_found_by_content(tmp_path: Path) -> None:
    v = [row("v", index, "A") for index in range(4)]
    r = [row("r", 100 + index, "B", question=f"نخستين اقدام  در بیماری {index} چیست؟") for index in (3, 1, 2, 9)]
    found = from_transcripts(recorded(tmp_path / "t.jsonl", *v, *r), "v", "r", seed=1)
    assert len(found.candidates) == 3
    assert found.refused["only_one_asked"] == 2
    for one in found.candidates:
        assert {shown.model for shown in one.shown} == {"v", "r"}
        assert {shown.choice for shown in one.shown} == {"A", "B"}
        assert one.question.subject == "اطفال"


def test_one_run_of_each_is_drawn_by_the_seed(tmp_path: Path) -> None:
    rows = [row("v", 0, "A"), *(row("r", 0, "A", run) for run in range(1, 6))]
    path = recorded(tmp_path / "t.jsonl", *rows)
    again = recorded(tmp_path / "u.jsonl", *reversed(rows))
    texts = []
    for seed in range(12):
        [one] = from_transcripts(path, "v", "r", seed=seed).candidates
        assert from_transcripts(again, "v", "r", seed=seed).candidates == [one]
        texts.append(next(shown.text for shown in one.shown if shown.model == "r"))
    assert len(set(texts)) > 2


@pytest.mark.parametrize(
    ("letters", "strength_of"), [("AAABB", 0.0), ("AABBC", 0.6), ("ABCDA", 0.6), ("AB", 0.0), ("AAAAA", 0.0)]
)
def test_runs_that_scatter_are_a_reason(tmp_path: Path, letters: str, strength_of: float) -> None:
    runs = [row("r", 0, letter, run) for run, letter in enumerate(letters)]
    [one] = from_transcripts(recorded(tmp_path / "t.jsonl", row("v", 0, "A"), *runs), "v", "r", seed=1).candidates
    assert one.reasons.get("inconsistent", 0.0) == pytest.approx(strength_of)


def test_a_letter_that_nobody_noted_is_read(tmp_path: Path) -> None:
    rows = (row("v", 0, "C", annotated_choice=None), row("r", 0, "B", annotated_choice=None))
    [one] = from_transcripts(recorded(tmp_path / "t.jsonl", *rows), "v", "r", seed=1).candidates
    assert {shown.model: shown.choice for shown in one.shown} == {"v": "C", "r": "B"}


def test_a_chain_of_thought_is_split_and_a_straight_answer_is_not(tmp_path: Path) -> None:
    text = "1. تب را بسنجید.\n2. دارو بدهید.\nبنابراین، پاسخ صحیح گزینه [الف] است."
    rows = (row("v", 0, "A", response=text), row("r", 0, "A", response=text + " "))
    [one] = from_transcripts(recorded(tmp_path / "t.jsonl", *rows), "v", "r", seed=1).candidates
    shown = {shown.model: shown for shown in one.shown}
    assert (shown["v"].reasoning, shown["v"].steps, shown["v"].conclusion) == ("", (), text)
    assert len(shown["r"].steps) == 2
    assert shown["r"].conclusion.startswith("بنابراین")


def test_one_model_asked_both_ways_keeps_them_apart(tmp_path: Path) -> None:
    rows = (row("r", 0, "A"), row("r", 0, "B", prompting="straight"))
    [one] = from_transcripts(recorded(tmp_path / "t.jsonl", *rows), "r:straight", "r:cot", seed=1).candidates
    assert {shown.model: shown.choice for shown in one.shown} == {"r:straight": "B", "r:cot": "A"}


def test_free_text_is_compared_too(tmp_path: Path) -> None:
    free: dict[str, Any] = {f"option_{letter}": "" for letter in "abcd"} | {"gold": None, "annotated_choice": None}
    rows = [row(model, index, "A", **free) for model, index in (("v", 0), ("r", 0), ("r", 1))]
    found = from_transcripts(recorded(tmp_path / "t.jsonl", *rows), "v", "r", seed=1)
    assert [one.question.options for one in found.candidates] == [()]
    assert found.refused == Counter(only_one_asked=1)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("w", "r", "no answers of 'w'; there are r:cot, v:straight"),
        ("v:cot", "r", "no answers of 'v:cot'"),
        ("r", "r:cot", "both mean"),
    ],
)
def test_a_model_that_is_not_there_is_named(tmp_path: Path, a: str, b: str, said: str) -> None:
    with pytest.raises(TranscriptsError, match=said):
        from_transcripts(recorded(tmp_path / "t.jsonl", row("v", 0, "A"), row("r", 0, "B")), a, b, seed=1)


@pytest.mark.data
def test_the_published_recordings_align() -> None:
    found = from_transcripts(data_folder(), "gaokerena-v1.0", "gaokerena-r1.0", seed=1)
    assert len(found.candidates) == 816
    promptings = {one.comparison_id.split(":")[1].split(".")[-2] for one in found.candidates if one.comparison_id}
    assert promptings == {"straight"}  # V, named first, is asked straight; R with its chain of thought
    assert 50 < sum("inconsistent" in one.reasons for one in found.candidates) < 200
