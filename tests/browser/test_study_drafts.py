"""What the study's tab keeps in the browser, and what it says: drafts, reloads, kill -9, the same words twice."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Tab
from tests.browser.study_place import Place, choose, shown, stored, submit

pytestmark = pytest.mark.browser


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
