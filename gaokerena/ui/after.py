"""Below the verdict: ask again, or go on with the conversation."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from gaokerena.ui.ask import Translation
from gaokerena.ui.strings import Language, say


@dataclass(frozen=True, slots=True)
class AfterPanel:
    """The panel's components; hidden until something was asked."""

    holder: gr.Column
    again: gr.Button
    next_question: gr.Textbox
    follow: gr.Button

    @property
    def words(self) -> list[Translation]:
        return [
            (self.again, lambda language: {"value": say(language, "again")}),
            (
                self.next_question,
                lambda language: {"label": say(language, "follow"), "placeholder": say(language, "follow_hint")},
            ),
            (self.follow, lambda language: {"value": say(language, "follow")}),
        ]


def build(language: Language) -> AfterPanel:
    with gr.Column(elem_id="after", visible=False) as holder:
        box = gr.Textbox(
            label=say(language, "follow"), placeholder=say(language, "follow_hint"), lines=2, max_lines=8, rtl=True,
            elem_id="next-question",
        )  # fmt: skip
        with gr.Row(elem_id="after-row"):
            follow = gr.Button(say(language, "follow"), elem_id="follow")
            again = gr.Button(say(language, "again"), elem_id="again")
    return AfterPanel(holder, again, box, follow)
