"""A push that is cut off goes on, and one that would do harm is refused."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from annotation.client import BrokenError, UnreachableError
from annotation.dataset import DatasetError
from annotation.gold import GoldError
from annotation.items import ItemError, Ledger
from annotation.mixing import Mixing
from annotation.page.fields import fields_of
from annotation.page.settings import dataset_settings
from annotation.plans import Plans, held
from annotation.push import Page
from tests.annotation.push_cases import (
    FakeArgilla,
    gold_file,
    pushed,
    wanted,
    writes,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def state(fake: FakeArgilla) -> str:
    """What doctors would see: parts and records, ids the fake made up left out."""
    parts = sorted((kind, [part["name"] for part in parts]) for (_, kind), parts in fake.parts.items())
    rows = sorted(fake.rows(), key=lambda row: row["external_id"])
    return json.dumps([[data["name"] for data in fake.datasets], parts, rows])


def test_a_push_cut_off_at_any_request_goes_on(folder: Path, tmp_path: Path) -> None:
    gold = gold_file(tmp_path / "gold.jsonl")
    want = wanted(40, gold=gold, mixing=Mixing(duplicates=0.1))
    whole = FakeArgilla()
    pushed(whole, folder, want)
    key = (folder / "key").read_bytes()
    for cut in range(len(whole.sent)):
        place = tmp_path / f"runs{cut}"
        place.mkdir()
        (place / "key").write_bytes(key)  # the same key, so the same ids
        fake, number = FakeArgilla(), count()

        def stop(request: httpx2.Request, number: Any = number, cut: int = cut) -> httpx2.Response | None:
            if next(number) >= cut:
                raise httpx2.ReadError("cut")
            return None

        fake.before = stop
        with pytest.raises(UnreachableError):
            pushed(fake, place, want)
        fake.before = lambda request: None
        pushed(fake, place, want)
        assert state(fake) == state(whole), cut
        assert len(Ledger(place).items) == len(Ledger(folder).items)


def test_a_bulk_call_stored_but_not_acknowledged_is_not_doubled(fake: FakeArgilla, folder: Path) -> None:
    left = iter([True])

    def lose(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path.endswith("/bulk") and next(left, None):
            fake._upsert(json.loads(request.content), None, request.url.path.split("/")[4])
            raise httpx2.RemoteProtocolError("gone")
        return None

    fake.before = lose
    assert pushed(fake, folder, wanted(30)).sent == 32
    assert len(fake.rows()) == 32


def test_records_lost_on_the_server_are_sent_again(fake: FakeArgilla, folder: Path) -> None:
    pushed(fake, folder, wanted(20))
    before = state(fake)
    records = next(iter(fake.records.values()))
    for name in list(records)[3:8]:
        del records[name]
    assert pushed(fake, folder, wanted(20)).sent == 5
    assert state(fake) == before


def test_a_failing_server_leaves_the_plan(fake: FakeArgilla, folder: Path) -> None:
    fake.before = lambda request: httpx2.Response(500, text="oops") if request.url.path.endswith("/bulk") else None
    with pytest.raises(BrokenError):
        pushed(fake, folder, wanted(20))
    planned = Plans(folder).items("doctors", "first")
    fake.before = lambda request: None
    pushed(fake, folder, wanted(20, there=500))  # what came since waits its turn
    assert [row["external_id"] for row in fake.rows()] == [name for name, _ in planned]


def test_a_torn_plan_is_cut_and_made_again(fake: FakeArgilla, folder: Path) -> None:
    folder.mkdir()
    (folder / "plans.jsonl").write_text('{"batch": "b1", "worksp')
    assert pushed(fake, folder, wanted(20)).planned == 21
    assert pushed(fake, folder, wanted(20)).sent == 0  # and what was written behind it is whole
    (folder / "plans.jsonl").write_text("{}\n")
    with pytest.raises(ItemError, match=r"plans\.jsonl:1"):
        pushed(fake, folder, wanted(20))


def test_a_plan_without_its_ledger_says_what_is_lost(fake: FakeArgilla, folder: Path) -> None:
    pushed(fake, folder, wanted(20))
    (folder / "items.jsonl").unlink()
    with pytest.raises(ItemError, match=r"items\.jsonl from a backup"):
        pushed(fake, folder, wanted(20))


def test_two_pushes_of_one_folder_do_not_meet(fake: FakeArgilla, folder: Path) -> None:
    with held(folder), pytest.raises(ItemError, match="another push"):
        pushed(fake, folder, wanted(20))
    assert not fake.sent
    assert pushed(fake, folder, wanted(20)).sent == 21


def changed(fake: FakeArgilla, folder: Path, **changes: Any) -> None:
    pushed(fake, folder, wanted(20))
    fake.datasets[0].update(changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metadata": {"guideline_version": "fa-0"}}, "guidelines fa-0.*--dataset"),
        ({"metadata": None}, "guideline_version.*--dataset"),
        ({"guidelines": "متن دیگر"}, "changed on the server"),
        ({"distribution": {"strategy": "overlap", "min_submitted": 3}}, "--overlap 3"),
    ],
)
def test_a_dataset_of_other_settings_is_refused(
    fake: FakeArgilla, folder: Path, changes: dict[str, Any], said: str
) -> None:
    changed(fake, folder, **changes)
    fake.sent.clear()
    with pytest.raises(DatasetError, match=said):
        pushed(fake, folder, wanted(40))
    assert not writes(fake)
    assert len(Ledger(folder).items) == 21  # refused before anything was written down


def test_a_dataset_of_other_questions_is_refused(fake: FakeArgilla, folder: Path) -> None:
    changed(fake, folder)
    parts = next(parts for (_, kind), parts in fake.parts.items() if kind == "questions")
    gone = parts.pop()
    with pytest.raises(DatasetError, match=gone["name"]):
        pushed(fake, folder, wanted(40))
    parts += [gone, {**gone, "name": "another"}]
    with pytest.raises(DatasetError, match="another"):
        pushed(fake, folder, wanted(40))


def test_a_bad_gold_file_stops_before_anything_is_planned(fake: FakeArgilla, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "gold.jsonl").write_text("{}\n")
    with pytest.raises(GoldError):
        pushed(fake, folder, wanted(20, gold=tmp_path / "gold.jsonl"))
    assert not Ledger(folder).items
    assert not fake.rows()


def test_a_page_that_leaks_stops_before_anything_is_sent(fake: FakeArgilla, folder: Path) -> None:
    seen: list[str] = []

    def curious(item: Any) -> dict[str, Any]:
        seen.append(item.model_dump_json())
        return fields_of(item)

    pushed(fake, folder, wanted(20), Page(dataset_settings(), curious))
    assert len(seen) == 21
    assert not any("gaokerena" in one for one in seen)
