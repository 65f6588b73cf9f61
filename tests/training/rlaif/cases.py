"""Questions, a scripted student and teacher on one small HTTP server, and the door, for the tests of RLAIF.

    with party(teacher=lambda task, asks: good(task)) as server:
        result = door("a", server, folder)

The script hears which question is asked and how often this party was asked about it before.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from gaokerena.questions import LETTERS, Question
from tests.engines.scripted_server import Ask, Reply, ScriptedServer, end, say
from training.cli import app
from training.rlaif.questions import Task

DRUGS = ("آسپرین", "استامینوفن", "مورفین", "دیازپام")
SITUATIONS = (
    "تب کودک", "درد پس از جراحی", "تشنج", "سردرد میگرنی", "درد مفصل", "پیشگیری از لخته", "اضطراب پیش از عمل",
    "درد دندان", "تب پس از واکسن", "سکته قلبی", "درد سرطان", "گرفتگی عضله",
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What a party says: its text, how it ends; `reply` instead of both."""

    text: str = ""
    finish: str = "stop"
    reply: Reply | None = None


Speaker = Callable[[Task, int], Said | str]


def task(number: int) -> Task:
    """The `number`-th question; its key is a letter in turn."""
    question = Question(
        text=f"برای {SITUATIONS[number]} کدام دارو مناسب‌تر است؟", options=DRUGS, gold=LETTERS[number % 4]
    )
    return Task(question, "این دارو از بقیه کم‌خطرتر است.")


def tasks(count: int) -> list[Task]:
    return [task(number) for number in range(count)]


def write_questions(folder: Path, count: int = len(SITUATIONS)) -> Path:
    """The first `count` questions as JSONL."""
    rows = [
        {
            "question": one.question.text,
            "options": list(one.question.options),
            "gold": one.question.gold,
            "explanation": one.explanation,
        }
        for one in tasks(count)
    ]
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def chain(one: Task, letter: str | None = None) -> str:
    """A whole chain of thought that chooses `letter` (the key when none is given)."""
    letter = letter or one.gold
    drug = one.question.options["ABCD".index(letter)]
    return (
        "نخست باید دید بیمار چه نیازی دارد و کدام دارو برای او کم‌خطرتر است.\n"
        f"با سنجیدن سود و زیان، {drug} از بقیه مناسب‌تر است.\nبنابراین گزینهٔ [{letter}] {drug} درست است."
    )


def wrong(one: Task) -> str:
    """A chain that chooses the letter after the key."""
    return "پاسخ را از راه حذف می‌یابیم. " + chain(one, "ABCD"[("ABCD".index(one.gold) + 1) % 4])


def named(body: dict[str, Any]) -> Task:
    """The question a request is about, whoever is asked."""
    first = body["messages"][0]["content"]
    return next(one for one in tasks(len(SITUATIONS)) if one.question.text in first)


@contextmanager
def party(
    teacher: Speaker, student: Speaker = lambda one, before: wrong(one), prompt: int = 200, completion: int = 50
) -> Iterator[ScriptedServer]:
    """A server that speaks for both, by the model's name; every reply has the same usage."""
    heard: Counter[tuple[str, str]] = Counter()

    def script(ask: Ask) -> Reply:
        one, model = named(ask.body), ask.body["model"]
        said = {"teacher": teacher, "student": student}[model](one, heard[model, one.question.id])
        heard[model, one.question.id] += 1
        said = Said(said) if isinstance(said, str) else said
        return said.reply or Reply([say(said.text), end(said.finish, prompt=prompt, completion=completion)])

    with ScriptedServer(script) as server:
        yield server


def arguments(method: str, url: str, questions: Path, out: Path, *more: object) -> list[str]:
    """The command, with one sample a question and short waits."""
    words = ("rlaif", "--method", method, "--out", out, "--teacher", url, "--teacher-model", "teacher")
    words += ("--student", url, "--student-model", "student", "--questions", questions, "--samples", 1)
    return [str(word) for word in (*words, "--timeout", 1.5, *more)]


def door(*words: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def manifest(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "manifest.json").read_text("utf-8"))
    counts = found["accounting"]
    assert counts["accepted"] + counts["dropped"] + counts["failed"] == counts["asked"]
    assert counts["asked"] + counts["not_reached"] == found["counts_in"]["questions"]
    assert sum(found["dropped"].values()) == counts["dropped"] == len(lines(out / "dropped.jsonl"))
    assert len(lines(out / "failed.jsonl")) == counts["failed"]
    return found


def content(ask: Ask) -> str:
    """What decides the reply to a request."""
    body = ask.body
    return json.dumps([body["model"], body["messages"], body["seed"]], ensure_ascii=False)
