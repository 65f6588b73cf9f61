"""Reading on Argilla's real page: sides, chain of thought, Latin words, theme, width; and nothing about models."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from tests.annotation.page.page_cases import MODELS, item, plain
from tests.browser.annotation.conftest import FRAME, Desktop, Opener, shoot

pytestmark = pytest.mark.browser

RIGHT, LEFT = '.card[data-side="right"]', '.card[data-side="left"]'
NOT_CLIPPED = """() => {
    const frame = document.querySelector('.custom_field_component iframe');
    return frame.clientHeight - frame.contentDocument.documentElement.scrollHeight;
}"""


def test_left_is_left_and_right_is_right(shared: Desktop) -> None:
    left, right = (shared.frame.locator(card).bounding_box() for card in (LEFT, RIGHT))
    assert left
    assert right
    assert left["x"] + left["width"] < right["x"], "the card called left stands on the left of the screen"
    assert left["y"] == right["y"]
    expect(shared.frame.locator(f"{LEFT} h2")).to_have_text("پاسخ چپ")
    expect(shared.frame.locator(f"{RIGHT} h2")).to_have_text("پاسخ راست")
    expect(shared.frame.locator(f"{LEFT} .conclusion")).to_contain_text("گزینهٔ درست ج است")
    expect(shared.frame.locator(f"{RIGHT} .conclusion")).to_contain_text("مایع وریدی")
    places = [
        shared.page.locator(f"label[for=grade_{grade}]").bounding_box()
        for grade in ("left_much", "left", "equal", "right", "right_much")
    ]
    lefts = [place["x"] for place in places if place]
    assert len(lefts) == 5
    assert lefts == sorted(lefts), "the grades run as the cards stand"
    shoot(shared.page, "doctor-1280")


def test_on_a_phone_the_cards_are_stacked_and_named(open_items: Opener) -> None:
    opened = open_items([item()], viewport={"width": 390, "height": 844})
    left, right = (opened.frame.locator(card).bounding_box() for card in (LEFT, RIGHT))
    assert left
    assert right
    assert right["y"] + right["height"] < left["y"], "in the order they are read"
    assert left["x"] == right["x"]
    wide = opened.page.evaluate(f"document.querySelector('{FRAME}').contentDocument.documentElement.scrollWidth")
    assert wide <= opened.page.locator(FRAME).bounding_box()["width"], "nothing sticks out"  # type: ignore[index]
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390
    shoot(opened.page, "doctor-390")


def test_an_opened_chain_of_thought_is_whole_and_numbered(shared: Desktop) -> None:
    chain = shared.frame.locator(f"{RIGHT} details")
    assert chain.get_attribute("open") is None, "the conclusion comes first"
    before = shared.page.locator(FRAME).bounding_box()
    chain.locator("summary").click()
    shared.page.wait_for_function(f"({NOT_CLIPPED})() >= 0")
    after = shared.page.locator(FRAME).bounding_box()
    assert before
    assert after
    assert after["height"] > before["height"] + 100
    last = chain.locator(".steps > li").last.bounding_box()
    assert last
    assert last["y"] + last["height"] <= after["y"] + after["height"], "the last step is not cut off"
    assert chain.locator(".number").all_inner_texts() == ["۱", "۲", "۳"]
    expect(chain.locator(".introduction")).to_contain_text("گام‌به‌گام")
    shoot(shared.page, "doctor-chain")
    chain.locator("summary").click()
    shared.page.wait_for_function(
        f"document.querySelector('{FRAME}').clientHeight <= {before['height']} + 1", timeout=3_000
    )


def test_a_side_without_a_chain_says_so_and_one_without_a_conclusion_opens_it(open_items: Opener) -> None:
    bare = plain("m", "").model_copy(update={"reasoning": "نخست تب را می‌سنجیم. سپس ادرار را."})
    opened = open_items([item(right=bare)])
    expect(opened.frame.locator(f"{LEFT} .none")).to_be_visible()
    expect(opened.frame.locator(f"{LEFT} details")).not_to_be_visible()
    expect(opened.frame.locator(f"{RIGHT} .steps")).to_be_visible()
    expect(opened.frame.locator(f"{RIGHT} .conclusion")).to_contain_text("نتیجه‌گیری جداگانه‌ای ندارد")


def test_latin_runs_stand_alone_and_marks_are_rendered(shared: Desktop) -> None:
    runs = shared.run("(root) => [...root.querySelectorAll('.asked bdi, .options bdi')].map((one) => one.textContent)")
    assert runs[:3] == ["۹۰/۶۰ mmHg", "ST elevation", "II"]
    assert "Furosemide 40 mg" in runs
    left = shared.frame.locator(f"{LEFT} .conclusion")
    assert left.locator("strong").all_inner_texts() == ["ج"]
    assert left.locator("h4").all_inner_texts() == ["چرا"]
    assert left.locator("li > div").count() == 2
    assert left.locator("code").all_inner_texts() == ["Morphine 2-4 mg IV"]
    assert left.locator("code").get_attribute("dir") == "ltr"
    assert "**" not in left.inner_text()


def test_marks_of_a_small_markdown(shared: Desktop) -> None:
    cases = {
        "یک\n\nدو\nسه": "p p",
        "1. الف\n2) ب\n- ج": "ul(li li li)",
        "```\na **b**\n\n# c\n```\nد": "pre(code) p",
        "```\nباز ماند\n- ج": "p ul(li)",
        "**باز\n**": "p",
        "`a **b**` **c `d`**": "p(code strong)",
        "---\n| a | b |\n[x](http://y) ![i](z) _k_ <b>": "p",
        "```\n```": "pre(code)",
        "#بدون فاصله": "p",
        "": "",
    }
    script = """(root, texts) => {
        const nested = (element) => [...element.children]
            .filter((child) => !['BDI', 'SPAN', 'DIV'].includes(child.tagName))
            .map((child) => child.tagName.toLowerCase() + (nested(child) && `(${nested(child)})`)).join(' ');
        return texts.map((text) => nested(doctorText.shown({ text, ltr: [] })));
    }"""
    found = shared.run(script, list(cases))
    assert dict(zip(cases, found, strict=True)) == cases


def test_the_font_is_ours_and_the_theme_follows_argillas(open_items: Opener) -> None:
    opened = open_items([item()], color_scheme="dark")
    loaded = "() => [...document.fonts].filter((f) => f.family === 'Vazirmatn' && f.status === 'loaded').length"
    assert opened.run(loaded) == 2
    color = f"(root) => getComputedStyle(root.querySelector('{LEFT}')).backgroundColor"
    assert opened.run(color) == "rgb(28, 34, 38)"
    shoot(opened.page, "doctor-dark")
    opened.page.evaluate("document.documentElement.setAttribute('data-theme', 'light')")
    opened.page.wait_for_timeout(100)
    assert opened.run(color) == "rgb(255, 255, 255)"


def test_the_form_reads_from_right_to_left_only_here(open_items: Opener) -> None:
    opened = open_items([item()])
    direction = "getComputedStyle(document.querySelector('.questions-form__content .title-area')).direction"
    assert opened.page.evaluate(direction) == "rtl"
    rules = "[...document.head.querySelectorAll('style')].filter((s) => s.textContent.includes('Vazirmatn')).length"
    assert opened.page.evaluate(rules) == 1
    opened.page.locator("text=doctors").first.click()
    opened.page.wait_for_selector(FRAME, state="detached")
    assert opened.page.evaluate(rules) == 0, "what we put into Argilla's page went away with us"


def test_the_guidelines_can_be_read(shared: Desktop) -> None:
    shared.page.locator("text=Guidelines").first.click()
    panel = shared.page.locator(".annotation-guidelines").first
    expect(panel).to_contain_text("راهنمای داوری پزشکان (نسخهٔ fa-2)")
    assert panel.locator("table").count() == 2
    assert "--rtl" in (panel.get_attribute("class") or "")
    shoot(shared.page, "doctor-guidelines")
    panel.locator("table").last.scroll_into_view_if_needed()
    shoot(shared.page, "doctor-guidelines-keys")


def test_nothing_tells_a_model_anywhere(open_items: Opener) -> None:
    heard: list[str] = []
    opened = open_items([item(), item("i2")])
    opened.page.on("response", lambda answer: heard.append(answer.text() if "/api/" in answer.url else ""))
    opened.page.reload()
    opened.frame.locator("main").wait_for()
    opened.page.wait_for_load_state("networkidle")
    seen = [
        opened.page.content(),
        opened.run("(root) => root.innerHTML + document.documentElement.outerHTML + JSON.stringify(record)"),
        opened.page.evaluate("JSON.stringify(localStorage)"),
        *heard,
    ]
    assert any("b64" in text for text in heard), "the record came over HTTP"
    for word in (*MODELS, "zardalu", "transcripts", "disagreement", '"seed"', "revision"):
        assert not any(word in text for text in seen), word
    record = opened.run("() => JSON.stringify([record.metadata, record.external_id, record.suggestions])")
    assert json.loads(record) == [{}, "i1", []] or json.loads(record) == [{}, "i2", []]
