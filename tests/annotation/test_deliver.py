"""Delivery from the outbox: once each, whatever is away, killed or not yet there.

The scripted Argilla is for the seam; the real server is in test_deliver_server.py.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from annotation import deliver as work
from annotation.deliver import AwayError, Route, deliver
from annotation.items import Ledger
from annotation.plans import held
from gaokerena.comparisons import Comparison, Verdict
from gaokerena.outbox import Outbox
from gaokerena.questions import Question
from gaokerena.store import Store
from tests.annotation.push_cases import FakeArgilla, answer, keep, opened, vote


def delivered(argilla: FakeArgilla) -> list[str]:
    """The questions that stand in the dataset, each as often as it stands there."""
    return sorted(opened(row)["question"]["text"] for row in argilla.rows())


def test_each_vote_is_one_record_and_a_second_round_sends_nothing(route: Route, store: Store, outbox: Outbox) -> None:
    argilla = FakeArgilla()
    for number in range(5):
        vote(store, outbox, number)
    assert deliver(route, argilla.client).sent == 5
    assert len(set(delivered(argilla))) == 5
    assert outbox.pending() == []
    assert [mark.item_id for mark in outbox.marks()] == [
        item.id for vote_ in store.verdicts() for item in Ledger(route.folder).items.values()
        if item.comparison_id == vote_.comparison_id
    ]  # fmt: skip
    argilla.sent.clear()
    assert deliver(route, argilla.client).sent == 0
    assert argilla.sent == [], "nothing waits, so nothing is asked"


def test_two_votes_on_one_comparison_are_one_record(route: Route, store: Store, outbox: Outbox) -> None:
    argilla = FakeArgilla()
    first = vote(store, outbox, 1)
    assert deliver(route, argilla.client).sent == 1
    again = Verdict(comparison_id=first.comparison_id, choice="right", session="s")
    outbox.add(again)
    store.add_verdict(again)
    assert deliver(route, argilla.client).sent == 1
    assert len(argilla.rows()) == 1
    assert outbox.pending() == []


def test_nothing_that_is_sent_names_a_model(route: Route, store: Store, outbox: Outbox) -> None:
    argilla = FakeArgilla()
    asked = Comparison(
        question=Question(text="تب دارم، شماره‌ام 09123456789 است."), left="gaokerena-v1.0", right="gaokerena-r1.0",
        seed=1, consent=True,
    )  # fmt: skip
    store.add_comparison(asked)
    store.add_answer(asked.id, "left", answer(asked.left, "من گوکرنا هستم. مایعات بنوشید."))
    store.add_answer(asked.id, "right", answer(asked.right, "استراحت کنید."))
    verdict = Verdict(comparison_id=asked.id, choice="left", session="s")
    outbox.add(verdict)
    store.add_verdict(verdict)
    assert deliver(route, argilla.client).sent == 1
    wire = b"".join(request.content for request in argilla.sent).decode() + json.dumps(
        [opened(row) for row in argilla.rows()], ensure_ascii=False
    )
    assert not [word for word in ("gaokerena", "گوکرنا", "9123456789", asked.id) if word in wire]


def test_while_argilla_is_away_everything_waits_and_then_comes_once(route: Route, store: Store, outbox: Outbox) -> None:
    argilla = FakeArgilla()

    def away(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    argilla.before = away
    for number in range(100):
        vote(store, outbox, number)
        if number % 25 == 0:
            with pytest.raises(AwayError, match="is the server running there"):
                deliver(route, argilla.client)
    assert len(outbox.pending()) == 100
    argilla.before = lambda request: None
    assert deliver(route, argilla.client).sent == 100
    assert len(delivered(argilla)) == len(set(delivered(argilla))) == 100
    assert outbox.pending() == []


PLACES = ("ledger", "plan", "publish", "bulk, not stored", "bulk, stored", "mark")


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("place", PLACES)
def test_a_round_that_is_killed_anywhere_is_made_good_by_the_next(
    place: str, route: Route, store: Store, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    argilla = FakeArgilla()
    for number in range(7):
        vote(store, outbox, number)
    with monkeypatch.context() as patched:
        _kill_at(place, argilla, patched)
        with pytest.raises(Killed):
            deliver(route, argilla.client)
    argilla.before = lambda request: None
    assert len(outbox.pending()) == 7
    vote(store, outbox, 7)
    assert deliver(route, argilla.client).sent == 8
    assert len(delivered(argilla)) == len(set(delivered(argilla))) == 8
    assert outbox.pending() == []
    assert deliver(route, argilla.client).sent == 0


def _kill_at(place: str, argilla: FakeArgilla, patched: pytest.MonkeyPatch) -> None:
    def dead(*_: object, **__: object) -> None:
        raise Killed

    def before(request: httpx2.Request) -> httpx2.Response | None:
        path = request.url.path
        if place == "publish" and path.endswith("/publish"):
            raise Killed
        if place.startswith("bulk") and path.endswith("/bulk"):
            if place == "bulk, stored":
                argilla.before = lambda request: None
                argilla._handle(request)
            raise Killed
        return None

    targets = {"ledger": "annotation.items.Ledger.add", "plan": "annotation.plans.Plans.add"}
    if place in targets:
        patched.setattr(targets[place], dead)
    elif place == "mark":
        patched.setattr("gaokerena.outbox.Outbox.mark", dead)
    else:
        argilla.before = before


def test_an_entry_waits_for_its_verdict_and_is_void_when_none_comes(route: Route, store: Store, outbox: Outbox) -> None:
    argilla = FakeArgilla()
    lost = Verdict(comparison_id=keep(store, 1), choice="left", session="s")
    outbox.add(lost)
    unknown = Verdict(comparison_id="never stored", choice="left", session="s")
    outbox.add(unknown)
    assert deliver(route, argilla.client).waiting == 2
    later = datetime.now(UTC) + timedelta(seconds=work.GRACE_SECONDS + 60)
    assert deliver(route, argilla.client, moment=later).void == 2
    assert (argilla.rows(), outbox.pending()) == ([], [])


def test_a_vote_before_the_end_waits_for_the_whole_answer(route: Route, store: Store, outbox: Outbox) -> None:
    argilla = FakeArgilla()
    asked = Comparison(id="early", question=Question(text="سرفه دارم؟"), left="v", right="r", seed=1, consent=True)
    store.add_comparison(asked)
    verdict = Verdict(comparison_id="early", choice="left", session="s")
    outbox.add(verdict)
    half = {"left": answer("v", "نیمهٔ پاسخ", finish_reason="unfinished"), "right": answer("r", "پاسخ کامل است.")}
    store.add_verdict(verdict, half)
    assert deliver(route, argilla.client).waiting == 1
    store.add_answer("early", "left", answer("v", "نیمهٔ پاسخ و نیمهٔ دیگر آن."))
    assert deliver(route, argilla.client).sent == 1
    assert "نیمهٔ دیگر" in json.dumps(opened(argilla.rows()[0]), ensure_ascii=False)


@pytest.mark.parametrize(
    ("change", "why"),
    [({"consent": False}, "no_consent"), ({"blind": False}, "not_blind"), ({"follows": "c0"}, "follows_another")],
)
def test_what_may_not_be_judged_is_refused_by_name(
    route: Route, store: Store, outbox: Outbox, change: dict[str, object], why: str
) -> None:
    argilla = FakeArgilla()
    verdict = Verdict(comparison_id=keep(store, 1, **change), choice="left", session="s")
    outbox.add(verdict)
    store.add_verdict(verdict)
    done = deliver(route, argilla.client)
    assert dict(done.refused) == {why: 1}
    assert (argilla.sent, outbox.pending()) == ([], [])


def test_the_same_answers_again_are_not_asked_twice(route: Route, store: Store, outbox: Outbox) -> None:
    argilla = FakeArgilla()
    vote(store, outbox, 1)
    twin = Comparison(
        id="twin", question=Question(text="پرسش 1: برای سردرد شبانه چه کنم؟"), left="v", right="r", seed=1, consent=True
    )
    store.add_comparison(twin)
    store.add_answer("twin", "left", answer("v", "پاسخ نخست به پرسش 1."))
    store.add_answer("twin", "right", answer("r", "پاسخ دوم به پرسش 1."))
    verdict = Verdict(comparison_id="twin", choice="left", session="s")
    outbox.add(verdict)
    store.add_verdict(verdict)
    done = deliver(route, argilla.client)
    assert (done.sent, dict(done.refused)) == (1, {"repeated": 1})
    assert len(argilla.rows()) == 1


def test_another_push_at_work_is_waited_for(route: Route, store: Store, outbox: Outbox) -> None:
    vote(store, outbox, 1)
    with held(route.folder), pytest.raises(AwayError, match="another push is at work"):
        deliver(route, FakeArgilla().client)
    assert len(outbox.pending()) == 1
