"""What a search must find, in plain Python over the records as the server lists them. No SQL, no engine, no folding.

A text is known to the oracle as the words it was made of (see spellings.py); `Text` queries are trees, evaluated here
as they are and rendered to a query string for the server.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class World:
    """A dataset: its records, the words of each of their fields, and which questions and properties are numbers."""

    records: list[Json]
    words: Mapping[str, Mapping[str, Sequence[str]]]
    """Record id → field → canonical words."""
    questions: Mapping[str, tuple[str, str]]
    """Name → (id, type)."""
    properties: Mapping[str, str]

    def added(self) -> list[Json]:
        """The records in the order they were added."""
        return sorted(self.records, key=lambda record: (record["inserted_at"], record["id"]))


# Values -------------------------------------------------------------------------------------------------------------


def values_of(world: World, record: Json, scope: Json, user: str | None) -> list[Any]:
    """The values of one scope: numbers where the scope is one of numbers, else texts."""
    kind = scope["entity"]
    if kind == "record":
        value = record.get(scope["property"])
        return [] if value is None else [value]
    if kind == "metadata":
        numeric = world.properties[scope["metadata_property"]] != "terms"
        return _flat((record.get("metadata") or {}).get(scope["metadata_property"]), numeric)
    if kind == "suggestion":
        return _suggested(world, record, scope)
    if scope.get("question"):
        numeric = world.questions[scope["question"]][1] == "rating"
        given = [(each["values"] or {}).get(scope["question"]) for each in _responses(record, user)]
        return [value for answer in given if answer for value in _flat(answer["value"], numeric)]
    return [each["status"] for each in _responses(record, user)]


def _responses(record: Json, user: str | None) -> list[Json]:
    return [each for each in record["responses"] if user is None or each["user_id"] == user]


def _suggested(world: World, record: Json, scope: Json) -> list[Any]:
    question, kind = world.questions[scope["question"]]
    wanted = scope.get("property", "value")
    numeric = wanted == "score" or (wanted == "value" and kind == "rating")
    mine = [each for each in record["suggestions"] if each["question_id"] == question]
    return [value for each in mine for value in _flat(each[wanted], numeric)]


def _flat(value: Any, numeric: bool) -> list[Any]:
    found = [_plain(item) for item in (value if isinstance(value, list) else [value])]
    if numeric:
        return [item for item in found if isinstance(item, int | float) and not isinstance(item, bool)]
    as_text = [item if item is None or isinstance(item, str) else json.dumps(item) for item in found]
    return [item for item in as_text if item is not None]


def _plain(item: Any) -> Any:
    """A ranked item counts by its value, a span by its label."""
    if isinstance(item, dict):
        return item["value"] if "value" in item else item["label"]
    return item


# Filters ------------------------------------------------------------------------------------------------------------


def matches(world: World, record: Json, condition: Json, user: str | None) -> bool:
    """Whether `record` meets one filter, asked by `user` (None: over everybody's responses)."""
    scope = condition["scope"]
    if scope["entity"] == "response" and not scope.get("question"):
        mine = {each["status"] for each in _responses(record, user)} or {"pending"}
        return not mine.isdisjoint(condition["values"])
    found = values_of(world, record, scope, user)
    if scope.get("property") in ("inserted_at", "updated_at"):
        return any(_in_time(condition, datetime.fromisoformat(value)) for value in found)
    if condition["type"] == "terms":
        return any(_is_term(value, term) for value in found for term in condition["values"])
    return any(_is_within(value, condition.get("ge"), condition.get("le")) for value in found)


def _is_term(value: Any, term: str) -> bool:
    if isinstance(value, str):
        return value == term
    for read in (int, float):  # whole numbers exactly, however large
        try:
            return term.isascii() and read(term) == value
        except ValueError:
            continue
    return False


def _is_within(value: Any, ge: Any, le: Any) -> bool:
    as_value: Callable[[Any], Any] = _as_text if isinstance(value, str) else float
    return (ge is None or value >= as_value(ge)) and (le is None or value <= as_value(le))


def _as_text(bound: Any) -> str:
    return bound if isinstance(bound, str) else str(float(bound))


def _in_time(condition: Json, time: datetime) -> bool:
    if condition["type"] == "terms":
        return any(_start(term) <= time <= _end(term) for term in condition["values"])
    ge, le = condition.get("ge"), condition.get("le")
    return (ge is None or time >= _start(ge)) and (le is None or time <= _end(le))


def _start(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


def _end(text: str) -> datetime:
    lengths = {10: timedelta(days=1), 16: timedelta(minutes=1), 19: timedelta(seconds=1)}
    bare = text.removesuffix("Z").split("+")[0]
    return _start(text) + lengths.get(len(bare), timedelta(microseconds=1)) - timedelta(microseconds=1)


# Text ---------------------------------------------------------------------------------------------------------------


def asks_for(tree: Any, fields: Mapping[str, Sequence[str]], field: str | None) -> bool:
    """Whether a record with the words `fields` is asked for: ("word"|"prefix", w), ("phrase", [w…]), not, and, or."""
    name, *parts = tree
    if name == "not":
        return not asks_for(parts[0], fields, field)
    if name in ("and", "or"):
        combine = all if name == "and" else any
        return combine(asks_for(part, fields, field) for part in parts)
    searched = [words for key, words in fields.items() if field in (None, key)]
    if name == "prefix":
        return any(word.startswith(parts[0]) for words in searched for word in words)
    wanted = [parts[0]] if name == "word" else list(parts[0])
    return any(_follows(words, wanted) for words in searched)


def _follows(words: Sequence[str], wanted: Sequence[str]) -> bool:
    return any(list(words[i : i + len(wanted)]) == list(wanted) for i in range(len(words) - len(wanted) + 1))


# Order --------------------------------------------------------------------------------------------------------------


def ordered(world: World, records: Sequence[Json], sort: Sequence[Json], user: str | None) -> list[Json]:
    """`records` in the order asked for; ties as they were added, records without the value last."""
    found = sorted(records, key=lambda record: (record["inserted_at"], record["id"]))
    for order in reversed(sort):
        downward = order["order"] == "desc"
        keys = {record["id"]: _sort_key(world, record, order["scope"], downward, user) for record in found}
        with_value = [record for record in found if keys[record["id"]] is not None]
        with_value = sorted(with_value, key=lambda record: keys[record["id"]], reverse=downward)
        if downward:  # `reverse` keeps ties in their order, as it should be
            assert with_value == sorted(with_value, key=lambda record: keys[record["id"]], reverse=True)
        found = with_value + [record for record in found if keys[record["id"]] is None]
    return found


def _sort_key(world: World, record: Json, scope: Json, downward: bool, user: str | None) -> Any:
    found = values_of(world, record, scope, user)
    if not found:
        return None
    if scope["entity"] == "response" and not isinstance(found[0], str):
        return sum(found) / len(found)
    return max(found) if downward else min(found)


# Similarity, metrics, progress --------------------------------------------------------------------------------------


def similar(world: World, name: str, asked: Sequence[float], least: bool) -> list[tuple[Json, float]]:
    """Records with the vector, best first, with their scores to nine places."""
    found = [(record, record["vectors"][name]) for record in world.added() if name in (record["vectors"] or {})]
    sign = -1 if least else 1
    scored = [(record, round((1 + sign * _cosine(asked, vector)) / 2, 9)) for record, vector in found]
    return sorted(scored, key=lambda pair: -pair[1])


def _cosine(one: Sequence[float], two: Sequence[float]) -> float:
    lengths = math.hypot(*one) * math.hypot(*two)
    return math.fsum(a * b for a, b in zip(one, two, strict=True)) / lengths if lengths else 0.0


def metrics(world: World, name: str) -> Json:
    """What the metrics of one metadata property must be."""
    scope = {"entity": "metadata", "metadata_property": name}
    found = [set(values_of(world, record, scope, None)) for record in world.records]
    everything = [value for values in found for value in values]
    kind = world.properties[name]
    if kind != "terms":
        ends = {"min": min(everything, default=None), "max": max(everything, default=None)}
        return {"type": kind, **{key: _rounded(value, kind) for key, value in ends.items()}}
    counts = sorted(Counter(everything).items(), key=lambda item: (-item[1], item[0]))
    return {
        "type": kind,
        "total": len(everything),
        "values": [{"term": term, "count": count} for term, count in counts],
    }


def _rounded(value: Any, kind: str) -> Any:
    return round(value, 5) if kind == "float" and value is not None else value


def user_metrics(world: World, user: str) -> Json:
    """How many records a user has left, and answered how."""
    counts = Counter(each["status"] for record in world.records for each in _responses(record, user))
    total = len(world.records)
    answered = {name: counts[name] for name in ("submitted", "discarded", "draft")}
    return {"responses": {"total": total, **answered, "pending": total - sum(answered.values())}}
