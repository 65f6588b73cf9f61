"""Asking on the real page: both sides stream, neither waits, stop keeps what was written, again and onwards."""

from __future__ import annotations

import re
import time

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

from gaokerena.store import Store
from gaokerena.visits import DOUBLE_CLICK_SECONDS
from tests.browser.conftest import Opener, ask, shoot, wait_ended, wait_phase
from tests.ui.page_server import Server

pytestmark = pytest.mark.browser

LEFT, RIGHT = '.card[data-side="left"]', '.card[data-side="right"]'


def answer(page: Page, side: str) -> str:
    return page.inner_text(f'.card[data-side="{side}"] .answer-blocks')


def test_both_sides_stream_and_end(page: Page) -> None:
    page.evaluate(
        """() => {
            window.phases = { left: [], right: [] };
            for (const card of document.querySelectorAll('.card[data-side]'))
                new MutationObserver(() => window.phases[card.dataset.side].push(card.dataset.phase))
                    .observe(card, { attributes: true, attributeFilter: ['data-phase'] });
        }"""
    )
    ask(page, "سرم درد می‌کند. چه کنم؟")
    wait_ended(page)
    for phases in page.evaluate("window.phases").values():
        assert "busy" in phases
        assert phases[-1] == "ended"
    said = answer(page, "left") + answer(page, "right")
    assert "Acetaminophen 500 mg" in said
    assert "مایعات فراوان" in said
    assert "علت‌های شایع" not in said, "the chain of thought must stay out of the conclusion"
    expect(page.locator("#asked")).to_contain_text("سرم درد می‌کند. چه کنم؟")
    expect(page.locator(f"{LEFT} .card-status")).to_have_text(
        re.compile("پایان یافت · [۰-۹]+ ثانیه"), use_inner_text=True
    )


def test_a_slow_side_does_not_delay_the_other(page: Page) -> None:
    page.fill("#question textarea", "#چپ‌تند سرماخوردگی چند روز می‌ماند؟")
    page.evaluate(
        """() => {
            const card = document.querySelector('.card[data-side="left"]');
            document.querySelector('#ask').addEventListener('click', () => (window.asked = performance.now()));
            new MutationObserver(() => {
                if (card.dataset.phase === 'ended') window.took ??= performance.now() - window.asked;
            }).observe(card, { attributes: true });
        }"""
    )
    page.click("#ask")
    wait_phase(page, "left", "ended", timeout=3_000)
    assert page.evaluate("window.took") < 500
    assert page.get_attribute(RIGHT, "data-phase") == "busy"
    wait_phase(page, "right", "ended", timeout=10_000)
    assert page.evaluate("performance.now() - window.asked") > 4_500


def test_stop_one_side_then_both_and_keep_what_was_written(page: Page) -> None:
    ask(page, "#کند دربارهٔ میگرن بگو.")
    page.wait_for_function(f"document.querySelector('{LEFT}').innerText.length > 200")
    shoot(page, "streaming")
    page.click(f"{LEFT} .card-stop")
    wait_phase(page, "left", "ended", timeout=2_000)
    expect(page.locator(f"{LEFT} .card-status")).to_contain_text("متوقف شد")
    assert page.get_attribute(RIGHT, "data-phase") == "busy"
    kept = page.text_content(f"{LEFT} .thoughts-blocks") or ""
    kept += answer(page, "left")
    assert len(kept) > 20
    page.click("#stop-both")
    wait_phase(page, "right", "ended", timeout=2_000)
    shoot(page, "stopped")
    expect(page.locator("#stop-both")).not_to_be_visible()


def test_ask_again_keeps_the_first_attempt_and_draws_new_seats(page: Page, server: Server) -> None:
    ask(page, "#تند کم‌خونی چیست؟")
    wait_ended(page)
    page.click("#again")
    expect(page.locator("details.earlier summary")).to_contain_text("(۱)")
    wait_ended(page)
    page.click("details.earlier summary")
    expect(page.locator(".earlier-question")).to_contain_text("کم‌خونی")
    with Store(server.store) as store:
        first, second = list(store.comparisons())[-2:]
    assert first.question_id == second.question_id
    assert first.seed != second.seed
    assert first.session == second.session
    assert all(row.attempts["left"] and row.attempts["right"] for row in (first, second))


def test_asking_again_in_the_middle_stops_the_first_attempt(page: Page, server: Server) -> None:
    ask(page, "#کند دربارهٔ آسم بگو.")
    page.wait_for_function(f"document.querySelector('{LEFT}').innerText.length > 150")
    page.click("#again")
    expect(page.locator("details.earlier summary")).to_contain_text("(۱)")
    page.wait_for_timeout(1_000)
    assert page.get_attribute(LEFT, "data-phase") == page.get_attribute(RIGHT, "data-phase") == "busy"
    page.click("#stop-both")
    wait_ended(page)
    with Store(server.store) as store:
        first, second = list(store.comparisons())[-2:]
    reasons = [row.answer.finish_reason for kept in (first, second) for side in kept.attempts.values() for row in side]
    assert reasons == ["stopped"] * 4


def test_a_new_question_replaces_one_still_being_answered(page: Page) -> None:
    ask(page, "#کند دربارهٔ آسم بگو.")
    page.wait_for_function(f"document.querySelector('{LEFT}').innerText.length > 150")
    ask(page, "#تند تب چیست؟")
    expect(page.locator("#asked")).to_contain_text("تب چیست؟")
    wait_ended(page)
    expect(page.locator("details.earlier summary")).to_contain_text("(۱)")
    page.wait_for_timeout(500)
    expect(page.locator("#asked")).to_contain_text("تب چیست؟")


