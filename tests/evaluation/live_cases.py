"""What the tests of live evaluation ask, through which door, and an engine whose answers depend on their company."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from click.testing import Result
from typer.testing import CliRunner

from gaokerena.answers import Usage
from gaokerena.engines.base import Event, Failed, Finished, Request, Stop, Text
from gaokerena.evaluation.answering import Given, Key, Task
from gaokerena.evaluation.run_cli import run, verify
from gaokerena.prompts import messages
from gaokerena.questions import Question

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(run)
app.command()(verify)

DRUGS = ("آسپرین", "استامینوفن", "مورفین", "دیازپام")
ASKED = [
    "کدام دارو تب کودک را بی‌خطرتر پایین می‌آورد؟",
    "کدام دارو وابستگی می‌آورد؟",
    "کدام دارو از لخته شدن خون جلوگیری می‌کند؟",
    "برای درد پس از جراحی کدام دارو به کار می‌رود؟",
    "کدام دارو را در تشنج می‌دهند؟",
]

DOOR = """
import sys
from gaokerena.engines.threads import calm
calm()
import time
from pathlib import Path
from gaokerena.evaluation.run_rows import Rows
append = Rows.append
def slowly(self, row):
    append(self, row)
    time.sleep({pause})
Rows.append = slowly
from tests.evaluation.live_cases import app
app({arguments!r})
"""
"""A process of its own that runs a command as if the disk were slow, so that it can be killed between two rows."""


def write_suite(folder: Path, texts: Sequence[str] = ASKED, name: str = "drugs", **changes: Any) -> Path:
    """A suite file in two subjects; `changes` are columns of every row."""
    letters = "BCACD"
    path = folder / f"{name}.jsonl"
    rows = [
        {
            "suite": name, "subject": "درد" if number % 2 else "تب", "question": text, "gold": letters[number % 5],
            **{f"option_{letter}": drug for letter, drug in zip("abcd", DRUGS, strict=True)}, "source": "نمونه",
        } | changes
        for number, text in enumerate(texts)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def door(*arguments: object) -> Result:
    """The command, in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def deciding(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without what two equal runs may differ in: the clock."""
    return {name: value for name, value in row.items() if name not in ("at", "seconds")}


def by_place(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The deciding parts of all rows, in the order of the suite."""
    return sorted(map(deciding, rows), key=lambda row: (row["subject"], row["question_index"], row.get("run", 0)))


def tasks(questions: int, samples: int) -> list[list[Task]]:
    """Tasks of so many questions, one list a question."""
    asked = [Question(text=f"پرسش {number}", options=DRUGS) for number in range(questions)]
    return [
        [Task(("", place, run), question, Request("m", messages(question, "cot"), "cot", seed=100 * place + run))
         for run in range(1, samples + 1)]
        for place, question in enumerate(asked)
    ]  # fmt: skip


class Company:
    """An engine that answers with a digest of the whole call and the row's seed; `fails` chooses rows that fail."""

    models = ("m",)

    def __init__(self, fails: Callable[[Request], bool] = lambda request: False) -> None:
        self.calls: list[list[Request]] = []
        self.fails = fails

    def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
        self.calls.append(list(requests))
        together = hashlib.sha256(repr([request.seed for request in requests]).encode()).hexdigest()[:8]
        for row, request in reversed(list(enumerate(requests))):
            if self.fails(request):
                yield row, Failed("نشد.", f"seed {request.seed} fails")
                continue
            yield row, Text(f"{together} {request.seed}")
            yield row, Finished(Usage(prompt_tokens=5, completion_tokens=2), "stop", "w")

    def close(self) -> None:
        pass


class Kept:
    """Takes answers in; raises KeyboardInterrupt after `until` of them, as a kill would end it."""

    def __init__(self, have: Mapping[Key, str] | None = None, until: int = 10**9) -> None:
        self.texts = dict(have or {})
        self.new: list[Key] = []
        self.until = until

    def __call__(self, given: Given) -> None:
        assert given.task.key not in self.texts, "an answer was kept twice"
        self.texts[given.task.key] = given.answer.text
        self.new.append(given.task.key)
        if len(self.new) >= self.until:
            raise KeyboardInterrupt
