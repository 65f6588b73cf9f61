"""A real Argilla with this project's pages, a doctor who can sign in, and the owner's hand over HTTP.

Screenshots go to artefacts/. The server's environment is made once in the folder that ANNOTATION_ENVIRONMENT names.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Request

from annotation.items import Item
from annotation.page.fields import fields_of
from annotation.page.settings import dataset_settings
from annotation.server.launch import Running, running
from tests.annotation.page.page_cases import item
from tests.browser.conftest import ARTEFACTS

DOCTOR, PASSWORD = "doctor", "a-doctor-of-the-tests"
WIDE = {"width": 1280, "height": 900}
FRAME = ".custom_field_component iframe"
PARTS = {"fields": "fields", "questions": "questions", "metadata_properties": "metadata-properties"}


@dataclass
class Desk:
    """The owner's hand: makes datasets and looks at what was stored."""

    url: str
    client: httpx2.Client
    workspace: str = ""
    session: dict[str, Any] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.client.request(method, f"{self.url}/api/v1{path}", json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def dataset(self, items: Sequence[Item]) -> str:
        """A published dataset that shows `items`; its id."""
        settings = dataset_settings("fa-2", overlap=1)
        named = {**settings["dataset"], "name": f"d-{uuid.uuid4().hex[:8]}", "workspace_id": self.workspace}
        made: str = self.call("POST", "/datasets", named)["id"]
        for key, path in PARTS.items():
            for part in settings[key]:
                self.call("POST", f"/datasets/{made}/{path}", part)
        self.call("PUT", f"/datasets/{made}/publish")
        records = [
            {"external_id": item.id, "fields": fields_of(item), "metadata": {"batch": "b1", "subject": "s1"}}
            for item in items
        ]
        self.call("POST", f"/datasets/{made}/records/bulk", {"items": records})
        return made

    def responses(self, dataset: str) -> list[dict[str, Any]]:
        """Every response stored in the dataset."""
        found = self.call("GET", f"/datasets/{dataset}/records?include=responses")["items"]
        return [response for record in found for response in record["responses"]]


def stored(desk: Desk, dataset: str, count: int = 1) -> list[dict[str, Any]]:
    """The responses, once there are `count`."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        if len(found := desk.responses(dataset)) >= count:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{len(found)} responses instead of {count}")


@pytest.fixture(scope="session")
def argilla(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The server, in a home of its own."""
    folder = Path(os.environ.get("ANNOTATION_ENVIRONMENT") or Path.home() / ".cache/gaokerena/annotation-server")
    with running(tmp_path_factory.mktemp("doctors") / "home", port=0, folder=folder) as server:
        yield server


@pytest.fixture(scope="session")
def desk(argilla: Running) -> Iterator[Desk]:
    """A workspace with one doctor in it."""
    with httpx2.Client(headers={"X-Argilla-Api-Key": argilla.owner_key}, timeout=30) as client:
        desk = Desk(argilla.url, client)
        desk.workspace = desk.call("POST", "/workspaces", {"name": "doctors"})["id"]
        account = {"first_name": "D", "username": DOCTOR, "password": PASSWORD, "role": "annotator"}
        user = desk.call("POST", "/users", account)["id"]
        desk.call("POST", f"/workspaces/{desk.workspace}/users", {"user_id": user})
        yield desk


@dataclass
class Desktop:
    """One opened record page: `page` is Argilla's, `frame` ours inside it."""

    page: Page
    dataset: str

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator(FRAME)

    def run(self, script: str, argument: Any = None) -> Any:
        """Run `script`, a function of (root, argument), on the record's shadow root."""
        inside = f"(argument) => ({script})(document.getElementById('doctor').shadowRoot, argument)"
        (frame,) = [frame for frame in self.page.frames if frame.parent_frame is not None]
        return frame.evaluate(inside, argument)

    def focused(self) -> str:
        """The id of what has the focus on Argilla's page."""
        return str(self.page.evaluate("document.activeElement.id"))

    def key(self, *keys: str) -> None:
        """Press keys one after the other, each after the page took the one before."""
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(120)


Opener = Callable[..., Desktop]


@pytest.fixture(scope="module")
def desktop(desk: Desk, browser: Browser) -> Iterator[BrowserContext]:
    """One context, signed in, for the pages that need nothing special: Argilla's own files are fetched once."""
    context = browser.new_context(viewport=WIDE, storage_state=_session(desk, browser))
    yield context
    context.close()


@contextmanager
def _opening(desk: Desk, browser: Browser, desktop: BrowserContext) -> Iterator[Opener]:
    opened: list[BrowserContext | Page] = []
    troubles: list[str] = []

    def opener(items: Sequence[Item], **options: Any) -> Desktop:
        dataset = desk.dataset(items)
        given = {"viewport": WIDE, **options, "storage_state": _session(desk, browser)}
        context = browser.new_context(**given) if options else desktop
        page = context.new_page()
        opened.append(context if options else page)
        page.on("pageerror", lambda error: troubles.append(f"script error: {error}"))
        page.on("request", lambda request: _abroad(request, desk.url, troubles))
        page.goto(f"{desk.url}/dataset/{dataset}/annotation-mode")
        shown = Desktop(page, dataset)
        ready(shown)
        return shown

    yield opener
    for each in opened:
        each.close()
    assert not troubles, troubles


@pytest.fixture
def open_items(desk: Desk, browser: Browser, desktop: BrowserContext) -> Iterator[Opener]:
    """Opens a dataset as the doctor; the test fails on any script error and any request of our frame to elsewhere."""
    with _opening(desk, browser, desktop) as opener:
        yield opener


@pytest.fixture(scope="module")
def shared(desk: Desk, browser: Browser, desktop: BrowserContext) -> Iterator[Desktop]:
    """One opened record for the tests that leave it as it is."""
    with _opening(desk, browser, desktop) as opener:
        yield opener([item()])


def ready(opened: Desktop) -> None:
    """Until the record and the form stand."""
    opened.page.wait_for_selector(FRAME)
    opened.frame.locator("main").wait_for()
    opened.page.wait_for_function("document.activeElement.id === 'grade_left_much'")


def _session(desk: Desk, browser: Browser) -> Any:
    """The storage of a browser whose doctor signed in; made once."""
    if not desk.session:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{desk.url}/sign-in")
        sign_in(page)
        desk.session = dict(context.storage_state())
        context.close()
    return desk.session


def shoot(page: Page, name: str) -> None:
    """A screenshot of what is in view, under artefacts/; a full one would scroll Argilla's form away."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=str(ARTEFACTS / f"{name}.png"))


def sign_in(page: Page) -> None:
    """Type name and password, by keyboard."""
    page.locator("input").first.focus()
    page.keyboard.type(DOCTOR)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "sign-in" not in address)


def _abroad(request: Request, url: str, troubles: list[str]) -> None:
    """Argilla's own page asks for Google's fonts; nothing else may ask for anything elsewhere."""
    address = request.url
    if not address.startswith((url, "data:", "blob:", "about:", "https://fonts.")):
        troubles.append(f"request to elsewhere: {address}")
