"""The search API of a real server against plain Python, on random datasets and random questions.

Every filter scope, text queries, sorts, pages, totals, similarity, metrics and progress; as an annotator and as owner.
`SEARCH_EXAMPLES=200` asks for more datasets than the few of a normal run. Not covered here: hostile input
(test_hostile.py), the index itself (test_index.py), speed (benchmarks/annotation.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.annotation.server.search import oracle, queries
from tests.annotation.server.search.hands import Hand, Json, asking, filtered, ids, status
from tests.annotation.server.search.spellings import SPELLINGS
from tests.annotation.server.search.worlds import CHAT, DESIGN, Stage, stage

_PARTS = 5  # of the scopes; each example asks for one part of them
_EXAMPLES = int(os.environ.get("SEARCH_EXAMPLES", "15")) // _PARTS + 1  # the first one is always the empty dataset
_QUESTIONS = 6


@dataclass(frozen=True)
class Cast:
    """The people of the play: an owner, three annotators of one workspace."""

    owner: Hand
    annotators: list[Hand]
    workspace: str

    @property
    def users(self) -> list[str]:
        return [hand.user["id"] for hand in self.annotators]


@pytest.fixture(scope="module")
def people(owner: Hand) -> Iterator[Cast]:
    workspace = owner.call("POST", "/workspaces", json={"name": "oracle"})["id"]
    annotators = [owner.annotator(workspace) for _ in range(3)]
    yield Cast(owner, annotators, workspace)
    for hand in annotators:
        hand.http.close()


_often = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),  # a shrunk example costs minutes here; the failing one is printed whole
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("part", range(_PARTS))
@_often
@given(data=st.data())
def test_every_search_agrees_with_plain_python(people: Cast, part: int, data: st.DataObject) -> None:
    found = stage(data.draw, people.owner, people.workspace, people.users)
    for hand in people.annotators:
        _left(hand, found, data.draw)
    for scope in queries.ALL_SCOPES[part::_PARTS]:
        _alone(people, found, scope, data.draw)
    _read(people, found, data.draw)
    for _ in range(_QUESTIONS):
        _ask(people, found, data.draw)
    _similar(people, found, data.draw)
    _counts(people, found)


def _ask(people: Cast, found: Stage, draw: Any) -> None:
    """One search as one person: its set, order, total, and one page of it."""
    world = found.world
    hand = draw(st.sampled_from([people.owner, *people.annotators]))
    me = hand is not people.owner
    user = hand.user["id"] if me else None
    body, expected = _question(world, user, draw)
    answer = hand.search(found.made.id, body, me=me, limit=1000)
    context = (body, user, world.records)
    got = ids(answer)
    assert sorted(got) == sorted(record["id"] for record in expected), context
    assert answer["total"] == len(expected), context
    if "sort" in body:
        assert got == [record["id"] for record in oracle.ordered(world, expected, body["sort"], user)], context
    elif "query" in body:
        _best_first(answer, None if me else [record["id"] for record in world.added()])
    elif not me:
        assert got == [record["id"] for record in world.added() if record in expected], context
    _page(hand, found, body, me, got, draw)


def _left(hand: Hand, found: Stage, draw: Any) -> None:
    """The page an annotator works from: records by the status of their own response, nothing else asked."""
    wanted = draw(st.sampled_from((("pending",), ("draft",), ("pending", "discarded"), ("submitted", "draft"))))
    user = hand.user["id"]
    answer = hand.search(found.made.id, filtered(status(*wanted)), me=True)
    expected = [r["id"] for r in found.world.records if oracle.matches(found.world, r, status(*wanted), user)]
    assert sorted(ids(answer)) == sorted(expected), (wanted, user, found.world.records)
    assert answer["total"] == len(expected)


def _question(world: oracle.World, user: str | None, draw: Any) -> tuple[Json, list[Json]]:
    """A search's body and the records it must find, in no order."""
    body: Json = {}
    expected = list(world.records)
    if draw(st.booleans()):
        count = draw(st.sampled_from((1, 1, 1, 2, 3)))  # several at once mostly leave nothing
        conditions = [draw(queries.filters(world)) for _ in range(count)]
        body |= filtered(*conditions)
        expected = [r for r in expected if all(oracle.matches(world, r, one, user) for one in conditions)]
    if draw(st.booleans()):
        tree, field = draw(queries.trees), draw(st.sampled_from((None, "text", CHAT, "custom", "image")))
        body["query"] = {"text": {"q": draw(queries.rendered(tree)), "field": field}}
        expected = [r for r in expected if oracle.asks_for(tree, world.words[r["id"]], field)]
    if draw(st.booleans()):
        body["sort"] = draw(queries.sorts)
    return body, expected


