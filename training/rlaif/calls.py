"""The calls of a run on the disk: each found again by its content, kept as soon as it has ended, with what it cost.

    with CallLog(Path("runs/rlaif/calls.jsonl")) as log:
        log.find(name) or (log.begin("teacher", [name], most), ask(), log.add(call))

A call is found again by all that decided it: model, weights or server, conversation, sampling, seed
(`generations.key`). A call that failed is written down too, for it may have been charged, but never found again.
begun.jsonl beside it says which calls were sent, before they are: one that never ended (kill -9, a power cut) is lost,
and charged with the most it can have taken. All replies of a run are held in memory. Not covered: asking (`caller`).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from gaokerena.comparisons import now
from gaokerena.evaluation.run_rows import Rows
from training.rlaif.budget import Spent

Role = Literal["student", "teacher"]
BEGUN = "begun.jsonl"


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


class Begun(BaseModel):
    """Calls about to be sent together, and the most each can take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[str, ...]
    role: Role
    prompt_tokens: int
    completion_tokens: int
    money: float
    at: str

    @property
    def most(self) -> Spent:
        return Spent(self.prompt_tokens, self.completion_tokens, self.money)


class CallLog:
    """The calls on the disk; see `run_rows.Rows` for how they are written. Use it in a `with`. Raises RunError."""

    def __init__(self, path: Path) -> None:
        self._rows = Rows(path, Call)
        self._begun = Rows(path.with_name(BEGUN), Begun)
        self._calls: dict[str, Call] = {}
        self._lock = threading.Lock()
        self.spent: dict[Role, Spent] = {"student": Spent(), "teacher": Spent()}
        self.ends = Counter[str]()
        self.estimated = False
        self.lost = 0
        """Calls of earlier starts that were sent and never ended."""

    def __enter__(self) -> Self:
        with ExitStack() as closing:
            ended = Counter[str]()
            for call in closing.enter_context(self._rows).read():
                self._take_in(call)
                ended[call.key] += 1
            for begun in closing.enter_context(self._begun).read():
                self._charge_lost(begun, ended)
            self._open = closing.pop_all()  # whole: the files stay open until the log is closed
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    def find(self, name: str) -> Call | None:
        with self._lock:
            return self._calls.get(name)

    def begin(self, role: Role, names: Sequence[str], each: Spent) -> None:
        """Note calls about to be sent; the note has reached the disk on return. Raises RunError."""
        told = {"prompt_tokens": each.prompt, "completion_tokens": each.completion, "money": each.money}
        with self._lock:
            self._begun.append(Begun(keys=tuple(names), role=role, at=now(), **told))

    def add(self, call: Call) -> None:
        """Keep one call; it has reached the disk on return."""
        with self._lock:
            self._rows.append(call)
            self._take_in(call)

    def _charge_lost(self, begun: Begun, ended: Counter[str]) -> None:
        """Charge what of `begun` has no end; each end in `ended` answers for one beginning."""
        for name in begun.keys:
            if ended[name]:
                ended[name] -= 1
            else:
                self.lost += 1
                self.estimated = True
                self.spent[begun.role] += begun.most

    def _take_in(self, call: Call) -> None:
        self.spent[call.role] += call.spent
        self.ends[call.end] += 1
        self.estimated |= call.estimated
        if call.end != "failed":
            self._calls[call.key] = call
