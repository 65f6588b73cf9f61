"""There and back with a real Argilla: push, three scripted doctors, pull, report, adjudicate, export.

The server's environment is taken from ANNOTATION_ENVIRONMENT, else from the user's cache folder, and made when missing.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from annotation.adjudicate import Route, send, write_list
from annotation.client import Argilla
from annotation.disputes import disputes
from annotation.export import export
from annotation.mixing import Mixing
from annotation.page.fields import fields_of
from annotation.page.settings import dataset_settings
from annotation.pull import pull
from annotation.push import Target, push
from annotation.server.launch import Running
from annotation.summary import summarise
from annotation.usable import Rules
from annotation.users import Pseudonyms, add_users
from annotation.workspace import read_workspace, stand
from tests.annotation import by_hand
from tests.annotation.by_hand import assert_pairs
from tests.annotation.push_cases import PAGE, gold_file, opened, wanted

ERRORS = {"dr-sara": 0.1, "dr-omid": 0.25, "dr-mina": 0.4}
COUNT = 120


@pytest.fixture
def rooms() -> Iterator[ExitStack]:
    """Closes the doctors' connections."""
    with ExitStack() as stack:
        yield stack


class Doctor:
    """Somebody who signs in, sees records and answers; wrong at a known rate, either way alike."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self.name = name
        self.http = httpx2.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=60)
        told = self.http.post("/token", data={"username": name, "password": password})
        self.http.headers["Authorization"] = f"Bearer {told.json()['access_token']}"

    def pending(self, dataset: str) -> list[dict[str, Any]]:
        """What the doctor's page offers: records not answered by him, nor by enough others."""
        status = {"entity": "response", "property": "status"}
        query = {"filters": {"and": [{"type": "terms", "scope": status, "values": ["pending"]}]}}
        found = self.http.post(f"/me/datasets/{dataset}/records/search", json=query, params={"limit": 1000}).json()
        return [each["record"] for each in found["items"] if each["record"]["status"] == "pending"]

    def choose(self, record: dict[str, Any]) -> str:
        true, draw = truth(opened(record)), random.Random(f"{self.name} {record['external_id']}")
        if draw.random() >= ERRORS[self.name]:
            return true
        return draw.choice([other for other in ("left", "right", "equal") if other != true])

    def send(self, items: list[dict[str, Any]]) -> None:
        for start in range(0, len(items), 100):
            told = self.http.post("/me/responses/bulk", json={"items": items[start : start + 100]})
            assert told.status_code == 200, told.text
            assert all(each["error"] is None for each in told.json()["items"])

    def judge_all(self, dataset: str) -> None:
        self.send([answer(record, self.choose(record)) for record in self.pending(dataset)])


def truth(shown: dict[str, Any]) -> str:
    """Which side is better: of gold items the one that calls the ambulance, else drawn by the question."""
    question = shown["question"]["text"]
    texts = {side: part["conclusion"]["text"] for side, part in shown["sides"].items()}
    if "قفسهٔ سینه" in question:
        return "left" if "۱۱۵" in texts["left"] else "right"
    better = random.Random(question).choice(["استراحت", "استراحت", "پزشک", "پزشک", ""])
    return next((side for side, text in texts.items() if better and better in text), "equal")


def answer(record: dict[str, Any], grade: str, status: str = "submitted") -> dict[str, Any]:
    return {"record_id": record["id"], "values": {"grade": {"value": grade}}, "status": status}


def doctors(argilla: Argilla, url: str, folder: Path, rooms: ExitStack) -> list[Doctor]:
    workspace, people = folder.parent.name.replace("_", "-"), Pseudonyms(folder)
    accounts = list(add_users(argilla, workspace, list(ERRORS), "annotator", people))
    for account in accounts:
        if account.password is None:
            user = next(user for user in argilla.users() if user["username"] == account.username)
            argilla.set_password(user["id"], "a-password-of-tests")
    made = [Doctor(url, account.username, account.password or "a-password-of-tests") for account in accounts]
    for doctor in made:
        rooms.callback(doctor.http.close)
    return made


def dataset_id(argilla: Argilla, workspace: str, name: str) -> str:
    place = argilla.workspace(workspace)
    assert place
    dataset = argilla.dataset(place["id"], name)
    assert dataset
    return str(dataset["id"])


