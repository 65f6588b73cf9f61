"""A person's hand on the server: its HTTP API, as little wrapped as tests allow. No database, no engine."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

Json = dict[str, Any]

_numbers = itertools.count()


class Hand:
    """One user, by API key."""

    def __init__(self, url: str, api_key: str, user: Json | None = None) -> None:
        self.url, self.user = url, user or {}
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers={"X-Argilla-Api-Key": api_key}, timeout=60)

    def __enter__(self) -> Hand:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, **given: Any) -> Any:
        """The answer's JSON; fails on any status but 2xx."""
        answer = self.http.request(method, path, **given)
        assert answer.is_success, (method, path, answer.status_code, answer.text[:2000])
        return answer.json() if answer.content else None

    def search(self, dataset: str, body: Json, *, me: bool = False, **params: Any) -> Json:
        """The search API; `me` is an annotator's own page, without it the owner's over all responses."""
        return self.call("POST", search_path(dataset, me), json=body, params=params)

    def annotator(self, workspace: str) -> Hand:
        """A new annotator in `workspace`."""
        name = f"annotator-{next(_numbers)}"
        given = {"username": name, "first_name": name, "password": "a long password", "role": "annotator"}
        user = self.call("POST", "/users", json=given)
        self.call("POST", f"/workspaces/{workspace}/users", json={"user_id": user["id"]})
        return Hand(self.url, user["api_key"], user)


def search_path(dataset: str, me: bool) -> str:
    return f"{'/me' if me else ''}/datasets/{dataset}/records/search"


@dataclass(frozen=True)
class Design:
    """What a dataset is made of: settings by name, as the API takes them."""

    fields: dict[str, Json]
    questions: dict[str, Json]
    metadata: dict[str, Json]
    vectors: dict[str, int]
    min_submitted: int = 2


def text_design(**more: Any) -> Design:
    """One text field and one rating; the smallest dataset there is."""
    return Design(
        **{
            "fields": {"text": {"type": "text"}},
            "questions": {"rating": {"type": "rating", "options": [{"value": n} for n in range(1, 6)]}},
            "metadata": {},
            "vectors": {},
            **more,
        }
    )


@dataclass(frozen=True)
class Made:
    """A published dataset: its ids, with those of its questions and properties by name."""

    id: str
    workspace: str
    questions: dict[str, str]
    properties: dict[str, str]


def make(owner: Hand, design: Design, workspace: str | None = None) -> Made:
    """A published dataset of `design`; only the first field and the first question are required."""
    workspace = workspace or owner.call("POST", "/workspaces", json={"name": f"workspace-{next(_numbers)}"})["id"]
    given = {"name": f"dataset-{next(_numbers)}", "workspace_id": workspace, "allow_extra_metadata": True}
    spread = {"strategy": "overlap", "min_submitted": design.min_submitted}
    dataset = owner.call("POST", "/datasets", json={**given, "distribution": spread})["id"]

    def add(what: str, names: dict[str, Json], required: bool) -> dict[str, str]:
        made = {}
        for place, (name, settings) in enumerate(names.items()):
            body = {"name": name, "title": name, "settings": settings}
            body |= {"required": place == 0} if required else {}
            made[name] = owner.call("POST", f"/datasets/{dataset}/{what}", json=body)["id"]
        return made

    add("fields", design.fields, required=True)
    questions = add("questions", design.questions, required=True)
    properties = add("metadata-properties", design.metadata, required=False)
    for name, dimensions in design.vectors.items():
        body = {"name": name, "title": name, "dimensions": dimensions}
        owner.call("POST", f"/datasets/{dataset}/vectors-settings", json=body)
    owner.call("PUT", f"/datasets/{dataset}/publish")
    return Made(dataset, workspace, questions, properties)


def log(owner: Hand, made: Made, records: Iterable[Json]) -> list[Json]:
    """Add records by one bulk call; what the server made of them."""
    body = {"items": list(records)}
    return owner.call("POST", f"/datasets/{made.id}/records/bulk", json=body)["items"] if body["items"] else []


def listing(owner: Hand, made: Made) -> list[Json]:
    """All records with everything, as the server lists them from its tables without a search engine."""
    path = f"/datasets/{made.id}/records"
    wanted = {"include": "responses,suggestions,vectors", "limit": 1000}
    return owner.call("GET", path, params=wanted)["items"]


def ids(found: Json) -> list[str]:
    """Record ids of a search's answer, in its order."""
    return [item["record"]["id"] for item in found["items"]]


def terms(scope: Json, *values: str) -> Json:
    """A terms filter."""
    return {"type": "terms", "scope": scope, "values": list(values)}


def within(scope: Json, ge: Any = None, le: Any = None) -> Json:
    """A range filter."""
    return {"type": "range", "scope": scope, **{key: to for key, to in (("ge", ge), ("le", le)) if to is not None}}


def status(*values: str) -> Json:
    """A filter on response statuses."""
    return terms({"entity": "response", "property": "status"}, *values)


def filtered(*filters: Json) -> Json:
    """A search body with filters."""
    return {"filters": {"and": list(filters)}}


def asking(q: str, field: str | None = None) -> Json:
    """A search body with a text query."""
    return {"query": {"text": {"q": q, **({"field": field} if field is not None else {})}}}
