"""From one row's events to its `Answer`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from gaokerena.answers import Answer, Usage
from gaokerena.engines.base import Event, Failed, Finished, Reasoning, Request, Text
from gaokerena.options import read_option
from gaokerena.questions import Question
from gaokerena.reasoning import steps


@dataclass
class Gathering:
    """What one row has said so far; `add` takes its events in order and gives the answer at the end."""

    question: Question
    request: Request
    reasoning: str = ""
    conclusion: str = ""
    began: float = field(default_factory=time.monotonic)

    def add(self, event: Event) -> Answer | None:
        """Take one event; the answer once the row has ended, else None."""
        if isinstance(event, Reasoning):
            self.reasoning += event.text
        elif isinstance(event, Text):
            self.conclusion += event.text
        elif isinstance(event, Failed | Finished):
            return self._answer(event)
        return None

    def _answer(self, end: Failed | Finished) -> Answer:
        question, request = self.question, self.request
        said = self.conclusion or self.reasoning
        reading = read_option(said, question.options, question=question.text) if question.options else None
        failed = isinstance(end, Failed)
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
            finish_reason="failed" if isinstance(end, Failed) else end.finish_reason,
            error=end.message if isinstance(end, Failed) else "",
            usage=Usage() if isinstance(end, Failed) else end.usage,
            seed=request.seed,
            revision="" if failed or not isinstance(end, Finished) else end.revision,
            seconds=time.monotonic() - self.began,
        )
