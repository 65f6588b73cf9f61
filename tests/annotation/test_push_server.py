"""Pushing to a real Argilla: what is stored, that a second push changes nothing, that doctors can sign in and see it.

The server's environment is taken from ANNOTATION_ENVIRONMENT, else from the user's cache folder, and made when missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from annotation import client
from annotation.candidates import Found, candidate
from annotation.client import Argilla, DeniedError, UnreachableError
from annotation.items import Ledger
from annotation.mixing import Mixing
from annotation.page.settings import version_of
from annotation.plans import Plans
from annotation.push import Target, Wanted, push
from annotation.server.launch import Running
from annotation.users import Pseudonyms, add_users, list_users, reset_password
from gaokerena.questions import Question
from tests.annotation.push_cases import PAGE, gold_file, opened, pair_of, shown, wanted

HOSTILE = "</script><script>x</script> <img src=x onerror=y> $& $$ $` List<int> a\x00b \u202eabc\u202c"


def whole_state(argilla: Argilla) -> Any:
    """Everything the server tells of its datasets, times of change included."""
    state = []
    for workspace in argilla.rows("me/workspaces"):
        for dataset in argilla.rows("me/datasets", workspace_id=workspace["id"]):
            parts = [argilla.parts(dataset["id"], kind) for kind in ("fields", "questions", "metadata-properties")]
            records = argilla.records(dataset["id"], include="responses,suggestions")
            state.append([workspace, dataset, parts, records, argilla.progress(dataset["id"])])
    return state


def test_pushing_twice_changes_nothing(argilla: Argilla, tmp_path: Path) -> None:
    want = wanted(30, gold=gold_file(tmp_path / "gold.jsonl"), mixing=Mixing(gold=0.1))
    target = Target("doctors", "twice")
    first = push(argilla, target, want, tmp_path / "runs", PAGE)
    assert (first.sent, first.comparisons, first.gold, first.duplicates) == (35, 30, 3, 2)
    before = whole_state(argilla)
    again = push(argilla, target, want, tmp_path / "runs", PAGE)
    assert (again.sent, again.there_before) == (0, 35)
    assert whole_state(argilla) == before


def test_answers_stay_when_more_is_pushed(argilla: Argilla, server: Running, tmp_path: Path) -> None:
    target = Target("doctors", "more")
    push(argilla, target, wanted(10), tmp_path / "runs", PAGE)
    place = argilla.workspace("doctors")
    assert place
    dataset = argilla.dataset(place["id"], "more")
    assert dataset
    assert version_of(dataset) == PAGE.version
    [account] = add_users(argilla, "doctors", ["sara"], "annotator", Pseudonyms(tmp_path / "runs"))
    record = argilla.records(dataset["id"])[0]
    body = {"values": {"grade": {"value": "left"}}, "status": "submitted"}
    with signed_in(server, account.username, account.password) as doctor:
        assert doctor.post(f"/api/v1/records/{record['id']}/responses", json=body).status_code == 201
    push(argilla, target, wanted(25), tmp_path / "runs", PAGE)
    rows = argilla.records(dataset["id"], include="responses")
    assert len(rows) == 26  # 25 and a repeat of one of the first ten
    assert [row["external_id"] for row in rows if row.get("responses")] == [record["external_id"]]


@contextmanager
def signed_in(server: Running, name: str, password: str | None) -> Iterator[httpx2.Client]:
    """A doctor's browser session over the real sign-in."""
    with httpx2.Client(base_url=server.url, trust_env=False) as client:
        told = client.post("/api/v1/token", data={"username": name, "password": password or ""})
        assert told.status_code == 201, told.text
        client.headers["Authorization"] = f"Bearer {told.json()['access_token']}"
        yield client


