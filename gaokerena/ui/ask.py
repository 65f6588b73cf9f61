"""The question panel: examples, one box, four option boxes, consent, ask and stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from gaokerena.questions import Question
from gaokerena.ui.examples import EXAMPLES
from gaokerena.ui.strings import LANGUAGES, OPTION_NAMES, Language, both, say
from gaokerena.ui.strings import pair as in_both
from gaokerena.ui.suites import NAMES

Translation = tuple[Any, Callable[[Language], dict[str, Any]]]
"""A component, and the properties it takes in a language."""


@dataclass(frozen=True, slots=True)
class AskPanel:
    """The panel's components; `words` translates them."""

    examples: gr.HTML
    question: gr.Textbox
    folded: gr.Accordion
    options: list[gr.Textbox]
    suite: gr.Dropdown
    draw: gr.Button
    consent: gr.Checkbox
    pair: gr.Dropdown
    ask: gr.Button
    stop: gr.Button

    @property
    def inputs(self) -> list[Any]:
        return [self.question, *self.options, self.consent, self.pair]

    @property
    def filled(self) -> list[Any]:
        """What an example or a drawn question fills in."""
        return [self.question, *self.options, self.folded]

    @property
    def words(self) -> list[Translation]:
        names = ("label", "placeholder")
        return [
            (
                self.question,
                lambda lang: dict(zip(names, (say(lang, "question"), say(lang, "question_hint")), strict=True)),
            ),
            (self.folded, lambda lang: {"label": say(lang, "options")}),
            *((box, _option_label(name)) for box, name in zip(self.options, OPTION_NAMES, strict=True)),
            (self.suite, lambda lang: {"label": say(lang, "suite"), "choices": _suite_choices(lang)}),
            (self.draw, lambda lang: {"value": say(lang, "suite_draw")}),
            (self.consent, lambda lang: {"label": say(lang, "consent")}),
            (self.pair, lambda lang: {"label": say(lang, "pair")}),
            (self.ask, lambda lang: {"value": say(lang, "ask")}),
            (self.stop, lambda lang: {"value": say(lang, "stop_both")}),
        ]


def build(language: Language, *, suites: tuple[str, ...], pairs: list[tuple[str, str]]) -> AskPanel:
    """The panel in `language`; the benchmark row shows only where there are suites, the models where they vary."""
    with gr.Column(elem_id="ask-panel"):
        question = gr.Textbox(
            label=say(language, "question"), placeholder=say(language, "question_hint"), lines=3, max_lines=12,
            rtl=True, elem_id="question", autofocus=False,
        )  # fmt: skip
        examples = gr.HTML(
            html_template=_chips(),
            js_on_load="gaokerena.chips(element, trigger); // uses 'select'",
            apply_default_css=False,
            elem_id="examples",
        )
        with (
            gr.Accordion(say(language, "options"), open=False, elem_id="options") as folded,
            gr.Row(elem_id="option-row"),
        ):
            options = [
                gr.Textbox(
                    label=_option_label(name)(language)["label"], rtl=True, elem_id=f"option-{name}", min_width=200
                )
                for name in OPTION_NAMES
            ]
        with gr.Row(elem_id="suites", visible=bool(suites)):
            suite = gr.Dropdown(
                _suite_choices(language),
                value="ibmsee_2023",
                label=say(language, "suite"),
                elem_id="suite",
                filterable=False,
            )
            draw = gr.Button(say(language, "suite_draw"), elem_id="draw", elem_classes=["quiet"])
        first = pairs[0][1] if pairs else None
        pair = gr.Dropdown(
            pairs, value=first, label=say(language, "pair"), elem_id="models", filterable=False, visible=bool(pairs)
        )
        with gr.Row(elem_id="ask-row"):
            ask = gr.Button(say(language, "ask"), variant="primary", elem_id="ask")
            stop = gr.Button(say(language, "stop_both"), elem_id="stop-both", visible="hidden")
        consent = gr.Checkbox(label=say(language, "consent"), value=False, elem_id="consent", container=False)
        gr.HTML(f'<p class="privacy">{both("privacy")}</p>', apply_default_css=False)
    return AskPanel(examples, question, folded, options, suite, draw, consent, pair, ask, stop)


def filled_in(question: Question) -> list[Any]:
    """Values for `AskPanel.filled` that show `question` in the boxes."""
    options = question.options or ("", "", "", "")
    return [question.text, *options, gr.update(open=bool(question.options))]


def _option_label(name: str) -> Callable[[Language], dict[str, Any]]:
    return lambda language: {"label": say(language, "option", letter=OPTION_NAMES[name])}


def _suite_choices(language: Language) -> list[tuple[str, str]]:
    return [(words[LANGUAGES.index(language)], suite) for suite, words in NAMES.items()]


def _chips() -> str:
    buttons = "".join(
        f'<button type="button" class="chip-button" data-index="{index}">{in_both(example.fa, example.en)}</button>'
        for index, example in enumerate(EXAMPLES)
    )
    title = f'<span id="examples-title">{both("examples")}</span>'
    return f'<div class="examples" role="group" aria-labelledby="examples-title">{title}{buttons}</div>'
