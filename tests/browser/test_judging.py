"""Judging on the real page: hidden until the verdict is stored, shown after it, early votes, changed minds."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

from gaokerena.store import Store
from tests.browser.conftest import Opener, ask, shoot, wait_ended, wait_phase
from tests.ui.page_server import Server

pytestmark = pytest.mark.browser

NAMES = ("gaokerena-v1.0", "gaokerena-r1.0")


def vote(page: Page, choice: str, *reasons: str) -> None:
    page.click(f".verdict input[value={choice}] + span")
    for reason in reasons:
        page.click(f".verdict input[value={reason}] + span")
    page.click(".verdict button[type=submit]")


LISTEN = """
    window.heard = '';
    const real = window.fetch;
    window.fetch = async (...request) => {
        const response = await real(...request);
        const reader = response.clone().body?.getReader();
        const decoder = new TextDecoder();
        (async () => {
            for (let part = await reader?.read(); part && !part.done; part = await reader.read())
                window.heard += decoder.decode(part.value, { stream: true });
        })().catch(() => {}); // the page drops a stream it has read to its end
        return response;
    };
"""
"""Keeps everything the page fetches, streams included."""


def test_no_name_before_the_verdict_and_both_after_it(open_page: Opener, server: Server) -> None:
    page = open_page(script=LISTEN)
    ask(page, "#تند آنفلوانزا چیست؟")
    wait_ended(page)
    heard = page.evaluate("window.heard")
    assert "Acetaminophen" in heard, "the answers must have come this way"
    seen = heard + page.content() + page.evaluate("JSON.stringify(window.gradio_config)")
    assert not [name for name in NAMES if name in seen]
    assert page.inner_text('.card[data-side="left"] .card-who') == ""
    vote(page, "left", "incomplete", "unclear")
    expect(page.locator(".verdict-message")).to_contain_text("داوری شما ثبت شد")
    with Store(server.store) as store:
        kept = list(store.comparisons())[-1]
        verdict = list(store.verdicts())[-1]
    assert (verdict.comparison_id, verdict.choice, verdict.reasons) == (kept.id, "left", ("incomplete", "unclear"))
    assert verdict.blind
    for side, model in (("left", kept.left), ("right", kept.right)):
        expect(page.locator(f'.card[data-side="{side}"] .card-who')).to_contain_text(f"gaokerena-{model}1.0")
    shoot(page, "judged")


def test_focus_stays_on_the_button_after_the_vote(page: Page) -> None:
    ask(page, "#تند سرخک چیست؟")
    wait_ended(page)
    page.focus(".verdict input[value=right]")
    page.keyboard.press("Space")
    page.focus(".verdict button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict-message")).to_contain_text("ثبت شد")
    assert page.evaluate("document.activeElement.matches('.verdict button[type=submit]')")
    assert page.inner_text("#status").strip() == "داوری ثبت شد و نام مدل‌ها پیداست."


def test_a_second_verdict_replaces_the_first_and_both_stay(page: Page, server: Server) -> None:
    ask(page, "#تند اوریون چیست؟")
    wait_ended(page)
    vote(page, "tie")
    expect(page.locator(".verdict-message")).to_contain_text("ثبت شد")
    vote(page, "both_bad", "wrong")
    expect(page.locator(".verdict")).to_have_attribute("data-phase", "judged")
    page.wait_for_timeout(500)
    with Store(server.store) as store:
        comparison = list(store.comparisons())[-1].id
        every = [verdict for verdict in store.verdicts() if verdict.comparison_id == comparison]
        current = [verdict for verdict in store.current_verdicts() if verdict.comparison_id == comparison]
    assert [verdict.choice for verdict in every] == ["tie", "both_bad"]
    assert [verdict.choice for verdict in current] == ["both_bad"]
    assert [verdict.blind for verdict in every] == [True, False], "the second one was given with the names in view"


def test_a_vote_can_come_before_the_end(page: Page) -> None:
    ask(page, "#کند بیماری قلبی چیست؟")
    expect(page.locator(".verdict")).to_have_attribute("data-phase", "open", timeout=15_000)
    assert page.get_attribute('.card[data-side="left"]', "data-phase") == "busy"
    vote(page, "right")
    expect(page.locator(".verdict-message")).to_contain_text("ثبت شد")
    page.wait_for_timeout(500)
    expect(page.locator('.card[data-side="left"] .card-who')).to_contain_text("gaokerena")
    assert page.get_attribute('.card[data-side="left"]', "data-phase") == "busy", "the answers go on"
    page.click("#stop-both")
    wait_ended(page)
    expect(page.locator('.card[data-side="left"] .card-who')).to_contain_text("gaokerena")


def test_without_a_choice_nothing_is_sent(page: Page) -> None:
    ask(page, "#تند زونا چیست؟")
    wait_ended(page)
    page.click(".verdict button[type=submit]")
    expect(page.locator(".choose-first")).to_be_visible()
    assert page.evaluate("document.activeElement.name") == "choice"
    assert page.inner_text(".verdict-message") == ""


def test_the_bar_is_closed_before_there_is_anything_to_judge(page: Page) -> None:
    assert page.is_disabled(".verdict button[type=submit]")
    ask(page, "#صف کزاز چیست؟")
    wait_phase(page, "left", "busy")
    assert page.is_disabled(".verdict button[type=submit]")


def test_a_side_that_wrote_nothing_can_only_lose(page: Page, server: Server) -> None:
    ask(page, "#خاموش کهیر چیست؟")
    wait_ended(page)
    expect(page.locator(".verdict")).to_have_attribute("data-phase", "open")
    expect(page.locator(".verdict-silent")).to_contain_text("یک سو چیزی ننوشت")
    disabled = page.locator(".verdict input[name=choice]:disabled")
    assert {box.get_attribute("value") for box in disabled.all()} == {"left", "tie"}
    shoot(page, "one-silent")
    vote(page, "right")
    expect(page.locator(".verdict-message")).to_contain_text("ثبت شد")
    with Store(server.store) as store:
        assert list(store.verdicts())[-1].choice == "right"
    ask(page, "#تند کهیر چیست؟")
    expect(page.locator("#asked")).to_contain_text("#تند")
    wait_ended(page)
    expect(page.locator(".verdict-silent")).not_to_be_visible()
    assert page.locator(".verdict input[name=choice]:enabled").count() == 4


def test_after_the_reveal_the_conversation_is_not_blind(page: Page, server: Server) -> None:
    ask(page, "#تند نقرس چیست؟")
    wait_ended(page)
    vote(page, "left")
    expect(page.locator(".verdict-message")).to_contain_text("ثبت شد")
    page.fill("#next-question textarea", "#تند چه نخورم؟")
    page.click("#follow")
    expect(page.locator("#asked")).to_contain_text("چه نخورم؟")
    wait_ended(page)
    expect(page.locator(".verdict")).to_have_attribute("data-phase", "known")
    assert not page.is_checked(".verdict input[value=left]"), "a new comparison begins with an empty form"
    with Store(server.store) as store:
        first, second = list(store.comparisons())[-2:]
    assert first.blind
    assert not second.blind
    assert second.follows == first.id


def test_consent_is_off_by_default_and_decides_what_is_kept(page: Page, server: Server) -> None:
    box = page.locator("#consent input")
    expect(box).not_to_be_checked()
    ask(page, "#تند این متن نباید بماند.")
    wait_ended(page)
    box.check()
    ask(page, "#تند این متن می‌تواند بماند.")
    expect(page.locator("#asked")).to_contain_text("می‌تواند")
    wait_ended(page)
    with Store(server.store) as store:
        without, given = list(store.comparisons())[-2:]
    assert without.question is None
    assert given.question
    assert given.question.text == "#تند این متن می‌تواند بماند."
