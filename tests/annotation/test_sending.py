"""What a record holds, and what it must never hold."""

from __future__ import annotations

import json

import pytest

from annotation.items import Item, swapped
from annotation.mixing import item_of
from annotation.page.fields import fields_of
from annotation.sending import LeakError, blinded, check, records_of, slug
from tests.annotation.push_cases import opened, pair_of, shown
from tests.annotation.test_mixing import KEY, golds, mains


def test_the_page_gets_an_item_that_knows_nothing() -> None:
    item = item_of(pair_of(1, red_flag=1.0), ("red_flag",), KEY, 7)
    question = item.question.model_copy(update={"gold": "A", "suite": "mmlu_fa", "options": ("۱", "۲", "۳", "۴")})
    sides = {**item.sides, "left": shown("پاسخ", "gaokerena-v1.0", revision="revision-7")}
    item = item.model_copy(
        update={"question": question, "pair_id": "pair-7", "red_flags": ("cardiac",), "sides": sides}
    )
    blind = blinded(item)
    seen = blind.model_dump_json()
    for word in ("gaokerena", "revision-7", "cardiac", "mmlu", "pair-7", '"A"', "transcripts", item.at):
        assert word not in seen
    assert (blind.reasons, blind.comparison_id, blind.kind, blind.seed) == ((), None, "comparison", 0)
    assert "پاسخ" in seen
    assert item.question.text in seen


def test_nothing_tells_gold_and_duplicates_from_the_rest() -> None:
    comparisons, gold = mains(4), golds(2)
    items = [comparisons[0], gold[0], comparisons[1], swapped(comparisons[0], KEY), gold[1], comparisons[2]]
    records = records_of([(item, "b1") for item in items], fields_of)
    subjects = [slug(item.question.subject) for item in items]
    assert subjects[1] == subjects[4] == "none"
    assert [record["metadata"]["subject"] for record in records] == [
        subjects[0], subjects[0], subjects[2], subjects[3], subjects[3], subjects[5]
    ]  # fmt: skip
    assert {tuple(record) for record in records} == {("external_id", "fields", "metadata")}
    assert len({json.dumps(_shape(record)) for record in records}) == 1


def _shape(record: dict[str, object]) -> object:
    """The record with every word replaced by its kind."""
    if isinstance(record, dict):
        return {name: _shape(value) for name, value in record.items()}  # type: ignore[arg-type]
    return type(record).__name__


def test_the_left_answer_is_on_the_left() -> None:
    [record] = records_of([(mains(1)[0], "b1")], fields_of)
    page = opened(record)
    for side, one in mains(1)[0].sides.items():
        assert page["sides"][side]["conclusion"]["text"] == one.text


def test_only_the_missing_are_filled() -> None:
    planned: list[tuple[Item, str]] = [(item, "b1") for item in mains(5)]
    names = [item.id for item, _ in planned]
    assert [row["external_id"] for row in records_of(planned, fields_of, skip={names[0], names[3]})] == [
        names[1], names[2], names[4]
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"suggestions": []},
        {"responses": []},
        {"external_id": "gaokerena r1"},
        {"external_id": "</script>"},
        {"metadata": {"batch": "b1", "subject": "قلب"}},
        {"metadata": {"batch": 1}},
        {"metadata": {"batch": ""}},
    ],
)
def test_a_record_of_another_shape_is_refused(changes: dict[str, object]) -> None:
    [record] = records_of([(mains(1)[0], "b1")], fields_of)
    check(record)
    with pytest.raises(LeakError):
        check({**record, **changes})


def test_subjects_become_plain_words() -> None:
    assert slug("Clinical knowledge (2)") == "clinical_knowledge_2"
    assert slug(None) == slug("") == "none"
    assert slug("قلب و عروق") == slug("قلب و عروق") != slug("اطفال")
    assert slug("قلب").isascii()
