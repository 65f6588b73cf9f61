"""How fast the one-machine Argilla server is: logging, an annotator's page, ten annotators at once.

    python benchmarks/annotation.py --json                    # about four minutes on two cores
    python benchmarks/annotation.py --records 1000 --plain-records 500

A server is started on an empty home and asked through its HTTP API: records of 6 kB, as `push` makes them, are logged
in batches into a dataset as doctors meet it; then annotators who signed in, as in the web page, read the first pending
page and answer at the same time. Then the same on a server without this project's speed-ups (`--plain`: the stock
server on the same search engine), with fewer records; `ratio` is the one by the other, in one run; `met` says which
goals are reached. The client's own work shares the machine's cores.

Not covered: browsers, the network, several datasets, the normal set-up with Postgres and Elasticsearch.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import httpx

from annotation.items import Item, Shown
from annotation.page.fields import fields_of
from annotation.page.settings import dataset_settings
from annotation.server.launch import Running, running
from gaokerena.comparisons import SIDES
from gaokerena.questions import Question

GOALS = {"records_per_second": 350, "page_seconds": 0.1, "responses_per_second": 50, "response_p95_seconds": 0.2}
WORDS = [
    "بیمار", "تب", "شدید", "سردرد", "داروی", "فشار", "خون", "کودک", "۳۸٫۵", "آزمایش", "mg", "مصرف", "روزانه", "پزشک",
    "درمان", "ضایعه", "قلب", "نفس", "تنگی‌نفس",
]  # fmt: skip
PENDING = {
    "query": {},
    "filters": {
        "type": "and",
        "and": [{"type": "terms", "scope": {"entity": "response", "property": "status"}, "values": ["pending"]}],
    },
}
"""What the web page sends when an annotator opens a dataset."""


def text(letters: int, chance: random.Random) -> str:
    """Persian words, `letters` characters of them."""
    words = [chance.choice(WORDS) for _ in range(letters // 4)]
    return " ".join(words)[:letters]


def record(number: int, chance: random.Random) -> dict[str, Any]:
    """A record as `push` sends it, its field about 6 kB: a question and two answers, packed for the doctors' page."""
    sides = {side: Shown(model="m", text=text(980, chance)) for side in SIDES}
    item = Item(id=f"i{number}", origin="store", question=Question(text=text(250, chance)), sides=sides, seed=0)
    metadata = {"batch": "b1", "subject": "none"}
    return {"external_id": item.id, "fields": fields_of(item), "metadata": metadata}


