"""A running app with a study, and what a doctor does in its tab."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from gaokerena.expert_verdicts import ExpertVerdict, read
from gaokerena.study import StudyItem
from tests.ui.page_server import Server, start


@dataclass
class Place:
    """A running app with a study, its folder and the study's items."""

    folder: Path
    server: Server
    items: dict[str, StudyItem]

    @property
    def settings(self) -> dict[str, str]:
        study, out = self.folder / "study.jsonl", self.folder / "verdicts.jsonl"
        return {"GAOKERENA_PRESET": "echo", "GAOKERENA_STUDY": str(study), "GAOKERENA_STUDY_OUT": str(out)}

    def rows(self, code: str) -> list[ExpertVerdict]:
        return [row for row in read(self.folder / "verdicts.jsonl") if row.judge == code]

    def kill9(self) -> None:
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()

    def start(self, port: int = 0) -> None:
        self.server = start(self.folder, self.settings, port)


def choose(page: Page, name: str, value: str) -> None:
    page.click(f'.study-form input[name="{name}"][value="{value}"] + span')


def submit(page: Page) -> None:
    page.click(".study-form button[type=submit]")


def shown(page: Page, place: Place) -> StudyItem:
    """The item in view, found by its question."""
    text = page.inner_text(".study-question")
    [item] = [item for item in place.items.values() if item.question.text in text]
    return item


def stored(page: Page, words: str = "ثبت شد") -> None:
    expect(page.locator(".study-message")).to_contain_text(words)


def press_until(page: Page, target: Locator, limit: int = 40) -> None:
    """Tab until `target` has the focus."""
    for _ in range(limit):
        if target.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} was not reached in {limit} presses of Tab")
