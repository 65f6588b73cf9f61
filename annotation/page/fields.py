"""A record's fields: the question, its options and the two answers, packed so that Argilla shows them and runs nothing.

    fields_of(item)        # {"comparison": {"b64": "eyJxdWVzdGlvbiI6…"}}

Argilla pastes a record into an unsandboxed page as JavaScript, where `</script>` or `$&` in an answer would run or be
altered (argilla-server 2.8.0). So the one field holds base64 of UTF-8 JSON and nothing else, and the template decodes
it to text nodes. Each text goes with its left-to-right spans (`spans`), so that the page needs no rules of its own.
Nothing here says which model wrote what.

    {"question": T, "options": [T, …], "sides": {"left": {"conclusion": T, "introduction": T, "steps": [T, …]}, …}}
    T = {"text": "…", "ltr": [[from, to], …]}

Not covered: scrubbing and masking, done before (`annotation.push`); the page itself (`template`).
"""

from __future__ import annotations

import base64
import json
from typing import Any

from annotation.items import Item, Shown
from annotation.page.spans import marked
from gaokerena.comparisons import SIDES
from gaokerena.reasoning_steps import introduction, steps

FIELD = "comparison"
KEY = "b64"


def fields_of(item: Item) -> dict[str, dict[str, str]]:
    """The fields of the record that shows `item`."""
    return {FIELD: {KEY: pack(payload(item))}}


def payload(item: Item) -> dict[str, Any]:
    """What the page shows of `item`; see the module for its shape."""
    return {
        "question": marked(item.question.text),
        "options": [marked(option) for option in item.question.options],
        "sides": {side: _side(item.sides[side]) for side in SIDES},
    }


def pack(value: object) -> str:
    """Base64 of `value` as UTF-8 JSON; a lone surrogate, which UTF-8 has no place for, stays as its JSON escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(text.encode("utf-8", "backslashreplace")).decode("ascii")


def _side(shown: Shown) -> dict[str, Any]:
    numbered = shown.steps or steps(shown.reasoning)
    conclusion = shown.conclusion.strip() or ("" if shown.reasoning.strip() else shown.text)
    return {
        "conclusion": marked(conclusion),
        "introduction": marked(introduction(shown.reasoning, numbered)),
        "steps": [marked(step) for step in numbered],
    }
