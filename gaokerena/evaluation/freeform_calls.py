"""Asking the judge about every pair in both orders, each call kept on the disk as soon as it has ended.

    log = CallLog(Path("run/judge.calls.jsonl"))
    judged = Judge(engine, "judge", log).judge(pairs)       # {(pair's question, run, order): Call}

A call is found again by all that decided it: judge, weights, conversation, sampling, seed. So a judging that was killed
goes on where it stood, and a larger one uses the calls of the smaller. Each line says which model was shown first. A
reply without a readable verdict is answered once with a reminder; what is unreadable even then is kept as such. A call
that failed (the server, a prompt too long) is not kept: the next run asks again.

Not covered: several processes writing one log.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from gaokerena.answers import FinishReason, Usage
from gaokerena.bidi import strip
from gaokerena.comparisons import now
from gaokerena.engines.base import Engine, Failed, Finished, Reasoning, Request, Sampling, Text
from gaokerena.engines.generations import key
from gaokerena.evaluation.freeform import FreeformError, Pair
from gaokerena.evaluation.freeform_prompt import FINGERPRINT, ORDERS, VERSION, Label, Order, again, judging, label
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
    """An append-only file of JSON lines. A last line cut off by a crash is cut away; any other bad line is an error.

    Raises FreeformError for a line that is no call, OSError where the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._calls: dict[str, Call] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            file.seek(0)
            whole = 0
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    file.truncate(whole)
                    break
                whole += len(line)
                self._take(line, number)

    def __len__(self) -> int:
        return len(self._calls)

    def find(self, name: str) -> Call | None:
        return self._calls.get(name)

    def add(self, call: Call) -> None:
        """Keep one call; it has reached the disk on return."""
        with self.path.open("ab") as file:
            file.write(call.model_dump_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._calls[call.key] = call

    def _take(self, line: bytes, number: int) -> None:
        try:
            call = Call.model_validate_json(line)
        except ValidationError as error:
            raise FreeformError(
                f"{self.path}:{number}: not a judge's call; delete that line or use another --out"
            ) from error
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

    def judge(self, pairs: Sequence[Pair], tell: Callable[[int, int], None] | None = None) -> Judged:
        """Every pair in both orders; `tell(done, total)` is called as calls come in. Never asks for what is logged."""
        judged, wanted = Judged(), []
        for task in (self._task(pair, order) for pair in pairs for order in ORDERS):
            if call := self.log.find(task.name):
                judged.calls[_place(task)] = call
            else:
                wanted.append(task)
        total, tell = len(judged.calls) + len(wanted), tell or _silent
        tell(len(judged.calls), total)
        for start in range(0, len(wanted), AT_ONCE):
            for _ in self._some(wanted[start : start + AT_ONCE], judged):
                tell(len(judged.calls) + len(judged.failures), total)
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

    def _some(self, tasks: list[_Task], judged: Judged) -> Iterator[None]:
        """Ask `tasks`, then once more those whose verdict was not readable; yields after each that is settled."""
        unread: list[_Task] = []
        for task, reply, end in self._replies(tasks, [task.request for task in tasks]):
            if isinstance(end, Finished) and end.finish_reason != "stopped" and label(reply) is None:
                task.said, task.usage = reply, end.usage
                unread.append(task)
            else:
                self._keep(task, reply, end, 1, judged)
                yield
        reminders = [self._reminder(task) for task in unread]
        for task, reply, end in self._replies(unread, reminders):
            self._keep(task, reply, end, 2, judged)
            yield

    def _reminder(self, task: _Task) -> Request:
        turns = again(task.request.messages, task.said)
        return Request(self.model, turns, sampling=self.sampling, seed=self.seed, question_id=task.pair.question_id)

    def _replies(
        self, tasks: Sequence[_Task], requests: Sequence[Request]
    ) -> Iterable[tuple[_Task, str, Failed | Finished]]:
        """Each task with its whole reply and its end, as they come."""
        if not requests:
            return
        said = [""] * len(requests)
        for row, event in self.engine.stream(requests):
            if isinstance(event, Reasoning | Text):
                said[row] += event.text
            elif isinstance(event, Failed | Finished):
                yield tasks[row], said[row], event

    def _keep(self, task: _Task, reply: str, end: Failed | Finished, tries: int, judged: Judged) -> None:
        if isinstance(end, Failed) or end.finish_reason == "stopped":
            reason = (end.detail or end.english or end.message) if isinstance(end, Failed) else "stopped"
            judged.failures.append(reason)
            return
        first, second = self.names if task.order == "ab" else self.names[::-1]
        call = Call(
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
        self.log.add(call)
        judged.calls[_place(task)] = call
        judged.fresh += 1


def _silent(_done: int, _total: int) -> None:
    pass


def _place(task: _Task) -> Place:
    return task.pair.question_id, task.pair.run, task.order


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        estimated=one.estimated or other.estimated,
    )
