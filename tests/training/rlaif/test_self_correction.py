"""Method B: the critique never names the key, the student tries again, the first right answer ends it."""

from __future__ import annotations

from pathlib import Path

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

GUIDANCE = "در گام نخست سن بیمار و خطر داروها را نسنجیده‌اید. از خود بپرسید کدام یافته بیش از همه اهمیت دارد."


def guide(one: Task, before: int) -> str:
    return f"{GUIDANCE} این {before + 1}مین بار است که می‌پرسم."


def right_at(turn: int):  # type: ignore[no-untyped-def]
    """A student that is right at that turn (0 is its first answer)."""
    return lambda one, before: chain(one) if before == turn else wrong(one)


def test_the_first_right_answer_ends_it_and_the_first_wrong_one_is_rejected(tmp_path: Path) -> None:
    questions = write_questions(tmp_path, 1)
    with party(guide, right_at(2)) as server:
        result = door(*arguments("b", server.base_url, questions, tmp_path / "out", "--turns", 5))
        asked = [(ask.body["model"], ask.body["messages"]) for ask in server.asks]
    assert result.exit_code == 0, result.stderr
    assert [model for model, _ in asked] == ["student", "teacher", "student", "teacher", "student"]
    pair = read_pairs(tmp_path / "out" / "pairs.jsonl")[0]
    assert (pair.source, pair.better, pair.worse) == ("self_correction", chain(task(0)), wrong(task(0)))
    assert (len(pair.prompt), pair.provenance["turns"], len(pair.provenance["calls"])) == (1, 2, 5)
    assert GUIDANCE not in pair.asked
    last = asked[-1][1]
    assert [turn["role"] for turn in last] == ["user", "assistant", "user", "assistant", "user"]
    assert last[0]["content"] == pair.asked
    assert GUIDANCE in last[2]["content"]


def test_the_student_never_hears_the_key(tmp_path: Path) -> None:
    questions = write_questions(tmp_path, 4)
    with party(guide, right_at(9)) as server:
        door(*arguments("b", server.base_url, questions, tmp_path / "out", "--turns", 2))
        said = [ask.body["messages"] for ask in server.asks if ask.body["model"] == "student"]
    told = [turn["content"] for turns in said for turn in turns[2::2]]
    assert len(told) == 4 * 3
    assert not any("کم‌خطرتر است" in text or "گزینهٔ درست" in text for text in told)
    found = manifest(tmp_path / "out")
    assert found["dropped"] == {"never right": 4}
    assert found["calls"]["finished"] == 4 * (1 + 2 * 2)


LEAKS = {
    0: (lambda one: f"به گزینهٔ {one.gold} بیشتر فکر کنید؛ آن را زود کنار گذاشتید و این درست نبود.", "names_letter"),
    1: (lambda one: f"چرا {one.gold_text} را کنار گذاشتید؟ آن را دوباره و با دقت بیشتری بسنجید.", "names_text"),
    2: (
        lambda one: "Think again about the safety profile of each drug before you answer this question.",
        "not_persian",
    ),
    3: (lambda one: Said("در گام نخست سن بیمار و خطر داروها را نسنجیده‌اید و از", "length"), "cut_off"),
}


def test_a_critique_that_gives_the_key_away_is_not_passed_on(tmp_path: Path) -> None:
    """Always leaking: dropped. Leaking at first, then told why: the second critique is used."""
    numbers = {task(number).question.id: number for number in range(5)}

    def teacher(one: Task, before: int) -> Said | str:
        number = numbers[one.question.id]
        if number == 4:
            return LEAKS[0][0](one) if before == 0 else guide(one, before)
        return LEAKS[number][0](one)

    questions = write_questions(tmp_path, 5)
    with party(teacher, right_at(1)) as server:
        door(*arguments("b", server.base_url, questions, tmp_path / "out"))
        heard = [turn["content"] for ask in server.asks if ask.body["model"] == "student"
                 for turn in ask.body["messages"][2:]]  # fmt: skip
    dropped = {row["question_id"]: row["reason"] for row in lines(tmp_path / "out" / "dropped.jsonl")}
    assert dropped == {task(number).question.id: f"critique: {fault}" for number, (_, fault) in LEAKS.items()}
    pair = read_pairs(tmp_path / "out" / "pairs.jsonl")[0]
    assert (pair.question_id, pair.provenance["faults"]) == (task(4).question.id, ["names_letter"])
    assert len(heard) == 1
    assert GUIDANCE in heard[0]


def test_a_right_answer_that_speaks_of_the_conversation_is_dropped_with_its_question(tmp_path: Path) -> None:
    said = {
        0: lambda one: "با توجه به نقد شما، پاسخ قبلی من اشتباه بود. " + chain(one),
        1: lambda one: Said(chain(one)[:-12], "length"),
        2: lambda one: f"The answer is clearly [{one.gold}] because it is the safest drug in this case here.",
        3: lambda one: chain(one),
    }
    numbers = {task(number).question.id: number for number in range(4)}
    questions = write_questions(tmp_path, 4)
    with party(guide, lambda one, before: said[numbers[one.question.id]](one) if before else wrong(one)) as server:
        door(*arguments("b", server.base_url, questions, tmp_path / "out"))
        students = [ask for ask in server.asks if ask.body["model"] == "student"]
    reasons = {row["question_id"]: row["reason"] for row in lines(tmp_path / "out" / "dropped.jsonl")}
    assert reasons == {
        task(0).question.id: "right answer: reveals",
        task(1).question.id: "right answer: cut_off",
        task(2).question.id: "right answer: not_persian",
    }
    assert [pair.question_id for pair in read_pairs(tmp_path / "out" / "pairs.jsonl")] == [task(3).question.id]
    assert len(students) == 8
