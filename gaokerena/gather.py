"""From one row's events to its `Answer`, and to how long it took.

Not covered: recording the answer (`attempts`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from gaokerena.answers import Answer, FinishReason, Usage
from gaokerena.engines.base import Event, Failed, Finished, Queued, Reasoning, Request, Text
from gaokerena.options import read_option
from gaokerena.questions import Question
from gaokerena.reasoning import steps


@dataclass
class Gathering:
    """What one row has said so far; `add` takes its events in order and gives the answer at the end.

    `asked` is the moment of the question, `began` when the work began (None while the row waits in the queue) and
    `concluded` when the first word of the conclusion came; all by the monotonic clock, in seconds.
    """

    question: Question
    request: Request
    reasoning: str = ""
    conclusion: str = ""
    asked: float = field(default_factory=time.monotonic)
    began: float | None = None
    concluded: float | None = None

    def add(self, event: Event) -> Answer | None:
        """Take one event; the answer once the row has ended, else None."""
        self._clock(event)
        if isinstance(event, Reasoning):
            self.reasoning += event.text
        elif isinstance(event, Text):
            self.conclusion += event.text
        elif isinstance(event, Failed | Finished):
            return self._answer(event)
        return None

    def so_far(self) -> Answer:
        """What is written by now, as an answer that has not ended."""
        return self._made("unfinished")

    def worked(self, until: float) -> float:
        """Seconds of work until the moment `until`, the queue left out."""
        return 0.0 if self.began is None else until - self.began

    def thought(self, until: float) -> float:
        """Seconds of work before the conclusion began, or until the moment `until` while it has not."""
        return self.worked(until if self.concluded is None else self.concluded)

    def _clock(self, event: Event) -> None:
        """Note when the work and the conclusion begin. A place in the queue is not work."""
        worked = isinstance(event, Reasoning | Text) or (isinstance(event, Queued) and not event.position)
        if self.began is None and worked:
            self.began = time.monotonic()
        if self.concluded is None and isinstance(event, Text) and event.text.strip():
            self.concluded = time.monotonic()

    def _answer(self, end: Failed | Finished) -> Answer:
        if isinstance(end, Failed):
            return self._made("failed", error=end.message)
        return self._made(end.finish_reason, usage=end.usage, revision=end.revision)

    def _made(
        self, finish_reason: FinishReason, *, usage: Usage | None = None, revision: str = "", error: str = ""
    ) -> Answer:
        question, request = self.question, self.request
        said = self.conclusion or self.reasoning
        reading = read_option(said, question.options, question=question.text) if question.options else None
        return Answer(
            question_id=question.id,
            model=request.model,
            prompting=request.prompting,
            text=self.reasoning + self.conclusion,
            reasoning=self.reasoning,
            steps=tuple(steps(self.reasoning)),
            conclusion=self.conclusion,
            choice=reading.choice if reading else None,
            choice_reason=reading.reason if reading else "",
            finish_reason=finish_reason,
            error=error,
            usage=usage or Usage(),
            seed=request.seed,
            revision=revision,
            seconds=time.monotonic() - self.asked,
        )
