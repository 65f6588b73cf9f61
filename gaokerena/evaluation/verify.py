"""Verifying: where five sampled answers agree on nothing, a verifier says which of the five is least wrong.

    answers = Sampled.read(Path("runs/eval/transcripts/mmlu_fa.r.cot.jsonl"))
    plan = VerifyPlan(answers, verifier="base", seed=1)

    python -m gaokerena evaluate verify runs/eval --model base --of r

A question where at least three of five answers choose one option keeps that (`self_consistent_choice`) and is not
asked. For the others the five answers are shown in an order drawn from the seed and the question (`order`: the runs
behind V, W, X, Y and Z), and the option of the passage that was picked becomes the final choice. A response without a
readable label, or a passage that chooses no option, leaves the final choice empty.

The verifier is asked greedily by default; the papers drew at temperature 1.0 and showed no question. Protocol:
Gaokerena-R, inference (at least three of five, else abstain; a verifier for the rest).

Not covered: other counts than five answers, free-form questions.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from gaokerena.answers import FinishReason, Usage
from gaokerena.comparisons import now
from gaokerena.engines.base import Request, Sampling
from gaokerena.evaluation.answering import Given, Key, Task
from gaokerena.evaluation.run import seed_of
from gaokerena.evaluation.sampled import OF, Sampled, self_consistent
from gaokerena.evaluation.verify_prompt import LABELS, VERSION, read_label, verifier_turn
from gaokerena.messages import Message
from gaokerena.options import read_option
from gaokerena.questions import Letter, Prompting
from gaokerena.scrub import scrub

SAMPLING = Sampling(temperature=0.0, max_new_tokens=64)


class Verified(BaseModel):
    """One question's row. What concerns the verifier is empty where the answers agreed.

    `order` holds the run behind each label, V first; `choices` the option each run chose, run 1 first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    suite: str
    subject: str
    question_index: int
    question: str
    gold: Letter | None
    model: str
    prompting: Prompting
    choices: tuple[Letter | None, ...]
    self_consistent_choice: Letter | None
    verifier_prompt: str | None
    final_choice: Letter | None
    verifier: str
    order: tuple[int, ...] = ()
    label: str | None = None
    response: str | None = None
    revision: str = ""
    seed: int | None = None
    usage: Usage = Usage()
    finish_reason: FinishReason | None = None
    prompt_version: str = VERSION
    at: str

    @property
    def key(self) -> Key:
        return (self.subject, self.question_index, 0)

    @property
    def text(self) -> str:
        return self.response or ""

    @property
    def spent(self) -> Usage:
        return self.usage

    @property
    def ended(self) -> FinishReason | None:
        return self.finish_reason

    @property
    def weights(self) -> str:
        return self.revision

    @property
    def right(self) -> bool | None:
        return self.final_choice == self.gold if self.gold else None


@dataclass(frozen=True)
class VerifyPlan:
    """What the verifier is asked about `answers`. With `scrubbed`, prompts are rid of personal identifiers."""

    answers: Sampled
    verifier: str
    seed: int
    sampling: Sampling = SAMPLING
    scrubbed: bool = False
    _choices: dict[tuple[str, int], tuple[Letter | None, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place, rows in self.answers.questions.items():
            self._choices[place] = tuple(
                read_option(row.response, row.options, question=row.question).choice for row in rows
            )

    @property
    def keys(self) -> set[Key]:
        return {(*place, 0) for place in self.answers.questions}

    @cached_property
    def tasks(self) -> list[list[Task]]:
        """One task for each question without a self-consistent choice."""
        return [
            [self._task(place)] for place in self.answers.questions if self_consistent(self._choices[place]) is None
        ]

    @property
    def agreed(self) -> list[Verified]:
        """The rows of the questions that nobody has to be asked about."""
        agreed = {place: self_consistent(choices) for place, choices in self._choices.items()}
        return [self._row(place, choice, None, choice) for place, choice in agreed.items() if choice]

    def deciding(self) -> dict[str, Any]:
        """What decides the choices, as far as the plan knows it: for the run's file."""
        first = self.answers.first
        return {
            "suite": first.suite,
            "of": first.model,
            "prompting": first.prompting,
            "transcripts_sha256": self.answers.content_hash,
            "verifier": self.verifier,
            "sampling": asdict(self.sampling),
            "seed": self.seed,
            "prompts": VERSION,
        }

    def order(self, place: tuple[str, int]) -> tuple[int, ...]:
        """The runs in the order shown: a shuffle that follows from the seed and the question."""
        question = self.answers.questions[place][0].asked().id
        return tuple(random.Random(f"{self.seed}:{question}").sample(range(1, OF + 1), OF))

    def recorded(self, given: Given) -> Verified:
        """The row of one answer of the verifier."""
        place, answer = given.task.key[:2], given.answer
        order, label = self.order(place), read_label(answer.text)
        picked = order[LABELS.index(label)] - 1 if label else None
        choice = None if picked is None else self._choices[place][picked]
        prompt = given.task.request.messages[-1].content
        return self._row(
            place, None, prompt, choice, order=order, label=label, response=answer.text, revision=answer.revision,
            seed=given.task.request.seed, usage=answer.usage, finish_reason=answer.finish_reason,
        )  # fmt: skip

    def counts(self, rows: Sequence[Verified]) -> dict[str, int]:
        """How the questions were settled, for the summary."""
        asked = [row for row in rows if row.verifier_prompt is not None]
        return {
            "agreed": len(rows) - len(asked),
            "verified": sum(row.final_choice is not None for row in asked),
            "unreadable": sum(row.label is None for row in asked),
            "without_option": sum(row.label is not None and row.final_choice is None for row in asked),
        }

    def _row(
        self, place: tuple[str, int], agreed: Letter | None, prompt: str | None, final: Letter | None, **more: Any
    ) -> Verified:
        first = self.answers.questions[place][0]
        return Verified(
            suite=first.suite, subject=first.subject, question_index=first.question_index, question=first.question,
            gold=first.gold, model=first.model, prompting=first.prompting, choices=self._choices[place],
            self_consistent_choice=agreed, verifier_prompt=prompt, final_choice=final, verifier=self.verifier,
            at=now(), **more,
        )  # fmt: skip

    def _task(self, place: tuple[str, int]) -> Task:
        rows = self.answers.questions[place]
        question = rows[0].asked()
        passages = {label: rows[run - 1].response for label, run in zip(LABELS, self.order(place), strict=True)}
        text = verifier_turn(question, passages)
        turn = Message("user", scrub(text).text if self.scrubbed else text)
        seed = seed_of(self.seed, question.id, 0)
        return Task(
            (*place, 0), question, Request(self.verifier, (turn,), "straight", self.sampling, seed, question.id)
        )