def test_a_doctor_sees_the_comparison_and_nothing_else(argilla: Argilla, server: Running, tmp_path: Path) -> None:
    question = Question(text="پرسش دشوار؟", subject="قلب", options=("۱", "۲", "۳", "۴"), gold="A", suite="mmlu_fa")
    hostile = candidate(
        "store", question, shown(HOSTILE), shown("پاسخ ساده", "gaokerena-r1.0"), comparison_id="c-hostile"
    )
    want = Wanted(
        lambda: Found([hostile, *(pair_of(number) for number in range(8))]), mixing=Mixing(duplicates=0.3, distance=3)
    )
    push(argilla, Target("doctors", "seen"), want, tmp_path / "runs", PAGE)
    people = Pseudonyms(tmp_path / "runs")
    [account] = add_users(argilla, "doctors", ["mina"], "annotator", people)
    with signed_in(server, "mina", account.password) as doctor:
        [dataset] = [row for row in doctor.get("/api/v1/me/datasets").json()["items"] if row["name"] == "seen"]
        path = f"/api/v1/me/datasets/{dataset['id']}/records/search"
        page = doctor.post(path, json={}, params={"limit": 50, "include": "responses,suggestions"})
        about = doctor.get(f"/api/v1/datasets/{dataset['id']}")
    assert page.status_code == about.status_code == 200
    rows = [item["record"] for item in page.json()["items"]]
    items = Ledger(tmp_path / "runs").items
    assert {row["external_id"] for row in rows} == set(items)
    for row in rows:
        assert not row.get("suggestions")
        assert not row.get("metadata")  # the properties are hidden from doctors
        for side, one in items[row["external_id"]].sides.items():
            assert opened(row)["sides"][side]["conclusion"]["text"] == one.text
    texts = [opened(row)["sides"][side]["conclusion"]["text"] for row in rows for side in ("left", "right")]
    assert HOSTILE.rstrip() in [text.rstrip() for text in texts]
    told = page.text + about.text + "".join(str(opened(row)) for row in rows)
    for word in ("gaokerena", "mmlu", "c-hostile", "duplicate", "random", "twin"):
        assert word not in told


def test_a_password_is_replaced_and_others_cannot_make_accounts(
    argilla: Argilla, server: Running, tmp_path: Path
) -> None:
    people = Pseudonyms(tmp_path / "runs")
    [account] = add_users(argilla, "doctors", ["reza"], "annotator", people)
    [again] = add_users(argilla, "doctors", ["reza"], "annotator", people)
    assert again.password is None
    renewed = reset_password(argilla, "reza", people)
    with signed_in(server, "reza", renewed.password) as doctor:
        assert doctor.get("/api/v1/me").json()["username"] == "reza"
        old = doctor.post("/api/v1/token", data={"username": "reza", "password": account.password or ""})
    assert old.status_code == 401
    me = next(one for one in list_users(argilla, "doctors", people) if one.username == "reza")
    assert (me.role, me.member, me.pseudonym) == ("annotator", True, people.of("reza"))
    key = next(user["api_key"] for user in argilla.users() if user["username"] == "reza")
    with Argilla(server.url, key) as stranger, pytest.raises(DeniedError, match="owner"):
        list(add_users(stranger, "doctors", ["another"], "annotator", people))


def test_a_server_killed_during_a_push_holds_nothing_twice(
    argilla: Argilla, server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed with SIGKILL between two calls; after the restart the same push brings what is missing."""
    monkeypatch.setattr(client, "AT_ONCE", 4)
    target, want, calls = Target("doctors", "killed"), wanted(40, there=60), count(1)
    ordinary = Argilla.row

    def row(self: Argilla, method: str, path: str, body: Any = None, **params: str) -> Any:
        told = ordinary(self, method, path, body, **params)
        if path.endswith("/bulk") and next(calls) == 5:
            server.kill9()
        return told

    monkeypatch.setattr(Argilla, "row", row)
    with Argilla(server.url, server.owner_key, sleep=lambda seconds: None) as cut, pytest.raises(UnreachableError):
        push(cut, target, want, tmp_path / "runs", PAGE)
    monkeypatch.setattr(Argilla, "row", ordinary)
    server.restart()
    planned = [name for name, _ in Plans(tmp_path / "runs").items("doctors", "killed")]
    summary = push(argilla, target, want, tmp_path / "runs", PAGE)
    assert (summary.there_before, summary.sent, len(planned)) == (20, 22, 42)
    dataset = argilla.dataset((argilla.workspace("doctors") or {})["id"], "killed")
    assert dataset
    assert sorted(row["external_id"] for row in argilla.records(dataset["id"])) == sorted(planned)


def test_a_wrong_key_is_told(server: Running) -> None:
    with Argilla(server.url, "wrong-key-7") as stranger, pytest.raises(DeniedError, match="401") as caught:
        stranger.me()
    assert "wrong-key-7" not in str(caught.value)
