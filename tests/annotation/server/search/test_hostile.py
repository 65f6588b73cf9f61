"""Hostile strings as data and as questions: never an error of the server, and found again as what they are."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from annotation.server.inside.places import Places
from annotation.server.launch import Running
from tests.annotation.server.search.hands import (
    Hand,
    Made,
    asking,
    filtered,
    ids,
    listing,
    log,
    make,
    terms,
    text_design,
    within,
)

HOSTILE = (
    "'; DROP TABLE records; --",
    '" OR 1=1 OR "',
    'NEAR("a" "b", 5)',
    "live_words : * AND NOT ^ { - + }",
    "a* OR b NOT c",
    "%' ESCAPE '\\",
    "\x00",
    "a\x00b",
    "\u202e\u2066x\u2069\u202c",
    "\\",
    "\\u0000 \\ud800",
    "</script><img src=x onerror=alert(1)>",
    "$& $$ $` $'",
    "((((((((((",
    '"' * 99,
    "-" * 99,
    "🙂" * 50,
    "ﷺ" * 50,
    "ا\u0300" * 50,
    "x" * 40_000,
    "null",
    "Infinity",
    '{"b64": "x"}',
    ":field ?1 @x",
)
SCOPES = (
    {"entity": "record", "property": "external_id"},
    {"entity": "record", "property": "id"},
    {"entity": "record", "property": "status"},
    {"entity": "metadata", "metadata_property": "term"},
    {"entity": "response", "question": "rating"},
    {"entity": "response", "property": "status"},
    {"entity": "suggestion", "question": "rating", "property": "agent"},
    {"entity": "suggestion", "question": "rating", "property": "score"},
)


@pytest.fixture(scope="module")
def made(owner: Hand) -> Made:
    """A record for each hostile string, holding it everywhere a string goes."""
    fields = {"text": {"type": "text"}, "own": {"type": "custom", "template": "x"}}
    made = make(owner, text_design(fields=fields, metadata={"term": {"type": "terms"}}))
    log(
        owner,
        made,
        [
            {
                "fields": {"text": text, "own": {text: [text]}},
                "metadata": {"term": text, text: text},
                "external_id": text,
            }
            for text in HOSTILE
        ],
    )
    return made


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_strings_are_found_as_what_they_are(owner: Hand, made: Made, text: str) -> None:
    (mine,) = [record["id"] for record in listing(owner, made) if record["external_id"] == text]
    for scope in (SCOPES[0], SCOPES[3]):
        assert ids(owner.search(made.id, filtered(terms(scope, text)))) == [mine]
    for field in (None, "text", "own"):
        owner.search(made.id, asking(text, field))
    owner.search(made.id, filtered(*(terms(scope, text) for scope in SCOPES)))
    path = f"/datasets/{made.id}/records/search"
    for scope in (SCOPES[0], SCOPES[3], SCOPES[4]):
        assert owner.http.post(path, json=filtered(within(scope, text))).status_code in (200, 422)


@pytest.mark.parametrize("scope", SCOPES, ids=range(len(SCOPES)))
def test_hostile_strings_sort_by_code_point(owner: Hand, made: Made, scope: dict[str, str]) -> None:
    got = ids(owner.search(made.id, {"sort": [{"scope": scope, "order": "asc"}]}))
    assert len(got) == len(HOSTILE)
    if scope in (SCOPES[0], SCOPES[3]):
        texts = {record["id"]: record["external_id"] for record in listing(owner, made)}
        assert [texts[record] for record in got] == sorted(HOSTILE)


def _post(owner: Hand, path: str, body: str) -> httpx.Response:
    """As bytes: the client's own JSON would not send these."""
    return owner.http.post(path, content=body.encode(), headers={"content-type": "application/json"})


@pytest.fixture(scope="module")
def clean(owner: Hand) -> Made:
    fields = {"text": {"type": "text"}, "own": {"type": "custom", "template": "x"}}
    return make(owner, text_design(fields=fields, metadata={"term": {"type": "terms"}}, vectors={"v": 1}))


