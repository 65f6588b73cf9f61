"""An Argilla of a few calls, for the seam alone: what `pull` reads, with faults (test_return has the real one)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from annotation.client import Argilla
from annotation.page.answers import to_values
from annotation.pull import Pulled, pull
from annotation.workspace import FILES, stand
from gaokerena.expert_verdicts import Status
from tests.annotation.verdict_cases import verdict

DATASET = "0b9c1a52-6b1f-4c8e-9d3e-000000000001"
Row = dict[str, Any]
LEFT, RIGHT = to_values(verdict("x", "y", "left")), to_values(verdict("x", "y", "right"))


class Double:
    """Records with responses; `before` runs ahead of every call and may raise or change what is there."""

    def __init__(self, records: int = 0, dataset: str = DATASET) -> None:
        self.records: list[Row] = [self._record(place) for place in range(records)]
        self.users = [{"id": f"u-{name}", "username": name} for name in ("sara", "omid", "mina")]
        self.members: list[Row] | None = None
        """Those of the workspace, when it is an admin who asks: he may not see the users."""
        self.dataset: Row = {
            "id": dataset, "name": "first", "metadata": {"guideline_version": "fa-1"}, "status": "ready",
        }  # fmt: skip
        self.before: Callable[[httpx2.Request], None] = lambda request: None
        self.order: Callable[[list[Row]], list[Row]] = lambda records: records
        self.calls: list[str] = []
        self.minute = 0

    def client(self) -> Argilla:
        return Argilla("http://argilla.test", "key", transport=httpx2.MockTransport(self._answer), sleep=lambda _: None)

    def say(self, place: int, user: str, values: Row, status: str = "submitted") -> Row:
        """A response of `user`, new or changed."""
        self.minute += 1
        moment = f"2026-11-03T10:{self.minute // 60:02}:{self.minute % 60:02}.123456"
        responses: list[Row] = self.records[place]["responses"]
        mine = [response for response in responses if response["user_id"] == f"u-{user}"]
        if not mine:
            mine = [{"id": f"r-{place}-{user}", "user_id": f"u-{user}"}]
            responses.extend(mine)
        mine[0].update({"values": values, "status": status, "updated_at": moment})
        return mine[0]

    def _record(self, place: int) -> Row:
        return {"id": f"rec-{place}", "external_id": f"i{place}", "responses": []}

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.calls.append(request.url.path)
        self.before(request)
        path, params = request.url.path.removeprefix("/api/v1/"), request.url.params
        if path == f"datasets/{self.dataset['id']}/records":
            start, limit = int(params["offset"]), int(params["limit"])
            page = self.order(list(self.records))[start : start + limit]
            assert params["include"] == "responses"
            return _json({"items": page, "total": len(self.records)})
        if path == "users" and self.members is not None:
            return httpx2.Response(403, json={"detail": "not an owner"})
        if path == "workspaces/w/users":
            return _json({"items": self.members})
        lists = {"me/workspaces": [{"id": "w", "name": "doctors"}], "me/datasets": [self.dataset], "users": self.users}
        return _json({"items": lists[path]})


def _json(body: Row) -> httpx2.Response:
    return httpx2.Response(200, content=json.dumps(body).encode())


def run(double: Double, folder: Path) -> Pulled:
    with double.client() as argilla:
        return pull(argilla, "doctors", "first", folder)


def lines(folder: Path) -> dict[str, int]:
    return {name: (folder / name).read_bytes().count(b"\n") for name in FILES.values()}


def truth(double: Double, folder: Path) -> dict[Status, dict[str, str | None]]:
    """What the server holds: grade by verdict id, by status."""
    found: dict[Status, dict[str, str | None]] = {status: {} for status in FILES}
    for record in double.records:
        for response in record["responses"]:
            grade = (response["values"] or {}).get("grade", {}).get("value")
            found[response["status"]][f"{DATASET}/{response['id']}"] = grade
    return found


def held(folder: Path) -> dict[Status, dict[str, str | None]]:
    return {status: {verdict.id: verdict.grade for verdict in stand(folder, status)} for status in FILES}
