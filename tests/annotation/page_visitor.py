"""A visitor of the real page without a browser: asks with consent and judges, as the page's own script would send it.

    visitor = Visitor(address)
    comparison = visitor.vote("تب دارم؛ چه کنم؟")          # returns once the page has said thank you

Raises httpx2.HTTPError, or VoteError where no thank you came: the vote may be stored or not.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx2


class VoteError(Exception):
    """The page did not acknowledge."""


class Visitor:
    """One session of the page at `address`."""

    def __init__(self, address: str) -> None:
        self._http = httpx2.Client(base_url=f"{address}/gradio_api", timeout=30, trust_env=False)
        self._session = uuid.uuid4().hex[:11]
        config = httpx2.get(f"{address}/config", timeout=60, trust_env=False).json()
        self._ids = {part["props"].get("elem_id"): part["id"] for part in config["components"]}
        self._events = {tuple(target): event for event in config["dependencies"] for target in event["targets"]}

    def close(self) -> None:
        self._http.close()

    def vote(self, question: str) -> str:
        """Ask, wait for both answers, judge the left one better; the comparison's id."""
        [*_, asked] = self._fire("ask", "click", [question, "", "", "", "", True, None])
        comparison = self._bar(asked, "ask", "click")["comparison"]
        sent = {"comparison": comparison, "choice": "left", "strength": 1, "reasons": []}
        [*_, judged] = self._fire("verdict", "submit", [], sent)
        bar = self._bar(judged, "verdict", "submit")
        if bar["phase"] != "judged" or "ثبت شد" not in bar["message"]:
            raise VoteError(f"no thank you for {comparison}: {bar['error']}")
        return str(comparison)

    def _bar(self, outputs: list[Any], name: str, event: str) -> dict[str, Any]:
        places = self._events[self._ids[name], event]["outputs"]
        bar: dict[str, Any] = outputs[places.index(self._ids["verdict"])]
        if not isinstance(bar, dict) or not bar.get("comparison"):
            raise VoteError("the page drew no comparison")
        return bar

    def _fire(self, name: str, event: str, data: list[Any], event_data: Any = None) -> list[list[Any]]:
        """Every output of one event, whole."""
        found = self._events[self._ids[name], event]
        body = {
            "data": data, "event_data": event_data, "fn_index": found["id"], "trigger_id": self._ids[name],
            "session_hash": self._session,
        }  # fmt: skip
        joined = self._http.post("/queue/join", json=body).raise_for_status().json()["event_id"]
        outputs = []
        with self._http.stream("GET", "/queue/data", params={"session_hash": self._session}) as lines:
            for line in lines.iter_lines():
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("event_id") != joined:
                    continue
                if message["msg"] == "process_completed":
                    if not message["success"]:
                        raise VoteError(str(message["output"]))
                    outputs.append(message["output"]["data"])
                    return outputs
        raise VoteError("the page hung up")