class Dataset:
    """A dataset on a server, with annotators who may answer it."""

    def __init__(self, server: Running, annotators: int) -> None:
        self.server = server
        self.owner = self._client({"X-Argilla-Api-Key": server.owner_key})
        workspace = self._post("workspaces", {"name": "bench"})["id"]
        settings = dataset_settings(overlap=1)
        self.id = self._post("datasets", {"name": "bench", "workspace_id": workspace, **settings["dataset"]})["id"]
        for kind in ("fields", "questions", "metadata-properties"):
            for part in settings[kind.replace("-", "_")]:
                self._post(f"datasets/{self.id}/{kind}", part)
        self.owner.put(f"datasets/{self.id}/publish").raise_for_status()
        self.annotators = [self._annotator(number, workspace) for number in range(annotators)]

    def _client(self, headers: dict[str, str]) -> httpx.Client:
        return httpx.Client(base_url=f"{self.server.url}/api/v1/", headers=headers, timeout=120, trust_env=False)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self.owner.post(path, json=body).raise_for_status().json()

    def _annotator(self, number: int, workspace: str) -> dict[str, str]:
        user = {
            "first_name": "A",
            "username": f"annotator-{number}",
            "password": "only-a-benchmark",
            "role": "annotator",
        }
        made = self._post("users", user)
        self._post(f"workspaces/{workspace}/users", {"user_id": made["id"]})
        signed_in = self.owner.post("token", data={key: user[key] for key in ("username", "password")})
        return {"Authorization": f"Bearer {signed_in.raise_for_status().json()['access_token']}"}

    def log(self, records: list[dict[str, Any]], batch: int) -> tuple[list[str], float]:
        """Log `records` in batches: their ids, and records a second."""
        bodies = [
            json.dumps({"items": records[start : start + batch]}, ensure_ascii=False).encode()
            for start in range(0, len(records), batch)
        ]
        ids: list[str] = []
        start = time.perf_counter()
        for body in bodies:
            answer = self.owner.put(
                f"datasets/{self.id}/records/bulk", content=body, headers={"content-type": "application/json"}
            )
            ids += [item["id"] for item in answer.raise_for_status().json()["items"]]
        return ids, len(records) / (time.perf_counter() - start)

    def pages(self, times: int) -> list[float]:
        """Seconds of an annotator's first page, read `times` times."""
        client = self._client(self.annotators[0])
        path = f"me/datasets/{self.id}/records/search?include=responses&include=suggestions&limit=10&offset=0"
        return [_seconds(lambda: client.post(path, json=PENDING).raise_for_status()) for _ in range(times)]

    def answer(self, ids: list[str], each: int) -> dict[str, Any]:
        """Every annotator answers `each` records at the same time as the others: rate, latencies and faults."""
        return asyncio.run(self._answer(ids, each))

    async def _answer(self, ids: list[str], each: int) -> dict[str, Any]:
        latencies: list[float] = []
        faults: list[str] = []

        async def annotate(headers: dict[str, str], mine: list[str]) -> None:
            async with httpx.AsyncClient(
                base_url=f"{self.server.url}/api/v1/", headers=headers, timeout=120, trust_env=False
            ) as client:
                for id_ in mine:
                    start = time.perf_counter()
                    answer = await client.post(f"records/{id_}/responses", json=_response())
                    latencies.append(time.perf_counter() - start)
                    if answer.status_code != 201:
                        faults.append(answer.text)

        start = time.perf_counter()
        step = len(self.annotators)
        shares = [ids[place : place + each * step : step] for place in range(step)]
        await asyncio.gather(*(annotate(headers, mine) for headers, mine in zip(self.annotators, shares, strict=True)))
        seconds = time.perf_counter() - start
        return {
            "responses_per_second": round(len(latencies) / seconds, 1),
            "response_p50_seconds": round(statistics.median(latencies), 3),
            "response_p95_seconds": round(statistics.quantiles(latencies, n=20)[-1], 3),
            "faults": len(faults),
            "first_fault": faults[0][:300] if faults else None,
        }


def _response() -> dict[str, Any]:
    return {"status": "submitted", "values": {"grade": {"value": "left"}, "confidence": {"value": "2"}}}


def _seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(home: Path, records: int, given: argparse.Namespace, *, plain: bool) -> dict[str, Any]:
    """All figures of one server on the empty folder `home`."""
    chance = random.Random(0)
    with running(home, plain=plain) as server:
        dataset = Dataset(server, given.annotators)
        ids, rate = dataset.log([record(number, chance) for number in range(records)], given.batch)
        pages = dataset.pages(given.pages)
        answered = dataset.answer(ids, given.each)
        log = server.log()
    size = sum(path.stat().st_size for path in home.glob("argilla.db*"))
    return {
        "start_seconds": server.seconds,
        "records": records,
        "records_per_second": round(rate, 1),
        "page_seconds": round(statistics.median(pages), 4),
        "page_max_seconds": round(max(pages), 4),
        **answered,
        "lock_errors": log.count("database is locked"),
        "database_kb_per_record": round(size / 1000 / records, 1),
    }


def met(found: dict[str, Any]) -> dict[str, bool]:
    """Which goals are reached: rates at least, seconds at most, and no fault at all."""
    reached = {
        name: found[name] >= goal if name.endswith("per_second") else found[name] <= goal
        for name, goal in GOALS.items()
    }
    return {**reached, "no_faults": not (found["lock_errors"] or found["faults"])}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=5_000)
    parser.add_argument("--plain-records", type=int, default=1_000, help="0 leaves the stock behaviour out")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--pages", type=int, default=30)
    parser.add_argument("--annotators", type=int, default=10)
    parser.add_argument("--each", type=int, default=60, help="responses of each annotator")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours = measure(Path(folder) / "ours", given.records, given, plain=False)
        stock = measure(Path(folder) / "stock", given.plain_records, given, plain=True) if given.plain_records else None
    report: dict[str, Any] = {"cores": os.cpu_count(), "goals": GOALS, "met": met(ours), "ours": ours, "stock": stock}
    if stock:
        rates = ("records_per_second", "responses_per_second", "response_p95_seconds", "database_kb_per_record")
        report["ratio"] = {name: round(ours[name] / stock[name], 2) for name in rates}
    print(json.dumps(report) if given.json else json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
