"""Candidates, stores and a scripted Argilla for the tests of what is sent.

`FakeArgilla` is for the seam: it keeps what it is sent and can fail where it is told to. What a real server does with
it is tested in test_push_server.py.
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from annotation.candidates import Candidate, Found, candidate
from annotation.client import Argilla
from annotation.items import Origin, Shown
from annotation.page.fields import fields_of
from annotation.page.settings import dataset_settings
from annotation.push import Page, Summary, Target, Wanted, push
from gaokerena.answers import Answer
from gaokerena.comparisons import Comparison, Verdict
from gaokerena.outbox import Outbox
from gaokerena.questions import Question
from gaokerena.store import Store

SUBJECTS = ("قلب و عروق", "اطفال", "pharmacology")
TOPICS = ("تب کودک", "سردرد شبانه", "کم‌خونی", "فشار خون", "درد زانو", "سرفهٔ خشک", "بی‌خوابی", "سوزش معده")
TARGET = Target("doctors", "first")
PAGE = Page(dataset_settings(), fields_of)


def shown(text: str, model: str = "gaokerena-v1.0", **changes: Any) -> Shown:
    return Shown(**{"model": model, "text": text, "conclusion": text, **changes})


def pair_of(number: int, origin: Origin = "transcripts", **strengths: float) -> Candidate:
    """The comparison of that number; neighbours differ in topic and subject."""
    question = Question(
        text=f"برای {TOPICS[number % len(TOPICS)]} در روز {number} چه باید کرد؟",
        subject=SUBJECTS[number % len(SUBJECTS)],
    )
    one = shown(f"در روز {number} استراحت و نوشیدن مایعات کافی است.")
    other = shown(f"در روز {number} به پزشک مراجعه کنید.", "gaokerena-r1.0")
    return candidate(origin, question, one, other, comparison_id=f"c{number}").because(**strengths)


def found(count: int, start: int = 0) -> Found:
    return Found([pair_of(number) for number in range(start, start + count)])


def wanted(count: int | None = None, there: int = 60, **changes: Any) -> Wanted:
    return Wanted(**{"gather": lambda: found(there), "count": count, **changes})


def gold_file(path: Path, count: int = 4) -> Path:
    """Gold items of which the left side is the better one; they have no subject."""
    rows = [
        {
            "question": f"بیمار {number} ناگهان درد شدید قفسهٔ سینه دارد. چه کند؟",
            "left": f"بیمار {number} باید همین حالا با اورژانس ۱۱۵ تماس بگیرد.",
            "right": f"بیمار {number} یک لیوان چای بنوشد و بخوابد.",
            "grade": "left_much",
        }
        for number in range(count)
    ]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def answer(model: str, text: str, **changes: Any) -> Answer:
    fields = {"question_id": "q", "model": model, "prompting": "straight", "text": text, "conclusion": text}
    return Answer.model_validate({**fields, "finish_reason": "stop", "seed": 1, "seconds": 0.1, **changes})


def keep(store: Store, number: int, choices: str = "", **changes: Any) -> str:
    """One comparison in the store, answered on both sides and judged: l, r, t a verdict each. Its id."""
    question = Question(text=f"پرسش {number}: برای {TOPICS[number % len(TOPICS)]} چه کنم؟")
    asked = Comparison.model_validate(
        {"id": f"c{number}", "question": question, "left": "v", "right": "r", "seed": 1, "consent": True, **changes}
    )
    store.add_comparison(asked)
    store.add_answer(asked.id, "left", answer(asked.left, f"پاسخ نخست به پرسش {number}."))
    store.add_answer(asked.id, "right", answer(asked.right, f"پاسخ دوم به پرسش {number}."))
    for visitor, choice in enumerate(choices):
        meant = {"l": "left", "r": "right", "t": "tie"}[choice]
        store.add_verdict(
            Verdict.model_validate({"comparison_id": asked.id, "choice": meant, "session": f"s{visitor}"})
        )
    return asked.id


Step = Callable[[httpx2.Request], httpx2.Response | None]


class FakeArgilla:
    """Keeps workspaces, users, datasets and records; `sent` is every request; `before` may answer in its stead."""

    def __init__(self) -> None:
        self.sent: list[httpx2.Request] = []
        self.pauses: list[float] = []
        self.before: Step = lambda request: None
        self.workspaces: list[dict[str, Any]] = []
        self.users = [{"id": "u0", "username": "owner", "role": "owner", "api_key": "k"}]
        self.passwords: dict[str, str] = {}
        self.members: list[tuple[str, str]] = []
        self.datasets: list[dict[str, Any]] = []
        self.parts: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.records: dict[str, dict[str, dict[str, Any]]] = {}

    def client(self, key: str = "secret-key") -> Argilla:
        transport = httpx2.MockTransport(self._handle)
        return Argilla("http://127.0.0.1:1", key, transport=transport, sleep=self.pauses.append)

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        early = self.before(request)
        if early is not None:
            return early
        body = json.loads(request.content) if request.content else {}
        for method, pattern, act in self._routes():
            match = re.fullmatch(pattern, request.url.path.removeprefix("/api/v1/"))
            if match and method == request.method:
                return act(body, request.url.params, *match.groups())
        return httpx2.Response(404, json={"detail": f"no route {request.method} {request.url.path}"})

    def _routes(self) -> list[tuple[str, str, Callable[..., httpx2.Response]]]:
        return [
            ("GET", "me", lambda body, params: _row(self.users[0])),
            ("GET", "users", lambda body, params: _rows(self.users)),
            ("POST", "users", self._add_user),
            ("PATCH", "users/(.+)", self._patch_user),
            ("GET", "me/workspaces", lambda body, params: _rows(self.workspaces)),
            ("POST", "workspaces", lambda body, params: self._add(self.workspaces, body)),
            ("GET", "workspaces/(.+)/users", self._members),
            ("POST", "workspaces/(.+)/users", self._add_member),
            ("GET", "me/datasets", lambda body, params: self._named(params["name"])),
            ("POST", "datasets", lambda body, params: self._add(self.datasets, {"status": "draft", **body})),
            ("PUT", "datasets/(.+)/publish", self._publish),
            ("GET", "datasets/(.+)/progress", self._progress),
            ("PUT", "datasets/(.+)/records/bulk", self._upsert),
            ("GET", "datasets/([^/]+)/records", self._list),
            ("GET", "(?:me/)?datasets/(.+)/([a-z-]+)", lambda b, p, *key: _rows(self.parts.get(key, []))),
            ("POST", "datasets/(.+)/([a-z-]+)", lambda body, p, *key: self._add(self.parts.setdefault(key, []), body)),
        ]  # fmt: skip

    def _named(self, name: str) -> httpx2.Response:
        return _rows([dataset for dataset in self.datasets if dataset["name"] == name])

    def _progress(self, body: object, params: object, name: str) -> httpx2.Response:
        return _row({"total": len(self.records.get(name, {}))})

    def _add(self, rows: list[dict[str, Any]], body: dict[str, Any]) -> httpx2.Response:
        rows.append({"id": f"x{random.randrange(10**9)}", **body})
        return httpx2.Response(201, json=rows[-1])

    def _add_user(self, body: dict[str, Any], params: object) -> httpx2.Response:
        self.passwords[body["username"]] = body.pop("password")
        return self._add(self.users, body)

    def _patch_user(self, body: dict[str, Any], params: object, name: str) -> httpx2.Response:
        user = next(user for user in self.users if user["id"] == name)
        self.passwords[user["username"]] = body["password"]
        return _row(user)

    def _members(self, body: object, params: object, place: str) -> httpx2.Response:
        return _rows([user for user in self.users if (place, user["id"]) in self.members])

    def _add_member(self, body: dict[str, Any], params: object, place: str) -> httpx2.Response:
        self.members.append((place, body["user_id"]))
        return httpx2.Response(201, json={})

    def _publish(self, body: object, params: object, name: str) -> httpx2.Response:
        dataset = next(dataset for dataset in self.datasets if dataset["id"] == name)
        dataset["status"] = "ready"
        return _row(dataset)

    def _upsert(self, body: dict[str, Any], params: object, name: str) -> httpx2.Response:
        assert 1 <= len(body["items"]) <= 500
        self.records.setdefault(name, {}).update({row["external_id"]: row for row in body["items"]})
        return _row({"items": []})

    def _list(self, body: object, params: Any, name: str) -> httpx2.Response:
        start, limit = int(params["offset"]), int(params["limit"])
        records = [{"id": key, **row} for key, row in self.records.get(name, {}).items()]
        return _row({"items": records[start : start + limit], "total": len(records)})

    def rows(self) -> list[dict[str, Any]]:
        """The records of the only dataset, in the order they came."""
        return [row for records in self.records.values() for row in records.values()]


def _row(value: dict[str, Any]) -> httpx2.Response:
    return httpx2.Response(200, json=value)


def _rows(values: list[dict[str, Any]]) -> httpx2.Response:
    return _row({"items": values})


def opened(record: dict[str, Any]) -> dict[str, Any]:
    """What the page of a record shows."""
    value: dict[str, Any] = json.loads(base64.b64decode(record["fields"]["comparison"]["b64"]))
    return value


def pushed(fake: FakeArgilla, folder: Path, want: Wanted, page: Page = PAGE, target: Target = TARGET) -> Summary:
    with fake.client() as argilla:
        return push(argilla, target, want, folder, page)


def writes(fake: FakeArgilla) -> list[httpx2.Request]:
    return [request for request in fake.sent if request.method != "GET"]


def vote(store: Store, outbox: Outbox, number: int) -> Verdict:
    """One vote of the page with consent: the entry first, then the verdict."""
    verdict = Verdict(comparison_id=keep(store, number), choice="left", session="s")
    outbox.add(verdict)
    store.add_verdict(verdict)
    return verdict
