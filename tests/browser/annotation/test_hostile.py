"""Hostile answers on Argilla's real page: shown to the letter, and nothing of them runs or acts."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from annotation.page.answers import from_values
from annotation.page.fields import payload
from tests.annotation.page.page_cases import HOSTILE, LONE, LONG, item, plain
from tests.browser.annotation.conftest import Desk, Desktop, Opener, ready, shoot, stored

pytestmark = pytest.mark.browser

LEFT = '.card[data-side="left"] .conclusion'
UNITS = (
    f"(root) => [...root.querySelector('{LEFT}').textContent].flatMap((c) => c.split('').map((u) => u.charCodeAt(0)))"
)


def units(text: str) -> list[int]:
    """UTF-16 code units, lone surrogates as they are."""
    data = text.encode("utf-16-le", "surrogatepass")
    return [int.from_bytes(data[place : place + 2], "little") for place in range(0, len(data), 2)]


def shown_units(opened: Desktop) -> list[int]:
    found: list[int] = opened.run(UNITS)
    return found


def elements(opened: Desktop) -> dict[str, Any]:
    """What a hostile text would have left behind."""
    found: dict[str, Any] = opened.run(
        """(root) => ({
            hacked: parent.hacked ?? null, title: parent.document.title,
            images: root.querySelectorAll('img').length + document.querySelectorAll('img').length,
            scripts: root.querySelectorAll('script').length,
            links: root.querySelectorAll('a').length,
        })"""
    )
    return found


def test_a_hostile_answer_is_shown_exactly_and_runs_nothing(open_items: Opener, shared: Desktop) -> None:
    calm = elements(shared)
    opened = open_items([item(left=plain("m", HOSTILE + LONE))])
    assert shown_units(opened) == units(HOSTILE + LONE)
    assert elements(opened) == calm
    assert calm["hacked"] is None
    named = opened.run(f"(root) => [...root.querySelectorAll('{LEFT} .control')].map((one) => one.dataset.code)")
    assert named == ["U+202E", "U+202C", "U+2066", "U+2069", "U+0000", "U+001B", "U+D800"]
    shoot(opened.page, "doctor-hostile")


def test_every_place_of_a_record_takes_a_hostile_text(open_items: Opener) -> None:
    question = item().question.model_copy(update={"text": HOSTILE, "options": (HOSTILE,) * 4})
    thoughts = plain("m", "x").model_copy(update={"reasoning": f"۱. {HOSTILE}\n۲. {HOSTILE}"})
    hostile = item(right=thoughts).model_copy(update={"question": question})
    opened = open_items([hostile])
    seen = opened.run("(root) => [...root.querySelectorAll('.asked, .options li div')].map((one) => one.textContent)")
    assert seen == [HOSTILE] * 5
    steps = opened.run("(root) => [...root.querySelectorAll('.steps > li > div')].map((one) => one.textContent)")
    assert [step.replace("۱.", "").replace("۲.", "") for step in steps] == [HOSTILE] * 2
    assert len(payload(hostile)["sides"]["right"]["steps"]) == 2
    assert elements(opened)["hacked"] is None


def test_an_override_turns_nothing_round(open_items: Opener) -> None:
    opened = open_items([item(left=plain("m", "\u202dادر \u202eABC سه 120-75 mmHg"))])
    places = opened.run(
        f"""(root) => {{
            const walker = document.createTreeWalker(root.querySelector('{LEFT}'), NodeFilter.SHOW_TEXT);
            const left = {{}};
            for (let node = walker.nextNode(); node; node = walker.nextNode())
                for (let at = 0; at < node.length; at += 1) {{
                    const range = document.createRange();
                    range.setStart(node, at);
                    range.setEnd(node, at + 1);
                    left[node.data[at]] = range.getBoundingClientRect().left;
                }}
            return left;
        }}"""
    )
    assert places["ا"] > places["د"] > places["ر"], "a left-to-right override leaves Persian as it is"
    assert places["A"] < places["B"] < places["C"] < places["ا"]
    assert places["1"] < places["7"] < places["H"] < places["A"], "a dose is read in its own order"


def test_two_hundred_kilobytes_are_shown_whole(open_items: Opener) -> None:
    opened = open_items([item(left=plain("m", LONG.strip()))])
    assert shown_units(opened) == units(LONG.strip())
    clipped = "frameElement.clientHeight - document.documentElement.scrollHeight"
    opened.page.wait_for_timeout(300)
    assert opened.run(f"() => {clipped}") >= 0


def test_many_marks_take_no_time(shared: Desktop) -> None:
    script = """(root, text) => {
        const start = performance.now();
        doctorText.shown({ text, ltr: [] });
        return performance.now() - start;
    }"""
    for mark in ("**a ", "`", "```\n", "- ", "# ", "**", "* ** "):
        took = shared.run(script, mark * (200_000 // len(mark)))
        assert took < 5_000, f"{mark!r}: milliseconds; minutes, did each mark look through the rest"


def test_the_record_after_a_hostile_one_is_whole(open_items: Opener) -> None:
    opened = open_items([item("i1", left=plain("m", HOSTILE)), item("i2", left=plain("m", HOSTILE))])
    assert shown_units(opened) == units(HOSTILE)
    first = opened.run("() => record.external_id")
    opened.key("ArrowRight")
    opened.page.wait_for_url("**page=2**")
    ready(opened)
    assert opened.run("() => record.external_id") != first
    assert shown_units(opened) == units(HOSTILE)


def type_against(opened: Desktop) -> None:
    """Types what no look at the text before the caret can see: «</b>$'</script>$&</script>»."""
    keyboard = opened.page.keyboard

    def back(count: int) -> None:
        step = "(n) => { for (; n; n -= 1) getSelection().modify('move', 'backward', 'character'); }"
        opened.page.evaluate(step, count)

    keyboard.type("</b>$'")
    for behind, sign in (("/script>", "<"), ("&", "$")):  # a sign is put before what it begins
        keyboard.type(behind)
        back(len(behind))
        keyboard.type(sign)
        opened.page.evaluate("getSelection().modify('move', 'forward', 'documentboundary')")
    keyboard.type("< /script>")  # and what parts them is taken away
    back(len("/script>"))
    keyboard.press("Backspace")


def test_a_hostile_correction_runs_nothing_when_it_is_opened_again(open_items: Opener, desk: Desk) -> None:
    opened = open_items([item()])
    opened.page.locator("[contenteditable=true]").click()
    paste = "</script><script>parent.hacked=1</script> $& $$ <!-- "
    opened.page.evaluate(
        """(text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData('text/plain', text);
            const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
            document.activeElement.dispatchEvent(paste);
        }""",
        paste,
    )
    type_against(opened)
    opened.key("Escape")
    opened.page.locator("label[for=grade_equal]").click()
    opened.key("Enter")
    (response,) = stored(desk, opened.dataset)
    assert from_values(response["values"])["corrected"] == paste + "</b>$'</script>$&</script>"
    assert not re.search("</|[$][&'$]", response["values"]["corrected"]["value"])
    opened.page.goto(f"{desk.url}/dataset/{opened.dataset}/annotation-mode?page=1&status=submitted")
    opened.frame.locator(LEFT).wait_for()
    assert opened.run("() => record.responses.length") == 1, "else this test shows nothing"
    assert elements(opened)["hacked"] is None