def test_a_double_click_asks_once(page: Page, server: Server) -> None:
    with Store(server.store) as store:
        before = len(list(store.comparisons()))
        page.fill("#question textarea", "سینوزیت چیست؟")
        page.dblclick("#ask")
        wait_ended(page)
        assert len(list(store.comparisons())) == before + 1
    assert answer(page, "left").strip()


def test_the_second_press_of_a_double_click_is_no_question_however_late(page: Page, server: Server) -> None:
    with Store(server.store) as store:
        before = len(list(store.comparisons()))
        ask(page, "#تند سینوزیت چیست؟")
        wait_ended(page)
        page.wait_for_timeout(1_000 * DOUBLE_CLICK_SECONDS)
        page.dispatch_event("#ask", "click", {"detail": 2})
        page.wait_for_timeout(500)
        assert len(list(store.comparisons())) == before + 1
        page.dispatch_event("#ask", "click", {"detail": 1})
        page.wait_for_timeout(1_500)
        assert len(list(store.comparisons())) == before + 2, "a single press is heard"


def test_the_conversation_goes_on_with_the_same_seats(page: Page, server: Server) -> None:
    ask(page, "#تند دیابت چیست؟")
    wait_ended(page)
    page.fill("#next-question textarea", "#تند درمانش چیست؟")
    page.click("#follow")
    expect(page.locator("#asked")).to_contain_text("درمانش چیست؟")
    wait_ended(page)
    expect(page.locator("#next-question textarea")).to_have_value("")
    expect(page.locator(".earlier-question")).to_contain_text("دیابت چیست؟")
    shoot(page, "conversation")
    with Store(server.store) as store:
        first, second = list(store.comparisons())[-2:]
    assert second.follows == first.id
    assert (second.left, second.right) == (first.left, first.right)
    assert second.blind


def test_an_example_fills_the_box_and_its_options(page: Page) -> None:
    page.click("#examples button:has-text('سم‌شناسی')")
    expect(page.locator("#option-A input, #option-A textarea")).to_have_value("نالوکسان")
    page.click("#ask")
    wait_ended(page)
    expect(page.locator(f"{LEFT} .card-chose")).to_have_text("گزینهٔ برگزیده: ب", use_inner_text=True)
    expect(page.locator("#asked")).to_contain_text("فلومازنیل")


def test_the_place_in_the_queue_is_shown(page: Page) -> None:
    ask(page, "#صف تب چیست؟")
    expect(page.locator(f"{LEFT} .card-status")).to_have_text("جایگاه این پاسخ در صف: ۲", use_inner_text=True)
    wait_ended(page)


def test_a_failed_side_says_so_and_the_other_stands(page: Page) -> None:
    ask(page, "#خطا آسم چیست؟")
    wait_ended(page)
    expect(page.locator(f"{LEFT} .card-error")).to_contain_text("حافظهٔ دستگاه پر شد")
    assert answer(page, "left").strip(), "what was written stays"
    expect(page.locator(f"{RIGHT} .card-error")).to_be_empty()


def test_a_failed_side_says_so_in_english_on_the_english_page(open_page: Opener) -> None:
    page = open_page("/?lang=en")
    ask(page, "#خطا آسم چیست؟")
    wait_ended(page)
    expect(page.locator(f"{LEFT} .card-error")).to_have_text(
        re.compile("^This answer could not be made. Ask again"), use_inner_text=True
    )
    assert "Failed" in page.inner_text(f"{LEFT} .card-status")
    shoot(page, "failed-english")


def test_an_emergency_shows_the_banner_with_a_link_to_115(page: Page) -> None:
    ask(page, "پدرم از یک ساعت پیش درد شدید قفسهٔ سینه دارد و عرق سرد کرده است. چه کنم؟")
    link = page.locator(".flag a.call").first
    expect(link).to_be_visible()
    assert link.get_attribute("href") == "tel:115"
    expect(link).to_have_text("۱۱۵ · اورژانس", use_inner_text=True)
    gap = "card.getBoundingClientRect().top - document.querySelector('.flag').getBoundingClientRect().bottom"
    gaps = page.evaluate(f"Array.from(document.querySelectorAll('.card'), card => {gap})")
    assert min(gaps) >= 0, "the banner stands above both sides"
    wait_ended(page)
    shoot(page, "emergency")


def test_closing_the_page_stops_the_engine(open_page: Opener, server: Server) -> None:
    page = open_page()
    ask(page, "#کند دربارهٔ فشار خون بگو.")
    page.wait_for_function(f"document.querySelector('{LEFT}').innerText.length > 150")
    with Store(server.store) as store:
        asked = list(store.comparisons())[-1].id
        page.close()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            found = store.comparison(asked)
            assert found
            if all(found.attempts[side] for side in ("left", "right")):
                break
            time.sleep(0.2)
        reasons = {side: [row.answer.finish_reason for row in found.attempts[side]] for side in ("left", "right")}
    assert reasons == {"left": ["stopped"], "right": ["stopped"]}


def test_many_visitors_are_not_put_in_line(open_page: Opener) -> None:
    pages = [open_page() for _ in range(3)]
    for page in pages:
        ask(page, "#چپ‌تند سرفه چند روز می‌ماند؟")
    for page in pages:
        wait_phase(page, "left", "ended", timeout=3_000)
        assert page.get_attribute(RIGHT, "data-phase") == "busy"
