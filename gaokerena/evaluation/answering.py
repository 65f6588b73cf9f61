"""Asking an engine for many answers, block by block, so that what was killed can go on and end the same.

    blocks = in_blocks(groups_of_tasks, rows=16)
    done = answer_all(engine, blocks, have, keep, meter, whole=True)
    done.failures, done.differing

Answers computed together can differ in the last bits of a sum from answers computed alone, and one bit can turn a
drawn token. So tasks are asked in fixed blocks that depend on nothing but the plan, one call of the engine each. With
`whole` (an engine on this machine) a block of which anything is missing is computed again as a whole: what was kept
stays as it is and is only compared. Without (a server, which batches as it likes, and costs) only what is missing is
asked.

A task that fails is tried again after all others, `retries` times. Not covered: several engines at once.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gaokerena.answers import Answer
from gaokerena.engines.base import Engine, Failed, Reasoning, Request, Text
from gaokerena.engines.translated import TranslatedEngine
from gaokerena.evaluation.progress import Meter
from gaokerena.gather import Gathering
from gaokerena.questions import Question

Key = tuple[str, int, int]
"""Subject, question's index in it, run: what tells the rows of one file apart."""

GIVE_UP = 64
"""Failures without an answer between them after which a server is left alone until the next start."""


@dataclass(frozen=True, slots=True)
class Task:
    """One answer wanted."""

    key: Key
    question: Question
    request: Request


@dataclass(frozen=True, slots=True)
class Given:
    """One answer that came to its end; `seconds` of work, `translation` where a pipeline made one."""

    task: Task
    answer: Answer
    seconds: float
    translation: str | None


Keep = Callable[[Given], None]


@dataclass(slots=True)
class Done:
    """How it went: why tasks have no answer, by key; which kept answers came out otherwise when computed again."""

    failures: dict[Key, str] = field(default_factory=dict)
    differing: set[Key] = field(default_factory=set)
    gave_up: bool = False
    in_a_row: int = 0
    """Failures since the last answer."""


def in_blocks(groups: Sequence[Sequence[Task]], rows: int) -> list[tuple[Task, ...]]:
    """The tasks in calls of at most `rows`, in order. A group is not parted unless it is larger than a call."""
    blocks: list[tuple[Task, ...]] = []
    waiting: tuple[Task, ...] = ()
    for group in groups:
        if waiting and len(waiting) + len(group) > rows:
            blocks.append(waiting)
            waiting = ()
        waiting += tuple(group)
        while len(waiting) > rows:
            blocks.append(waiting[:rows])
            waiting = waiting[rows:]
    return [*blocks, waiting] if waiting else blocks


def answer_all(
    engine: Engine,
    blocks: Sequence[Sequence[Task]],
    have: Mapping[Key, str],
    keep: Keep,
    meter: Meter,
    *,
    whole: bool,
    retries: int = 2,
) -> Done:
    """Ask for what is missing in `have` (the texts there are, by key); `keep` gets each new answer as it ends."""
    texts, done = dict(have), Done()
    for block in itertools.chain.from_iterable(itertools.repeat(blocks, 1 + retries)):
        missing = [task for task in block if task.key not in texts]
        if not missing:
            continue
        _ask(engine, block if whole else missing, texts, keep, meter, done)
        if not whole and done.in_a_row >= GIVE_UP:
            done.gave_up = True
            break
    return done


def _ask(engine: Engine, tasks: Sequence[Task], texts: dict[Key, str], keep: Keep, meter: Meter, done: Done) -> None:
    """One call of the engine."""
    for given in _given(engine, tasks, meter):
        key, answer = given.task.key, given.answer
        if answer.finish_reason not in ("stop", "length"):
            done.in_a_row += 1
            if key not in texts:
                done.failures[key] = answer.error or f"the answer was {answer.finish_reason} before its end"
        elif key in texts:
            if texts[key] != answer.text:
                done.differing.add(key)
        else:
            done.in_a_row = 0
            keep(given)
            texts[key] = answer.text
            done.failures.pop(key, None)
        meter.failed = len(done.failures)


def _given(engine: Engine, tasks: Sequence[Task], meter: Meter) -> Iterator[Given]:
    """Every task's end, failed ones included, in the order they come."""
    requests = [task.request for task in tasks]
    translations = engine.translate(requests) if isinstance(engine, TranslatedEngine) else {}
    gathering = [Gathering(task.question, task.request) for task in tasks]
    pieces = [0] * len(tasks)
    for row, event in engine.stream(requests):
        if isinstance(event, Reasoning | Text):
            pieces[row] += 1
            meter.piece()
        answer = gathering[row].add(event)
        if answer is None:
            continue
        failed = isinstance(event, Failed)
        meter.ended(pieces[row], None if failed else answer.usage)
        if isinstance(event, Failed) and event.detail:
            answer = answer.model_copy(update={"error": event.detail})
        seconds = gathering[row].worked(time.monotonic()) or answer.seconds
        yield Given(tasks[row], answer, seconds, translations.get(row))
