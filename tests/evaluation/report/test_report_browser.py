"""The page opened from disk in Chromium: language switch, narrow screens, dark, print; nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect  # noqa: E402

from gaokerena.evaluation.report.report_cli import write  # noqa: E402
from tests.chromium import chromium  # noqa: E402
from tests.evaluation.report import sample  # noqa: E402

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = sample.write(tmp_path_factory.mktemp("evaluation"))
    return write(folder, folder)[0].as_uri()


@pytest.fixture
def open_report(browser: Browser, address: str) -> Iterator[Opener]:
    """Opens the report; the test fails on a script error and on any request but for the file itself."""
    contexts, troubles = [], list[str]()

    def opener(place: str = "", width: int = 1280, **options: Any) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: troubles.append(f"script error: {error}"))
        page.on("console", lambda told: troubles.append(told.text) if told.type == "error" else None)
        page.on("request", lambda request: _abroad(request.url, address, troubles))
        page.goto(address + place)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert not troubles


def _abroad(url: str, address: str, troubles: list[str]) -> None:
    if not url.startswith((address, "data:")):
        troubles.append(f"request to elsewhere: {url}")


def test_the_switch_changes_language_and_direction(open_report: Opener) -> None:
    page = open_report()
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["fa", "rtl"]
    expect(page.get_by_role("heading", level=1)).to_have_text("گزارش ارزیابی گوکرنا")
    page.get_by_role("button", name="English").click()
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["en", "ltr"]
    expect(page.get_by_role("heading", level=1)).to_have_text("Gaokerena: evaluation report")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gaokerena: evaluation report")


def test_a_link_to_a_part_brings_its_language(open_report: Opener) -> None:
    page = open_report("#caution-en")
    expect(page.get_by_role("heading", name="What must not be concluded")).to_be_in_viewport()


@pytest.mark.parametrize("language", ["fa", "en"])
def test_narrow_screens_scroll_only_inside_tables(open_report: Opener, language: str) -> None:
    page = open_report(f"#{language}", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    drawn = page.locator(f'.language[lang="{language}"] figure').first
    expect(drawn.locator(".narrow svg")).to_be_visible()
    expect(drawn.locator(".wide svg")).to_be_hidden()
    smallest = page.evaluate(
        """language => Math.min(...[...document.querySelectorAll(`.language[lang=${language}] .narrow svg text`)]
        .map(text => text.getBoundingClientRect().height))"""
    , language)  # fmt: skip
    assert smallest >= 9


@pytest.mark.parametrize("language", ["fa", "en"])
def test_no_text_of_a_figure_is_cut_off(open_report: Opener, language: str) -> None:
    for width in (1280, 390):
        page = open_report(f"#{language}", width=width)
        outside = page.evaluate(
            """language => [...document.querySelectorAll(`.language[lang=${language}] svg.plot`)].flatMap(svg => {
              const frame = svg.getBoundingClientRect();
              return [...svg.querySelectorAll("text")].filter(text => frame.width && text.textContent.length > 2)
                .filter(text => { const box = text.getBoundingClientRect();
                  return box.left < frame.left - 2 || box.right > frame.right + 2; })
                .map(text => text.textContent); })""",
            language,
        )
        assert not outside


def test_dark_pages_are_readable(open_report: Opener) -> None:
    page = open_report("#en", color_scheme="dark")
    colours = page.evaluate(
        """() => { const of = (query, what) => getComputedStyle(document.querySelector(query))[what];
        return [of("section", "backgroundColor"), of("section", "color"),
                of(".language[lang=en] .wide svg text", "fill")]; }"""
    )
    dark, ink, label = (sum(map(int, colour[4:-1].split(","))) for colour in colours)
    assert dark < 150 < 450 < min(ink, label)


def test_print_shows_folded_tables_of_one_language(open_report: Opener) -> None:
    page = open_report("#fa")
    folded = page.locator('.language[lang="fa"] details:not([open])')
    assert folded.count() > 3
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert folded.count() == 0
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1000})  # A4 less its margins
    assert page.evaluate("document.documentElement.scrollWidth") == 703
    expect(page.locator('.language[lang="en"] h1')).to_be_hidden()
    expect(page.locator('.language[lang="fa"] button[data-language]')).to_be_hidden()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert folded.count() > 3
