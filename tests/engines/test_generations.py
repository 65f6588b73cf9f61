"""The file of fresh answers: what names a row, torn and damaged lines, several writers, no identifiers."""

from __future__ import annotations

import json
import multiprocessing
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from gaokerena.answers import Usage
from gaokerena.engines.base import Request, Sampling
from gaokerena.engines.generations import Generation, Generations, key, record
from gaokerena.messages import Message
from gaokerena.prompts import messages
from gaokerena.questions import Prompting, Question
from gaokerena.transcripts import TranscriptsError, read

OPTIONS = ("آسپرین", "استامینوفن", "مورفین", "ایبوپروفن")
CHOICE = Question(text="کدام دارو برای تب کودک مناسب است؟", options=OPTIONS)
FREE = Question(text="برای سرماخوردگی چه کنم؟")
DRAWN = Sampling(temperature=0.7)


def ask(question: Question, prompting: Prompting = "straight", model: str = "v", **changes: object) -> Request:
    return replace(Request(model, messages(question, prompting), prompting), **changes)  # type: ignore[arg-type]


def test_all_that_decides_an_answer_is_in_the_key() -> None:
    base = ask(FREE, sampling=DRAWN)
    others = [
        replace(base, model="r"), replace(base, prompting="cot"), replace(base, seed=1), ask(CHOICE, sampling=DRAWN),
        replace(base, sampling=replace(DRAWN, temperature=0.8)),
        replace(base, sampling=replace(DRAWN, max_new_tokens=9)),
        replace(base, messages=(Message("system", "کوتاه"), *base.messages)),
    ]  # fmt: skip
    keys = {key(base, "1"), key(base, "2"), *(key(other, "1") for other in others)}
    assert len(keys) == 2 + len(others)
    greedy = replace(base, sampling=Sampling())
    assert key(greedy, "1") == key(replace(greedy, seed=5), "1")
    assert key(base, "1") == key(replace(base, question_id="x"), "1")


def generation(number: int, text: str = "پاسخ", thought: str = "فکر ") -> Generation:
    return record(ask(FREE, sampling=DRAWN, seed=number), thought, text, Usage(completion_tokens=3), "stop", "1")


def test_a_torn_last_line_is_cut_away(tmp_path: Path) -> None:
    path = tmp_path / "fresh.jsonl"
    kept = Generations(path)
    kept.add(generation(1))
    whole = path.read_bytes()
    line = generation(2, text="بلند " * 500).model_dump_json().encode() + b"\n"  # longer than what comes after it
    for cut in (1, 40, len(line) // 2, len(line) - 1):
        path.write_bytes(whole + line[:cut])
        opened = Generations(path)
        assert len(opened) == 1
        assert opened.find(generation(2).key) is None
        opened.add(generation(3))
        assert [json.loads(each)["seed"] for each in path.read_text("utf-8").splitlines()] == [1, 3]
        assert Generations(path).find(generation(3).key) is not None


def test_a_damaged_line_is_told(tmp_path: Path) -> None:
    path = tmp_path / "fresh.jsonl"
    path.write_text(generation(1).model_dump_json() + "\n{}\n" + generation(2).model_dump_json() + "\n")
    with pytest.raises(TranscriptsError, match=r"fresh\.jsonl:2: not a generation; delete that line"):
        Generations(path)


def test_a_file_that_shrank_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "fresh.jsonl"
    kept = Generations(path)
    kept.add(generation(1, text="بلند " * 50))
    path.write_text(generation(2).model_dump_json() + "\n")
    assert kept.find(generation(1).key) is None
    assert kept.find(generation(2).key) is not None


def _add(path: Path, first: int) -> None:
    kept = Generations(path)
    for number in range(first, first + 20):
        kept.add(generation(number))


def test_processes_and_threads_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "fresh.jsonl"
    watching = Generations(path)
    spawn = multiprocessing.get_context("spawn")
    crowd = [spawn.Process(target=_add, args=(path, first)) for first in (100, 200)]
    crowd_here = [threading.Thread(target=_add, args=(path, first)) for first in (300, 400)]
    for each in (*crowd, *crowd_here):
        each.start()
    for each in (*crowd, *crowd_here):
        each.join()
    assert all(watching.find(generation(first + number).key) for first in (100, 200, 300, 400) for number in range(20))
    assert len(path.read_text("utf-8").splitlines()) == 80


def test_kept_answers_are_transcripts_and_hold_no_identifiers(tmp_path: Path) -> None:
    asked = Question(text="شماره‌ام 09121234567 است؛ کدام؟", options=OPTIONS)
    request = ask(asked, "cot", seed=4, sampling=DRAWN, question_id=asked.id)
    follow_up = replace(
        request, messages=(Message("user", "me@example.org"), Message("assistant", "درود"), *request.messages)
    )
    path = tmp_path / "fresh.jsonl"
    kept = Generations(path)
    kept.add(record(follow_up, "به 09121234567 ", "زنگ \u2066B12\u2069", Usage(), "length", "1"))
    text = path.read_text("utf-8")
    assert "0912" not in text
    assert "example.org" not in text
    (found,) = read(path)
    assert found.question == "شماره‌ام [شماره همراه] است؛ کدام؟"
    assert found.options == OPTIONS
    assert (found.run, found.model, found.prompting) == (4, "v", "cot")
    generated = kept.find(key(follow_up, "1"))
    assert generated is not None
    assert (generated.question_id, generated.finish_reason) == (asked.id, "length")
    assert generated.response[: generated.reasoning_chars] == "به [شماره همراه] "
    assert generated.response[generated.reasoning_chars :] == "زنگ B12"
