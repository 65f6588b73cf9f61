"""The thin client: what it tries again, what it says, what it never shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from annotation import client
from annotation.address import AddressError, connect
from annotation.client import (
    Argilla,
    ArgillaError,
    BrokenError,
    DeniedError,
    MissingError,
    RefusedError,
    TakenError,
    UnreachableError,
    batches,
)
from tests.annotation.push_cases import FakeArgilla

KEY = "a-very-secret-key"


@pytest.fixture
def argilla(fake: FakeArgilla) -> Iterator[Argilla]:
    with fake.client(KEY) as made:
        yield made


def failing(fake: FakeArgilla, times: int, with_: int | type[httpx2.TransportError]) -> None:
    left = iter(range(times))

    def before(request: httpx2.Request) -> httpx2.Response | None:
        if next(left, None) is None:
            return None
        if isinstance(with_, int):
            return httpx2.Response(with_, json={"detail": "not now"})
        raise with_("broken")

    fake.before = before


def test_the_key_goes_into_the_header_alone(fake: FakeArgilla, argilla: Argilla) -> None:
    assert argilla.me()["username"] == "owner"
    assert fake.sent[0].headers["X-Argilla-Api-Key"] == KEY
    assert KEY not in str(fake.sent[0].url)
    assert KEY not in repr(argilla)


@pytest.mark.parametrize("with_", [503, httpx2.RemoteProtocolError, httpx2.ConnectError, httpx2.ReadTimeout])
def test_reads_and_upserts_are_tried_again(
    fake: FakeArgilla, argilla: Argilla, with_: int | type[httpx2.TransportError]
) -> None:
    failing(fake, 3, with_)
    assert argilla.me()["username"] == "owner"
    assert fake.pauses == [0.5, 2.0, 5.0]
    failing(fake, 1, with_)
    assert list(argilla.upsert("d", [{"external_id": "i1"}])) == [1]


def test_after_four_times_it_gives_up_and_says_where(fake: FakeArgilla, argilla: Argilla) -> None:
    failing(fake, 9, httpx2.ConnectError)
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1/api/v1/me: no answer .* serve") as caught:
        argilla.me()
    assert caught.value.status is None
    assert len(fake.sent) == 4


def test_what_might_have_been_made_is_not_made_twice(fake: FakeArgilla, argilla: Argilla) -> None:
    failing(fake, 1, httpx2.ReadTimeout)
    with pytest.raises(UnreachableError):
        argilla.add_workspace("doctors")
    assert len(fake.sent) == 1
    failing(fake, 1, httpx2.ConnectError)  # it never arrived
    assert argilla.add_workspace("doctors")["name"] == "doctors"


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, DeniedError, "ARGILLA_API_KEY"),
        (403, DeniedError, "owner"),
        (404, MissingError, "name"),
        (409, TakenError, "already"),
        (422, RefusedError, "mend the value it names"),
        (418, RefusedError, "address"),
        (500, BrokenError, "log"),
        (302, RefusedError, "address"),
    ],
)
def test_an_error_names_status_place_and_next_step(
    fake: FakeArgilla, argilla: Argilla, status: int, kind: type[ArgillaError], said: str
) -> None:
    failing(fake, 1, status)
    with pytest.raises(
        kind, match=rf"POST http://127\.0\.0\.1:1/api/v1/workspaces answered {status} \(not now\)"
    ) as caught:
        argilla.add_workspace("doctors")
    assert said in str(caught.value)
    assert caught.value.status == status
    assert KEY not in str(caught.value)


def test_a_page_that_is_no_argilla_is_told(fake: FakeArgilla, argilla: Argilla) -> None:
    fake.before = lambda request: httpx2.Response(200, text="<html>welcome</html>")
    with pytest.raises(BrokenError, match="is an Argilla there"):
        argilla.me()


def test_records_come_page_by_page(fake: FakeArgilla, argilla: Argilla) -> None:
    rows = [{"external_id": f"i{number}"} for number in range(1200)]
    assert list(argilla.upsert("d", rows)) == [500, 500, 200]
    assert [row["external_id"] for row in argilla.records("d")] == [row["external_id"] for row in rows]


def test_heavy_records_go_in_smaller_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BYTES_AT_ONCE", 1000)
    rows = [{"x": "y" * size} for size in (300, 300, 300, 5000, 10, 10)]
    parts = list(batches(rows))
    assert [len(part) for part in parts] == [3, 1, 2]
    assert [row for part in parts for row in part] == rows
    assert list(batches([])) == []


# Addresses ------------------------------------------------------------------------------------------------------------


def test_a_url_needs_its_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARGILLA_API_KEY", raising=False)
    with pytest.raises(AddressError, match="ARGILLA_API_KEY is not set"):
        connect("https://argilla.example.org")
    monkeypatch.setenv("ARGILLA_API_KEY", KEY)
    with connect("https://argilla.example.org/") as made:
        assert made.url == "https://argilla.example.org"


@pytest.mark.parametrize("url", ["https://owner:secret@argilla.example.org", "ftp://argilla.example.org", "http://"])
def test_a_url_with_a_key_or_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ARGILLA_API_KEY", KEY)
    with pytest.raises(AddressError) as caught:
        connect(url)
    assert "secret" not in str(caught.value)


def test_plain_http_to_another_machine_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ARGILLA_API_KEY", KEY)
    connect("http://127.0.0.1:6900").close()
    connect("http://localhost:6900").close()
    assert not caplog.text
    connect("http://argilla.example.org").close()
    assert "plain HTTP" in caplog.text
    assert KEY not in caplog.text


def test_a_folder_without_a_server_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(AddressError, match="annotation serve"):
        connect(str(tmp_path / "home"))
