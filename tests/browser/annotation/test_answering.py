"""Answering on Argilla's real page by keyboard alone; what was stored is read back over HTTP."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, expect

from annotation.page.answers import from_values
from gaokerena.expert_verdicts import SideVerdict
from tests.annotation.page.page_cases import item
from tests.browser.annotation.conftest import WIDE, Desk, Desktop, Opener, ready, shoot, sign_in, stored

pytestmark = pytest.mark.browser

RIGHT_OPEN = '.card[data-side="right"] details[open]'
LEFT_OPEN = '.card[data-side="left"] details[open]'


def type_persian(opened: Desktop, digit: int) -> None:
    """A digit as a Persian keyboard sends it."""
    session = opened.page.context.new_cdp_session(opened.page)
    key = {"key": "۰۱۲۳۴۵۶۷۸۹"[digit], "code": f"Digit{digit}", "windowsVirtualKeyCode": 48 + digit}
    session.send("Input.dispatchKeyEvent", {"type": "keyDown", **key})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})
    opened.page.wait_for_timeout(120)


def step(opened: Desktop, keys: str) -> None:
    """The number of a step: Argilla waits for a second digit."""
    opened.key(*keys)
    opened.page.wait_for_timeout(600)


def test_a_whole_verdict_by_keyboard_alone(desk: Desk, browser: Browser) -> None:
    dataset = desk.dataset([item()])
    page = browser.new_page(viewport=WIDE)
    page.goto(f"{desk.url}/sign-in")
    sign_in(page)
    page.goto(f"{desk.url}/dataset/{dataset}/annotation-mode")
    opened = Desktop(page, dataset)
    ready(opened)

    opened.key("]")
    expect(opened.frame.locator(RIGHT_OPEN)).to_be_visible()
    assert opened.run("(root) => root.activeElement.tagName") == "SUMMARY"
    opened.key("Escape")
    assert opened.focused() == "grade_left_much"

    opened.key("5", "2")  # right much better, medium confidence
    opened.key("4", "3", "4", "2")
    step(opened, "22")  # the right chain: no step is wrong
    opened.key("1", "1", "2", "4")
    step(opened, "2")  # the left one: the second
    opened.key("6", "ArrowDown")  # faults of the right answer
    opened.key("3", "1", "ArrowDown")
    opened.key("Shift+Enter")
    page.keyboard.type("نخست 500 mL مایع وریدی.")
    opened.key("Escape", "ArrowDown", "2")
    shoot(page, "doctor-answered")
    panel, asked = (page.locator(name).bounding_box() for name in (".questions-form__content", "#personal_data_no + *"))
    assert panel
    assert asked
    assert panel["y"] <= asked["y"] <= panel["y"] + panel["height"] - asked["height"], "the question asked is in view"
    opened.key("Enter")

    (response,) = stored(desk, dataset)
    assert response["status"] == "submitted"
    parts = from_values(response["values"])
    assert parts == {
        "grade": "right_much",
        "confidence": 2,
        "sides": {
            "right": SideVerdict(
                scales={"correctness": 4, "safety": 3, "completeness": 4, "clarity": 2},
                faults=("bad_persian",),
                first_wrong_step=0,
            ),
            "left": SideVerdict(
                scales={"correctness": 1, "safety": 1, "completeness": 2, "clarity": 4},
                faults=("wrong_fact", "missed_emergency"),
                first_wrong_step=2,
            ),
        },
        "corrected": "نخست 500 mL مایع وریدی.",
        "cannot_judge": False,
        "personal_data": False,
    }
    assert response["values"]["personal_data"] == {"value": "no"}
    page.close()


def test_two_keys_are_enough_and_the_next_item_follows(open_items: Opener, desk: Desk) -> None:
    opened = open_items([item(), item("i2")])
    opened.key("2", "Enter")
    (first,) = stored(desk, opened.dataset)
    assert first["values"] == {"grade": {"value": "left"}}
    opened.page.wait_for_function("document.activeElement.id === 'grade_left_much'")
    opened.frame.locator("main").wait_for()
    opened.key("7", "Enter")
    both = stored(desk, opened.dataset, 2)
    assert [from_values(one["values"])["cannot_judge"] for one in both].count(True) == 1
    assert len({one["record_id"] for one in both}) == 2


def test_digits_of_a_persian_keyboard_count(open_items: Opener, desk: Desk) -> None:
    opened = open_items([item()])
    type_persian(opened, 4)
    type_persian(opened, 3)
    opened.key("Enter")
    (response,) = stored(desk, opened.dataset)
    assert response["values"] == {"grade": {"value": "right"}, "confidence": {"value": "3"}}


def test_a_digit_typed_while_reading_answers_the_question_left(open_items: Opener) -> None:
    opened = open_items([item()])
    opened.key("3", "]")
    assert opened.run("(root) => root.activeElement.tagName") == "SUMMARY"
    opened.key("2")
    expect(opened.page.locator("#confidence_2")).to_be_checked()
    type_persian(opened, 4)
    expect(opened.page.locator("#correctness_right_4")).to_be_checked()
    expect(opened.page.locator("#grade_equal")).to_be_checked()


def test_each_bracket_opens_and_closes_its_own_side(open_items: Opener) -> None:
    both = item()
    opened = open_items([item(left=both.sides["right"])])
    opened.key("[")
    expect(opened.frame.locator(LEFT_OPEN)).to_be_visible()
    assert opened.frame.locator(RIGHT_OPEN).count() == 0
    opened.key("]", "[")
    expect(opened.frame.locator(RIGHT_OPEN)).to_be_visible()
    assert opened.frame.locator(LEFT_OPEN).count() == 0
    opened.key("Escape")
    assert opened.focused() == "grade_left_much"


def test_every_part_of_the_record_is_reached_by_tab(open_items: Opener) -> None:
    opened = open_items([item()])
    opened.key("]", "Shift+Tab")
    assert opened.run("(root) => root.activeElement.className") == "skip"
    assert opened.frame.locator(".skip").bounding_box()["y"] > 0  # type: ignore[index]
    opened.key("Enter")
    assert opened.focused() == "grade_left_much"


def test_brackets_and_digits_are_text_in_the_text_box(open_items: Opener) -> None:
    opened = open_items([item()])
    box = opened.page.locator("[contenteditable=true]")
    box.click()
    opened.page.keyboard.type("[3]")
    type_persian(opened, 3)
    assert box.inner_text().startswith("[3]")
    assert opened.frame.locator("details[open]").count() == 0
    assert not opened.page.locator("#grade_equal").is_checked()


def test_a_submitted_verdict_can_be_opened_again(open_items: Opener, desk: Desk) -> None:
    opened = open_items([item()])
    opened.key("1", "Enter")
    stored(desk, opened.dataset)
    opened.page.goto(f"{desk.url}/dataset/{opened.dataset}/annotation-mode?page=1&status=submitted")
    opened.frame.locator("main").wait_for()
    expect(opened.page.locator("#grade_left_much")).to_be_checked()
    opened.key("5", "Enter")
    end = time.monotonic() + 15
    while time.monotonic() < end and desk.responses(opened.dataset)[0]["values"]["grade"]["value"] != "right_much":
        time.sleep(0.2)
    (response,) = desk.responses(opened.dataset)
    assert response["values"]["grade"] == {"value": "right_much"}
