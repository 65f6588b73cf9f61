"""One server and one Chromium for the browser tests; every test has a page of its own and a look at the store.

Screenshots go to artefacts/ (not committed). `CHROMIUM` names another browser than the system's.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page  # noqa: E402

ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / "artefacts"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
STARTED_WITHIN = 90.0


@dataclass(frozen=True)
class Server:
    """A running page: its address, and the file of its store."""

    address: str
    store: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(store: Path, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start tests/browser/serve.py and wait until it answers."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, str(Path(__file__).with_name("serve.py")), str(port), str(store)]
    environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "OMP_NUM_THREADS": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    end = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5):
                return process, address
        except OSError:
            time.sleep(0.2)
    process.kill()
    process.wait()
    raise RuntimeError(f"the page did not start; its log says:\n{log.read_text('utf-8')[-3000:]}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("page")
    process, address = start(folder / "store.sqlite3", folder / "log.txt")
    yield Server(address, folder / "store.sqlite3")
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    said = (folder / "log.txt").read_text("utf-8")
    assert "Traceback" not in said, said


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM}; set CHROMIUM to one")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


Opener = Callable[..., Page]


@pytest.fixture
def open_page(server: Server, browser: Browser) -> Iterator[Opener]:
    """Opens the page in a context of its own; the test fails on any script error and any request to elsewhere."""
    contexts, troubles = [], []

    def opener(path: str = "/", **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(f"script error: {error}"))
        page.on("request", lambda request: _abroad(request.url, server.address, troubles))
        page.goto(server.address + path)
        page.wait_for_selector("#card-left .card")
        page.wait_for_selector("#question textarea")
        return page

    yield opener
    for context in contexts:
        context.close()
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
