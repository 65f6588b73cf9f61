"""Random datasets with every kind of field, question and property, made through the API, and what the oracle knows."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.annotation.server.search.hands import Design, Hand, Json, Made, listing, log, make
from tests.annotation.server.search.oracle import World
from tests.annotation.server.search.spellings import texts

LABELS = ("خوب", "بد", 'a "quoted" one', "a,b")
_OPTIONS = [{"value": label, "text": label} for label in LABELS]

DESIGN = Design(
    fields={
        "text": {"type": "text"},
        'میدان "۲"': {"type": "chat"},
        "custom": {"type": "custom", "template": "<p></p>"},
        "image": {"type": "image"},
    },
    questions={
        "rating": {"type": "rating", "options": [{"value": n} for n in range(6)]},
        "برچسب": {"type": "label_selection", "options": _OPTIONS},
        "many.of[0]": {"type": "multi_label_selection", "options": _OPTIONS},
        "text": {"type": "text"},
        "rank'ing": {"type": "ranking", "options": _OPTIONS},
        "span": {"type": "span", "field": "text", "options": _OPTIONS},
    },
    metadata={'کد "x".y[0]': {"type": "terms"}, "سن": {"type": "integer"}, "weight": {"type": "float"}},
    vectors={"v": 3},
)
TERMS, WHOLE, WEIGHT = DESIGN.metadata
RATING, LABEL, MANY, TEXT, RANKING, SPAN = DESIGN.questions
CHAT = list(DESIGN.fields)[1]

STATUSES = ("draft", "submitted", "discarded")
AGENTS = ("gpt-4", "a b", "GPT-4")
NUMBERS = st.integers(-3, 12) | st.sampled_from((2**53 + 1, -(2**60)))
FLOATS = st.sampled_from((0.0, 0.1, 0.5, 1.0, -2.5, 1e300, 3.14159265))
_SCALARS = st.sampled_from(("الف", "ب", "3", "3.0", "true", "a\x00b", "a", "")) | st.sampled_from((3, 2.5, True, False))
TERM_VALUES = _SCALARS | st.lists(_SCALARS, max_size=3)
_TYPED = st.sampled_from(("یک متن", "یک متن دیگر", "x", ""))


def _subset(values: Sequence[str], least: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), unique=True, min_size=least)


def _ranking(labels: Sequence[str]) -> list[Json]:
    return [{"value": label, "rank": place + 1} for place, label in enumerate(labels)]


def _spans(labels: Sequence[str]) -> list[Json]:
    return [{"label": label, "start": place, "end": place + 1} for place, label in enumerate(labels)]


def answers(length: int) -> dict[str, st.SearchStrategy[Any]]:
    """A valid value for each question, on a record whose text is `length` letters long."""
    return {
        RATING: st.integers(0, 5),
        LABEL: st.sampled_from(LABELS),
        MANY: _subset(LABELS, least=1),
        TEXT: _TYPED,
        RANKING: st.permutations(LABELS).map(_ranking),
        SPAN: _subset(LABELS).map(lambda labels: _spans(labels[:length])),
    }


@st.composite
def responses(draw: st.DrawFn, user: str, length: int) -> Json | None:
    """One user's response of any status, with all that its status demands, or none."""
    status = draw(st.sampled_from((None, *STATUSES)))
    if status is None:
        return None
    given = draw(st.fixed_dictionaries({}, optional=answers(length)))
    if status == "submitted":
        given.setdefault(RATING, draw(st.integers(0, 5)))
    elif status == "discarded" and draw(st.booleans()):
        return {"user_id": user, "status": status}
    return {"user_id": user, "status": status, "values": {name: {"value": value} for name, value in given.items()}}


@st.composite
def suggestions(draw: st.DrawFn, made: Made, length: int) -> list[Json]:
    """Suggestions for some of the questions."""
    given = draw(st.fixed_dictionaries({}, optional=answers(length)))
    scores = st.none() | st.sampled_from((0.0, 0.25, 0.5, 1.0))
    found = []
    for name, value in given.items():
        score = draw(scores)
        if isinstance(value, list):  # the server wants a score for each item, or none
            score = [draw(st.sampled_from((0.0, 0.25, 0.5, 1.0))) for _ in value] or None if score else None
        more = {
            "agent": draw(st.sampled_from((None, *AGENTS))),
            "type": draw(st.sampled_from((None, "model", "human"))),
        }
        found.append({"question_id": made.questions[name], "value": value, "score": score, **more})
    return found


@st.composite
def fields(draw: st.DrawFn) -> tuple[Json, dict[str, list[str]]]:
    """The fields of a record, and the words in each that has text."""
    text, said = draw(texts())
    given: Json = {"text": text or "🙂"}
    known = {"text": said}
    if draw(st.booleans()):
        messages = [draw(texts(least=1)) for _ in range(draw(st.integers(1, 2)))]
        given[CHAT] = [{"role": "near", "content": content} for content, _ in messages]
        known[CHAT] = [word for _, words in messages for word in words]
    if draw(st.booleans()):
        (one, first), (two, second) = draw(texts()), draw(texts())
        content: Json = {"near": one, "inner": [{"or": two}, None, True]}
        known["custom"] = first + second
        encoded = base64.b64encode(json.dumps(content, ensure_ascii=draw(st.booleans())).encode()).decode()
        given["custom"] = {"b64": encoded} if draw(st.booleans()) else content
    if draw(st.booleans()):
        given["image"] = "https://example.org/near.png"
    return given, known


@dataclass(frozen=True)
class Stage:
    """One random dataset, ready: what was made, who may ask, and what the oracle knows of it."""

    made: Made
    world: World


@st.composite
def recipes(draw: st.DrawFn, made: Made, users: Sequence[str]) -> list[tuple[Json, dict[str, list[str]]]]:
    """Up to nine records for one bulk call, with the words of their fields."""
    known_as = st.none() | st.sampled_from(("r-1", "r-10", "R-1", "شناسه", "a'b", "x--"))
    names = draw(st.lists(known_as, min_size=draw(st.sampled_from((0, 6, 6))), max_size=9))
    found = []
    for place, name in enumerate(names):
        given, known = draw(fields())
        length = len(given["text"])
        record: Json = {"fields": given, "suggestions": draw(suggestions(made, length))}
        record["external_id"] = name if name not in names[:place] else None
        record["responses"] = [each for user in users if (each := draw(responses(user, length)))]
        values = {TERMS: st.none() | TERM_VALUES, WHOLE: st.none() | NUMBERS, WEIGHT: st.none() | FLOATS}
        metadata = st.fixed_dictionaries({}, optional={**values, "no property": st.just("الف")})
        record["metadata"] = draw(st.none() | metadata)
        vectors = st.lists(st.sampled_from((0.0, 1.0, -1.0, 2.0, 0.5)), min_size=3, max_size=3)
        record["vectors"] = draw(st.none() | vectors.map(lambda vector: {"v": vector}))
        found.append((record, known))
    return found


def stage(draw: st.DrawFn, owner: Hand, workspace: str, users: Sequence[str]) -> Stage:
    """Make a random dataset."""
    made = make(owner, DESIGN, workspace)
    asked = draw(recipes(made, users))
    stored = log(owner, made, [record for record, _ in asked])
    words = {record["id"]: known for record, (_, known) in zip(stored, asked, strict=True)}
    kinds = {name: settings["type"] for name, settings in DESIGN.questions.items()}
    questions = {name: (made.questions[name], kind) for name, kind in kinds.items()}
    properties = {name: settings["type"] for name, settings in DESIGN.metadata.items()}
    return Stage(made, World(listing(owner, made), words, questions, properties))
