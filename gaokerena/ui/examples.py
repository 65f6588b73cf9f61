"""Clinical examples of our own, one a field, to try the page with (`examples.toml`). None comes from a benchmark."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaokerena.questions import Question

_FILE = Path(__file__).with_name("examples.toml")


@dataclass(frozen=True, slots=True)
class Example:
    """A question under the name of its field, in Persian and English."""

    fa: str
    en: str
    question: Question


def _example(row: dict[str, Any]) -> Example:
    return Example(row["fa"], row["en"], Question(text=row["text"], options=tuple(row.get("options", ()))))


EXAMPLES: tuple[Example, ...] = tuple(map(_example, tomllib.loads(_FILE.read_text("utf-8"))["examples"]))
