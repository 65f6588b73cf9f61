"""A whole study through the doors: 500 comparisons of real answers, three doctors who err at known rates, pairs.

Every step is the command a person would type, in an empty folder, with no network but the loopback; the doctors work
over the server's HTTP API. Prints how long the steps take (`pytest -s`). The server must answer within 15 s, or within
ANNOTATION_READY_SECONDS on a slower machine. Each doctor errs as often as his rate says, to the item: whether intervals
hold what they should is asked in test_dawid_skene and test_winners.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from itertools import product
from pathlib import Path

import httpx2
import pytest

from annotation.items import Item, Ledger
from annotation.judged import mirror, outcome
from annotation.users import Pseudonyms
from gaokerena.expert_verdicts import GRADES, Grade
from tests.annotation import by_hand
from tests.annotation.by_hand import assert_pairs
from tests.annotation.scripted_doctor import answer_all
from tests.real_data import data_folder

pytestmark = pytest.mark.data

COUNT = 500
Said = dict[tuple[str, str], Grade]
ERRORS = {"sara": 0.08, "omid": 0.18, "mina": 0.3}
NETWORK_OFF = {
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "no_proxy": "127.0.0.1,localhost",
}


def door(place: Path, *words: str) -> str:
    """What `python -m annotation …` prints, run in `place`."""
    environment = os.environ | NETWORK_OFF | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-m", "annotation", *words],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """`serve` in an empty folder, and where it answers."""
    cache = os.environ.get("ANNOTATION_ENVIRONMENT") or str(Path.home() / ".cache/gaokerena/annotation-server")
    words = ["serve", "--port", "0", "--home", "argilla", "--environment", cache, "--json"]
    environment = os.environ | NETWORK_OFF | {"PYTHONPATH": str(Path(__file__).parents[2])}
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "annotation", *words], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout
            told = json.loads(server.stdout.readline())
            assert httpx2.get(f"{told['url']}/api/v1/version", trust_env=False).status_code == 200
            took = time.monotonic() - began
            sys.stderr.write(f"\nserve answered after {took:.1f} s\n")
            assert took < float(os.environ.get("ANNOTATION_READY_SECONDS", "15"))
            yield told["url"]
        finally:
            server.terminate()
            server.wait(30)


def truth(item: Item) -> Grade:
    """The grade an unerring doctor gives; the same of a pair however it is seated."""
    first, second = sorted((item.sides["left"], item.sides["right"]), key=lambda shown: shown.text)
    drawn = random.Random(f"{item.question.id} {first.text} {second.text}").choices(
        ["left_much", "left", "equal", "both_bad", "right", "right_much"], [3, 5, 1, 1, 5, 3]
    )[0]
    grade: Grade = next(grade for grade in GRADES if grade == drawn)
    return grade if first is item.sides["left"] else mirror(grade)


def draw(name: str, item: Item) -> tuple[float, float]:
    """Two numbers from 0 to 1, of what is compared: ids and seats are drawn anew in every workspace."""
    first, second = sorted(side.text for side in item.sides.values())
    drawn = random.Random(f"{name} {item.kind} {item.question.id} {first} {second}")
    return drawn.random(), drawn.random()


def sayings(items: Collection[Item]) -> Said:
    """What each doctor says of each item: the truth, but at his rate, to the item, one of the other outcomes."""
    found = {(name, item.id): truth(item) for name in ERRORS for item in items}
    for name, kind in product(ERRORS, ("comparison", "duplicate")):
        drawn = sorted((item for item in items if item.kind == kind), key=lambda item: draw(name, item))
        for item in drawn[: round(ERRORS[name] * len(drawn))]:
            wrong: list[Grade] = [one for one in ("left", "equal", "right") if outcome(one) != outcome(truth(item))]
            found[name, item.id] = wrong[draw(name, item)[1] > 1 / 2]
    return found


def test_a_study_from_real_answers_to_pairs(url: str, tmp_path: Path) -> None:
    began = time.monotonic()
    source = str(data_folder() / "transcripts.parquet")
    added = json.loads(door(tmp_path, "users", "add", *ERRORS, "--to", "argilla", "--json"))
    accounts = added if isinstance(added, list) else added["users"]
    words = ["push", "--to", "argilla", "--dataset", "study", "--transcripts", source, "--count", str(COUNT)]
    pushed = json.loads(door(tmp_path, *words, "--overlap", "3", "--duplicates", "0.2", "--gold-rate", "0", "--json"))
    assert (pushed["comparisons"], pushed["duplicates"]) == (COUNT, COUNT // 5)
    sys.stderr.write(f"users and push: {time.monotonic() - began:.1f} s\n")
    items = Ledger(tmp_path / "runs/annotation").items
    assert len(items) == COUNT + COUNT // 5
    said = sayings(items.values())
    for account in accounts:
        name, password = account["username"], account["password"]
        assert answer_all(url, name, password, items, lambda item, name=name: said[name, item.id]) == len(items)
    door(tmp_path, "pull", "--from", "argilla", "--dataset", "study")
    door(tmp_path, "report", "--out", "report")
    door(tmp_path, "export", "--to", "pairs", "--out", "out/pairs.jsonl")
    sys.stderr.write(f"all: {time.monotonic() - began:.1f} s\n")
    _error_rates_are_recovered(tmp_path)
    _pairs_are_those_of_a_hand(tmp_path, items, said)


def _error_rates_are_recovered(place: Path) -> None:
    summary = json.loads((place / "report/doctors.json").read_text("utf-8"))
    assert len(summary["doctors"]) == len(ERRORS)
    rates = sorted(1 - error for error in ERRORS.values())
    found = sorted(summary["doctors"], key=lambda doctor: doctor["error_rates"]["accuracy"])
    for rate, doctor in zip(rates, found, strict=True):
        low, high = doctor["error_rates"]["ci95"]
        assert low <= rate <= high
        assert high - low < 0.15, "an interval that says something"
        low, high = doctor["consistency"]["ci95"]
        assert low <= rate**2 + (1 - rate) ** 2 / 2 <= high
    page = (place / "report/doctors.html").read_text("utf-8")
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?https?:", page)
    assert not any(name in page for name in ERRORS)


def _pairs_are_those_of_a_hand(place: Path, items: dict[str, Item], said: Said) -> None:
    rows = [json.loads(line) for line in (place / "out/pairs.jsonl").read_text("utf-8").splitlines()]
    made = {row["provenance"]["item_id"]: row for row in rows}
    assert len(made) == len(rows)
    manifest = json.loads((place / "out/manifest.json").read_text("utf-8"))
    people = Pseudonyms(place / "runs/annotation")
    failed = {name for name in ERRORS if people.of(name) in manifest["failed_doctors"]}
    assert_pairs(made, items, by_hand.pairs(items, said, failed))
    assert len(made) > COUNT / 2
    right = [row["chosen"][0]["content"] == items[name].sides[outcome(truth(items[name]))].text  # type: ignore[index]
             for name, row in made.items() if outcome(truth(items[name])) != "neither"]  # fmt: skip
    assert sum(right) / len(right) > 0.93
    for block in ("verdicts", "preferences", "corrections", "steps"):
        assert manifest[block]["in"] == manifest[block]["out"] + sum(manifest[block]["dropped"].values())
