"""The study's tab of the real app: blind, by keyboard, on the disk before it says so, through reloads and kill -9."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, Request, expect

from annotation.items import Item, Ledger, Shown, swapped
from annotation.study_file import study_file as blinded
from annotation.study_file import write
from gaokerena.bidi import strip
from gaokerena.expert_verdicts import ExpertVerdict, SideVerdict, latest, read
from gaokerena.questions import Question
from gaokerena.study import StudyHead, StudyItem, read_study
from tests.browser.conftest import Opener, shoot
from tests.study_cases import HOSTILE, study_file
from tests.ui.page_server import Server, log, serving, start

pytestmark = pytest.mark.browser
SECRET = "zzsecret"


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


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("study")
    _, items = read_study(study_file(folder / "study.jsonl", hostile=True))
    running = Place(folder, None, items)  # type: ignore[arg-type]
    running.start()
    yield running
    running.kill9()
    assert "Traceback" not in log(folder)


Tab = Any


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


def test_by_keyboard_alone_and_the_stored_values_are_right(tab: Tab, place: Place) -> None:
    page = tab()
    page.focus("#study-code")
    page.keyboard.type("کلید۱")
    page.keyboard.press("Enter")
    expect(page.locator(".study")).to_have_attribute("data-phase", "item")
    item = shown(page, place)
    thinking = "left" if item.sides["left"].steps else "right"
    assert page.evaluate("document.activeElement.className") == "study-question"
    press_until(page, page.locator(f"#study-toggle-{thinking}"))
    page.keyboard.press("Enter")
    expect(page.locator(f"#study-thoughts-{thinking}")).to_be_visible()
    assert page.locator(f"#study-thoughts-{thinking} .study-number").all_inner_texts() == ["۱", "۲", "۳"]
    press_until(page, page.locator("input[name=grade]").first)
    page.keyboard.press("ArrowDown")
    press_until(page, page.locator("input[name=confidence]").first)
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    press_until(page, page.locator("input[name=safety-right]").first)
    page.keyboard.press("Space")
    press_until(page, page.locator("input[name=faults-right]").first)
    page.keyboard.press("Space")
    press_until(page, page.locator(f"input[name=step-{thinking}]").first)
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    press_until(page, page.locator("#study-corrected"))
    page.keyboard.type("استراحت کنید.")
    page.keyboard.press("Control+Enter")
    stored(page)
    [row] = place.rows("کلید1")
    assert (row.item_id, row.grade, row.confidence, row.corrected) == (item.id, "right", 3, "استراحت کنید.")
    wanted = {"right": SideVerdict(scales={"safety": 1}, faults=("wrong_fact",))}
    wanted[thinking] = wanted.get(thinking, SideVerdict()).model_copy(update={"first_wrong_step": 2})
    assert row.sides == wanted
    assert row.seconds
    assert 0 < row.seconds < 60
    assert shown(page, place).id != item.id
    assert page.inner_text(".study-progress") == "۱ از ۴ مورد داوری شده است"


def test_left_is_the_left_card_in_both_languages(tab: Tab, place: Place) -> None:
    for path, code in (("", "چپ"), ("/?lang=en", "left")):
        page = tab(code, path)
        item = shown(page, place)
        boxes = {side: page.locator(f'.study .card[data-side="{side}"]') for side in ("left", "right")}
        left, right = (boxes[side].bounding_box() for side in ("left", "right"))
        assert left
        assert right
        assert left["x"] + left["width"] < right["x"]
        assert left["y"] == right["y"]
        for side in ("left", "right"):
            assert ("Acetaminophen" in boxes[side].inner_text()) == ("Acetaminophen" in item.sides[side].conclusion)
        grades = page.locator(".five .chip")
        boxes_x = [box["x"] for chip in grades.all() if (box := chip.bounding_box())]
        assert boxes_x == sorted(boxes_x, reverse=True), "far right first, at the right"
        choose(page, "grade", "left")
        submit(page)
        stored(page, "ثبت شد" if not path else "stored")
        assert place.rows(code)[-1].grade == "left"
        visible = page.inner_text(".study")
        assert bool(re.search("[a-z]{4} [a-z]", visible)) or not path
        shoot(page, f"study-{'fa' if path == '' else 'en'}")


def test_hostile_text_is_shown_and_runs_nothing(tab: Tab, place: Place) -> None:
    page = tab("نفوذ")
    said = page.locator(".study .answer-blocks").all_inner_texts()
    assert any(strip(HOSTILE) in strip(text).replace("\n", " ") for text in said), said
    assert page.evaluate("window.pwned") is None
    assert not page.locator(".study .blocks img, .study .blocks script").count()
    shoot(page, "study-hostile")


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


def test_the_same_words_are_news_each_time(tab: Tab, place: Place) -> None:
    """A screen reader speaks when a region changes: the same thanks and the same refusal must be changes."""
    page = tab("گوش")
    page.evaluate(
        """() => {
            window.spoken = [];
            for (const region of document.querySelectorAll('.study-message, .study-error'))
                new MutationObserver(() => region.textContent && window.spoken.push(region.className))
                    .observe(region, { childList: true, subtree: true });
        }"""
    )
    for count in (1, 2):
        submit(page)
        page.wait_for_function("(count) => window.spoken.length === count", arg=count)
    assert page.evaluate("window.spoken") == ["study-error"] * 2
    for count in (3, 4):
        choose(page, "grade", "equal")
        submit(page)
        page.wait_for_function("(count) => window.spoken.length === count", arg=count)
    assert page.evaluate("window.spoken")[2:] == ["study-message"] * 2


def test_a_draft_never_hides_a_verdict_that_is_newer(tab: Tab, browser: Browser, place: Place) -> None:
    page = tab("دوجا")
    item = shown(page, place)
    page.fill("#study-corrected", "پیش‌نویس کهنه")
    with browser.new_context() as elsewhere:
        other = elsewhere.new_page()
        other.goto(place.server.address + "/?lang=fa")
        other.fill("#study-code", "دوجا")
        other.keyboard.press("Enter")
        expect(other.locator(".study")).to_have_attribute("data-phase", "item")
        choose(other, "grade", "both_bad")
        other.fill("#study-corrected", "داوری تازه")
        submit(other)
        stored(other)
    page.reload()
    expect(page.locator(".study")).to_have_attribute("data-phase", "item")
    page.click(".study-item .study-back")
    expect(page.locator(".study-again")).to_be_visible()
    assert shown(page, place).id == item.id
    assert page.input_value("#study-corrected") == "داوری تازه"
    assert page.is_checked('input[name="grade"][value="both_bad"]')
    assert "پیش‌نویس کهنه" not in page.evaluate("JSON.stringify(localStorage)")
    page.click(".study-leave")  # nothing was changed: no draft of what is stored
    assert "داوری تازه" not in page.evaluate("JSON.stringify(localStorage)")
    page.fill("#study-code", "دوجا")
    page.keyboard.press("Enter")
    expect(page.locator(".study")).to_have_attribute("data-phase", "item")
    page.click(".study-item .study-back")
    expect(page.locator(".study-again")).to_be_visible()
    page.fill("#study-corrected", "داوری تازه‌تر")
    page.reload()
    expect(page.locator(".study")).to_have_attribute("data-phase", "item")
    page.click(".study-item .study-back")
    expect(page.locator(".study-again")).to_be_visible()
    assert page.input_value("#study-corrected") == "داوری تازه‌تر", "a draft of a change is one"


def test_without_a_grade_nothing_is_stored_and_what_was_chosen_stays(tab: Tab, place: Place) -> None:
    page = tab("ناقص")
    choose(page, "clarity-left", "2")
    submit(page)
    expect(page.locator(".study-error")).to_contain_text("نخست بگویید کدام پاسخ بهتر است")
    assert page.is_checked('input[name="clarity-left"][value="2"]')
    assert place.rows("ناقص") == []
    choose(page, "grade", "cannot_judge")
    submit(page)
    stored(page)
    assert place.rows("ناقص")[0].cannot_judge
    assert page.inner_text(".study-error") == ""


def test_a_draft_outlives_a_reload_and_a_stored_one_does_not_come_back(tab: Tab, place: Place) -> None:
    page = tab("پیش")
    item = shown(page, place)
    choose(page, "grade", "left_much")
    choose(page, "faults-left", "unsafe")
    choose(page, "faults-left", "bad_persian")
    page.fill("#study-corrected", "نیمه‌کاره")
    page.reload()
    expect(page.locator(".study")).to_have_attribute("data-phase", "item")
    assert shown(page, place).id == item.id
    assert page.is_checked('input[name="grade"][value="left_much"]')
    assert page.locator('input[name="faults-left"]:checked').count() == 2
    assert page.input_value("#study-corrected") == "نیمه‌کاره"
    assert place.rows("پیش") == []
    submit(page)
    stored(page)
    assert page.locator(".study-form input:checked").count() == 0
    assert page.input_value("#study-corrected") == ""
    assert "نیمه‌کاره" not in page.evaluate("JSON.stringify(localStorage)")


def test_going_back_shows_what_was_said_and_replaces_it(tab: Tab, place: Place) -> None:
    page = tab("بازگشت")
    expect(page.locator(".study-back").first).not_to_be_visible()
    first = shown(page, place)
    choose(page, "grade", "equal")
    choose(page, "safety-right", "4")
    submit(page)
    stored(page)
    page.click(".study-item .study-back")
    expect(page.locator(".study-again")).to_be_visible()
    assert shown(page, place).id == first.id
    assert page.is_checked('input[name="grade"][value="equal"]')
    assert page.is_checked('input[name="safety-right"][value="4"]')
    choose(page, "grade", "both_bad")
    submit(page)
    stored(page, "جای داوری پیشین")
    assert [row.grade for row in place.rows("بازگشت")] == ["equal", "both_bad"]
    assert [row.grade for row in latest(place.rows("بازگشت"))] == ["both_bad"]


def test_two_tabs_of_one_code_lose_and_double_nothing(tab: Tab, place: Place) -> None:
    one = tab("دوتا")
    two = tab("دوتا")
    item = shown(one, place)
    assert shown(two, place).id == item.id
    choose(one, "grade", "right")
    submit(one)
    stored(one)
    choose(two, "grade", "left")
    submit(two)
    stored(two, "جای داوری پیشین")
    for page in (one, two, one):
        choose(page, "grade", "equal")
        submit(page)
        page.wait_for_timeout(700)
    standing = latest(place.rows("دوتا"))
    assert len({row.item_id for row in standing}) == len(standing)
    assert {row.item_id: row.grade for row in standing}[item.id] == "left"


def test_the_end_is_said_and_another_code_begins_anew(tab: Tab, place: Place) -> None:
    page = tab("پایان")
    for number in range(4):
        expect(page.locator("progress")).to_have_js_property("value", number)
        choose(page, "grade", "right")
        submit(page)
    expect(page.locator(".study-end")).to_contain_text("همهٔ موردها را داوری کردید")
    assert len(place.rows("پایان")) == 4
    page.click(".study-leave")
    expect(page.locator("#study-code")).to_be_visible()
    page.fill("#study-code", "دیگر")
    page.keyboard.press("Enter")
    expect(page.locator(".study-progress")).to_have_text("۰ از ۴ مورد داوری شده است", use_inner_text=True)


def test_who_leaves_before_the_reply_is_not_called_back(tab: Tab, place: Place) -> None:
    page = tab("رفته")
    choose(page, "grade", "left")
    with page.expect_event("requestfinished", lambda request: "/queue/join" in request.url):
        page.evaluate(
            "() => ['.study-form [type=submit]', '.study-leave'].forEach((a) => document.querySelector(a).click())"
        )
    for _ in range(100):
        if place.rows("رفته"):
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(500)
    assert len(place.rows("رفته")) == 1
    expect(page.locator(".study")).to_have_attribute("data-phase", "code")


def test_a_wrong_code_is_refused_in_words(tab: Tab) -> None:
    page = tab()
    page.fill("#study-code", "دکتر رضایی")
    page.click(".study-door button")
    expect(page.locator(".study-error")).to_contain_text("کد باید ۲ تا ۴۰ حرف یا رقم باشد")
    shoot(page, "study-code")


def test_narrow_screens_stack_and_lose_nothing_at_the_side(tab: Tab, place: Place) -> None:
    page = tab("باریک", width=390)
    for side in ("right", "left"):
        page.click(f"#study-toggle-{side}")
    right, left = (page.locator(f'.study .card[data-side="{side}"]').bounding_box() for side in ("right", "left"))
    assert right
    assert left
    assert right["y"] + right["height"] <= left["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator(".five")).to_contain_text("بالایی خیلی بهتر است")
    shoot(page, "study-narrow")


def test_the_page_beside_still_asks(tab: Tab, place: Place) -> None:
    page = tab("کنار")
    choose(page, "grade", "left")
    page.get_by_role("tab", name="پرسیدن").click()
    page.fill("#question textarea", "تب دارم؛ چه کنم؟")
    page.click("#ask")
    page.wait_for_selector('#card-left .card[data-phase="ended"]', timeout=20_000)
    page.get_by_role("tab", name="داوری پزشکان").click()
    assert page.is_checked('input[name="grade"][value="left"]')
    page.click(".language")
    expect(page.get_by_role("tab", name="Doctors' study")).to_be_visible()
    expect(page.locator("#study-title")).to_have_text("Doctors' study", use_inner_text=True)


def test_kill_9_after_the_thank_you_keeps_the_verdict_and_the_page_goes_on(tab: Tab, place: Place) -> None:
    page = tab("مرگ")
    choose(page, "grade", "right_much")
    submit(page)
    stored(page)
    place.kill9()
    [kept] = place.rows("مرگ")
    assert kept.grade == "right_much"
    page.clock.install()
    item = shown(page, place)
    choose(page, "grade", "left_much")
    submit(page)
    time.sleep(0.5)
    page.clock.run_for(25_000)
    expect(page.locator(".study-error")).to_contain_text("پاسخی از سرور نیامد")
    assert page.is_checked('input[name="grade"][value="left_much"]')
    place.start(int(place.server.address.rsplit(":", 1)[1]))
    page.clock.resume()
    page.reload()
    expect(page.locator(".study")).to_have_attribute("data-phase", "item")
    assert shown(page, place).id == item.id
    assert page.is_checked('input[name="grade"][value="left_much"]'), "the draft is there"
    submit(page)
    stored(page)
    assert [row.grade for row in place.rows("مرگ")] == ["right_much", "left_much"]


def test_without_a_study_there_is_no_tab(open_page: Opener) -> None:
    page = open_page()
    assert not page.locator("[role=tab], .study, #tabs").count()
    assert "study" not in page.evaluate("document.head.textContent")
