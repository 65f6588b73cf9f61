"""A live run: one model's answers to one suite, as transcripts that grow as the answers end.

    plan = Plan(suite, model="r", prompting="cot", sampling=sampling, samples=5, seed=1)
    with Rows(out / "transcripts" / f"{plan.stem}.jsonl", Recorded) as rows: ...       # `run_cli` is the way in

    python -m gaokerena evaluate run --suite mmlu_fa --model r --prompting cot --out runs/eval

A row is a transcript (`gaokerena.transcripts`) with more columns; `run` counts the samples of a question from 1. The
choice is read from the whole response, as `evaluate transcripts --choices extracted` reads it. Each sample has a seed
that follows from the run's seed, the question and the sample's number alone (`seed_of`), so models are compared on the
same draws, and a question that stands twice in a suite gets the same answers twice.

Defaults follow the papers (reference: Gaokerena-R, inference protocol): straight is greedy, one sample; a chain of
thought is drawn at temperature 1.0, five samples, 1,024 new tokens. The preset `mini` has a sampling of its own.

Not covered: what the answers are worth (`evaluate transcripts`, `report`), several models in one call.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from gaokerena.answers import FinishReason, Usage
from gaokerena.comparisons import now
from gaokerena.engines.base import Request, Sampling
from gaokerena.evaluation.answering import Given, Key, Task, in_blocks
from gaokerena.evaluation.run_rows import RunError
from gaokerena.evaluation.suites import Item, Suite
from gaokerena.messages import Message
from gaokerena.options import read_option
from gaokerena.prompts import VERSION, messages
from gaokerena.questions import Letter, Prompting
from gaokerena.scrub import scrub
from gaokerena.transcripts import Transcript

DEFAULTS: Mapping[Prompting, Sampling] = {
    "straight": Sampling(max_new_tokens=1024),
    "cot": Sampling(temperature=1.0, max_new_tokens=1024),
}
"""The papers' sampling, which every preset but `mini` (and `echo`) has."""
SAMPLES: Mapping[Prompting, int] = {"straight": 1, "cot": 5}
SEEDS = 2**31
"""Seeds are below this: servers take no larger ones."""


class Recorded(Transcript):
    """One answer of a live run. The first `reasoning_chars` characters of `response` are its chain of thought.

    `seconds` are those of work on this answer, beside the others of its call; `translation` is what a pipeline's
    translator made of the question.
    """

    question_id: str
    choice: Letter | None
    choice_reason: str
    seed: int
    sampling: Sampling
    revision: str
    usage: Usage
    finish_reason: FinishReason
    reasoning_chars: int
    seconds: float
    at: str
    prompt_version: str
    translation: str | None = None

    @property
    def key(self) -> Key:
        return (self.subject, self.question_index, self.run)

    @property
    def text(self) -> str:
        return self.response

    @property
    def spent(self) -> Usage:
        return self.usage

    @property
    def ended(self) -> FinishReason:
        return self.finish_reason

    @property
    def weights(self) -> str:
        return self.revision

    @property
    def right(self) -> bool | None:
        """Whether the choice is the gold letter; None without one."""
        return self.choice == self.gold if self.gold else None


