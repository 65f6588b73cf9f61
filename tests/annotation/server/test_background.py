"""Background work of the real server: statuses, webhooks, and what a kill leaves to be done."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import httpx

from annotation.server.launch import Running
from tests.annotation.server.talk import Listener, answer, listening, log, make_dataset, post, statuses, talk, until


def add_webhook(client: httpx.Client, listener: Listener, *events: str) -> str:
    return str(post(client, "webhooks", {"url": listener.url, "events": list(events)})["id"])


def remove_webhook(client: httpx.Client, webhook: str) -> None:
    assert client.delete(f"webhooks/{webhook}").is_success


def test_a_change_of_the_dataset_computes_the_statuses_anew(server: Running) -> None:
    with talk(server) as client:
        dataset = make_dataset(client, "distribution", min_submitted=1)
        records = log(client, dataset, 3)
        answer(client, records[0])
        answer(client, records[1], "draft")
        assert statuses(client, records) == ["completed", "pending", "pending"]
        for asked, first in ((2, "pending"), (1, "completed")):
            change = {"distribution": {"strategy": "overlap", "min_submitted": asked}}
            assert client.patch(f"datasets/{dataset}", json=change).is_success
            expected = [first, "pending", "pending"]
            assert until(lambda expected=expected: statuses(client, records) == expected), asked  # type: ignore[misc]


def test_discarding_and_deleting_an_answer_moves_the_status(server: Running) -> None:
    with talk(server) as client:
        (record,) = log(client, make_dataset(client, "moves"), 1)
        answer(client, record)
        assert statuses(client, [record]) == ["completed"]
        (response,) = client.get(f"records/{record}").json()["responses"]
        discarded = {"status": "discarded", "values": {"ok": {"value": "yes"}}}
        assert client.put(f"responses/{response['id']}", json=discarded).is_success
        assert statuses(client, [record]) == ["pending"]
        assert client.put(f"responses/{response['id']}", json={**discarded, "status": "submitted"}).is_success
        assert statuses(client, [record]) == ["completed"]
        assert client.delete(f"responses/{response['id']}").is_success
        assert statuses(client, [record]) == ["pending"]


def test_a_webhook_made_later_gets_its_events_and_no_others(server: Running) -> None:
    with talk(server) as client, listening() as listener:
        dataset = make_dataset(client, "webhook")
        (before,) = log(client, dataset, 1)  # the server has seen that nobody wants events
        webhook = add_webhook(client, listener, "record.completed", "response.created")
        (after,) = log(client, dataset, 1, start=1)
        answer(client, after)
        events = [listener.next(), listener.next()]
        assert {event["type"] for event in events} == {"record.completed", "response.created"}
        ids = {event["type"]: event["data"] for event in events}
        assert ids["record.completed"]["id"] == ids["response.created"]["record"]["id"] == after
        assert ids["record.completed"]["status"] == "completed"

        remove_webhook(client, webhook)
        answer(client, before)
        time.sleep(0.5)
        assert listener.came.empty()


def test_a_slow_webhook_holds_up_nobody(server: Running) -> None:
    with talk(server) as client, listening() as listener:
        webhook = add_webhook(client, listener, "record.created")
        dataset = make_dataset(client, "slow webhook")
        listener.gate.clear()
        log(client, dataset, 3)
        assert listener.arrived.wait(20)
        (record,) = log(client, dataset, 1, start=3)
        answer(client, record)
        assert listener.came.empty()
        listener.gate.set()
        items = [listener.next()["data"]["external_id"] for _ in range(4)]
        assert items == ["item-0", "item-1", "item-2", "item-3"]
        remove_webhook(client, webhook)


def test_a_delivery_cut_short_by_a_kill_is_made_after_the_restart(server: Running) -> None:
    with talk(server) as client, listening() as listener:
        webhook = add_webhook(client, listener, "record.created")
        dataset = make_dataset(client, "killed")
        listener.gate.clear()
        log(client, dataset, 2)
        assert listener.arrived.wait(20)
        server.kill9()
        listener.gate.set()
        cut = listener.next()["data"]["external_id"]  # it reached the receiver, who could not answer
        assert cut == "item-0"
        server.restart()
        again = [listener.next()["data"]["external_id"] for _ in range(2)]
        assert again == ["item-0", "item-1"]
    with talk(server) as client:
        remove_webhook(client, webhook)


def test_an_unknown_job_is_not_found(server: Running) -> None:
    with talk(server) as client:
        assert client.get("jobs/unknown").status_code == 404


def test_statuses_a_crash_left_stale_are_repaired_at_the_start(server: Running) -> None:
    with talk(server) as client:
        dataset = make_dataset(client, "stale", min_submitted=1)
        records = log(client, dataset, 4)
        answer(client, records[0])
        answer(client, records[1], "discarded")
        right = ["completed", "pending", "pending", "pending"]
        assert statuses(client, records) == right
    server.kill9()
    flip = "update records set status = case status when 'pending' then 'completed' else 'pending' end where id = ?"
    with closing(sqlite3.connect(server.places.database)) as db, db:
        # What a kill between the two commits leaves, both ways; the fourth has no response and was not touched.
        db.executemany(flip, [(record.replace("-", ""),) for record in records[:3]])
    server.restart()
    with talk(server) as client:
        assert statuses(client, records) == right
    assert "Traceback" not in server.log()
