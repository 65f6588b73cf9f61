"""The study's tab: a doctor types a code, sees the next comparison and answers the questions; none of it is held.

    with gr.Tab(say(language, "study_tab")):
        build(study)

Every event carries the code and the item, and its answer is one value that `static/study.js` puts into a frame that
never changes (`study_form`). So a reload, a restart of the app or a second tab costs nothing: what was stored is in the
file of verdicts, what was not is a draft in the browser. The value names no model; neither does the study.

Not covered: which item comes next and what is kept (`gaokerena.study`).
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import gradio as gr

from gaokerena.bidi import strip
from gaokerena.comparisons import SIDES, Side
from gaokerena.expert_verdicts import ExpertVerdict, VerdictFileError
from gaokerena.intake import RefusalError
from gaokerena.persian import ascii_digits
from gaokerena.reasoning_steps import introduction
from gaokerena.study import Saved, Study, StudyAnswer, StudyItem
from gaokerena.ui import notices, render
from gaokerena.ui.strings import both
from gaokerena.ui.study_form import CANNOT_JUDGE, frame, number_words, step_chips

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
_OWN_NUMBER = re.compile(r"\s*([0-9۰-۹]{1,2})\s?[.)]\s+")

Value = dict[str, Any]


def build(study: Study) -> tuple[gr.HTML, Panel]:
    """The tab's one component and what answers its `submit` event."""
    panel = Panel(study)
    style = (STATIC / "study.css").read_text("utf-8")
    script = (STATIC / "study.js").read_text("utf-8")
    component = gr.HTML(
        value=panel.first(),
        html_template=f"<style>{style}</style>{frame()}",
        js_on_load=script,
        apply_default_css=False,
        elem_id="study",
    )
    return component, panel


class Panel:
    """What the tab says back; safe from several threads."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def first(self) -> Value:
        """The tab before a code is typed."""
        head = self._study.head
        return {"phase": "code", "reply": 0, "study": head.name, "guidelines": render.blocks(head.guidelines)}

    def heard(self, event: gr.EventData) -> Value:
        """The answer to one event; `reply` names the event, so that the page knows which one was answered."""
        sent: dict[str, Any] = event._data if isinstance(event._data, dict) else {}
        try:
            said = self._said(sent)
        except RefusalError as refused:
            said = {"phase": "same", "error": notices.refusal(refused)}
        except (OSError, VerdictFileError):
            log.exception("the study's file of verdicts could not be read or written")
            unsaved = f'<p class="refusal">{both("study_unsaved")}</p>'
            said = {"phase": "same", "error": unsaved if sent.get("do") == "submit" else notices.broken()}
        except Exception:
            log.exception("the study broke")
            said = {"phase": "same", "error": notices.broken()}
        return {"message": "", "error": ""} | said | {"reply": sent.get("reply", 0), "study": self._study.head.name}

    def _said(self, sent: dict[str, Any]) -> Value:
        code = self._study.enter(sent.get("code"))
        match sent.get("do"):
            case "submit":
                saved = self._study.submit(code, sent.get("item"), sent.get("given"), sent.get("seconds"))
                return self._next(code) | {"message": _thanks(saved), "stored": saved.verdict.item_id}
            case "back":
                former = self._study.before(code, str(sent.get("item") or ""))
                return self._shown(code, self._study.items[former.item_id]) if former else self._next(code)
            case _:
                return self._next(code)

    def _next(self, code: str) -> Value:
        item = self._study.place(code).item
        return self._shown(code, item) if item else {"phase": "done", **self._progress(code)}

    def _shown(self, code: str, item: StudyItem) -> Value:
        given = self._study.given(code).get(item.id)
        return {
            "phase": "item",
            "item": item.id,
            "question": notices.asked(item.question),
            "sides": {side: _side(side, item) for side in SIDES},
            "given": _as_form(given) if given else None,
            **self._progress(code),
        }

    def _progress(self, code: str) -> Value:
        place = self._study.place(code)
        figures = {"done": place.done, "total": place.total}
        return {**figures, "code": code, "progress": both("study_progress", **figures)}


def _side(side: Side, item: StudyItem) -> Value:
    answer = item.sides[side]
    return {
        "answer": render.blocks(answer.conclusion) or [f"<p class='nothing'>{both('no_text')}</p>"],
        "thoughts": _thoughts(answer),
        "meta": both("study_steps", n=len(answer.steps)) if answer.steps else "",
        "steps": step_chips(side, len(answer.steps)),
        "text": strip(answer.conclusion),
    }


def _thoughts(answer: StudyAnswer) -> list[str]:
    """The chain of thought: what stands before the first step, then each step with its number."""
    if not answer.reasoning.strip() and not answer.steps:
        return [f"<p class='nothing'>{both('thoughts_none')}</p>"]
    if not answer.steps:
        return render.blocks(answer.reasoning)
    steps = [
        f'<div class="study-step"><span class="study-number">{number_words(number)}</span>'
        f"<div>{''.join(render.blocks(_bare(step, number)))}</div></div>"
        for number, step in enumerate(answer.steps, 1)
    ]
    return [*render.blocks(introduction(answer.reasoning, answer.steps)), *steps]


def _bare(step: str, number: int) -> str:
    """`step` without the number it carries itself, where that is the number shown beside it."""
    own = _OWN_NUMBER.match(step)
    return step[own.end() :] if own and int(ascii_digits(own[1])) == number else step


def _thanks(saved: Saved) -> str:
    return both("study_replaced" if saved.replaced else "study_saved")


def _as_form(verdict: ExpertVerdict) -> Value:
    """A verdict as the fields of the form."""
    fields: Value = {
        "grade": CANNOT_JUDGE if verdict.cannot_judge else verdict.grade,
        "confidence": verdict.confidence,
        "corrected": verdict.corrected,
        "personal_data": verdict.personal_data,
        "seconds": verdict.seconds or 0,
        "at": verdict.at,
    }
    for side, said in verdict.sides.items():
        fields |= {f"{scale}-{side}": mark for scale, mark in said.scales.items()}
        fields |= {f"step-{side}": said.first_wrong_step, f"faults-{side}": list(said.faults)}
    return fields
