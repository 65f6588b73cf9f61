"""Asking the judge about every pair in both orders, each call kept on the disk as soon as it has ended.

    with CallLog(Path("run/judge.calls.jsonl")) as log:
        judged = Judge(engine, "judge", log).judge(pairs)       # judged.calls: {(question, run, order): Call}

A call is found again by all that decided it: judge, weights, conversation, sampling, seed. So a judging that was killed
goes on where it stood, and a larger one uses the calls of the smaller. Each line says which model was shown first. A
reply without a readable verdict is answered once with a reminder; what is unreadable even then is kept as such. A call
that failed (the server, a prompt too long) is not kept: the next run asks again. When all of `AT_ONCE` calls failed,
the rest is not asked.

Not covered: several judges in one call.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from gaokerena.answers import FinishReason, Usage
from gaokerena.bidi import strip
from gaokerena.comparisons import now
from gaokerena.engines.base import Engine, Failed, Finished, Reasoning, Request, Sampling, Text
from gaokerena.engines.generations import key
from gaokerena.evaluation.freeform import Pair
from gaokerena.evaluation.freeform_prompt import FINGERPRINT, ORDERS, VERSION, Label, Order, again, judging, label
from gaokerena.evaluation.progress import Meter
from gaokerena.evaluation.run_rows import Rows
from gaokerena.scrub import scrub

JUDGING = Sampling(temperature=0.0, max_new_tokens=400)
AT_ONCE = 64
"""Calls under way together; the engine queues those its server cannot take yet."""

Place = tuple[str, int, Order]
"""Question id, run, order."""


class Call(BaseModel):
    """One verdict of the judge. `label` None: not readable, also not after a reminder (`tries` 2).

    `first` and `second` name the models in the order shown, which the judge was not told. `prompt` is the fingerprint
    of the wording. Of `reply` personal identifiers are taken out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    question_id: str
    run: int
    order: Order
    first: str
    second: str
    judge: str
    revision: str
    reference: bool
    prompt_version: str = VERSION
    prompt: str = FINGERPRINT
    sampling: Sampling
    seed: int
    label: Label | None
    reply: str
    tries: int
    finish_reason: FinishReason
    usage: Usage
    at: str


class CallLog:
    """The calls on disk, by key; see `run_rows.Rows` for how they are written. Use it in a `with`. Raises RunError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows = Rows(path, Call)
        self._calls: dict[str, Call] = {}

    def __enter__(self) -> Self:
        with ExitStack() as closing:
            rows = closing.enter_context(self._rows)
            self._calls = {call.key: call for call in rows.read()}
            closing.pop_all()  # whole: the file stays open until the log is closed
        return self

    def __exit__(self, *error: Any) -> None:
        self._rows.__exit__(*error)

    def find(self, name: str) -> Call | None:
        return self._calls.get(name)

    def add(self, call: Call) -> None:
        """Keep one call; it has reached the disk on return."""
        self._rows.append(call)
        self._calls[call.key] = call


@dataclass(slots=True)
class _Task:
    """A call that is wanted: the first request names it in the log, also when a reminder follows."""

    pair: Pair
    order: Order
    request: Request
    name: str
    said: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(slots=True)
class Judged:
    """What came of the calls: those at hand, how many of them are new, and why others failed (English, one each)."""

    calls: dict[Place, Call] = field(default_factory=dict)
    fresh: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Judge:
    """One judge: a model of `engine`. `names` are the two models compared, for the log only."""

    engine: Engine
    model: str
    log: CallLog
    names: tuple[str, str] = ("a", "b")
    revision: str = ""
    reference: bool = True
    sampling: Sampling = JUDGING
    seed: int = 0

    def judge(self, pairs: Sequence[Pair], meter: Meter | None = None) -> Judged:
        """Every pair in both orders; `meter` shows how far it is. Never asks for what is logged."""
        judged, wanted, meter = Judged(), [], meter or Meter(0, out=io.StringIO())
        for task in (self._task(pair, order) for pair in pairs for order in ORDERS):
            meter.total += 1
            if call := self.log.find(task.name):
                judged.calls[_place(task)] = call
                meter.done += 1
                meter.before(call.usage)
            else:
                wanted.append(task)
        for start in range(0, len(wanted), AT_ONCE):
            failed = len(judged.failures)
            self._some(wanted[start : start + AT_ONCE], judged, meter)
            if len(judged.failures) - failed == AT_ONCE:  # the server is gone, or refuses everything
                break
        return judged

    def _task(self, pair: Pair, order: Order) -> _Task:
        request = Request(
            self.model,
            judging(pair, order, reference=self.reference),
            sampling=self.sampling,
            seed=self.seed,
            question_id=pair.question_id,
        )
        return _Task(pair, order, request, key(request, self.revision))

    def _some(self, tasks: list[_Task], judged: Judged, meter: Meter) -> None:
        """Ask `tasks`, then once more those whose verdict was not readable."""
        unread: list[_Task] = []
        for task, reply, end in self._replies(tasks, [task.request for task in tasks], meter):
            if isinstance(end, Finished) and end.finish_reason != "stopped" and label(reply) is None:
                task.said, task.usage = reply, end.usage
                unread.append(task)
            else:
                self._settle(task, reply, end, 1, judged, meter)
        for task, reply, end in self._replies(unread, [self._reminder(task) for task in unread], meter):
            self._settle(task, reply, end, 2, judged, meter)

    def _reminder(self, task: _Task) -> Request:
        turns = again(task.request.messages, task.said)
        return Request(self.model, turns, sampling=self.sampling, seed=self.seed, question_id=task.pair.question_id)

    def _replies(
        self, tasks: Sequence[_Task], requests: Sequence[Request], meter: Meter
    ) -> Iterator[tuple[_Task, str, Failed | Finished]]:
        """Each task with its whole reply and its end, as they come."""
        said: list[list[str]] = [[] for _ in requests]
        for row, event in self.engine.stream(requests) if requests else ():
            if isinstance(event, Reasoning | Text):
                said[row].append(event.text)
                meter.piece()
            elif isinstance(event, Failed | Finished):
                meter.ended(len(said[row]), event.usage if isinstance(event, Finished) else None)
                yield tasks[row], "".join(said[row]), event

    def _settle(
        self, task: _Task, reply: str, end: Failed | Finished, tries: int, judged: Judged, meter: Meter
    ) -> None:
        """Keep the call, or why there is none."""
        if isinstance(end, Failed) or end.finish_reason == "stopped":
            judged.failures.append((end.detail or end.english or end.message) if isinstance(end, Failed) else "stopped")
            meter.failed += 1
            return
        call = self._call(task, reply, end, tries)
        self.log.add(call)
        judged.calls[_place(task)] = call
        judged.fresh += 1
        meter.answer(call.usage)

    def _call(self, task: _Task, reply: str, end: Finished, tries: int) -> Call:
        first, second = self.names if task.order == "ab" else self.names[::-1]
        return Call(
            key=task.name,
            question_id=task.pair.question_id,
            run=task.pair.run,
            order=task.order,
            first=first,
            second=second,
            judge=self.model,
            revision=end.revision or self.revision,
            reference=self.reference and bool(task.pair.reference.strip()),
            sampling=self.sampling,
            seed=self.seed,
            label=label(reply),
            reply=scrub(strip(f"{task.said}\n\n{reply}" if task.said else reply)).text,
            tries=tries,
            finish_reason=end.finish_reason,
            usage=_sum(task.usage, end.usage),
            at=now(),
        )


def _place(task: _Task) -> Place:
    return task.pair.question_id, task.pair.run, task.order


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        estimated=one.estimated or other.estimated,
    )
