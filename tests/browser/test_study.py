"""The study's tab of the real app: blind, by keyboard, on the disk before it says so, through reloads and kill -9."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from gaokerena.bidi import strip
from gaokerena.expert_verdicts import SideVerdict, latest
from tests.browser.conftest import Opener, Tab, shoot
from tests.browser.study_place import Place, choose, press_until, shown, stored, submit
from tests.study_cases import HOSTILE

pytestmark = pytest.mark.browser


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
    expect(page.locator(".study-end")).to_be_visible()  # its words are in the page from the start, unseen
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


def test_without_a_study_there_is_no_tab(open_page: Opener) -> None:
    page = open_page()
    assert not page.locator("[role=tab], .study, #tabs").count()
    assert "study" not in page.evaluate("document.head.textContent")
