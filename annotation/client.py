"""A thin client of Argilla's HTTP API (argilla-server 2.8): one call one method, errors that say what to do next.

    with Argilla("http://127.0.0.1:6900", key) as argilla:
        argilla.me()["username"]
        argilla.upsert(dataset_id, records)        # at most 500 records and about 4 MB at once

What may be repeated (reads, upserts, publishing) is tried again when the connection breaks or the server is busy; what
may not (creating) is tried again only where it never reached the server. The key goes into a header, never into an
error or a log. Not covered: image fields, vectors, webhooks, the Hub.
"""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import httpx2

from annotation.client_errors import (
    ArgillaError,
    BrokenError,
    DeniedError,
    MissingError,
    MovingError,
    RefusedError,
    TakenError,
    UnreachableError,
    failed,
    unreachable,
)

__all__ = [
    "Argilla",
    "ArgillaError",
    "BrokenError",
    "DeniedError",
    "MissingError",
    "MovingError",
    "RefusedError",
    "Row",
    "TakenError",
    "UnreachableError",
    "batches",
    "is_local",
]

Row = dict[str, Any]

AT_ONCE = 500
"""Records one bulk call may hold (RECORDS_BULK_UPSERT_MAX_ITEMS of argilla-server)."""
BYTES_AT_ONCE = 4_000_000
PAGE, TRIES = 500, 4
_PAUSES = (0.5, 2.0, 5.0)
_BUSY = (502, 503, 504)


class Argilla:
    """See the module. Raises ArgillaError from every method; `transport` and `sleep` are for tests."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._sleep = sleep
        self._http = httpx2.Client(
            base_url=self.url,
            headers={"X-Argilla-Api-Key": key},
            timeout=httpx2.Timeout(120, connect=10),
            transport=transport,
            trust_env=not is_local(self.url),  # no proxy between this machine and itself
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def __repr__(self) -> str:
        return f"Argilla({self.url!r})"

    # People and workspaces

    def me(self) -> Row:
        return self.row("GET", "me")

    def users(self) -> list[Row]:
        return self.rows("users")

    def add_user(self, username: str, password: str, role: str) -> Row:
        body = {"username": username, "first_name": username, "password": password, "role": role}
        return self.row("POST", "users", body)

    def set_password(self, user_id: str, password: str) -> None:
        self.row("PATCH", f"users/{user_id}", {"password": password})

    def workspace(self, name: str) -> Row | None:
        return next((row for row in self.rows("me/workspaces") if row["name"] == name), None)

    def add_workspace(self, name: str) -> Row:
        return self.row("POST", "workspaces", {"name": name})

    def members(self, workspace_id: str) -> list[Row]:
        return self.rows(f"workspaces/{workspace_id}/users")

    def add_member(self, workspace_id: str, user_id: str) -> None:
        self.row("POST", f"workspaces/{workspace_id}/users", {"user_id": user_id})

    # Datasets

    def dataset(self, workspace_id: str, name: str) -> Row | None:
        found = self.rows("me/datasets", workspace_id=workspace_id, name=name)
        return next((row for row in found if row["name"] == name), None)

    def add_dataset(self, body: Row) -> Row:
        return self.row("POST", "datasets", body)

    def parts(self, dataset_id: str, kind: str) -> list[Row]:
        """`fields`, `questions` or `metadata-properties` of a dataset."""
        mine = "me/" if kind == "metadata-properties" else ""
        return self.rows(f"{mine}datasets/{dataset_id}/{kind}")

    def add_part(self, dataset_id: str, kind: str, body: Row) -> Row:
        return self.row("POST", f"datasets/{dataset_id}/{kind}", body)

    def publish(self, dataset_id: str) -> Row:
        return self.row("PUT", f"datasets/{dataset_id}/publish")

    def progress(self, dataset_id: str) -> Row:
        """Counts of records: total, completed, pending."""
        return self.row("GET", f"datasets/{dataset_id}/progress")

    # Records

    def records(self, dataset_id: str, **params: str) -> list[Row]:
        """Every record, none missed; `include="responses"` brings the answers of all users along.

        Argilla pages records by the moment they were stored, which many share, and records can come and go while they
        are read: they are read again until as many different ones were seen as the server counts.
        """
        found: dict[str, Row] = {}
        for _ in range(TRIES):
            offset, total = 0, 1
            while offset < total:
                at = {"offset": str(offset), "limit": str(PAGE)}
                page = self.row("GET", f"datasets/{dataset_id}/records", None, **at, **params)
                found |= {record["id"]: record for record in page["items"]}
                total, offset = int(page["total"]), offset + PAGE
            if len(found) >= total:
                return list(found.values())
        raise MovingError(
            f"{self.url}: the records of dataset {dataset_id} changed all the time ({len(found)} of {total} seen); "
            "give the command again when no push is running"
        )

    def upsert(self, dataset_id: str, records: Sequence[Row]) -> Iterator[int]:
        """Make or replace records by their external id; yields how many each call stored."""
        for part in batches(records):
            self.row("PUT", f"datasets/{dataset_id}/records/bulk", {"items": part})
            yield len(part)

    # The calls

    def rows(self, path: str, **params: str) -> list[Row]:
        found: list[Row] = self.row("GET", path, None, **params)["items"]
        return found

    def row(self, method: str, path: str, body: Row | None = None, **params: str) -> Row:
        """One call of `/api/v1/PATH`; its JSON object. Raises ArgillaError."""
        repeatable = method in ("GET", "PUT")
        pauses = iter(_PAUSES)
        while True:
            try:
                response = self._http.request(method, f"/api/v1/{path}", json=body, params=params or None)
            except httpx2.TransportError as error:
                never_there = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
                if not (repeatable or never_there) or (pause := next(pauses, None)) is None:
                    raise unreachable(f"{method} {self.url}/api/v1/{path}", error) from error
            else:
                if response.status_code < 300:
                    return self._object(method, path, response)
                if response.status_code not in _BUSY or not repeatable or (pause := next(pauses, None)) is None:
                    raise failed(f"{method} {self.url}/api/v1/{path}", response)
            self._sleep(pause)

    def _object(self, method: str, path: str, response: httpx2.Response) -> Row:
        try:
            value = response.json()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise BrokenError(
                f"{method} {self.url}/api/v1/{path} answered with no JSON object; is an Argilla there?",
                response.status_code,
            )
        return value


def batches(records: Sequence[Row]) -> Iterator[list[Row]]:
    """`records` in parts small enough for one call."""
    part: list[Row] = []
    size = 0
    for record in records:
        weight = len(json.dumps(record))
        if part and (len(part) == AT_ONCE or size + weight > BYTES_AT_ONCE):
            yield part
            part, size = [], 0
        part.append(record)
        size += weight
    if part:
        yield part


def is_local(url: str) -> bool:
    """Whether `url` names this machine."""
    host = httpx2.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
