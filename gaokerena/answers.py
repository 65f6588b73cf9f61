"""Answers: what one model said to one question, and how it came about."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from gaokerena.questions import Letter, Prompting

FinishReason = Literal["stop", "length", "stopped", "failed", "unfinished"]
"""`stop`: the model ended by itself. `length`: token limit. `stopped`: a person stopped it. `failed`: an error.

`unfinished`: still being written when somebody judged it; only the store holds such answers.
"""


class Usage(BaseModel):
    """Tokens of one answer; `cached_tokens` of the prompt were not computed again.

    `estimated` says that the source gave no count: `completion_tokens` is then the number of pieces that arrived (a
    piece may hold several tokens) and `prompt_tokens` is 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    cached_tokens: int = Field(default=0, ge=0)
    estimated: bool = False


class Answer(BaseModel):
    """One answer: the full `text`, and `reasoning` and `conclusion` split from it.

    `choice` is the option read from the text (None when there is none), `choice_reason` says how it was read;
    `seconds` is wall-clock time from the request's start, waiting included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question_id: str
    model: str
    prompting: Prompting
    text: str
    reasoning: str = ""
    steps: tuple[str, ...] = ()
    conclusion: str = ""
    choice: Letter | None = None
    choice_reason: str = ""
    finish_reason: FinishReason
    error: str = ""
    usage: Usage = Usage()
    seed: int
    revision: str = ""
    seconds: float = Field(ge=0)
