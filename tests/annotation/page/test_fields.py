"""A record's fields: exact text for any text, spans that the page can trust, and nothing that names a model."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.page.fields import fields_of, pack, payload
from annotation.page.spans import marked
from gaokerena.bidi import runs
from gaokerena.persian import BIDI_CONTROLS
from tests.annotation.page.page_cases import HOSTILE, LONE, MODELS, REASONED, item, plain, shown

anything = st.text(st.characters(exclude_categories=()) | st.sampled_from("ا ب A1\n\u202e\u2066\x00<$&`'🙂"))


def unpack(packed: str) -> Any:
    """As the page reads it."""
    return json.loads(base64.b64decode(packed, validate=True))


def utf16(text: str, start: int, end: int) -> str:
    """A slice as JavaScript takes it."""
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")


@given(anything)
@settings(deadline=None)
def test_any_text_comes_back_exactly(text: str) -> None:
    packed = pack({"text": text})
    assert re.fullmatch(r"[A-Za-z0-9+/]+=*", packed), "nothing that a page or String.replace could read"
    assert unpack(packed) == {"text": text}


@given(anything)
@settings(deadline=None)
def test_spans_are_in_order_and_within_the_text(text: str) -> None:
    found = marked(text)
    assert found["text"] == text
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    places = [place for span in found["ltr"] for place in span]
    assert places == sorted(places)
    assert all(0 <= place <= units for place in places)
    assert all(start < end for start, end in found["ltr"])


def test_spans_cut_out_the_left_to_right_runs() -> None:
    text = "🙂 روزانه Metformin 500 mg و فشار 120/80 mmHg"
    assert [utf16(text, *span) for span in marked(text)["ltr"]] == ["Metformin 500 mg", "120/80 mmHg"]
    assert [piece for piece, ltr in runs(text) if ltr] == ["Metformin 500 mg", "120/80 mmHg"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("متن </script><b>x</b> است", ["</script><b>x</b>"]),
        ("(دارو) List<int> و a<b &amp; c، تمام.", ["List<int>", "a<b &amp; c"]),
        ("حساب ${1} #TEMPLATE# {{7*7}} پایان", ["${1} #TEMPLATE# {{7*7}}"]),
        ("فشار < 90 mmHg بود", ["< 90 mmHg"]),
        ("سدیم (Na=135) کم است", ["(Na=135)"]),
        ("سدیم (Na=135 کم) و (کم، K=3) است", ["Na=135", "K=3"]),
        ("دو = سه & چهار", []),
        ("**Metformin** و *ب*", ["Metformin"]),
    ],
)
def test_code_and_markup_are_one_span(text: str, pieces: list[str]) -> None:
    assert [utf16(text, *span) for span in marked(text)["ltr"]] == pieces


def test_a_bidi_control_keeps_its_place_and_moves_no_span() -> None:
    text = "دارو \u202eMetformin\u202c بود"
    (span,) = marked(text)["ltr"]
    assert utf16(text, *span) == "Metformin"
    assert all(control in marked(control)["text"] for control in BIDI_CONTROLS)


@pytest.mark.parametrize("piece", ["a<b ", "ب a<b ", ")", "( ", "<", "=", "۱<a "])
def test_spans_of_a_long_text_take_no_time(piece: str) -> None:
    start = time.perf_counter()
    marked(piece * (200_000 // len(piece)))
    assert time.perf_counter() - start < 20


def test_a_record_holds_one_packed_field() -> None:
    fields = fields_of(item(right=plain("m", HOSTILE + LONE)))
    assert list(fields) == ["comparison"]
    assert list(fields["comparison"]) == ["b64"]
    assert unpack(fields["comparison"]["b64"])["sides"]["right"]["conclusion"]["text"] == (HOSTILE + LONE).strip()


def test_nothing_says_who_wrote_or_what_is_right() -> None:
    said = repr(payload(item()))
    for word in (*MODELS, "gold", "seed", "transcripts", "disagreement", "clinical_knowledge", "mmlu", "model", "twin"):
        assert word not in said
    assert payload(item()).keys() == {"question", "options", "sides"}


def test_sides_are_not_exchanged() -> None:
    sides = payload(item(left=plain("a", "چپ است"), right=plain("b", "راست است")))["sides"]
    assert sides["left"]["conclusion"]["text"] == "چپ است"
    assert sides["right"]["conclusion"]["text"] == "راست است"


def test_steps_are_numbered_as_the_verdict_names_them_and_nothing_is_lost() -> None:
    given_one = shown("m", REASONED)
    side = payload(item(right=given_one))["sides"]["right"]
    assert [step["text"] for step in side["steps"]] == list(given_one.steps)
    assert len(side["steps"]) == 3
    assert side["introduction"]["text"] == "برای پاسخ به این پرسش گام‌به‌گام پیش می‌رویم."
    assert side["conclusion"]["text"] == "بنابراین گزینهٔ درست «ب) مایع وریدی» است."
    assert letters([side["introduction"], *side["steps"], side["conclusion"]]) == letters([{"text": REASONED}])


@given(anything)
@settings(deadline=None)
def test_no_letter_of_a_chain_of_thought_is_lost(text: str) -> None:
    answer = plain("m", "").model_copy(update={"reasoning": text, "text": text})
    side = payload(item(left=answer))["sides"]["left"]
    assert letters([side["introduction"], *side["steps"], side["conclusion"]]) == letters([{"text": text}])


def test_an_introduction_that_repeats_the_first_step_is_shown_whole() -> None:
    answer = plain("m", "").model_copy(update={"reasoning": "خلاصه: ۱. تب\n۱. تب\n۲. سرفه"})
    side = payload(item(left=answer))["sides"]["left"]
    assert side["introduction"]["text"] == "خلاصه: ۱. تب"
    assert [step["text"] for step in side["steps"]] == ["۱. تب", "۲. سرفه"]


def test_an_answer_that_was_not_split_is_shown_whole() -> None:
    answer = plain("m", "").model_copy(update={"text": "همه در یک بند."})
    assert payload(item(left=answer))["sides"]["left"]["conclusion"]["text"] == "همه در یک بند."


def letters(texts: list[dict[str, Any]]) -> str:
    return re.sub(r"\s+", "", "".join(part["text"] for part in texts))
