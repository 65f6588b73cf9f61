"""The top and the foot of the page: skip link, name, language switch, what the preset is; the disclaimer."""

from __future__ import annotations

import gradio as gr

from gaokerena.ui.strings import LANGUAGES, Language, both, pair, say

JS = "gaokerena.header(element, trigger); // uses 'change'"


def build(note_fa: str, note_en: str) -> gr.HTML:
    """The header; its `change` event carries {language}."""
    note = f'<p class="preset-note">{pair(note_fa, note_en)}</p>' if note_fa else ""
    return gr.HTML(
        html_template=f"""
<a class="skip" href="#answers">{both("skip")}</a>
<header class="top">
  <div class="name"><h1>{both("title")}</h1><p class="tagline">{both("tagline")}</p></div>
  <button type="button" class="quiet language">{_other_language()}</button>
</header>{note}""",
        js_on_load=JS,
        apply_default_css=False,
        elem_id="top",
    )


def foot() -> gr.HTML:
    """The one disclaimer."""
    return gr.HTML(
        f'<footer class="foot"><p>{both("disclaimer")}</p></footer>', apply_default_css=False, elem_id="foot"
    )


def read_language(value: object, fallback: Language) -> Language:
    """The language named by an event of the page, or `fallback`."""
    return next((language for language in LANGUAGES if language == value), fallback)


def _other_language() -> str:
    """Each language's switch is written in the other one, and says so to a screen reader."""
    fa, en = say("fa", "other_language"), say("en", "other_language")
    in_persian = f'<span class="t" lang="fa"><span lang="en" dir="ltr">{fa}</span></span>'
    return f'{in_persian}<span class="t" lang="en"><span lang="fa" dir="rtl">{en}</span></span>'
