"""The whole way on real models: app.py, the local engine, the page. The mini pair where it is, else a tiny random one.

The tiny one proves the way, not the wait: it ends before anyone could stop it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from gaokerena.store import Store
from tests.browser.conftest import ask, shoot, visiting, wait_phase
from tests.ui.page_server import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
MINI = ROOT / "models" / "mini"
PATIENCE = 180_000
"""Milliseconds for one answer of a real model on a busy machine."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("local")
    models = MINI if (MINI / "r").exists() else _tiny(folder)
    adapters = {name: str(models / name) for name in "vr"}
    settings = {
        "GAOKERENA_PRESET": "mini",
        "GAOKERENA_BASE": str(models / "base"),
        "GAOKERENA_ADAPTERS": json.dumps(adapters),
        "GAOKERENA_THREADS": "2",
    }
    with serving(folder, settings) as running:
        yield running


def _tiny(folder: Path) -> Path:
    """Made in a process of its own, so that torch and its warnings stay out of this one."""
    code = f"from pathlib import Path; from tests.tiny import make_tiny; make_tiny(Path({str(folder)!r}), length=1024)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, timeout=300)
    return folder


@pytest.fixture
def page(server: Server, browser: Browser) -> Iterator[Page]:
    with visiting(server, browser) as opened:
        yield opened


def test_ask_watch_open_judge_reveal_and_switch(page: Page, server: Server) -> None:
    ask(page, "از دیشب تب و سرفه دارم. چه کنم؟")
    wait_phase(page, "left", "busy")
    for side in ("left", "right"):
        wait_phase(page, side, "ended", PATIENCE)
        expect(page.locator(f'.card[data-side="{side}"] .card-error')).to_be_empty()
    for toggle in page.locator(".thoughts-toggle").all():
        toggle.press("Enter")
        expect(toggle).to_have_attribute("aria-expanded", "true")
    page.click(".verdict input[value=left] + span")
    page.click(".verdict button[type=submit]")
    expect(page.locator(".verdict-message")).to_contain_text("ثبت شد")
    shoot(page, "local-judged")
    with Store(server.store) as store:
        kept = list(store.comparisons())[-1]
        assert [verdict.comparison_id for verdict in store.current_verdicts()] == [kept.id]
    names = page.locator(".card-who strong").all_inner_texts()
    assert names == [kept.right.upper(), kept.left.upper()], "right comes first in the page"
    tokens = [row.answer.usage.completion_tokens for side in kept.attempts.values() for row in side]
    assert len(tokens) == 2
    assert min(tokens) > 0
    page.click("button.language")
    expect(page.locator(".preset-note")).to_contain_text("know no medicine", use_inner_text=True)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shoot(page, "local-narrow-english")


@pytest.mark.skipif(not (MINI / "r").exists(), reason="the tiny random pair ends too soon to be stopped")
def test_stop_ends_both_sides_at_once_and_keeps_their_words(page: Page) -> None:
    ask(page, "دیابت نوع دو چگونه درمان می‌شود؟ کامل توضیح دهید.")
    page.wait_for_function("document.querySelector('.verdict').dataset.phase === 'open'", timeout=PATIENCE)
    page.click("#stop-both")
    for side in ("left", "right"):
        wait_phase(page, side, "ended", 10_000)
    said = page.locator(".card .blocks").all_text_contents()
    assert any(text.strip() for text in said)
