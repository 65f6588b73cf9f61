"""Nothing that a push sends tells what anything is, whose it is, or who the patient was."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from annotation.candidates import Found, candidate
from annotation.items import Ledger
from annotation.mixing import Mixing
from annotation.push import Wanted
from gaokerena.presets import PLANS
from gaokerena.questions import Question
from tests.annotation.push_cases import (
    FakeArgilla,
    gold_file,
    opened,
    pushed,
    shown,
    wanted,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def telling() -> Found:
    """Answers whose models name themselves, a patient's number, and an answer that cannot be cleaned."""
    made = []
    for number, (says, other) in enumerate(
        [
            ("من گوکرنا هستم.", "من آیا هستم، بفرمایید."),
            ("I am Qwen2.5-7B-Instruct.", "پاسخ گوکرنا-R: دارو بخورید."),
            ("با ۰۹۱۲۱۲۳۴۵۶۷ تماس بگیرید.", "من مدل V هستم."),
            ("gaokerena-v1.0 می‌گوید: استراحت.", "aya-expanse-8b: بخواب."),
        ]
    ):
        question = Question(text=f"پرسش شمارهٔ {number}: چه کنم؟", subject="قلب", suite="mmlu_fa")
        one, two = shown(says, "gaokerena-v1.0", revision="4f2a9c"), shown(other, "gaokerena-r1.0", revision="77b1de")
        made.append(
            candidate("store", question, one, two, comparison_id=f"comparison-{number}", reasons={"contested": 1.0})
        )
    bad = shown("شماره", reasoning="0912 123", conclusion="4567")
    made.append(candidate("store", Question(text="نشانی؟"), bad, shown("دو", "gaokerena-r1.0"), comparison_id="bad"))
    return Found(made)


def everything_sent(fake: FakeArgilla) -> str:
    """Every URL, header and body that left, records unpacked."""
    parts = []
    for request in fake.sent:
        body = json.loads(request.content) if request.content else {}
        parts.append(json.dumps([str(request.url), dict(request.headers), body], ensure_ascii=False))
        parts += [json.dumps([opened(row), row], ensure_ascii=False) for row in body.get("items", [])]
    return "\n".join(parts)


def test_nothing_sent_names_a_model_a_reason_or_a_patient(fake: FakeArgilla, folder: Path, tmp_path: Path) -> None:
    want = Wanted(telling, mixing=Mixing(gold=0.5, duplicates=0.5, distance=2), gold=gold_file(tmp_path / "gold.jsonl"))
    summary = pushed(fake, folder, want)
    assert (summary.comparisons, summary.gold) == (4, 2)
    assert summary.duplicates
    sent = everything_sent(fake)
    assert "تماس بگیرید" in sent  # it is searched unpacked
    labels = [
        word for plan in PLANS.values() for label in plan.labels.values() for word in re.findall(r"[\w-]{4,}", label)
    ]
    names = ["gaokerena", "qwen", "aya-expanse", "4f2a9c", "77b1de", "گوکرنا", "contested", "comparison-", "duplicate"]
    names += ["twin", "mmlu", "chosen", "rejected", "suggestions", "۰۹۱۲", *PLANS["gaokerena"].adapters.values()]
    for name in (*names, *labels):
        if name not in ("کوچک", "پایهٔ", "پایه"):
            assert name.lower() not in sent.lower(), name
    for word in ("v", "r", "mini", "echo", "endpoint", "recorded", "gold"):
        assert not re.search(rf'"{word}"', sent), word
    assert "من مدل V" not in sent
    assert "من آیا هستم" not in sent
    assert summary.taken["model_name"] >= 6
    assert summary.taken["mobile"]


def test_what_cannot_be_cleaned_is_refused_and_counted(fake: FakeArgilla, folder: Path) -> None:
    summary = pushed(fake, folder, Wanted(telling, mixing=Mixing(duplicates=0)))
    assert summary.refused == Counter(identifier_left=1)
    assert summary.sent == 4


def test_only_the_ledger_knows_who_sat_where(fake: FakeArgilla, folder: Path) -> None:
    pushed(fake, folder, wanted(30))
    items = Ledger(folder).items
    left = Counter(items[row["external_id"]].sides["left"].model for row in fake.rows())
    assert set(left) == {"gaokerena-v1.0", "gaokerena-r1.0"}
    for row in fake.rows():
        for side, one in items[row["external_id"]].sides.items():
            assert opened(row)["sides"][side]["conclusion"]["text"] == one.text
    assert (folder / "items.jsonl").stat().st_mode & 0o777 == 0o600
    assert (folder / "plans.jsonl").stat().st_mode & 0o777 == 0o600
