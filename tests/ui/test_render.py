"""Untrusted text never becomes markup; Persian and Latin keep their order; a growing answer changes only its end."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.persian import BIDI_CONTROLS
from gaokerena.ui.render import blocks, copyable, isolated, plain

ALLOWED = {
    "p", "br", "strong", "em", "ul", "ol", "li", "h4", "bdi", "code", "pre", "hr", "blockquote",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


class Tags(HTMLParser):
    """Collects start tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def harmless(html: str) -> Tags:
    seen = Tags(html)
    assert {tag for tag, _ in seen.tags} <= ALLOWED
    for tag, attributes in seen.tags:
        assert set(attributes) <= {"dir", "class", "start", "style"}, (tag, attributes)
        assert attributes.get("style") in (None, "text-align:left", "text-align:right", "text-align:center")
        assert (attributes.get("class") or "language-").startswith("language-")
    return seen


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[برو](javascript:alert(1)) و <a href='//x.test'>اینجا</a>",
    "![تصویر](http://192.0.2.1/a.png)",
    "<http://192.0.2.1/>",
    "[مرجع]: http://192.0.2.1/ 'عنوان'\n\n[مرجع]",
    "&lt;script&gt; &#x3c;b&#x3e;",
    "```html\n<b onclick=1>\n```",
    "`<i>`",
    "| <b>س</b> | ۲ |\n|---|:-:|\n| <svg/onload=1> | x |",
    "<|START_OF_TURN_TOKEN|>",
    "**<u>ضخیم</u>**",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_an_answer_is_text(text: str) -> None:
    seen = harmless("".join(blocks(text)))
    for word in ("script", "onerror", "javascript", "192.0.2.1", "START_OF_TURN_TOKEN", "onclick", "svg"):
        assert (word in text) == (word in seen.text)


@given(st.text(alphabet=st.sampled_from("<>&\"'[]()!*_`#-|\\\n 1.aب\u202e\u2067:/="), max_size=120))
def test_nothing_typed_escapes(text: str) -> None:
    harmless("".join(blocks(text)))
    harmless(plain(text))


def test_bidi_controls_are_gone_everywhere() -> None:
    text = f"سلام {BIDI_CONTROLS} **متن\u202e** `کد\u202e`\n\n```\n\u202eکد\n```"
    for shown in ("".join(blocks(text)), plain(text), copyable(text)):
        assert not set(shown) & set(BIDI_CONTROLS)


def test_latin_runs_and_doses_are_isolated() -> None:
    assert blocks("روزی Metformin 500 mg بخورید") == ['<p>روزی <bdi dir="ltr">Metformin 500 mg</bdi> بخورید</p>']
    assert isolated("a<b") == '<bdi dir="ltr">a&lt;b</bdi>'


def test_the_markdown_a_model_writes_is_kept() -> None:
    shown = "".join(blocks("# عنوان\n**مهم**\n\n- یک\n  - دو\n\n1. الف\n2. ب\n\nخط یک\nخط دو"))
    assert "<h4>عنوان</h4>" in shown
    assert "<strong>مهم</strong>" in shown
    assert shown.count("<ul>") == 2, "a nested list stays nested"
    assert "<ol>" in shown
    assert "خط یک<br>\nخط دو" in shown


def test_a_growing_answer_changes_only_its_last_block() -> None:
    whole = "بند یک با Aspirin.\n\n- الف\n- ب\n\nبند سه که هنوز"
    before, after = blocks(whole), blocks(whole + " ادامه دارد")
    assert len(before) == len(after) == 3
    assert before[:-1] == after[:-1]
    assert before[-1] != after[-1]


def test_blank_is_no_block() -> None:
    assert blocks("") == blocks(" \n\u200f\n") == []


def test_copy_keeps_the_words_and_drops_the_marks() -> None:
    assert copyable("\u2067دوز \u2066500 mg\u2069\u2069\n\n**روزی دو بار**") == "دوز 500 mg\n\n**روزی دو بار**"


@pytest.mark.parametrize("piece", ["*", "[", "> ", "`", "_a", "- ", "|", "<", "**[`", "1. ", "\\", "~~~\n"])
def test_no_pattern_makes_rendering_slow(piece: str) -> None:
    """Against an ordinary text of the same length, with room for a busy machine."""
    ordinary, odd = "تب دارم. " * 2_300, piece * (20_000 // len(piece))
    began = time.perf_counter()
    blocks(ordinary)
    usual = time.perf_counter() - began
    began = time.perf_counter()
    blocks(odd)
    assert time.perf_counter() - began < 60 * max(usual, 0.02)


def test_a_very_long_answer_is_shown_plain() -> None:
    shown = blocks("**الف** " * 20_000)
    assert len(shown) == 1
    assert "<strong>" not in shown[0]
