"""One server and one Chromium for the browser tests; every test has a page of its own and a look at the store.

Screenshots go to artefacts/ (not committed). `CHROMIUM` names another browser than the system's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, BrowserContext, Page, expect  # noqa: E402

from gaokerena.study import read_study  # noqa: E402
from tests.browser.study_place import Place  # noqa: E402
from tests.chromium import chromium  # noqa: E402
from tests.study_cases import study_file  # noqa: E402
from tests.ui.page_server import Server, log, serving  # noqa: E402

ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / "artefacts"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    """One context for the pages that need nothing special: the page's own files are fetched once."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@contextmanager
def visiting(server: Server, browser: Browser) -> Iterator[Page]:
    """The page of a server of a module's own, in a context of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(server.address)
    page.wait_for_selector("#question textarea")
    yield page
    context.close()


Opener = Callable[..., Page]
Tab = Callable[..., Page]


@pytest.fixture
def open_page(server: Server, browser: Browser, desktop: BrowserContext) -> Iterator[Opener]:
    """Opens the page; the test fails on any script error and any request to elsewhere."""
    opened: list[Page | BrowserContext] = []
    troubles: list[str] = []

    def opener(path: str = "/", script: str = "", **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}) if options else desktop
        page = context.new_page()
        opened.append(context if options else page)
        if script:
            page.add_init_script(script)
        page.on("pageerror", lambda error: troubles.append(f"script error: {error}"))
        page.on("request", lambda request: _abroad(request.url, server.address, troubles))
        page.goto(server.address + path)
        page.wait_for_selector("#card-left .card")
        page.wait_for_selector("#question textarea")
        return page

    yield opener
    for each in opened:
        if isinstance(each, Page) and not each.is_closed():
            each.evaluate("localStorage.clear()")
        each.close()
    assert not troubles, troubles


@pytest.fixture
def page(open_page: Opener) -> Page:
    return open_page()


def _abroad(url: str, address: str, troubles: list[str]) -> None:
    if not url.startswith((address, "data:", "blob:")):
        troubles.append(f"request to elsewhere: {url}")


def shoot(page: Page, name: str) -> None:
    """A full screenshot under artefacts/."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=str(ARTEFACTS / f"{name}.png"), full_page=True)


def ask(page: Page, text: str) -> None:
    """Type a question and press the button."""
    page.fill("#question textarea", text)
    page.click("#ask")


def wait_phase(page: Page, side: str, phase: str, timeout: float = 20_000) -> None:
    """Until the card of `side` shows `phase` (busy, ended)."""
    page.wait_for_selector(f'.card[data-side="{side}"][data-phase="{phase}"]', timeout=timeout)


def wait_ended(page: Page) -> None:
    """Until both answers have ended."""
    for side in ("left", "right"):
        wait_phase(page, side, "ended")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("study")
    _, items = read_study(study_file(folder / "study.jsonl", hostile=True))
    running = Place(folder, None, items)  # type: ignore[arg-type]
    running.start()
    yield running
    running.kill9()
    assert "Traceback" not in log(folder)


@pytest.fixture
def tab(place: Place, browser: Browser, desktop: BrowserContext) -> Iterator[Tab]:
    """Opens a browser tab with a code typed; fails on a script error."""
    opened: list[Page | BrowserContext] = []
    troubles: list[str] = []

    def opener(code: str = "", path: str = "", *, width: int = 1280) -> Page:
        narrow = browser.new_context(viewport={"width": width, "height": 900}) if width != 1280 else None
        page = (narrow or desktop).new_page()
        opened.append(narrow or page)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(place.server.address + (path or "/?lang=fa"))
        page.wait_for_selector("#study-code", state="attached")
        if code:
            page.fill("#study-code", code)
            page.keyboard.press("Enter")
            expect(page.locator(".study")).to_have_attribute("data-phase", "item")
        return page

    yield opener
    for each in opened:
        each.close()
    assert not troubles, troubles
