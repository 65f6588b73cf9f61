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

from gaokerena.evaluation.suites import CHOICE_FILE, KNOWN, load_file
from gaokerena.intake import RefusalError, read_question
from gaokerena.questions import Question

NAMES: dict[str, tuple[str, str]] = {name: KNOWN[name] for name in ("mmlu_fa", "ibmsee_2023", "kopp_larger")}


class Suites:
    """Questions by suite; `names` is empty without a data folder."""

    def __init__(self, data: Path | None) -> None:
        self._file = data / CHOICE_FILE if data and (data / CHOICE_FILE).is_file() else None
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
    found: dict[str, list[Question]] = defaultdict(list)
    for suite in load_file(file):
        for item in suite.items:
            try:
                found[suite.name].append(read_question(item.text, item.options))
            except RefusalError:
                continue
    return dict(found)
