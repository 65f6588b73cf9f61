"""A push: what it chooses, that it can be stopped anywhere, and that nothing it sends tells what anything is."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from annotation.candidates import Found, candidate
from annotation.client import BrokenError, UnreachableError
from annotation.dataset import DatasetError
from annotation.gold import GoldError
from annotation.items import ItemError, Ledger
from annotation.mixing import Mixing
from annotation.page.fields import fields_of
from annotation.page.settings import dataset_settings
from annotation.plans import Plans, held
from annotation.push import Page, Summary, Target, Wanted, push
from gaokerena.presets import PLANS
from gaokerena.questions import Question
from tests.annotation.push_cases import PAGE, FakeArgilla, found, gold_file, opened, pair_of, shown, wanted

TARGET = Target("doctors", "first")


@pytest.fixture
def fake() -> FakeArgilla:
    return FakeArgilla()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def pushed(fake: FakeArgilla, folder: Path, want: Wanted, page: Page = PAGE, target: Target = TARGET) -> Summary:
    with fake.client() as argilla:
        return push(argilla, target, want, folder, page)


def writes(fake: FakeArgilla) -> list[httpx2.Request]:
    return [request for request in fake.sent if request.method != "GET"]


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


# What leaves ----------------------------------------------------------------------------------------------------------


def telling() -> Found:
    """Answers whose models name themselves, a patient's number, and an answer that cannot be cleaned."""
    made = []
    for number, (says, other) in enumerate(
        [
            ("من گوکرنا هستم.", "من آیا هستم، بفرمایید."),
            ("I am Qwen2.5-7B-Instruct.", "پاسخ گوکرنا-R: دارو بخورید."),
            ("با ۰۹۱۲۱۲۳۴۵۶۷ تماس بگیرید.", "من مدل V هستم."),
            ("gaokerena-v1.0 می‌گوید: استراحت.", "aya-expanse-8b: بخواب."),
        ]
    ):
        question = Question(text=f"پرسش شمارهٔ {number}: چه کنم؟", subject="قلب", suite="mmlu_fa")
        one, two = shown(says, "gaokerena-v1.0", revision="4f2a9c"), shown(other, "gaokerena-r1.0", revision="77b1de")
        made.append(
            candidate("store", question, one, two, comparison_id=f"comparison-{number}", reasons={"contested": 1.0})
        )
    bad = shown("شماره", reasoning="0912 123", conclusion="4567")
    made.append(candidate("store", Question(text="نشانی؟"), bad, shown("دو", "gaokerena-r1.0"), comparison_id="bad"))
    return Found(made)


def everything_sent(fake: FakeArgilla) -> str:
    """Every URL, header and body that left, records unpacked."""
    parts = []
    for request in fake.sent:
        body = json.loads(request.content) if request.content else {}
        parts.append(json.dumps([str(request.url), dict(request.headers), body], ensure_ascii=False))
        parts += [json.dumps([opened(row), row], ensure_ascii=False) for row in body.get("items", [])]
    return "\n".join(parts)


def test_nothing_sent_names_a_model_a_reason_or_a_patient(fake: FakeArgilla, folder: Path, tmp_path: Path) -> None:
    want = Wanted(telling, mixing=Mixing(gold=0.5, duplicates=0.5, distance=2), gold=gold_file(tmp_path / "gold.jsonl"))
    summary = pushed(fake, folder, want)
    assert (summary.comparisons, summary.gold) == (4, 2)
    assert summary.duplicates
    sent = everything_sent(fake)
    assert "تماس بگیرید" in sent  # it is searched unpacked
    labels = [
        word for plan in PLANS.values() for label in plan.labels.values() for word in re.findall(r"[\w-]{4,}", label)
    ]
    names = ["gaokerena", "qwen", "aya-expanse", "4f2a9c", "77b1de", "گوکرنا", "contested", "comparison-", "duplicate"]
    names += ["twin", "mmlu", "chosen", "rejected", "suggestions", "۰۹۱۲", *PLANS["gaokerena"].adapters.values()]
    for name in (*names, *labels):
        if name not in ("کوچک", "پایهٔ", "پایه"):
            assert name.lower() not in sent.lower(), name
    for word in ("v", "r", "mini", "echo", "endpoint", "recorded", "gold"):
        assert not re.search(rf'"{word}"', sent), word
    assert "من مدل V" not in sent
    assert "من آیا هستم" not in sent
    assert summary.taken["model_name"] >= 6
    assert summary.taken["mobile"]


def test_what_cannot_be_cleaned_is_refused_and_counted(fake: FakeArgilla, folder: Path) -> None:
    summary = pushed(fake, folder, Wanted(telling, mixing=Mixing(duplicates=0)))
    assert summary.refused == Counter(identifier_left=1)
    assert summary.sent == 4


def test_only_the_ledger_knows_who_sat_where(fake: FakeArgilla, folder: Path) -> None:
    pushed(fake, folder, wanted(30))
    items = Ledger(folder).items
    left = Counter(items[row["external_id"]].sides["left"].model for row in fake.rows())
    assert set(left) == {"gaokerena-v1.0", "gaokerena-r1.0"}
    for row in fake.rows():
        for side, one in items[row["external_id"]].sides.items():
            assert opened(row)["sides"][side]["conclusion"]["text"] == one.text
    assert (folder / "items.jsonl").stat().st_mode & 0o777 == 0o600
    assert (folder / "plans.jsonl").stat().st_mode & 0o777 == 0o600


# Interruptions --------------------------------------------------------------------------------------------------------


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


# Refusals -------------------------------------------------------------------------------------------------------------


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
