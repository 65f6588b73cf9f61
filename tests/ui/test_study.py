"""What the study's tab says back: nothing about models, errors that keep the form, steps numbered once."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gaokerena.bidi import strip
from gaokerena.expert_verdicts import FAULTS, GRADES, SCALES, STEPS, read
from gaokerena.study import Study, StudyAnswer
from gaokerena.ui import study as tab
from gaokerena.ui.study_form import frame, number_words, step_chips
from tests.study_cases import HOSTILE, THOUGHT, study_file


@pytest.fixture
def panel(tmp_path: Path) -> tab.Panel:
    return tab.Panel(Study(study_file(tmp_path / "study.jsonl", hostile=True), tmp_path / "out.jsonl"))


def heard(panel: tab.Panel, **sent: Any) -> dict[str, Any]:
    return panel.heard(SimpleNamespace(_data=sent))  # type: ignore[arg-type]


def test_the_first_value_asks_a_code_and_brings_the_guidelines(panel: tab.Panel) -> None:
    first = panel.first()
    assert (first["phase"], first["reply"]) == ("code", 0)
    assert "<strong>ایمنی</strong>" in "".join(first["guidelines"])


def test_a_code_brings_the_first_item_and_the_answer_names_its_event(panel: tab.Panel) -> None:
    value = heard(panel, do="enter", code="p1", reply=77)
    assert (value["phase"], value["reply"], value["code"], value["done"], value["total"]) == ("item", 77, "p1", 0, 4)
    assert value["given"] is None
    json.dumps(value)


def test_a_verdict_brings_the_next_item_and_the_last_one_the_end(panel: tab.Panel, tmp_path: Path) -> None:
    value = heard(panel, do="enter", code="p1")
    seen = []
    while value["phase"] == "item":
        seen.append(value["item"])
        value = heard(panel, do="submit", code="p1", item=value["item"], given={"grade": "left"}, seconds=2)
        assert value["stored"] == seen[-1]
    assert (value["phase"], value["done"], len(set(seen))) == ("done", 4, 4)
    assert [row.item_id for row in read(tmp_path / "out.jsonl")] == seen


def test_going_back_brings_what_was_said_as_the_form_names_it(panel: tab.Panel) -> None:
    item = heard(panel, do="enter", code="p1")["item"]
    given = {"grade": None, "cannot_judge": True, "right": {"scales": {"safety": "2"}, "faults": ["unsafe"]}}
    heard(panel, do="submit", code="p1", item=item, given=given, seconds=7)
    value = heard(panel, do="back", code="p1", item="")
    assert value["item"] == item
    assert value["given"].pop("at").startswith("20")
    assert value["given"] == {
        "grade": "cannot_judge", "confidence": None, "corrected": "", "personal_data": False, "seconds": 7.0,
        "safety-right": 2, "step-right": None, "faults-right": ["unsafe"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"do": "enter", "code": ""}, "کد باید"),
        ({"do": "submit", "code": "p1", "item": "i9", "given": {}}, "این مورد در این پژوهش نیست"),
        ({"do": "submit", "code": "p1", "item": "i1", "given": {}}, "نخست بگویید کدام پاسخ بهتر است"),
        ({}, "کد باید"),
    ],
)
def test_a_refusal_leaves_the_form_as_it_is(panel: tab.Panel, sent: dict[str, Any], words: str) -> None:
    value = heard(panel, **sent)
    assert value["phase"] == "same"
    assert words in value["error"]
    assert "item" not in value


def test_a_disk_that_fails_is_no_thank_you(panel: tab.Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gaokerena.expert_verdicts.VerdictFile.append", full)
    value = heard(panel, do="submit", code="p1", item="i1", given={"grade": "left"})
    assert (value["phase"], value["message"]) == ("same", "")
    assert "ثبت نشد" in value["error"]


def test_a_disk_that_fails_while_nothing_is_submitted_is_not_called_a_lost_verdict(
    panel: tab.Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("gaokerena.study.Study.given", broken)
    for do in ("enter", "back"):
        value = heard(panel, do=do, code="p1", item="i1")
        assert value["phase"] == "same"
        assert "ثبت نشد" not in value["error"]
        assert "خطایی پیش آمد" in value["error"]


def test_what_breaks_unforeseen_is_said_too(panel: tab.Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gaokerena.study.Study.place", lambda *_: 1 / 0)
    assert "خطایی پیش آمد" in heard(panel, do="enter", code="p1")["error"]


def test_hostile_text_is_text_in_every_part(panel: tab.Panel) -> None:
    value = heard(panel, do="enter", code="p1")
    html = "".join(block for side in value["sides"].values() for block in side["answer"])
    assert not re.search("<(script|img)", html)
    plain = unescape(re.sub("<[^>]*>", "", html))
    assert strip(HOSTILE) in plain


def test_an_introduction_that_repeats_the_first_step_is_shown_whole() -> None:
    reasoning = "خلاصه: ۱. تب\n۱. تب\n۲. سرفه"
    [before, *steps] = tab._thoughts(StudyAnswer(reasoning=reasoning, steps=("۱. تب", "۲. سرفه")))
    assert re.sub("<[^>]*>", "", before).split() == ["خلاصه:", "۱.", "تب"]
    assert len(steps) == 2


def test_steps_are_numbered_once_and_what_stands_before_them_is_kept() -> None:
    answer = StudyAnswer(reasoning=THOUGHT, steps=tuple(THOUGHT.strip().split("\n")[1:]))
    [before, *steps] = tab._thoughts(answer)
    assert "شرح حال را مرور می‌کنم" in before
    assert len(steps) == 3
    for number, step in enumerate(steps, 1):
        assert f'<span class="study-number">{number_words(number)}</span>' in step
        assert "<ol" not in step
    assert tab._bare("۳. پس", 2) == "۳. پس", "a number of its own that is another one stays"
    assert tab._bare("2) پس", 2) == "پس"


def test_a_long_chain_offers_twenty_steps_and_a_later_one() -> None:
    chips = step_chips("left", 40)
    assert re.findall(r'value="(\d+)"', chips) == [str(n) for n in range(STEPS + 2)]
    assert f"پس از {'۲۰'}" in chips
    assert re.findall(r'value="(\d+)"', step_chips("left", 20)) == [str(n) for n in range(21)]
    assert "پس از" not in step_chips("left", 20)
    assert "input" not in step_chips("left", 0)


def test_the_form_offers_everything_a_verdict_may_hold() -> None:
    html = frame()
    for grade in (*GRADES, "cannot_judge"):
        assert html.count(f'name="grade" value="{grade}"') == 1
    for side in ("left", "right"):
        for scale in SCALES:
            assert re.findall(rf'name="{scale}-{side}" value="(\d)"', html) == ["1", "2", "3", "4"]
        assert re.findall(rf'name="faults-{side}" value="(\w+)"', html) == list(FAULTS)
    assert " checked" not in html, "nothing is suggested"
    assert "${" not in html
    assert "{{" not in html
