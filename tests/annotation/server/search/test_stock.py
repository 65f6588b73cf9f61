"""Behaviours of the stock server that clients rely on, each by name; and where this engine does better, why."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.annotation.server.search.hands import (
    Hand,
    Json,
    Made,
    asking,
    filtered,
    ids,
    listing,
    log,
    make,
    status,
    terms,
    text_design,
    within,
)

AGE = {"entity": "metadata", "metadata_property": "age"}
RATING = {"entity": "response", "question": "rating"}


@pytest.fixture(scope="module")
def made(owner: Hand) -> Made:
    """Forty records with an age, every fourth without metadata."""
    made = make(owner, text_design(metadata={"age": {"type": "integer"}}))
    metadata = [None if n % 4 == 0 else {"age": n % 7} for n in range(40)]
    log(owner, made, [{"fields": {"text": f"r{n}"}, "metadata": data} for n, data in enumerate(metadata)])
    return made


@pytest.fixture(scope="module")
def pair(owner: Hand, made: Made) -> Iterator[tuple[Hand, Hand]]:
    with owner.annotator(made.workspace) as one, owner.annotator(made.workspace) as two:
        yield one, two


def answer(hand: Hand, record: str, value: int | None, how: str = "submitted") -> Json:
    body = {"status": how, "values": None if value is None else {"rating": {"value": value}}}
    made: Json = hand.call("POST", f"/records/{record}/responses", json=body)
    return made


def test_each_annotator_has_an_order_of_their_own_that_stays(owner: Hand, pair: tuple[Hand, Hand]) -> None:
    made = make(owner, text_design(), pair[0].call("GET", "/me/workspaces")["items"][0]["id"])
    log(owner, made, [{"fields": {"text": f"r{n}"}, "external_id": f"r{n}"} for n in range(60)])
    one, two = (ids(hand.search(made.id, {}, me=True, limit=100)) for hand in pair)
    added = ids(owner.search(made.id, {}, limit=100))
    assert sorted(one) == sorted(two) == sorted(added)
    assert len({tuple(one), tuple(two), tuple(added)}) == 3
    # Stock's order moves when a record changes; here a doctor who comes back finds the queue as it was.
    change = {"items": [{"external_id": "r7", "fields": {"text": "changed"}}]}
    owner.call("PUT", f"/datasets/{made.id}/records/bulk", json=change)
    log(owner, made, [{"fields": {"text": "new"}}])
    again = ids(pair[0].search(made.id, {}, me=True, limit=100))
    assert [record for record in again if record in one] == one
    pages = [ids(pair[0].search(made.id, {}, me=True, limit=7, offset=start)) for start in range(0, 61, 7)]
    assert [record for page in pages for record in page] == again
    assert ids(pair[0].search(made.id, {"filters": None, "sort": None}, me=True, limit=100)) == again


def test_orders_of_many_annotators_are_as_if_shuffled(owner: Hand, pair: tuple[Hand, Hand]) -> None:
    """Two orders of 60 agree on which of two records comes first in about half of all pairs."""
    made = make(owner, text_design(), pair[0].call("GET", "/me/workspaces")["items"][0]["id"])
    log(owner, made, [{"fields": {"text": f"r{n}"}} for n in range(60)])
    places = []
    for hand in pair:
        order = ids(hand.search(made.id, {}, me=True, limit=100))
        places.append({record: place for place, record in enumerate(order)})
    pairs = [(a, b) for a in places[0] for b in places[0] if a < b]
    agree = sum((places[0][a] < places[0][b]) == (places[1][a] < places[1][b]) for a, b in pairs) / len(pairs)
    assert 0.25 < agree < 0.75


def test_pending_is_no_response_of_mine_and_a_draft_is_one(owner: Hand, pair: tuple[Hand, Hand]) -> None:
    made = make(owner, text_design(), pair[0].call("GET", "/me/workspaces")["items"][0]["id"])
    first, second, third = (record["id"] for record in log(owner, made, [{"fields": {"text": "x"}}] * 3))
    one, two = pair
    answer(one, first, 3, "draft")
    answer(one, second, None, "discarded")
    answer(two, second, 4)

    def mine(hand: Hand, *statuses: str) -> set[str]:
        return set(ids(hand.search(made.id, filtered(status(*statuses)), me=True)))

    assert mine(one, "pending") == {third}
    assert mine(two, "pending") == {first, third}
    assert mine(one, "draft") == {first}
    assert mine(one, "pending", "discarded") == {second, third}
    assert mine(two, "submitted", "draft") == {second}
    everybody = ids(owner.search(made.id, filtered(status("pending"))))
    assert everybody == [third]
    assert set(ids(owner.search(made.id, filtered(status("discarded"))))) == {second}


def test_terms_are_texts_and_match_numbers(owner: Hand, made: Made) -> None:
    ages = {record["id"]: (record["metadata"] or {}).get("age") for record in listing(owner, made)}
    three = {record for record, age in ages.items() if age == 3}
    for given in (3, "3", 3.0, "3.0"):
        assert set(ids(owner.search(made.id, filtered(terms(AGE, given))))) == three  # type: ignore[arg-type]
    for bounds in ((3, 3), ("3", "3"), (2.5, 3.5)):
        assert set(ids(owner.search(made.id, filtered(within(AGE, *bounds))))) == three


def test_records_without_metadata_come_last_both_ways(owner: Hand, made: Made) -> None:
    ages = {record["id"]: (record["metadata"] or {}).get("age") for record in listing(owner, made)}
    for order in ("asc", "desc"):
        got = [ages[record] for record in ids(owner.search(made.id, {"sort": [{"scope": AGE, "order": order}]}))]
        assert got[30:] == [None] * 10
        assert got[:30] == sorted(got[:30], reverse=order == "desc")


def test_ratings_of_several_annotators_sort_by_their_mean(owner: Hand, pair: tuple[Hand, Hand]) -> None:
    made = make(owner, text_design(), pair[0].call("GET", "/me/workspaces")["items"][0]["id"])
    first, second, third = (record["id"] for record in log(owner, made, [{"fields": {"text": "x"}}] * 3))
    for record, given in ((first, (5, 1)), (second, (4, 3)), (third, (3, 3))):
        for hand, value in zip(pair, given, strict=True):
            answer(hand, record, value)
    assert ids(owner.search(made.id, {"sort": [{"scope": RATING, "order": "desc"}]}))[0] == second  # 3.5, 3, 3
    mine = pair[0].search(made.id, {"sort": [{"scope": RATING, "order": "desc"}]}, me=True)
    assert ids(mine) == [first, second, third]


def test_a_deleted_record_is_never_returned(owner: Hand, pair: tuple[Hand, Hand]) -> None:
    """With an index of its own, stock returns its id and then fails with 500."""
    made = make(owner, text_design(), pair[0].call("GET", "/me/workspaces")["items"][0]["id"])
    first, second = (record["id"] for record in log(owner, made, [{"fields": {"text": "کتاب"}}] * 2))
    owner.call("DELETE", f"/datasets/{made.id}/records", params={"ids": first})
    for body in ({}, asking("کتاب"), {"sort": [{"scope": RATING, "order": "asc"}]}):
        assert ids(pair[0].search(made.id, body, me=True)) == [second]


def test_logging_a_record_again_changes_it_and_what_finds_it(owner: Hand) -> None:
    made = make(owner, text_design())
    log(owner, made, [{"fields": {"text": "کتاب"}, "external_id": "same"}])
    body = {"items": [{"fields": {"text": "مجله"}, "external_id": "same"}]}
    for _ in range(2):
        owner.call("PUT", f"/datasets/{made.id}/records/bulk", json=body)
    assert owner.search(made.id, {})["total"] == 1
    assert owner.search(made.id, asking("كتاب"))["total"] == 0
    assert owner.search(made.id, asking("مجله"))["total"] == 1


def test_statuses_and_progress_move_with_the_responses(owner: Hand, pair: tuple[Hand, Hand]) -> None:
    made = make(owner, text_design(), pair[0].call("GET", "/me/workspaces")["items"][0]["id"])
    record = log(owner, made, [{"fields": {"text": "x"}}, {"fields": {"text": "y"}}])[0]["id"]
    responses = [answer(hand, record, 3) for hand in pair]
    again = pair[0].http.post(f"/records/{record}/responses", json={"status": "submitted", "values": {}})
    assert again.status_code in (409, 422)
    completed = terms({"entity": "record", "property": "status"}, "completed")
    assert ids(owner.search(made.id, filtered(completed))) == [record]
    progress = owner.call("GET", f"/datasets/{made.id}/progress")
    assert (progress["total"], progress["completed"], progress["pending"]) == (2, 1, 1)
    users = {
        user["username"]: user["completed"]
        for user in owner.call("GET", f"/datasets/{made.id}/users/progress")["users"]
    }
    assert users == {hand.user["username"]: {"submitted": 1, "draft": 0, "discarded": 0} for hand in pair}
    discard = {"status": "discarded", "values": None}
    pair[0].call("PUT", f"/responses/{responses[0]['id']}", json=discard)
    assert owner.search(made.id, filtered(completed))["total"] == 0
    back = {"status": "submitted", "values": {"rating": {"value": 1}}, "record_id": record}
    pair[0].call("POST", "/me/responses/bulk", json={"items": [back]})
    assert owner.search(made.id, filtered(completed))["total"] == 1
    metrics = pair[0].call("GET", f"/me/datasets/{made.id}/metrics")["responses"]
    assert metrics == {"total": 2, "submitted": 1, "discarded": 0, "draft": 0, "pending": 1}


def test_a_suggestion_is_found_and_forgotten_at_once(owner: Hand) -> None:
    made = make(owner, text_design())
    record = log(owner, made, [{"fields": {"text": "x"}}])[0]["id"]
    body = {"question_id": made.questions["rating"], "value": 4, "agent": "gpt-4", "score": 0.7}
    suggestion = owner.call("PUT", f"/records/{record}/suggestions", json=body)
    scopes = {"value": "4", "agent": "gpt-4", "score": "0.7"}
    for name, value in scopes.items():
        scope = {"entity": "suggestion", "question": "rating", "property": name}
        assert owner.search(made.id, filtered(terms(scope, value)))["total"] == 1
    owner.call("DELETE", f"/suggestions/{suggestion['id']}")
    default = {"entity": "suggestion", "question": "rating"}
    assert owner.search(made.id, filtered(terms(default, "4")))["total"] == 0


def test_a_draft_dataset_has_no_progress(owner: Hand, made: Made) -> None:
    given = {"name": "a draft", "workspace_id": made.workspace}
    dataset = owner.call("POST", "/datasets", json=given)["id"]
    assert owner.call("GET", f"/datasets/{dataset}/progress")["total"] == 0


def test_the_best_text_comes_first(owner: Hand, pair: tuple[Hand, Hand]) -> None:
    made = make(owner, text_design(), pair[0].call("GET", "/me/workspaces")["items"][0]["id"])
    texts = ["کتاب و چند چیز دیگر در یک متن دراز", "کتاب كتاب", "هیچ"]
    stored = [record["id"] for record in log(owner, made, [{"fields": {"text": text}} for text in texts])]
    for hand, me in ((owner, False), (pair[0], True)):
        assert ids(hand.search(made.id, asking("کتاب"), me=me)) == [stored[1], stored[0]]
    everything = owner.search(made.id, asking("*"))
    assert ids(everything) == ids(owner.search(made.id, {}))
    assert owner.search(made.id, asking("؟!"))["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        filtered(terms({"entity": "metadata", "metadata_property": "absent"}, "x")),
        filtered(terms({"entity": "response", "question": "absent"}, "x")),
        filtered(terms({"entity": "response"}, "x")),
        filtered(within({"entity": "response", "property": "status"}, "a", "b")),
        filtered(within(AGE, "not a number")),
        filtered(within({"entity": "record", "property": "inserted_at"}, "not a date")),
        filtered(terms({"entity": "record", "property": "inserted_at"}, "2026-13-45")),
        filtered(within(AGE, 1, "b")),
        {"sort": [{"scope": {"entity": "response"}, "order": "asc"}]},
        {"query": {"vector": {"name": "absent", "value": [1.0]}}},
        asking("x", "absent"),
        asking("x " * 2000),
    ],
)
def test_what_means_nothing_is_refused_with_a_reason(owner: Hand, made: Made, body: Json) -> None:
    """Several of these are errors 500 in stock."""
    answer = owner.http.post(f"/datasets/{made.id}/records/search", json=body)
    assert answer.status_code == 422
    assert len(answer.json()["detail"]) > 10


def test_an_offset_beyond_everything_is_an_empty_page(owner: Hand, made: Made) -> None:
    for offset in (40, 10**6, 10**30):
        for body in ({}, asking("*")):
            page = owner.search(made.id, body, offset=offset)
            assert (page["items"], page["total"]) == ([], 40)


def test_anybody_may_read_the_engine_s_name_and_no_more(owner: Hand) -> None:
    told = httpx.get(f"{owner.url}/api/v1/status").json()["search_engine"]
    assert told.keys() == {"name", "sqlite"}
    assert told["name"] == "sqlite_live"
