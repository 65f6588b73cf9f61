"""The two doors for programs: `/ask` and `/judge`, the only events the page's API lists.

    client = gradio_client.Client(address)
    job = client.submit("تب دارم", "", 7, api_name="/ask")       # options: one a line, or empty
    job.outputs()[-1]        {"comparison": "…", "left": {reasoning, conclusion, choice, finished}, "right": {…}}
    client.predict("…", "left", ["incomplete"], api_name="/judge")
                             {"stored": True, "revealed": {"left": "v", "right": "r"}}

`models` names the two that are compared, where a round of training offers a third.
A side that failed has `error` and `error_english` too. No model is named before its comparison is judged.
A refusal arrives as an error in Persian and English.
Not covered: conversations, and keeping text for research (a program gives no consent).
"""

# No `from __future__ import annotations`: gr.api reads the hints of these functions as types, not as text.

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import gradio as gr

from gaokerena.attempts import Attempt, SideState
from gaokerena.comparisons import SIDES
from gaokerena.intake import RefusalError, read_question
from gaokerena.ui.strings import say
from gaokerena.visits import Desk

CONCURRENT = 256


class Api:
    """The endpoints over one desk."""

    def __init__(self, desk: Desk, *, limit: int) -> None:
        self._desk = desk
        self._limit = limit

    def mount(self) -> None:
        """Add both endpoints to the Blocks being built."""
        gr.api(self.ask, api_name="ask", concurrency_limit=CONCURRENT)
        gr.api(self.judge, api_name="judge", concurrency_limit=CONCURRENT)

    async def ask(
        self, request: gr.Request, question: str, options: str = "", seed: int = 0, models: str = ""
    ) -> AsyncIterator[dict[str, Any]]:
        """Ask both models; yields the two sides as they grow. `options`: four lines, or empty; `models`: "r,r2"."""
        try:
            listed = [line for line in str(options or "").splitlines() if line.strip()]
            asked = read_question(str(question or ""), listed, limit=self._limit)
            session = self._desk.session(request.session_hash)
            pair = self._desk.asker.read_pair(str(models or ""))
            attempt = await asyncio.to_thread(
                self._desk.asker.ask, asked, seed=_whole(seed), session=session, pair=pair
            )
        except RefusalError as refused:
            raise gr.Error(str(refused), print_exception=False) from refused
        self._desk.keep(attempt)
        async with aclosing(attempt.watch()) as changes:
            async for _ in changes:
                yield _payload(attempt)

    def judge(
        self, request: gr.Request, comparison: str, verdict: str, reasons: list[str] | None = None
    ) -> dict[str, Any]:
        """Record a verdict (left, right, tie, both_bad) and name the models; a later one replaces it, both are kept."""
        try:
            _, judged = self._desk.judge(
                str(comparison),
                str(verdict),
                session=self._desk.session(request.session_hash),
                reasons=() if reasons is None else reasons,  # the desk refuses what is no list of reasons
            )
        except RefusalError as refused:
            raise gr.Error(str(refused), print_exception=False) from refused
        return {"stored": True, "revealed": {side: judged.model_at(side) for side in SIDES}}


def _whole(seed: object) -> int:
    try:
        return int(str(seed or 0))
    except ValueError:
        raise RefusalError(
            "مقدار seed باید عدد صحیح باشد.", f"Seed {str(seed)[:40]!r} is not a whole number."
        ) from None


def _payload(attempt: Attempt) -> dict[str, Any]:
    return {"comparison": attempt.comparison.id, **{side: said(attempt.state(side)) for side in SIDES}}


def said(state: SideState) -> dict[str, Any]:
    """The named keys, and `error` in Persian with `error_english` where the side failed."""
    payload = {
        "reasoning": state.reasoning,
        "conclusion": state.conclusion,
        "choice": state.choice,
        "finished": state.finished,
    }
    if state.error:
        payload |= {"error": state.error, "error_english": state.error_english or say("en", "failed_side")}
    return payload
