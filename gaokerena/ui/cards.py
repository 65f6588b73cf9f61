"""One answer's card: its still frame, and the small value that changes while the answer grows.

The frame never changes; `page.js` puts the parts of `value` into it, block by block. So a long answer stays cheap, and
focus, selection and an opened chain of thought survive every update.

Blind. Both cards are the same in every part: each has a chain-of-thought button, also the side that has none. Steps
and seconds appear beside it once the visitor opens it or has judged, since a count on one side only would name the
sides. What cannot be hidden: a chain of thought makes the answer come later, and whoever opens it has seen it.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from gaokerena.attempts import SideState
from gaokerena.comparisons import Side
from gaokerena.ui import render
from gaokerena.ui.strings import OPTION_NAMES, both, pair, say, switched

JS = "gaokerena.card(element, props, trigger, watch); // uses 'stop'"

Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sat here, for the reveal: `name` (V or R), the model's label, and how it was asked."""

    name: str
    label: str
    prompting: str


def build(side: Side) -> gr.HTML:
    """The card of `side`; its events: `stop`."""
    return gr.HTML(
        value=value(None),
        html_template=_frame(side),
        js_on_load=JS,
        apply_default_css=False,
        elem_id=f"card-{side}",
        elem_classes=["card-holder"],
    )


def value(state: SideState | None, identity: Identity | None = None, *, has_options: bool = False) -> Value:
    """What the card shows of `state` (None: nothing asked yet); `identity` only once it may be known."""
    if state is None:
        return {
            "phase": "empty",
            "status": "",
            "who": "",
            "meta": "",
            "thoughts": [],
            "answer": [],
            "copy": "",
            "chose": "",
            "error": "",
        }
    return {
        "phase": "ended" if state.finished else "busy",
        "status": status(state),
        "who": _who(identity) if identity else "",
        "meta": _meta(state),
        "thoughts": render.blocks(state.reasoning) or [f"<p class='nothing'>{both(_no_thoughts(state))}</p>"],
        "answer": render.blocks(state.conclusion) or _nothing(state),
        "copy": render.copyable(state.conclusion),
        "chose": _chose(state) if has_options and state.finished and not state.error else "",
        "error": f"<p>{pair(state.error, _english(state))}</p>" if state.error else "",
    }


def status(state: SideState) -> str:
    """Waiting, its place in the queue, writing, or how it ended and after how long."""
    if state.finish_reason:
        key = {"stop": "done", "length": "done_length", "stopped": "done_stopped", "failed": "done_failed"}
        return both(key[state.finish_reason], s=_whole(state.seconds))
    if state.queued:
        return both("queued", n=state.queued)
    return both("writing" if state.said_something else "waiting")


def _frame(side: Side) -> str:
    return f"""
<article class="card" data-side="{side}" data-phase="empty" aria-labelledby="name-{side}">
  <header class="card-head">
    <h2 id="name-{side}" class="card-name">{switched(side)}</h2>
    <span class="card-status"></span>
    <button type="button" class="quiet card-stop">{both("stop")}<span class="vh"> · {switched(side)}</span></button>
  </header>
  <p class="card-who"></p>
  <div class="thoughts">
    <h3><button type="button" id="toggle-{side}" class="thoughts-toggle" aria-expanded="false"
      aria-controls="thoughts-{side}">
      <span class="chevron" aria-hidden="true"></span>{both("thoughts")}<span class="meta"></span></button></h3>
    <div id="thoughts-{side}" class="thoughts-body" role="region" aria-labelledby="toggle-{side}" tabindex="0" hidden>
      <p class="caution">{both("caution")}</p><div class="blocks thoughts-blocks" dir="rtl" lang="fa"></div>
    </div>
  </div>
  <div class="card-error" role="alert"></div>
  <div class="blocks answer-blocks" dir="rtl" lang="fa"></div>
  <p class="nothing card-empty">{both("empty_side")}</p>
  <footer class="card-foot">
    <span class="card-chose"></span>
    <button type="button" class="quiet card-copy">
      <span class="copy-label">{both("copy")}</span><span class="copied-label">{both("copied")}</span></button>
  </footer>
</article>"""


def _who(identity: Identity) -> str:
    role = both("role_cot" if identity.prompting == "cot" else "role_straight")
    name = f'<strong><bdi dir="ltr">{escape(identity.name)}</bdi></strong>'
    return f'{name} <bdi>{escape(identity.label)}</bdi><span class="role">{role}</span>'


def _meta(state: SideState) -> str:
    if not state.reasoning.strip():
        return both("no_thoughts_meta") if state.finished or state.conclusion else ""
    return both("steps_seconds", n=len(state.steps), s=_whole(state.thought_seconds))


def _whole(seconds: float) -> int:
    """Whole seconds, at least one: nobody wrote in no time."""
    return max(1, round(seconds))


def _no_thoughts(state: SideState) -> str:
    return "thoughts_none" if state.finished or state.conclusion else "thoughts_wait"


def _nothing(state: SideState) -> list[str]:
    return [f"<p class='nothing'>{both('no_text')}</p>"] if state.finished and not state.error else []


def _chose(state: SideState) -> str:
    if not state.choice:
        return both("chose_none")
    return both("chose", letter=OPTION_NAMES[state.choice])


def _english(state: SideState) -> str:
    """The error in English: the engine's own words, or that there is no answer and what to do."""
    return state.error_english or say("en", "failed_side")
