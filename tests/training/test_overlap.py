"""The very files that are trained on are looked at, and an overlap stops the stage with its count and suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training import small, toy
from tests.training.test_decontaminate import TESTED
from training import overlap
from training.decontaminate import Reference
from training.errors import TrainingError
from training.manifest import write_jsonl

CLEAN = "شب‌ها پیش از خواب یک لیوان شیر گرم بنوشید."
TOLD = f"پرسش تازه: {TESTED} پاسخ دهید."


def said(role: str, text: str) -> list[dict[str, str]]:
    return [{"role": role, "content": text}]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = toy.write(tmp_path / "data", benchmarks=[toy.benchmark("mmlu_fa", TESTED, toy.OPTIONS, "B")])
    monkeypatch.setenv("GAOKERENA_DATA", str(folder))
    return folder


@pytest.mark.parametrize(
    "row",
    [
        {"text": TOLD},
        {"user": TOLD, "assistant": CLEAN},
        {"user": CLEAN, "assistant": TOLD},
        {"prompt": said("user", TOLD), "completion": said("assistant", CLEAN)},
        {"prompt": said("user", CLEAN), "completion": said("assistant", TOLD)},
        {"prompt": said("user", CLEAN), "chosen": said("assistant", TOLD), "rejected": said("assistant", CLEAN)},
        {"prompt": said("user", CLEAN), "chosen": said("assistant", CLEAN), "rejected": said("assistant", TOLD)},
    ],
)
def test_every_text_of_every_kind_of_row_is_looked_at(row: dict[str, Any]) -> None:
    reference = Reference()
    reference.add("mmlu_fa", [TESTED])
    clean = {"text": CLEAN}
    assert overlap.count([clean, row, clean, row], reference) == {"mmlu_fa": 2}
    assert overlap.count([clean], reference) == {}


def test_a_row_without_words_is_not_called_clean() -> None:
    with pytest.raises(TrainingError, match="a row with id, score holds none of text, user"):
        overlap.count([{"id": "1", "score": 3}], Reference())


def test_an_overlap_is_refused_with_count_and_suite_and_a_clean_file_noted(data: Path, tmp_path: Path) -> None:
    file, counts = tmp_path / "corpus.jsonl", small.manifest()
    write_jsonl(file, [{"text": CLEAN}])
    overlap.checked(tmp_path, counts, {"corpus": file})
    assert counts.extra["overlap"] == {}
    write_jsonl(file, [{"text": CLEAN}, {"text": TOLD}])
    with pytest.raises(TrainingError, match=r"corpus\.jsonl overlap with what is tested \(1 with mmlu_fa\)"):
        overlap.checked(tmp_path, counts, {"corpus": file})
    assert counts.extra["overlap"] == {"mmlu_fa": 1}


def test_the_same_files_are_counted_once_and_again_when_what_is_tested_changes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "corpus.jsonl"
    write_jsonl(file, [{"text": CLEAN}])
    overlap.checked(tmp_path, small.manifest(), {"corpus": file})
    with monkeypatch.context() as patched:
        patched.setattr(overlap, "count", None)  # would fail if it were called
        overlap.checked(tmp_path, small.manifest(), {"corpus": file})
    toy.write(data, benchmarks=[toy.benchmark("kopp_larger", CLEAN, toy.OPTIONS, "A")])
    with pytest.raises(TrainingError, match="1 with kopp_larger"):
        overlap.checked(tmp_path, small.manifest(), {"corpus": file})
