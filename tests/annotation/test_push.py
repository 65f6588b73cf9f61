"""A push: what it chooses, and that the same one again changes nothing."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from annotation.candidates import Found
from annotation.items import Ledger
from annotation.mixing import Mixing
from annotation.page.settings import dataset_settings
from annotation.plans import Plans
from annotation.push import Target, Wanted
from tests.annotation.push_cases import (
    FakeArgilla,
    found,
    gold_file,
    opened,
    pair_of,
    pushed,
    shown,
    wanted,
    writes,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def test_a_push_makes_the_dataset_and_fills_it(fake: FakeArgilla, folder: Path) -> None:
    summary = pushed(fake, folder, wanted(20, mixing=Mixing(duplicates=0.1, distance=5)))
    assert (summary.comparisons, summary.duplicates, summary.sent) == (20, 2, 22)
    [dataset] = fake.datasets
    assert dataset["status"] == "ready"
    assert dataset["distribution"] == {"strategy": "overlap", "min_submitted": 2}
    made = {kind: [part["name"] for part in parts] for (_, kind), parts in fake.parts.items()}
    settings = dataset_settings()
    assert made["questions"] == [question["name"] for question in settings["questions"]]
    assert made["metadata-properties"] == ["batch", "subject"]
    items = Ledger(folder).items
    assert [row["external_id"] for row in fake.rows()] == [name for name, _ in Plans(folder).items("doctors", "first")]
    for row in fake.rows():
        assert opened(row)["question"]["text"] == items[row["external_id"]].question.text


def test_pushing_twice_sends_nothing_and_reads_no_source(fake: FakeArgilla, folder: Path) -> None:
    pushed(fake, folder, wanted(20))
    before, ledger = json.dumps(fake.rows()), (folder / "items.jsonl").read_bytes()
    fake.sent.clear()

    def never() -> Found:
        raise AssertionError("nothing is missing, so no source is to be read")

    summary = pushed(fake, folder, Wanted(never, 20))
    assert (summary.sent, summary.there_before, summary.planned) == (0, 21, 21)
    assert not writes(fake)
    assert json.dumps(fake.rows()) == before
    assert (folder / "items.jsonl").read_bytes() == ledger


def test_all_of_the_sources_twice_adds_nothing(fake: FakeArgilla, folder: Path) -> None:
    assert pushed(fake, folder, wanted(there=30)).comparisons == 30
    again = pushed(fake, folder, wanted(there=30, mixing=Mixing(seed=9)))
    assert (again.comparisons, again.duplicates, again.gold, again.sent) == (0, 0, 0, 0)


def test_a_higher_count_adds_the_rest(fake: FakeArgilla, folder: Path, tmp_path: Path) -> None:
    gold = gold_file(tmp_path / "gold.jsonl", 3)
    pushed(fake, folder, wanted(20, gold=gold, mixing=Mixing(gold=0.1, distance=5)))
    first = [row["external_id"] for row in fake.rows()]
    more = pushed(fake, folder, wanted(50, gold=gold, mixing=Mixing(gold=0.1, distance=5)))
    assert more.comparisons == 30
    assert more.gold == 1  # two of the three were there
    rows = fake.rows()
    assert [row["external_id"] for row in rows[: len(first)]] == first
    assert [row["metadata"]["batch"] for row in rows] == ["b1"] * len(first) + ["b2"] * (len(rows) - len(first))
    kinds = Counter(item.kind for item in Ledger(folder).items.values())
    assert kinds["comparison"] == 50
    assert kinds["gold"] == 3


def test_new_comparisons_in_the_source_wait_for_a_higher_count(fake: FakeArgilla, folder: Path) -> None:
    pushed(fake, folder, wanted(20))
    assert pushed(fake, folder, wanted(20, there=200)).sent == 0


def test_what_was_sent_is_not_sent_again_when_its_text_is_cleaned_otherwise(fake: FakeArgilla, folder: Path) -> None:
    pushed(fake, folder, Wanted(lambda: found(5)))
    other = [replace(one, first=shown(f"{one.first.text} [نام دستیار]")) for one in found(5).candidates]
    assert pushed(fake, folder, Wanted(lambda: Found(other))).comparisons == 0


def test_the_same_comparison_from_two_places_is_sent_once(fake: FakeArgilla, folder: Path) -> None:
    twice = [replace(pair_of(1), comparison_id=name) for name in ("one", "two")]
    summary = pushed(fake, folder, Wanted(lambda: Found(twice)))
    assert (summary.sent, summary.refused) == (1, Counter(repeated=1))
    later = replace(pair_of(1), comparison_id="three")
    assert pushed(fake, folder, Wanted(lambda: Found([later]))).refused == Counter(repeated=1)


def test_another_dataset_has_a_plan_of_its_own(fake: FakeArgilla, folder: Path) -> None:
    pushed(fake, folder, wanted(20))
    assert pushed(fake, folder, wanted(10), target=Target("doctors", "second")).comparisons == 10
    assert len(Plans(folder).items("doctors", "first")) == 21


def test_every_item_says_why_it_was_sent(fake: FakeArgilla, folder: Path) -> None:
    flagged = [pair_of(number, contested=1.0) for number in range(10)]
    summary = pushed(fake, folder, Wanted(lambda: Found([*flagged, *found(10, 10).candidates]), 12))
    reasons = Counter(item.reasons[0] for item in Ledger(folder).items.values() if item.kind == "comparison")
    assert reasons == summary.reasons
    assert reasons["contested"] >= 5
    assert sum(summary.reasons.values()) == 12
