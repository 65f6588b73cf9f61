"""Random questions to ask of a random dataset: filters, sorts, text and pages, in the API's own words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.annotation.server.search.hands import Json, terms, within
from tests.annotation.server.search.oracle import World, values_of
from tests.annotation.server.search.spellings import spelled, words
from tests.annotation.server.search.worlds import AGENTS, DESIGN, LABELS, STATUSES

_RECORD = ("id", "external_id", "inserted_at", "updated_at", "status")
_NONSENSE = ("", "x", "pending", "-1", "3", "3.0", "nan", "' OR 1=1 --", "null", "true", "a", *LABELS, *AGENTS)

_SUGGESTED = ("value", "score", "agent", "type")
ALL_SCOPES: list[Json] = [
    {"entity": "response", "property": "status"},
    *({"entity": "record", "property": name} for name in _RECORD),
    *({"entity": "metadata", "metadata_property": name} for name in DESIGN.metadata),
    *({"entity": "response", "question": name} for name in DESIGN.questions),
    *({"entity": "suggestion", "question": name} for name in DESIGN.questions),
    *(
        {"entity": "suggestion", "question": name, "property": wanted}
        for name in DESIGN.questions
        for wanted in _SUGGESTED
    ),
]
"""Every scope a filter or a sort may name."""

scopes = st.sampled_from(ALL_SCOPES)


@st.composite
def filters(draw: st.DrawFn, world: World, scope: Json | None = None) -> Json:
    """One filter, on values that occur as often as not."""
    scope = scope or draw(scopes)
    if scope == {"entity": "response", "property": "status"}:
        return terms(scope, *draw(st.lists(st.sampled_from((*STATUSES, "pending")), min_size=1, max_size=3)))
    there = [value for record in world.records for value in values_of(world, record, scope, None)]
    if scope.get("property") in ("inserted_at", "updated_at"):
        return draw(_dates(scope, there))
    numeric = any(not isinstance(value, str) for value in there)
    if draw(st.booleans()):
        pool = [str(value) for value in there]
        one = st.sampled_from(pool) | st.sampled_from(_NONSENSE) if pool else st.sampled_from(_NONSENSE)
        return terms(scope, *draw(st.lists(one, min_size=1, max_size=3)))
    return draw(_ranges(scope, there if numeric or not _is_numeric(world, scope) else []))


def _is_numeric(world: World, scope: Json) -> bool:
    if scope["entity"] == "metadata":
        return world.properties[scope["metadata_property"]] != "terms"
    wanted = scope.get("property", "value")
    is_rating = "question" in scope and world.questions[scope["question"]][1] == "rating"
    return wanted == "score" or (is_rating and wanted == "value")


@st.composite
def _ranges(draw: st.DrawFn, scope: Json, there: Sequence[Any]) -> Json:
    numbers = st.sampled_from([0, 0.5, 1, 3.0, -7, 1e300, *(v for v in there if not isinstance(v, str))])
    texts = st.sampled_from(["", "a", "ب", "pending", "zz", *(v for v in there if isinstance(v, str))])
    bounds = texts if any(isinstance(value, str) for value in there) else numbers
    low, high = draw(st.none() | bounds), draw(st.none() | bounds)
    if low is None and high is None:
        low = draw(bounds)
    if low is not None and high is not None and _beyond(low, high):
        low, high = high, low
    return within(scope, low, high)


def _beyond(low: Any, high: Any) -> bool:
    return bool(low > high if isinstance(low, str) else float(low) > float(high))


@st.composite
def _dates(draw: st.DrawFn, scope: Json, there: Sequence[str]) -> Json:
    """Bounds at, before or after the times that occur, cut off or with a zone."""
    times = [datetime.fromisoformat(value) for value in there] or [datetime(2026, 1, 2, 3, 4, 5)]
    shift = draw(st.sampled_from((timedelta(0), timedelta(microseconds=1), timedelta(days=1), timedelta(days=-1))))
    time = draw(st.sampled_from(times)) + shift
    text = draw(
        st.sampled_from(
            (
                time.isoformat(timespec="microseconds"),
                time.isoformat(timespec="microseconds") + "Z",
                (time + timedelta(hours=3, minutes=30)).isoformat(timespec="microseconds") + "+03:30",
                time.isoformat(timespec="seconds"),
                time.isoformat(timespec="minutes"),
                time.date().isoformat(),
            )
        )
    )
    how = draw(st.sampled_from(("terms", "ge", "le")))
    return terms(scope, text) if how == "terms" else within(scope, **{how: text})


sorts = st.lists(
    st.builds(lambda scope, order: {"scope": scope, "order": order}, scopes, st.sampled_from(("asc", "desc"))),
    min_size=1,
    max_size=2,
)

leaves = st.one_of(
    st.tuples(st.just("word"), words),
    st.tuples(st.just("phrase"), st.lists(words, min_size=1, max_size=3).map(tuple)),
    st.tuples(st.just("prefix"), words.map(lambda word: word[: max(1, len(word) // 2)])),
)
trees: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.tuples(st.just("not"), inner) | st.tuples(st.sampled_from(("and", "or")), inner, inner),
    max_leaves=5,
)
"""Text queries as trees (see oracle.asks_for)."""


@st.composite
def rendered(draw: st.DrawFn, tree: Any) -> str:
    """`tree` as the text a visitor would type; brackets only where the binding from left to right needs them."""
    name, *parts = tree
    if name == "word":
        return draw(spelled([parts[0]]))
    if name == "phrase":
        return f'"{draw(spelled(parts[0]))}"'
    if name == "prefix":
        return f"{parts[0]}*"
    if name == "not":
        inner = draw(rendered(parts[0]))
        return f"-{inner}" if parts[0][0] in ("word", "phrase", "prefix") else f"-({inner})"
    left, right = draw(rendered(parts[0])), draw(rendered(parts[1]))
    right = f"({right})" if parts[1][0] in ("and", "or") else right
    sign = draw(st.sampled_from((" ", " + "))) if name == "and" else draw(st.sampled_from((" | ", "|")))
    return f"{left}{sign}{right}"
