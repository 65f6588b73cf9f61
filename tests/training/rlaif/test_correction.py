"""Method A against a scripted teacher that lies, reveals, breaks off, refuses: nothing bad gets into the pairs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engines.scripted_server import Cut, Hold, Reply, end, refuse, say, think
from tests.training.rlaif.cases import (
    Said,
    arguments,
    chain,
    door,
    lines,
    manifest,
    party,
    task,
    write_questions,
    wrong,
)
from training.pair_rows import read_pairs
from training.rlaif.questions import Task
from training.rlaif.texts import chain_fault
from training.rlaif.wording import CURRENT

ENGLISH = "The patient needs a safe drug for this condition and aspirin is not safe. Therefore the answer is [{}]."


def _english(one: Task) -> str:
    return ENGLISH.format(one.gold)


BAD = {
    0: (lambda one: wrong(one), "misses_key"),
    1: (_english, "not_persian"),
    2: (lambda one: chain(one).replace(f"[{one.gold}]", f"[{one.gold.lower()}]"), "lower_cased"),
    3: (lambda one: "پاسخ دانشجو نادرست بود. " + chain(one), "reveals"),
    4: (lambda one: Said(chain(one)[:-20], "length"), "cut_off"),
    5: (lambda one: "", "empty"),
    6: (lambda one: chain(one).replace("بیمار", "患者"), "foreign_script"),
    7: (lambda one: "هر چهار دارو سود و زیان خود را دارند و انتخاب با پزشک است.", "no_option"),
    8: (lambda one: re.sub(r"\] \S+ درست", "] دیازپام درست", chain(one)), "contradicts"),
}  # fmt: skip
"""What the teacher says to the question of that number, always, and the fault it is dropped for."""


def _bad(one: Task, before: int) -> Said | str:
    number = next(number for number in range(12) if task(number) == one)
    return BAD[number][0](one) if number in BAD else chain(one)


def test_nothing_bad_gets_into_the_pairs(tmp_path: Path) -> None:
    questions = write_questions(tmp_path)
    with party(_bad) as server:
        result = door(*arguments("a", server.base_url, questions, tmp_path / "out"))
        calls = len(server.asks)
    assert result.exit_code == 0, result.stderr
    pairs = read_pairs(tmp_path / "out" / "pairs.jsonl")
    assert {pair.question_id for pair in pairs} == {task(number).question.id for number in (9, 10, 11)}
    dropped = {row["question_id"]: row for row in lines(tmp_path / "out" / "dropped.jsonl")}
    for number, (_, fault) in BAD.items():
        row = dropped[task(number).question.id]
        assert (row["reason"], row["faults"]) == (f"correction: {fault}", [fault] * 3), number
    found = manifest(tmp_path / "out")
    assert found["accounting"] == {"accepted": 3, "dropped": 9, "failed": 0, "asked": 12, "not_reached": 0}
    assert found["calls"]["finished"] == found["calls"]["asked_now"] == calls
    assert found["tokens"] == 250 * calls


def test_an_accepted_pair_says_what_it_was_made_of(tmp_path: Path) -> None:
    questions = write_questions(tmp_path, 1)
    with party(lambda one, before: chain(one)) as server:
        assert door(*arguments("a", server.base_url, questions, tmp_path / "out")).exit_code == 0
    pair = read_pairs(tmp_path / "out" / "pairs.jsonl")[0]
    one = task(0)
    assert (pair.source, pair.better, pair.worse) == ("teacher_correction", chain(one), wrong(one))
    assert pair.asked.startswith(one.question.text)
    assert one.explanation not in pair.asked
    keys = {row["key"] for row in lines(tmp_path / "out" / "calls.jsonl")}
    assert set(pair.provenance["calls"]) == keys
    assert re.fullmatch("[0-9a-f]{64}", pair.provenance["prompts"]["sha256"])
    assert pair.provenance["prompts"]["version"] == CURRENT["a"]
    assert (pair.provenance["gold"], pair.provenance["choices"]) == ("A", ["B"])
    assert pair.provenance["teacher"]["model"] == f"teacher at {server.base_url}"


def test_the_teacher_is_told_what_was_wrong_and_may_mend_it(tmp_path: Path) -> None:
    questions = write_questions(tmp_path, 1)
    said = [lambda one: _english(one), lambda one: wrong(one), chain]
    with party(lambda one, before: said[before](one)) as server:
        assert door(*arguments("a", server.base_url, questions, tmp_path / "out")).exit_code == 0
        taught = [ask.body["messages"] for ask in server.asks if ask.body["model"] == "teacher"]
    assert [len(turns) for turns in taught] == [1, 3, 3]
    assert "متن به فارسی نیست" in taught[1][2]["content"]
    assert "به گزینهٔ درست نمی‌رسد" in taught[2][2]["content"]
    assert "[A]" in taught[2][2]["content"]
    pair = read_pairs(tmp_path / "out" / "pairs.jsonl")[0]
    assert pair.provenance["faults"] == ["not_persian", "misses_key"]


def test_the_teacher_sees_the_key_and_the_students_text_and_the_student_does_not(tmp_path: Path) -> None:
    questions = write_questions(tmp_path, 1)
    with party(lambda one, before: chain(one)) as server:
        door(*arguments("a", server.base_url, questions, tmp_path / "out"))
        said = {ask.body["model"]: ask.body["messages"][0]["content"] for ask in server.asks}
    one = task(0)
    for part in (f"گزینهٔ درست: [{one.gold}]", one.explanation, wrong(one)):
        assert part in said["teacher"]
        assert part not in said["student"]


def test_right_unreadable_and_silent_students(tmp_path: Path) -> None:
    """Right: nothing to correct. Unreadable: rejected all the same. Silent: no text to reject."""
    said = {0: chain, 1: lambda one: "نمی‌دانم.", 2: lambda one: ""}
    numbers = {task(number).question.id: number for number in range(3)}
    questions = write_questions(tmp_path, 3)
    with party(lambda one, before: chain(one), lambda one, before: said[numbers[one.question.id]](one)) as server:
        assert door(*arguments("a", server.base_url, questions, tmp_path / "out")).exit_code == 0
    assert manifest(tmp_path / "out")["dropped"] == {"student is right": 1, "student said nothing": 1}
    pair = read_pairs(tmp_path / "out" / "pairs.jsonl")[0]
    assert (pair.worse, pair.provenance["rejected_choice"]) == ("نمی‌دانم.", None)


def test_of_several_samples_a_readable_wrong_one_is_rejected(tmp_path: Path) -> None:
    questions = write_questions(tmp_path, 1)
    said = [chain(task(0)), "نمی‌دانم.", wrong(task(0)), chain(task(0), "D")]
    with party(lambda one, before: chain(one), lambda one, before: said[before]) as server:
        door(*arguments("a", server.base_url, questions, tmp_path / "out", "--samples", 4))
        seeds = [ask.body["seed"] for ask in server.asks if ask.body["model"] == "student"]
    pair = read_pairs(tmp_path / "out" / "pairs.jsonl")[0]
    assert len(set(seeds)) == 4
    assert sorted(map(str, pair.provenance["choices"])) == ["A", "B", "D", "None"]
    assert pair.provenance["rejected_choice"] in ("B", "D")


def test_a_whole_wrong_answer_is_rejected_before_one_cut_off(tmp_path: Path) -> None:
    """However the replies come in, a broken off one is not the side that the chosen text is compared with."""
    questions, whole = write_questions(tmp_path, 1), chain(task(0), "D")
    said = [Said(wrong(task(0)), "length"), Said(whole), Said(wrong(task(0)) + " و", "length")]
    with party(lambda one, before: chain(one), lambda one, before: said[before]) as server:
        door(*arguments("a", server.base_url, questions, tmp_path / "out", "--samples", 3))
    pair = read_pairs(tmp_path / "out" / "pairs.jsonl")[0]
    assert (pair.worse, pair.provenance["rejected_end"]) == (whole, "stop")


def test_timeouts_and_refusals_are_failures_and_asked_again(tmp_path: Path) -> None:
    """A teacher that hangs, breaks the connection, is down or is busy once."""
    numbers = {task(number).question.id: number for number in range(5)}
    broken = {
        0: Reply([Hold()]),
        1: Reply([say("نخست باید"), Cut()]),
        2: refuse(500, "down", {"retry-after": "0"}),
        3: refuse(400, "no such parameter"),
    }
    down = True

    def teacher(one: Task, before: int) -> Said | str:
        number = numbers[one.question.id]
        if number == 4:
            return Said(reply=refuse(429, "busy", {"retry-after": "0"})) if not before else chain(one)
        return Said(reply=broken[number]) if down else chain(one)

    questions = write_questions(tmp_path, 5)
    with party(teacher) as server:
        words = arguments("a", server.base_url, questions, tmp_path / "out")
        first = door(*words)
        assert first.exit_code == 1, first.stderr
        found = manifest(tmp_path / "out")
        assert (found["outcome"], found["accounting"]["failed"]) == ("some calls failed", 4)
        assert [pair.question_id for pair in read_pairs(tmp_path / "out" / "pairs.jsonl")] == [task(4).question.id]
        students = sum(ask.body["model"] == "student" for ask in server.asks)
        down = False
        second = door(*words)
    assert second.exit_code == 0, second.stderr
    assert len(read_pairs(tmp_path / "out" / "pairs.jsonl")) == 5
    assert sum(ask.body["model"] == "student" for ask in server.asks) == students == 5
    failed = [row for row in lines(tmp_path / "out" / "calls.jsonl") if row["end"] == "failed"]
    charged = sorted((row["completion_tokens"] > 0, row["detail"].split(": ")[1][:16]) for row in failed)
    assert charged == [
        (False, "HTTP 400"), (False, "HTTP 429"), *[(False, "HTTP 500")] * 4,
        (True, "no connection"), (True, "no text within 1"),
    ], failed  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "calls"), [(refuse(400, "no such parameter"), 5), (refuse(401, "who are you"), 3)], ids=["400", "401"]
)
def test_a_dead_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: Reply, calls: int) -> None:
    """After many failures in a row; sooner where the key, the name or the address is wrong."""
    monkeypatch.setattr("training.rlaif.caller.GIVE_UP", 5)
    questions = write_questions(tmp_path)
    with party(lambda one, before: Said(reply=reply)) as server:
        result = door(*arguments("a", server.base_url, questions, tmp_path / "out", "--at-once", 1))
        teachers = sum(ask.body["model"] == "teacher" for ask in server.asks)
    assert (result.exit_code, teachers) == (1, calls)
    found = manifest(tmp_path / "out")
    assert (found["outcome"], found["accounting"]["failed"]) == ("gave up", calls)
    assert found["accounting"]["not_reached"] == 12 - calls
    assert f"HTTP {reply.status}" in found["gave_up"]
    assert list(found["failed_because"].values()) == [calls]
    assert f"gave up on the teacher: teacher at {server.base_url}: HTTP {reply.status}" in result.stdout


def test_a_thought_in_tags_or_apart_is_no_part_of_the_chosen_text(tmp_path: Path) -> None:
    questions = write_questions(tmp_path, 2)
    numbers = {task(number).question.id: number for number in range(2)}

    def teacher(one: Task, before: int) -> Said:
        if numbers[one.question.id]:
            return Said(f"<think>The key is given as {one.gold}.</think>\n{chain(one)}")
        return Said(reply=Reply([think("the student erred"), say(chain(one)), end()]))

    with party(teacher) as server:
        door(*arguments("a", server.base_url, questions, tmp_path / "out"))
    made = {pair.question_id: pair.better for pair in read_pairs(tmp_path / "out" / "pairs.jsonl")}
    assert made == {task(number).question.id: chain(task(number)) for number in range(2)}


def test_every_accepted_text_passes_the_check_it_was_accepted_by() -> None:
    """The good text of these tests is good by itself, so that a refusal is never the fixture's fault."""
    assert all(
        chain_fault(chain(task(number)), "stop", task(number), wrong(task(number))) is None for number in range(12)
    )
