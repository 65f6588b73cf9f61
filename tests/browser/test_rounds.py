"""A round that ends while the page runs: its adapter is compared with the one it continues, blind as always."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from gaokerena.engines.loading import revision
from gaokerena.store import Store
from tests.browser.conftest import ask, shoot, visiting, wait_phase
from tests.ui.page_server import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
PATIENCE = 120_000
MAKE = (
    "import sys; from pathlib import Path; from tests.tiny import make_tiny; make_tiny(Path(sys.argv[1]), length=1024)"
)
"""In a process of its own, so that torch and its warnings stay out of this one."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    subprocess.run([sys.executable, "-c", MAKE, str(tmp_path)], cwd=ROOT, check=True, capture_output=True, timeout=240)
    settings = {
        "GAOKERENA_PRESET": "mini",
        "GAOKERENA_BASE": str(tmp_path / "base"),
        "GAOKERENA_ADAPTERS": json.dumps({name: str(tmp_path / name) for name in "vr"}),
        "GAOKERENA_ROUNDS": str(tmp_path / "rounds"),
    }
    with serving(tmp_path, settings) as running:
        yield running


@pytest.fixture
def page(server: Server, browser: Browser) -> Iterator[Page]:
    with visiting(server, browser) as opened:
        yield opened


def publish(folder: Path) -> None:
    """As a round does: whole, under another name, then in its place."""
    new = folder / "rounds" / ".r2.new"
    shutil.copytree(folder / "r", new)
    lineage = {"base_weights": revision(str(folder / "base")), "round": {"continues": "r", "prompting": "cot"}}
    (new / "lineage.json").write_text(json.dumps(lineage), "utf-8")
    new.rename(folder / "rounds" / "r2")


def test_the_new_r_is_chosen_and_judged_against_the_old(page: Page, server: Server) -> None:
    folder = server.store.parent
    expect(page.locator("#models")).to_be_hidden()
    publish(folder)
    until = time.monotonic() + 60
    while not page.locator("#models").is_visible() and time.monotonic() < until:
        page.reload()
        page.wait_for_selector("#question textarea")
        page.wait_for_timeout(500)
    expect(page.locator("#models")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > 1280")
    words, arrow = (page.locator(f"#models {part}").bounding_box() for part in ("input", ".icon-wrap"))
    assert words
    assert arrow
    assert arrow["x"] + arrow["width"] <= words["x"], "the arrow stands at the end of the line, not on the names"
    shoot(page, "round-choice")
    page.click("#models input")
    page.get_by_role("option", name="گوکرنا-R کوچک ↔ گوکرنا-R کوچک (r2)", exact=True).click()
    ask(page, "از دیشب تب و سرفه دارم. چه کنم؟")
    for side in ("left", "right"):
        wait_phase(page, side, "ended", PATIENCE)
    assert "r2" not in page.locator("#pair").inner_text(), "blind until judged"
    page.click(".verdict input[value=left] + span")
    page.click(".verdict button[type=submit]")
    expect(page.locator(".verdict-message")).to_contain_text("ثبت شد")
    assert sorted(page.locator(".card-who strong").all_inner_texts()) == ["R", "R2"]
    with Store(server.store) as store:
        kept = list(store.comparisons())[-1]
    assert sorted((kept.left, kept.right)) == ["r", "r2"]
    page.click("button.language")
    expect(page.locator("#models")).to_contain_text("The two models that answer")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shoot(page, "round-narrow-english")
