"""The benchmarks' questions for the page, where the data folder holds `benchmarks.parquet`.

    suites = Suites(settings.data)
    if suites.names: question = suites.draw("ibmsee_2023")

Read when first drawn from. Rows the page itself would refuse (empty or repeated options) are passed over.
"""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from pathlib import Path

from gaokerena.intake import RefusalError, read_question
from gaokerena.questions import Question

FILE = "benchmarks.parquet"
NAMES: dict[str, tuple[str, str]] = {
    "mmlu_fa": ("MMLU پزشکی، ترجمهٔ فارسی", "Medical MMLU in Persian"),
    "ibmsee_2023": ("علوم پایهٔ پزشکی، شهریور ۱۴۰۲", "Basic medical sciences exam, September 2023"),
    "kopp_larger": ("علوم پایهٔ پزشکی، دوره‌های دیگر", "Basic medical sciences exam, other years"),
}


class Suites:
    """Questions by suite; `names` is empty without a data folder."""

    def __init__(self, data: Path | None) -> None:
        self._file = data / FILE if data and (data / FILE).is_file() else None
        self._lock = threading.Lock()
        self._questions: dict[str, list[Question]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(NAMES) if self._file else ()

    def draw(self, suite: str) -> Question:
        """Any question of `suite`. Raises RefusalError when there is none."""
        with self._lock:
            if not self._questions and self._file:
                self._questions = _read(self._file)
        found = self._questions.get(suite)
        if not found:
            raise RefusalError("پرسشی از این آزمون در دست نیست.", f"No question of suite {suite[:40]!r} is at hand.")
        return random.choice(found)


def _read(file: Path) -> dict[str, list[Question]]:
    import pyarrow.parquet as parquet

    columns = ["suite", "question", "option_a", "option_b", "option_c", "option_d"]
    found: dict[str, list[Question]] = defaultdict(list)
    for row in parquet.read_table(file, columns=columns).to_pylist():
        suite, text, *options = (str(row[column] or "") for column in columns)
        try:
            found[suite].append(read_question(text, options))
        except RefusalError:
            continue
    return dict(found)
