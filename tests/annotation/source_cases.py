"""Recorded answers for the tests of sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gaokerena.transcripts import Transcript, write

OPTIONS = ("پاشویه", "استامینوفن", "آنتی‌بیوتیک", "آزمایش خون")
NAMES = {"A": "الف", "B": "ب", "C": "ج", "D": "د"}


def row(model: str, index: int, letter: str, run: int = 1, **changes: Any) -> Transcript:
    options = dict(zip(("option_a", "option_b", "option_c", "option_d"), OPTIONS, strict=True))
    fields: dict[str, Any] = {
        "suite": "mine", "subject": "اطفال", "question_index": index,
        "question": f"نخستین اقدام در بیماری {index} چیست؟", **options,
        "gold": "A", "model": model, "prompting": "cot" if model == "r" else "straight", "run": run,
        "prompt": "", "annotated_choice": letter,
        "response": f"{model} در بار {run}: گزینه [{NAMES[letter]}] درست است.",
    }  # fmt: skip
    return Transcript(**{**fields, **changes})


def recorded(path: Path, *rows: Transcript) -> Path:
    write(rows, path)
    return path