def _alone(people: Cast, found: Stage, scope: Json, draw: Any) -> None:
    """One scope alone: sorted by it up and down, and filtered; several at once mostly hide what each does."""
    world, dataset = found.world, found.made.id
    hand = draw(st.sampled_from([people.owner, people.owner, people.annotators[0]]))
    me = hand is not people.owner
    user = hand.user["id"] if me else None
    for order in ("asc", "desc"):
        sort = [{"scope": scope, "order": order}]
        got = ids(hand.search(dataset, {"sort": sort}, me=me, limit=100))
        expected = oracle.ordered(world, world.records, sort, user)
        assert got == [record["id"] for record in expected], (sort, user, world.records)
    condition = draw(queries.filters(world, scope))
    got = ids(hand.search(dataset, filtered(condition), me=me, limit=100))
    expected = [record for record in world.records if oracle.matches(world, record, condition, user)]
    assert sorted(got) == sorted(record["id"] for record in expected), (condition, user, world.records)


def _read(people: Cast, found: Stage, draw: Any) -> None:
    """Words that are there, in each kind of field; `near` is also in the images' addresses, and must not be found."""
    for field in (None, "text", CHAT, "custom"):
        there = {word for known in found.world.words.values() for word in known.get(field or "text", ())}
        tree = (
            ("word", draw(st.sampled_from(sorted(there & SPELLINGS.keys()) or ["near"]))) if field else ("word", "near")
        )
        body = asking(draw(queries.rendered(tree)), draw(st.sampled_from((None, field))))
        got = ids(people.owner.search(found.made.id, body, limit=100))
        limit = body["query"]["text"].get("field")
        expected = [key for key, known in found.world.words.items() if oracle.asks_for(tree, known, limit)]
        assert sorted(got) == sorted(expected), (body, found.world.records)


def _best_first(answer: Json, ties: list[str] | None) -> None:
    scores = [item["query_score"] for item in answer["items"]]
    assert scores == sorted(scores, reverse=True)
    if ties is not None:
        pairs = [(-item["query_score"], ties.index(item["record"]["id"])) for item in answer["items"]]
        assert pairs == sorted(pairs)


def _page(hand: Hand, found: Stage, body: Json, me: bool, whole: list[str], draw: Any) -> None:
    offset, limit = draw(st.integers(0, 10)), draw(st.integers(1, 5))
    part = hand.search(found.made.id, body, me=me, offset=offset, limit=limit)
    assert ids(part) == whole[offset : offset + limit], (body, offset, limit)
    assert part["total"] == len(whole)


def _similar(people: Cast, found: Stage, draw: Any) -> None:
    """Similarity by value and by record, with filters; the record asked with is not among the answers."""
    world = found.world
    least = draw(st.booleans())
    sources = [record for record in world.records if "v" in (record["vectors"] or {})]
    source = draw(st.sampled_from(sources)) if sources and draw(st.booleans()) else None
    value = source["vectors"]["v"] if source else draw(st.sampled_from(([1.0, 0.0, 0.0], [-1.0, 0.5, 2.0])))
    vector: Json = {"name": "v", "order": "least_similar" if least else "most_similar"}
    vector |= {"record_id": source["id"]} if source else {"value": value}
    conditions = draw(st.lists(queries.filters(world), max_size=1))
    body = {"query": {"vector": vector}, **(filtered(*conditions) if conditions else {})}
    user = people.users[0]
    expected = [
        (record["id"], score)
        for record, score in oracle.similar(world, "v", value, least)
        if record is not source and all(oracle.matches(world, record, one, user) for one in conditions)
    ]
    limit = draw(st.integers(1, 4))
    answer = people.annotators[0].search(found.made.id, body, me=True, limit=limit)
    got = [(item["record"]["id"], item["query_score"]) for item in answer["items"]]
    assert got == expected[:limit], (body, world.records)
    assert answer["total"] == len(got)


def _counts(people: Cast, found: Stage) -> None:
    """Metrics of each property, each user's own progress, and the dataset's."""
    world, dataset = found.world, found.made.id
    for name in DESIGN.metadata:
        got = people.owner.call("GET", f"/metadata-properties/{found.made.properties[name]}/metrics")
        assert got == oracle.metrics(world, name), name
    for hand in people.annotators:
        got = hand.call("GET", f"/me/datasets/{dataset}/metrics")
        assert got == oracle.user_metrics(world, hand.user["id"])
    progress = people.owner.call("GET", f"/datasets/{dataset}/progress")
    completed = sum(record["status"] == "completed" for record in world.records)
    assert (progress["total"], progress["completed"]) == (len(world.records), completed)
    assert progress["pending"] == len(world.records) - completed