def seed_of(seed: int, question_id: str, run: int) -> int:
    """The seed of one sample: the first four bytes of the SHA-256 of "seed:question_id:run", modulo 2**31."""
    digest = hashlib.sha256(f"{seed}:{question_id}:{run}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % SEEDS


def sampling_of(
    own: Mapping[Prompting, Sampling], prompting: Prompting, temperature: float | None, max_new_tokens: int | None
) -> Sampling:
    """The preset's sampling for `prompting`, with what was asked for instead."""
    changes: dict[str, Any] = {"temperature": temperature, "max_new_tokens": max_new_tokens}
    return replace(own[prompting], **{name: value for name, value in changes.items() if value is not None})


def samples_of(samples: int | None, prompting: Prompting, sampling: Sampling) -> int:
    """How many answers to a question. Raises RunError for several greedy ones."""
    greedy = sampling.temperature <= 0
    if samples is None:
        return 1 if greedy else SAMPLES[prompting]
    if greedy and samples > 1:
        raise RunError(
            f"{samples} samples at temperature 0 are {samples} times the same answer; give --temperature above 0, or "
            "--samples 1"
        )
    return samples


@dataclass(frozen=True)
class Plan:
    """What is to be asked: the first `limit` askable questions of `suite` (None: all), `samples` times each.

    With `scrubbed`, personal identifiers are taken out of the prompts before they are sent and recorded.
    """

    suite: Suite
    model: str
    prompting: Prompting
    sampling: Sampling
    samples: int
    seed: int
    limit: int | None = None
    scrubbed: bool = False

    @property
    def stem(self) -> str:
        """The name of the run's files, without a suffix."""
        return stem(self.suite.name, self.model, self.prompting)

    @cached_property
    def items(self) -> Sequence[Item]:
        return self.suite.askable[: self.limit]

    @cached_property
    def tasks(self) -> list[list[Task]]:
        """The tasks of each question. Raises RunError for a suite with nothing to ask."""
        if not self.items:
            raise RunError(
                f"{self.suite.name} ({self.suite.origin}) has no question that can be asked; "
                f"see: python -m gaokerena suites {self.suite.name} --check"
            )
        return [self._samples(item) for item in self.items]

    @property
    def keys(self) -> set[Key]:
        return {task.key for group in self.tasks for task in group}

    def blocks(self, rows: int) -> list[tuple[Task, ...]]:
        """The calls, each of at most `rows` answers."""
        return in_blocks(self.tasks, rows)

    @property
    def content_hash(self) -> str:
        """SHA-256 of the questions asked, with their options and keys, in order."""
        asked = [[item.subject, item.index, item.text, item.options, item.gold] for item in self.items]
        return hashlib.sha256(json.dumps(asked, ensure_ascii=False).encode()).hexdigest()

    def deciding(self) -> dict[str, Any]:
        """What decides the answers, as far as the plan knows it: for the run's file."""
        return {
            "suite": self.suite.name,
            "questions": len(self.items),
            "suite_sha256": self.content_hash,
            "model": self.model,
            "prompting": self.prompting,
            "samples": self.samples,
            "sampling": asdict(self.sampling),
            "seed": self.seed,
            "prompts": VERSION,
        }

    def recorded(self, given: Given) -> Recorded:
        """The row of one answer."""
        item = self._by_key[given.task.key[:2]]
        answer, request, question = given.answer, given.task.request, given.task.question
        reading = read_option(answer.text, question.options, question=question.text) if question.options else None
        a, b, c, d = item.options or ("", "", "", "")
        return Recorded(
            suite=item.suite or self.suite.name, subject=item.subject, question_index=item.index, question=item.text,
            option_a=a, option_b=b, option_c=c, option_d=d, gold=item.gold, model=self.model,
            prompting=self.prompting, run=given.task.key[2], prompt=request.messages[-1].content,
            response=answer.text, annotated_choice=None, question_id=question.id,
            choice=reading.choice if reading else None, choice_reason=reading.reason if reading else "",
            seed=request.seed, sampling=request.sampling, revision=answer.revision, usage=answer.usage,
            finish_reason=answer.finish_reason, reasoning_chars=len(answer.reasoning),
            seconds=round(given.seconds, 3), at=now(), prompt_version=VERSION, translation=given.translation,
        )  # fmt: skip

    @cached_property
    def _by_key(self) -> dict[tuple[str, int], Item]:
        return {(item.subject, item.index): item for item in self.items}

    def _samples(self, item: Item) -> list[Task]:
        question = item.question()
        turns = messages(question, self.prompting)
        if self.scrubbed:
            turns = tuple(Message(turn.role, scrub(turn.content).text) for turn in turns)
        return [
            Task(
                (item.subject, item.index, run),
                question,
                Request(
                    self.model, turns, self.prompting, self.sampling, seed_of(self.seed, question.id, run), question.id
                ),
            )
            for run in range(1, self.samples + 1)
        ]


def stem(suite: str, model: str, prompting: str) -> str:
    """The name of the files of one run; characters a file name may not have become hyphens."""
    return ".".join(re.sub(r"[^\w.-]", "-", part) for part in (suite, model, prompting))