def test_there_and_back(argilla: Argilla, server: Running, rooms: ExitStack, tmp_path: Path) -> None:
    folder, workspace = tmp_path / "runs", tmp_path.name.replace("_", "-")
    page = type(PAGE)(dataset_settings(overlap=3), fields_of)
    mixing = Mixing(gold=0.25, duplicates=0.25)
    gold = gold_file(tmp_path / "gold.jsonl", 30)
    folder.mkdir()
    (folder / "key").write_bytes(bytes([6]) * 32)  # ids, seats and so the doctors' errors follow from it
    push(argilla, Target(workspace, "first"), wanted(COUNT, COUNT, gold=gold, mixing=mixing), folder, page)
    staff = doctors(argilla, server.url, folder, rooms)
    dataset = dataset_id(argilla, workspace, "first")
    for doctor in staff:
        doctor.judge_all(dataset)
    done = pull(argilla, workspace, "first", folder)
    assert done.seen == {"submitted": 3 * 180}
    assert pull(argilla, workspace, "first", folder).appended.total() == 0
    summary = summarise(read_workspace(folder), Rules(), overlap=3, seed=1)
    people = Pseudonyms(folder)
    for name, error in ERRORS.items():
        (row,) = [each for each in summary["doctors"] if each["judge"] == people.of(name)]
        for measure, expected in (
            (row["gold"], 1 - error),
            (row["error_rates"], 1 - error),
            (row["consistency"], (1 - error) ** 2 + error**2 / 2),
            (row["side"], 0.5),
        ):
            low, high = measure["ci95"]
            assert low <= expected <= high, (name, expected, measure)
    manifest = export(folder, tmp_path / "out" / "pairs.jsonl", Rules())
    _by_hand(folder, tmp_path / "out" / "pairs.jsonl", manifest)
    for text in (
        json.dumps(summary),
        (folder / "verdicts.jsonl").read_text(),
        (tmp_path / "out" / "pairs.jsonl").read_text(),
    ):
        assert not any(name in text for name in ERRORS)


def _by_hand(folder: Path, out: Path, manifest: dict[str, Any]) -> None:
    """The pairs are those that the model written out as a plain loop gives, weights and all."""
    pairs = {row["provenance"]["item_id"]: row for row in map(json.loads, out.read_text("utf-8").splitlines())}
    found, people = read_workspace(folder), manifest["failed_doctors"]
    said = {(row.judge, row.item.id): row.grade for row in found.judged if row.grade}
    assert_pairs(pairs, found.items, by_hand.pairs(found.items, said, people))
    right = []
    for name in pairs:
        shown = {"question": {"text": found.items[name].question.text}, "sides": {
            side: {"conclusion": {"text": one.text}} for side, one in found.items[name].sides.items()}}  # fmt: skip
        true = truth(shown)
        right.append(true != "equal" and pairs[name]["chosen"][0]["content"] == found.items[name].sides[true].text)  # type: ignore[index]
    assert len(right) > COUNT / 3
    assert sum(right) / len(right) > 0.85
    for block in ("verdicts", "preferences", "corrections", "steps"):
        assert manifest[block]["in"] == manifest[block]["out"] + sum(manifest[block]["dropped"].values())
    assert manifest["preferences"]["in"] == len(found.items)


def test_a_dispute_reaches_only_a_third_doctor(
    argilla: Argilla, server: Running, rooms: ExitStack, tmp_path: Path
) -> None:
    folder, workspace = tmp_path / "runs", tmp_path.name.replace("_", "-")
    push(argilla, Target(workspace, "first"), wanted(6, 6, mixing=Mixing(gold=0, duplicates=0)), folder, PAGE)
    sara, omid, mina = doctors(argilla, server.url, folder, rooms)
    first = dataset_id(argilla, workspace, "first")
    records = sara.pending(first)
    sara.send([answer(record, "left") for record in records])
    omid.send([answer(record, "right" if place < 2 else "left") for place, record in enumerate(records)])
    assert mina.pending(first) == []  # two have answered: Argilla offers them to nobody else
    pull(argilla, workspace, "first", folder)
    found = read_workspace(folder)
    listed = write_list(disputes(found.judged, Rules()), folder)
    disputed = {record["external_id"] for record in records[:2]}
    assert {row["item_id"] for row in listed} == disputed
    route = Route(workspace, "third")
    assert send(argilla, route, folder, listed, found, dataset_settings(overlap=1), fields_of).new == 2
    assert send(argilla, route, folder, listed, found, dataset_settings(overlap=1), fields_of).new == 0
    third = dataset_id(argilla, workspace, "third")
    assert sara.pending(third) == omid.pending(third) == []
    offered = mina.pending(third)
    assert {record["external_id"] for record in offered} == disputed
    mina.send([answer(record, "left_much") for record in offered])
    pull(argilla, workspace, "third", folder)
    found = read_workspace(folder)
    assert found.apart["discarded"].total() == 0
    assert [dispute.open for dispute in disputes(found.judged, Rules())] == [False, False]
    assert len(found.judged) == 14
    pull(argilla, workspace, "first", folder)
    assert len(stand(folder, "submitted")) == 14
