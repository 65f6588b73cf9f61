"""The verdict bar: which answer is better, by how much, what was wrong; and the thanks, once it is on the disk.

A form in HTML of our own, so that focus stays where it was after a vote and the words follow the language and the
width of the screen. Its `submit` event carries {choice, strength, reasons}.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from gaokerena.comparisons import CHOICES, REASONS, Choice
from gaokerena.ui.strings import both, switched

JS = "gaokerena.verdict(element, props, trigger, watch); // uses 'submit'"


def build() -> gr.HTML:
    """The bar, closed until both sides have something to read."""
    return gr.HTML(
        value=value("closed"), html_template=_frame(), js_on_load=JS, apply_default_css=False, elem_id="verdict"
    )


def value(
    phase: str, comparison: str = "", message: str = "", error: str = "", choices: Sequence[Choice] = CHOICES
) -> dict[str, Any]:
    """`phase`: closed (no answers yet), open, known (not blind) or judged; a new `comparison` empties the form.

    Of the four verdicts only `choices` may be given, which is fewer where a side ended without a word.
    """
    return {
        "phase": phase,
        "comparison": comparison,
        "message": message,
        "error": error,
        "choices": list(choices),
        "silent": both("verdict_both_silent" if len(choices) == 1 else "verdict_one_silent")
        if 0 < len(choices) < len(CHOICES)
        else "",
    }


def _frame() -> str:
    return f"""
<form class="verdict" data-phase="closed" aria-labelledby="verdict-title" novalidate>
  <h2 id="verdict-title">{both("verdict")}</h2>
  <p class="hint when-closed">{both("verdict_wait")}</p>
  <p class="hint when-open">{both("verdict_open")}</p>
  <p class="hint when-known">{both("verdict_known")}</p>
  <p class="hint when-judged">{both("verdict_changed")}</p>
  <p class="hint verdict-silent" hidden></p>
  <fieldset class="choices"><legend class="vh">{both("which")}</legend>
    {_radio("choice", "right", switched("better_right"))}{_radio("choice", "tie", both("tie"))}
    {_radio("choice", "both_bad", both("both_bad"))}{_radio("choice", "left", switched("better_left"))}
  </fieldset>
  <div class="verdict-more">
    <fieldset class="strength"><legend>{both("strength")}</legend>
      {"".join(_radio("strength", str(n), both(f"strength_{n}"), checked=n == 1) for n in (1, 2, 3))}
    </fieldset>
    <fieldset class="reasons"><legend>{both("reasons")}</legend>{"".join(_box(reason) for reason in REASONS)}</fieldset>
  </div>
  <p class="verdict-error" role="alert">
    <span class="choose-first" hidden>{both("choose_first")}</span><span class="said"></span></p>
  <div class="verdict-end">
    <button type="submit" class="primary">
      <span class="when-new">{both("judge")}</span><span class="when-judged">{both("judge_again")}</span></button>
    <p class="verdict-message" role="status"></p>
  </div>
</form>"""


def _radio(name: str, value: str, words: str, *, checked: bool = False) -> str:
    mark = " checked" if checked else ""
    return f'<label class="chip"><input type="radio" name="{name}" value="{value}"{mark}><span>{words}</span></label>'


def _box(reason: str) -> str:
    words = f"<span>{both(reason)}</span>"
    return f'<label class="chip"><input type="checkbox" name="reasons" value="{reason}">{words}</label>'
