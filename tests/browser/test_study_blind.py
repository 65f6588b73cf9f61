"""Nothing of a ledger but texts and ids reaches the page of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Error, Request, expect

from annotation.items import Item, Ledger, Shown, swapped
from annotation.study_file import study_file as blinded
from annotation.study_file import write
from gaokerena.questions import Question
from gaokerena.study import StudyHead
from tests.browser.study_place import choose, stored, submit
from tests.ui.page_server import serving

pytestmark = pytest.mark.browser
SECRET = "zzsecret"


def test_nothing_about_models_or_sources_reaches_the_page(browser: Browser, tmp_path: Path) -> None:
    """A ledger full of words that must not leave it; page, settings and every answer of the server are searched."""
    ledger = Ledger(tmp_path / "runs")
    ledger.add(telling_items())
    head = StudyHead(name="blind", guideline_version="fa-2", codes=("p1",))
    write(tmp_path / "study.jsonl", blinded(ledger.items.values(), head))
    assert sum(SECRET in line for line in (tmp_path / "runs/items.jsonl").read_text().splitlines()) == 3
    settings = {"GAOKERENA_STUDY": "study.jsonl", "GAOKERENA_STUDY_OUT": "verdicts.jsonl"}
    settings = {name: str(tmp_path / value) for name, value in settings.items()} | {"GAOKERENA_PRESET": "echo"}
    with serving(tmp_path, settings) as running, browser.new_context() as context:
        page, heard = context.new_page(), list[str]()
        page.on("requestfinished", lambda request: heard.append(_body(request)))
        page.goto(running.address + "/?lang=fa")
        page.fill("#study-code", "p1")
        page.keyboard.press("Enter")
        for _ in range(3):
            expect(page.locator(".study")).to_have_attribute("data-phase", "item")
            heard.append(page.content())
            choose(page, "grade", "equal")
            submit(page)
            stored(page)
        expect(page.locator(".study")).to_have_attribute("data-phase", "done")
        heard += [page.content(), page.evaluate("JSON.stringify(window.gradio_config)")]
        heard.append(page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)"))
    assert any("به پزشک بروید" in text for text in heard), "else nothing was heard"
    assert [text[:200] for text in heard if SECRET in text] == []
    assert "duplicate" not in "".join(text for text in heard if "به پزشک بروید" in text)


def telling_items() -> list[Item]:
    """A comparison, its swapped twin and a gold item, whose every hidden field tells."""
    sides = {
        side: Shown(model=f"{SECRET}-{side}", revision=f"{SECRET}-r", text=f"اگر {word} دارد به پزشک بروید.")
        for side, word in (("left", "تب"), ("right", "درد"))
    }
    question = Question(text="چه کنم؟", suite=f"{SECRET}-suite", subject=f"{SECRET}-subject")
    more: dict[str, Any] = {
        "origin": "candidates", "reasons": (f"{SECRET}-reason",), "pair_id": f"{SECRET}-pair", "seed": 1,
        "comparison_id": f"{SECRET}-comparison", "red_flags": (f"{SECRET}-flag",), "question": question, "sides": sides,
    }  # fmt: skip
    plain = Item(id="i1", **more)
    gold = Item(
        id="i3", kind="gold", gold="left_much", **more | {"question": Question(text="باز چه کنم؟", suite=SECRET)}
    )
    return [plain, swapped(plain, b"k" * 32), gold]


def _body(request: Request) -> str:
    """What the server answered; nothing for an answer that the browser does not keep (a redirect, a stream cut off)."""
    response = request.response()
    try:
        return response.body().decode("utf-8", "replace") if response else ""
    except Error:
        return ""
