"""A deliverer that goes on: how long it waits, and for what not."""

from __future__ import annotations

import logging

import pytest

from annotation.address import AddressError, NotRunningError
from annotation.client import DeniedError
from annotation.deliver import Route, keep_delivering
from gaokerena.outbox import Outbox
from gaokerena.store import Store
from tests.annotation.push_cases import FakeArgilla, vote


class EnoughError(Exception):
    """The test has seen enough."""


def test_pauses_grow_while_argilla_is_away_and_begin_anew_when_it_is_back(
    route: Route, store: Store, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    argilla = FakeArgilla()
    pauses: list[float] = []
    vote(store, outbox, 1)

    def connect() -> object:
        if len(pauses) in range(11) or len(pauses) == 12:
            raise NotRunningError("no server is running")
        return argilla.client()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 12:
            vote(store, outbox, 2)
        if len(pauses) == 14:
            raise EnoughError

    with caplog.at_level(logging.WARNING), pytest.raises(EnoughError):
        keep_delivering(route, connect, every=30, sleep=sleep)  # type: ignore[arg-type]
    grown = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert all(0.75 * full <= pause <= full for pause, full in zip(pauses, grown, strict=False))
    assert pauses[11] == 30
    assert pauses[12] <= 1
    assert pauses[13] == 30
    assert len(argilla.rows()) == 2
    assert "nothing is lost" in caplog.text


@pytest.mark.parametrize("error", [AddressError("no such home"), DeniedError("401")])
def test_what_a_person_must_mend_is_not_waited_for(
    route: Route, store: Store, outbox: Outbox, error: Exception
) -> None:
    vote(store, outbox, 1)

    def connect() -> object:
        raise error

    with pytest.raises(type(error)):
        keep_delivering(route, connect, sleep=_never)  # type: ignore[arg-type]
    assert len(outbox.pending()) == 1


def _never(seconds: float) -> None:
    raise AssertionError(f"waited {seconds} s")
