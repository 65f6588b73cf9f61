"""A scripted judge, comparisons and doctors' preferences, for the tests of the judge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gaokerena.prompts import user_text
from tests.engines.scripted_server import Ask, Reply, ScriptedServer, end, say
from tests.training.rlaif.cases import task
from training.pair_rows import PairRow, Turn, write_pairs

GOOD, BAD = "این پاسخ سودمند است و بیمار را به‌موقع نزد پزشک می‌فرستد.", "این پاسخ بیهوده است و نکته‌ای برای بیمار ندارد."


def judging(prefers: Callable[[str, str], str]) -> Callable[[Ask], Reply]:
    """A judge that says what `prefers(first, second)` says: ۱, ۲ or برابر, or babbles."""

    def script(ask: Ask) -> Reply:
        shown = ask.body["messages"][0]["content"]
        first, second = (shown.split(f"--- آغاز پاسخ {number} ")[1].split("---")[1] for number in "۱۲")
        return Reply([say(f"تفاوت در سودمندی است.\nداوری: {prefers(first, second)}"), end(prompt=100, completion=9)])

    return script


def by_use(first: str, second: str) -> str:
    """Prefers the useful one; two of a kind are equal."""
    return "برابر" if ("سودمند" in first) == ("سودمند" in second) else "۱" if "سودمند" in first else "۲"


def compare(folder: Path, rows: list[tuple[str, str]]) -> Path:
    path = folder / "compare.jsonl"
    told = [
        {"question": task(number).question.text, "a": a, "b": b, "id": f"c{number}"}
        for number, (a, b) in enumerate(rows)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in told), "utf-8")
    return path


def doctors_pairs(folder: Path, agree: int, disagree: int) -> Path:
    """Pairs as `annotation export` writes them: so many doctors like the useful answer, so many the other."""
    rows = []
    for number in range(agree + disagree):
        better, worse = (GOOD, BAD) if number < agree else (BAD, GOOD)
        rows.append(pair(number, f"{better} ({number})", f"{worse} ({number})", kind="preference"))
    rows.append(pair(99, "متن خود پزشک.", "متن مدل.", kind="correction"))
    write_pairs(folder / "doctors.jsonl", rows)
    return folder / "doctors.jsonl"


def pair(number: int, better: str, worse: str, **told: Any) -> PairRow:
    question = task(number % 12).question
    return PairRow(
        id=f"e{number}",
        prompt=(Turn(role="user", content=user_text(question, "straight")),),
        chosen=(Turn(role="assistant", content=better),),
        rejected=(Turn(role="assistant", content=worse),),
        source="expert",
        question_id=f"{question.id}-{number}",
        provenance=told,
    )


def words(server: ScriptedServer, out: Path, *more: object) -> list[object]:
    return [
        "rlaif", "--method", "judge", "--teacher", server.base_url, "--teacher-model", "j", "--out", out, *more,
    ]  # fmt: skip
