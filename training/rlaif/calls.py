"""The calls of a run on the disk: each found again by its content, kept as soon as it has ended, with what it cost.

    with CallLog(Path("runs/rlaif/calls.jsonl")) as log:
        log.find(name) or log.add(call)

A call is found again by all that decided it: model, weights or server, conversation, sampling, seed
(`generations.key`). A call that failed is written down too, for it may have been charged, but never found again. All
replies of a run are held in memory. Not covered: asking (`caller`).
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from gaokerena.evaluation.run_rows import Rows
from training.rlaif.budget import Spent

Role = Literal["student", "teacher"]


class Call(BaseModel):
    """One call that ended. `end` is `failed` for one without a reply: it is counted, never found again.

    `prompt_tokens` and `completion_tokens` are what is charged: the server's count, or the upper bound
    where it gave none (`estimated`). Of `reply` personal identifiers are taken out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    role: Role
    question_id: str
    seed: int
    reply: str
    end: Literal["stop", "length", "failed"]
    prompt_tokens: int
    completion_tokens: int
    estimated: bool
    money: float
    revision: str
    detail: str = ""
    at: str

    @property
    def spent(self) -> Spent:
        return Spent(self.prompt_tokens, self.completion_tokens, self.money)


class CallLog:
    """The calls on the disk; see `run_rows.Rows` for how they are written. Use it in a `with`. Raises RunError."""

    def __init__(self, path: Path) -> None:
        self._rows = Rows(path, Call)
        self._calls: dict[str, Call] = {}
        self._lock = threading.Lock()
        self.spent: dict[Role, Spent] = {"student": Spent(), "teacher": Spent()}
        self.ends = Counter[str]()
        self.estimated = False

    def __enter__(self) -> Self:
        with ExitStack() as closing:
            for call in closing.enter_context(self._rows).read():
                self._take_in(call)
            closing.pop_all()  # whole: the file stays open until the log is closed
        return self

    def __exit__(self, *error: Any) -> None:
        self._rows.__exit__(*error)

    def find(self, name: str) -> Call | None:
        with self._lock:
            return self._calls.get(name)

    def add(self, call: Call) -> None:
        """Keep one call; it has reached the disk on return."""
        with self._lock:
            self._rows.append(call)
            self._take_in(call)

    def _take_in(self, call: Call) -> None:
        self.spent[call.role] += call.spent
        self.ends[call.end] += 1
        self.estimated |= call.estimated
        if call.end != "failed":
            self._calls[call.key] = call
