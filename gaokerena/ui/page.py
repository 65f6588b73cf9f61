"""The page, put together: `build_page(settings, preset, store)` gives Blocks; `launch_options` what launching needs.

    page = build_page(settings, preset, store)
    page.launch(server_name=settings.host, server_port=settings.port, **launch_options(settings.language))

Only `/ask` and `/judge` are listed in the API; every other event is private to the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import gradio as gr

from gaokerena.attempts import Record
from gaokerena.engines.base import Engine
from gaokerena.outbox import open_outbox
from gaokerena.session import Asker, Speaker
from gaokerena.study import Study, open_study
from gaokerena.ui import after, ask, cards, header, study, verdict
from gaokerena.ui.api import CONCURRENT, Api
from gaokerena.ui.flow import Flow, Labelled
from gaokerena.ui.strings import Language, both, say
from gaokerena.ui.suites import Suites
from gaokerena.ui.theme import launch_options
from gaokerena.visits import Desk, VerdictRecord

__all__ = ["build_page", "launch_options"]

REFRESH_SECONDS = 20.0
"""How soon an open page offers an adapter that has just come."""


class Model(Speaker, Labelled, Protocol):
    """A model of a preset: how it is asked, and what it is called."""


class PagePreset(Protocol):
    """What the page needs of a preset."""

    @property
    def name(self) -> str: ...
    @property
    def engine(self) -> Engine: ...
    @property
    def models(self) -> Mapping[str, Model]: ...
    @property
    def note_fa(self) -> str: ...
    @property
    def note_en(self) -> str: ...


class PageSettings(Protocol):
    """What the page needs of the settings."""

    @property
    def language(self) -> Language: ...
    @property
    def outbox(self) -> Path | None: ...
    @property
    def study(self) -> Path | None: ...
    @property
    def study_out(self) -> Path: ...
    @property
    def data(self) -> Path | None: ...
    @property
    def seed(self) -> int: ...
    @property
    def max_question_chars(self) -> int: ...


class PageStore(Record, VerdictRecord, Protocol):
    """What the page needs of the store."""


def build_page(settings: PageSettings, preset: PagePreset, store: PageStore) -> gr.Blocks:
    """The whole page over one engine and one store. Raises OSError where the outbox or the study cannot be used."""
    asker = Asker(preset.engine, preset.models, store, preset=preset.name)
    desk = Desk(asker, store, seed=settings.seed, outbox=open_outbox(settings.outbox))
    suites = Suites(settings.data)
    flow = Flow(desk, preset.models, suites, limit=settings.max_question_chars)
    language = settings.language
    opened = open_study(settings.study, settings.study_out)
    with gr.Blocks(title=say(language, "title"), analytics_enabled=False, fill_width=True) as page:
        Api(desk, limit=settings.max_question_chars).mount()  # first, so that its names are free
        top = header.build(preset.note_fa, preset.note_en)
        with _beside(opened, language) as tabs:
            words = [*_asking(page, flow, language, suites), *tabs]
        header.foot()
        top.change(_switch(words, language), None, [part for part, _ in words], **_quiet())
        page.unload(flow.leave)
    page.queue(max_size=1024, default_concurrency_limit=CONCURRENT)
    return page


def _asking(page: gr.Blocks, flow: Flow, language: Language, suites: Suites) -> list[ask.Translation]:
    """The question, its two answers and the verdict; returns what the language switch translates."""
    panel = ask.build(language, suites=suites.names, pairs=flow.pairs())
    notice, flag, asked, earlier = (_html(name) for name in ("notice", "flag", "asked", "earlier"))
    gr.HTML(f'<h2 id="answers" class="vh" tabindex="-1">{both("answers")}</h2>', apply_default_css=False)
    with gr.Row(elem_id="pair"):
        right, left = cards.build("right"), cards.build("left")
    bar = verdict.build()
    later = after.build(language)
    status = _html("status")
    drawn = [notice, flag, asked, earlier, left, right, bar, status, panel.stop, later.holder, later.next_question]
    _wire_asking(flow, panel, later, drawn)
    _wire_rest(flow, panel, {"left": left, "right": right}, bar, drawn)
    _wire_models(page, flow, panel)
    return [*panel.words, *later.words]


@contextmanager
def _beside(open_one: Study | None, language: Language) -> Iterator[list[ask.Translation]]:
    """With a study, what is built inside goes into a tab beside the study's; without one nothing is added."""
    if open_one is None:
        yield []
        return
    with gr.Tabs(selected="study", elem_id="tabs"):
        study_tab = gr.Tab(say(language, "study_tab"), id="study")
        ask_tab = gr.Tab(say(language, "ask_tab"), id="ask")
        with study_tab:
            component, panel = study.build(open_one)
            component.submit(panel.heard, None, component, **_quiet())
        with ask_tab:
            yield [
                (study_tab, lambda lang: {"label": say(lang, "study_tab")}),
                (ask_tab, lambda lang: {"label": say(lang, "ask_tab")}),
            ]


def _html(name: str) -> gr.HTML:
    return gr.HTML("", apply_default_css=False, elem_id=name, js_on_load=f"gaokerena.region(element, '{name}');")


def _quiet() -> dict[str, Any]:
    """What every event of the page shares: not in the API, no spinner, no queue of one, pressed again at any time."""
    return {
        "api_visibility": "private",
        "show_progress": "hidden",
        "concurrency_limit": CONCURRENT,
        "trigger_mode": "multiple",
    }


def _wire_asking(flow: Flow, panel: ask.AskPanel, later: after.AfterPanel, drawn: list[Any]) -> None:
    gr.on([panel.ask.click, panel.question.submit], flow.ask, panel.inputs, drawn, **_quiet())
    later.again.click(flow.again, panel.consent, drawn, **_quiet())
    follow = [later.follow.click, later.next_question.submit]
    gr.on(follow, flow.follow, [later.next_question, panel.consent], drawn, **_quiet())


def _wire_rest(flow: Flow, panel: ask.AskPanel, sides: dict[Any, gr.HTML], bar: gr.HTML, drawn: list[Any]) -> None:
    panel.stop.click(flow.stop(None), **_quiet())
    for side, card in sides.items():
        card.stop(flow.stop(side), **_quiet())
    bar.submit(flow.judge, None, drawn, **_quiet())
    panel.examples.select(flow.example, None, panel.filled, **_quiet())
    panel.draw.click(flow.from_suite, panel.suite, panel.filled, **_quiet())


def _wire_models(page: gr.Blocks, flow: Flow, panel: ask.AskPanel) -> None:
    """An adapter that came since the page was built is offered, to open pages too."""
    known = gr.State(len(flow.pairs()))

    def refresh(count: int) -> tuple[Any, Any]:
        pairs = flow.pairs()
        if len(pairs) == count:
            return gr.skip(), gr.skip()
        first = {} if count else {"value": pairs[0][1]}
        return len(pairs), gr.update(choices=pairs, visible=True, **first)

    begun = [page.load, gr.Timer(REFRESH_SECONDS).tick]
    gr.on(begun, refresh, known, [known, panel.pair], **_quiet())


def _switch(words: list[ask.Translation], fallback: Language) -> Any:
    """Gradio's own parts in the other language; the values visitors typed are not among what is sent."""

    def switch(event: gr.EventData) -> list[Any]:
        language = header.read_language((event._data or {}).get("language"), fallback)
        return [gr.update(**translate(language)) for _, translate in words]

    return switch