@pytest.mark.parametrize("poison", ['"\\ud800"', '"a\\udfff"', "NaN", "-Infinity", "1e999", "[[NaN]]"])
@pytest.mark.parametrize("place", ["fields", "metadata", "extra metadata", "vectors", "score"])
def test_poison_is_refused_and_stores_nothing(owner: Hand, clean: Made, place: str, poison: str) -> None:
    """Stock stores some of these and can then show no page that the record is on."""
    made = clean
    item = {
        "fields": f'"fields": {{"text": "x", "own": {{"deep": [{poison}]}}}}',
        "metadata": f'"fields": {{"text": "x"}}, "metadata": {{"term": {poison}}}',
        "extra metadata": f'"fields": {{"text": "x"}}, "metadata": {{"other": [{poison}]}}',
        "vectors": f'"fields": {{"text": "x"}}, "vectors": {{"v": [{poison}]}}',
        "score": f'"fields": {{"text": "x"}}, "suggestions": [{{"question_id": "{made.questions["rating"]}", '
        f'"value": 3, "score": {poison}}}]',
    }[place]
    answer = _post(
        owner, f"/datasets/{made.id}/records/bulk", f'{{"items": [{{"fields": {{"text": "y"}}}}, {{{item}}}]}}'
    )
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert owner.search(made.id, {})["total"] == 0


@pytest.mark.parametrize("poison", ['"\\ud800"', "NaN", "1e999"])
def test_poisoned_questions_are_refused(owner: Hand, made: Made, poison: str) -> None:
    path = f"/datasets/{made.id}/records/search"
    scope = json.dumps(SCOPES[3])
    for body in (
        f'{{"query": {{"text": {{"q": {poison}}}}}}}',
        f'{{"filters": {{"and": [{{"type": "terms", "scope": {scope}, "values": [{poison}]}}]}}}}',
        f'{{"filters": {{"and": [{{"type": "range", "scope": {scope}, "ge": {poison}}}]}}}}',
    ):
        assert _post(owner, path, body).status_code == 422, body


def test_pairs_of_surrogates_and_words_like_nan_are_fine(owner: Hand) -> None:
    made = make(owner, text_design())
    body = '{"items": [{"fields": {"text": "\\ud83d\\ude42 NaN, Infinity: 1e999 [NaN]"}}]}'
    assert _post(owner, f"/datasets/{made.id}/records/bulk", body).status_code == 201
    assert listing(owner, made)[0]["fields"]["text"] == "🙂 NaN, Infinity: 1e999 [NaN]"
    assert owner.search(made.id, asking("infinity"))["total"] == 1


def test_encoded_content_is_searched_and_broken_encoding_does_no_harm(owner: Hand) -> None:
    made = make(owner, text_design(fields={"own": {"type": "custom", "template": "x"}}))

    def encoded(text: str) -> dict[str, str]:
        return {"b64": base64.b64encode(text.encode()).decode()}

    contents = [
        encoded(json.dumps({"right": "قلب", "left": ["ریه"]})),
        encoded("متن ساده با قلب"),
        encoded('{"broken": '),
        {"b64": "!!! not base64"},
        {"b64": "/w=="},  # no UTF-8
        {"b64": 7},
        {"b64": "2YLZhNio", "more": "ریه"},  # not the encoding: an object with two keys
        encoded("[" * 5000),
    ]
    stored = [record["id"] for record in log(owner, made, [{"fields": {"own": content}} for content in contents])]
    assert set(ids(owner.search(made.id, asking("قلب")))) == {stored[0], stored[1]}
    assert set(ids(owner.search(made.id, asking("ریه")))) == {stored[0], stored[6]}
    assert ids(owner.search(made.id, asking("broken"))) == [stored[2]]
    assert owner.search(made.id, asking("right"))["total"] == 0  # keys are no text


def test_nothing_was_logged_as_an_error(search_server: Running, owner: Hand, made: Made) -> None:
    for text in HOSTILE:
        owner.search(made.id, asking(text))
    log_text = Places(search_server.places.path).log.read_text()
    assert "OperationalError" not in log_text
    assert "user-defined function" not in log_text


def test_vectors_of_another_kind_are_refused(owner: Hand) -> None:
    made = make(owner, text_design(vectors={"v": 2}))
    first, second = (
        r["id"]
        for r in log(owner, made, [{"fields": {"text": "x"}, "vectors": {"v": [0, 0]}}, {"fields": {"text": "y"}}])
    )
    path = f"/datasets/{made.id}/records/search"
    for vector in ({"value": [1.0]}, {"record_id": second}, {"value": [1.0, 2.0], "record_id": first}):
        answer = owner.http.post(path, json={"query": {"vector": {"name": "v", **vector}}})
        assert answer.status_code == 422, vector
    found = owner.search(made.id, {"query": {"vector": {"name": "v", "value": [1e308, 1e308]}}})
    assert [(item["record"]["id"], item["query_score"]) for item in found["items"]] == [(first, 0.5)]
