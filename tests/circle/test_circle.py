"""The circle, once around: 300 comparisons of the mini pair become a new R that the running page offers.

Asked and answered by the real engine, sent to a real Argilla, judged by scripted doctors who all want the same thing,
pulled, made into pairs, audited, trained on, compared with the R it started from, published; then picked up by a page
that has been running all along. Every step is the command a person would type. No network but the loopback.

The doctors' wish is a phrase, and the shortcut audit says so: the round is refused at first, and goes on for a reason
that stands on the card. About four minutes on two free cores; prints how long each step takes (`pytest -s`).
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from annotation.items import Ledger
from gaokerena.statistics import discordant, mcnemar_exact
from tests.annotation.scripted_doctor import answer_all
from tests.circle.steps import ROOT, answered, argilla, door, grade, keep
from tests.circle.wish import questions, sends_to_doctor
from tests.ui.page_server import Server, serving
from training.manifest import read_json, read_jsonl

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

MINI = ROOT / "models" / "mini"
COMPARISONS, FRESH = 300, 200
SPARE = 12
"""Comparisons more than are sent: an answer cut off at its limit is shown to nobody."""
DOCTORS = ("sara", "omid")
WHY = "the scripted doctors want one phrase, and that is what this test plants"


@contextmanager
def told(step: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    sys.stderr.write(f"\n{step}: {time.monotonic() - began:.0f} s")


def study(place: Path) -> None:
    """From the store to build/pairs.jsonl, through the real Argilla."""
    with argilla(place) as url:
        accounts = json.loads(door(place, "annotation", "users", "add", *DOCTORS, "--to", "argilla", "--json"))
        accounts = accounts if isinstance(accounts, list) else accounts["users"]
        words = ["push", "--to", "argilla", "--dataset", "circle", "--store", "store.sqlite3"]
        words += ["--count", str(COMPARISONS), "--overlap", "2", "--gold-rate", "0", "--json"]
        pushed = json.loads(door(place, "annotation", *words))
        assert pushed["comparisons"] == COMPARISONS
        items = Ledger(place / "runs/annotation").items
        for account in accounts:
            count = answer_all(url, account["username"], account["password"], items, grade)
            assert count == len(items) >= COMPARISONS
        door(place, "annotation", "pull", "--from", "argilla", "--dataset", "circle")
    door(place, "annotation", "export", "--to", "pairs", "--out", "build/pairs.jsonl")


def test_from_questions_to_a_better_r_in_the_running_page(tmp_path: Path) -> None:
    asked = questions(COMPARISONS + SPARE)
    page = {"GAOKERENA_PRESET": "mini", "GAOKERENA_ROUNDS": str(tmp_path / "rounds"), "GAOKERENA_THREADS": "1"}
    (tmp_path / "page").mkdir()
    with serving(tmp_path / "page", page) as server:
        with told("answers of V and R"):
            keep(tmp_path / "store.sqlite3", asked, answered(MINI, {"v": MINI / "v", "r": MINI / "r"}, asked, 1))
        with told("Argilla: push, judge, pull, export"):
            study(tmp_path)
        with told("round: pairs, audit, DPO, evaluation, card"):
            the_round(tmp_path)
        with told("the page offers it"):
            the_page_offers_it(server)
    with told("fresh questions"):
        the_new_r_is_preferred(tmp_path)
    the_card_names_the_labels(tmp_path)


def the_round(place: Path) -> None:
    """Refused by the audit, which names the doctors' own phrase; then run for a reason."""
    words = ["round", "--verdicts", "build/pairs.jsonl", "--from", "r", "--out", "rounds/r2"]
    said = door(place, "training", *words, status=2)
    assert re.search(r"failed its shortcut audit: .*(?:مراجعه|پزشک|متخصص|مشورت)", said), said
    assert not (place / "rounds").exists()
    door(place, "training", *words, "--override-audit", WHY)
    away = read_json(place / "rounds/r2/evaluation.json")["held_out"]
    assert away["margin"]["difference"] > 0
    sys.stderr.write(f"\nheld-out pairs: {away}")


def the_page_offers_it(server: Server) -> None:
    """The old R against the new one, on the page that was running before there was a new one."""
    assert server.process.poll() is None
    client = Client(server.address, verbose=False)
    until = time.monotonic() + 60
    while not (made := compared(client)) and time.monotonic() < until:
        time.sleep(1)
    assert made, "the page never offered it"
    assert made["left"]["finished"]
    assert made["right"]["finished"]
    assert "r2" not in json.dumps(made), "blind until judged"
    judged = client.predict(made["comparison"], "left", api_name="/judge")
    assert sorted(judged["revealed"].values()) == ["r", "r2"]


def compared(client: Client) -> dict[str, Any] | None:
    """The old R and the new on one question; None while the page knows no new one."""
    try:
        made: dict[str, Any] = client.predict("شب‌ها سرفه می‌کنم؛ چه کنم؟", "", 7, "r,r2", api_name="/ask")
    except AppError as error:
        if "are not compared" in str(error):
            return None
        raise
    return made


def the_new_r_is_preferred(place: Path) -> None:
    """By the doctors' own wish, on questions nobody has seen: a paired test against the R it started from."""
    fresh = questions(FRESH, COMPARISONS + SPARE)
    said = answered(MINI, {"r": MINI / "r", "r2": place / "rounds/r2"}, fresh, 5000)
    heeded = {name: [sends_to_doctor(answer.text) for answer in answers] for name, answers in said.items()}
    only_new, only_old = discordant(heeded["r2"], heeded["r"])
    sys.stderr.write(
        f"\n{sum(heeded['r'])} and {sum(heeded['r2'])} of {FRESH}; only new {only_new}, only old {only_old}"
    )
    assert sum(heeded["r2"]) > sum(heeded["r"])
    assert mcnemar_exact(only_new, only_old) < 0.05


def the_card_names_the_labels(place: Path) -> None:
    """From every pair trained on to the doctors' verdicts as they were pulled."""
    card = (place / "rounds/r2/README.md").read_text("utf-8")
    pulled = {row["id"] for row in read_jsonl(place / "runs/annotation/verdicts.jsonl")}
    labels = read_jsonl(place / "rounds/r2/labels.jsonl")
    named = {name for row in labels for name in row["verdict_ids"]}
    assert len(labels) >= 60
    assert named <= pulled
    assert all(f"`{name}`" in card for name in named)
    assert WHY in card
