"""The store: what goes in comes out, nothing is overwritten, no text is kept without consent."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gaokerena.answers import Answer, Usage
from gaokerena.comparisons import SCHEMA_VERSION, Choice, Comparison, Side, Verdict
from gaokerena.questions import Question
from gaokerena.store import ModelTally, Store, StoreError

QUESTION = Question(
    text="کودکی دو روز است تب دارد. نخستین اقدام چیست؟",
    options=("پاشویه", "استامینوفن", "آنتی‌بیوتیک", "آزمایش خون"),
    gold="B",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "kept.sqlite3") as opened:
        yield opened


def comparison(**changes: object) -> Comparison:
    fields = {"question": QUESTION, "left": "v", "right": "r", "seed": 1, "consent": True, "session": "s1"}
    return Comparison.model_validate({**fields, **changes})


def answer(model: str = "v", text: str = "استامینوفن بدهید.", **changes: object) -> Answer:
    fields = {"question_id": QUESTION.id, "model": model, "prompting": "straight", "text": text, "conclusion": text}
    facts = {"finish_reason": "stop", "usage": Usage(completion_tokens=4), "seed": 1, "seconds": 0.5}
    return Answer.model_validate({**fields, **facts, **changes})


def verdict(of: Comparison, choice: Choice = "left", session: str = "s1", **changes: object) -> Verdict:
    return Verdict.model_validate({"comparison_id": of.id, "choice": choice, "session": session, **changes})


def on_disk(store: Store) -> bytes:
    return b"".join(path.read_bytes() for path in store.path.parent.glob(store.path.name + "*"))


def test_what_goes_in_comes_out(store: Store) -> None:
    asked = comparison(preset="echo", blind=False, follows="earlier")
    store.add_comparison(asked)
    said = answer(reasoning="گام نخست", steps=("گام نخست",), choice="B", choice_reason="گزینهٔ ب", revision="abc")
    store.add_answer(asked.id, "left", said)
    kept = store.comparison(asked.id)
    assert kept is not None
    assert kept.question == QUESTION
    assert kept.question_id == QUESTION.id
    assert (kept.left, kept.right, kept.seed, kept.preset, kept.blind, kept.follows) == (
        "v",
        "r",
        1,
        "echo",
        False,
        "earlier",
    )
    assert [attempt.answer for attempt in kept.attempts["left"]] == [said]
    assert kept.attempts["right"] == ()
    assert store.comparison("unknown") is None


def test_the_file_is_durable_by_its_settings(store: Store) -> None:
    settings = {name: store._writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    assert settings == {"journal_mode": "wal", "synchronous": 2}


def test_asking_again_keeps_the_earlier_attempt(store: Store) -> None:
    asked = comparison()
    store.add_comparison(asked)
    half = answer(text="استامینو", finish_reason="stopped")
    store.add_answer(asked.id, "left", half)
    store.add_answer(asked.id, "left", answer())
    kept = store.comparison(asked.id)
    assert kept is not None
    assert [attempt.answer.finish_reason for attempt in kept.attempts["left"]] == ["stopped", "stop"]


def test_a_second_verdict_replaces_the_first_and_both_stay(store: Store) -> None:
    asked = comparison()
    store.add_comparison(asked)
    first, other, second = (
        verdict(asked),
        verdict(asked, "tie", "s2"),
        verdict(asked, "right", at="2020-01-01T00:00:00Z"),
    )
    for each in (first, other, second):
        store.add_verdict(each)
    assert [each.id for each in store.verdicts()] == [first.id, other.id, second.id]
    assert [(each.session, each.choice) for each in store.current_verdicts()] == [("s2", "tie"), ("s1", "right")]


@pytest.mark.parametrize("statement", ["UPDATE verdicts SET choice = 'tie'", "DELETE FROM verdicts"])
def test_verdict_rows_cannot_be_changed_by_any_program(store: Store, statement: str) -> None:
    asked = comparison()
    store.add_comparison(asked)
    store.add_verdict(verdict(asked))
    with sqlite3.connect(store.path) as other, pytest.raises(sqlite3.IntegrityError, match="never"):
        other.execute(statement)
    other.close()
    assert [each.choice for each in store.current_verdicts()] == ["left"]


def test_rows_that_fit_nothing_are_refused(store: Store) -> None:
    asked = comparison()
    store.add_comparison(asked)
    given = verdict(asked)
    store.add_verdict(given)
    with pytest.raises(ValueError, match=r"no comparison .*; call add_comparison first"):
        store.add_verdict(verdict(comparison()))
    with pytest.raises(ValueError, match="no comparison"):
        store.add_answer("nowhere", "left", answer())
    with pytest.raises(ValueError, match="where 'v' sits"):
        store.add_answer(asked.id, "left", answer("r"))
    with pytest.raises(ValueError, match="neither left nor right"):
        store.add_answer(asked.id, "middle", answer())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="already in"):
        store.add_comparison(asked)
    with pytest.raises(ValueError, match="already in"):
        store.add_verdict(given)
    with pytest.raises(ValueError, match="no zone"):
        store.add_verdict(verdict(asked, at="2026-01-01T00:00:00"))
    assert len(list(store.verdicts())) == 1


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::1", "[2001:db8::1]"])
def test_no_network_address_is_stored(store: Store, address: str) -> None:
    with pytest.raises(ValueError, match="network address"):
        store.add_comparison(comparison(session=address))
    asked = comparison()
    store.add_comparison(asked)
    with pytest.raises(ValueError, match="network address"):
        store.add_verdict(verdict(asked, session=address))
    assert address.encode() not in on_disk(store)


def test_without_consent_no_word_is_kept(store: Store) -> None:
    asked = comparison(consent=False, answers={"left": answer(text="پاسخی محرمانه", choice_reason="گزینهٔ محرمانه")})
    store.add_comparison(asked)
    store.add_verdict(verdict(asked))
    kept = store.comparison(asked.id)
    assert kept is not None
    assert kept.question is None
    assert kept.question_id == QUESTION.id
    attempt = kept.attempts["left"][0]
    assert (attempt.words_kept, attempt.answer.text, attempt.answer.choice_reason) == (False, "", "")
    assert attempt.answer.usage.completion_tokens == 4
    raw = on_disk(store)
    assert all(word.encode() not in raw for word in ("محرمانه", "استامینوفن", "تب دارد"))
    assert [each.choice for each in store.current_verdicts()] == ["left"]


def test_identifiers_and_bidi_marks_are_taken_out(store: Store) -> None:
    number, letters = "09121234567", "someone@example.org"
    question = Question(text=f"شماره‌ام {number} است", options=(f"به {letters} بنویسید", "دو", "سه", "چهار"))
    said = answer(text=f"با {number} تماس \u2066HbA1c\u2069", reasoning=number, steps=(number,), choice_reason=letters)
    asked = comparison(question=question, answers={"left": said})
    store.add_comparison(asked)
    kept = store.comparison(asked.id)
    assert kept is not None
    assert kept.question is not None
    assert kept.question.text == "شماره‌ام [شماره همراه] است"
    assert kept.attempts["left"][0].answer.text == "با [شماره همراه] تماس HbA1c"
    raw = on_disk(store)
    assert all(secret.encode() not in raw for secret in (number, letters, "\u2066"))


def test_purge_overwrites_old_texts_and_keeps_the_counts(store: Store) -> None:
    # Half past ten in the evening of 2024 by UTC, though it is written with the date of 2025.
    old = comparison(at="2025-01-01T02:00:00+03:30", answers={"left": answer(text="پاسخ دیرین " * 2_000)})
    new = comparison(at="2026-01-01T00:00:00Z", question=Question(text="پرسش تازه"))
    for each in (old, new):
        store.add_comparison(each)
        store.add_verdict(verdict(each))
    before = store.tally()
    assert store.purge("2025-01-01T00:00:00Z") == 1
    assert store.purge("2025-01-01T00:00:00Z") == 0
    assert store.tally() == before
    raw = on_disk(store)
    assert "پاسخ دیرین".encode() not in raw
    assert QUESTION.text.encode() not in raw
    assert "پرسش تازه".encode() in raw
    assert [kept.question is None for kept in store.comparisons()] == [True, False]
    with pytest.raises(ValueError, match="no zone"):
        store.purge("2025-01-01")


def test_purge_says_when_a_reader_keeps_the_texts_on_the_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gaokerena.store.WAIT_SECONDS", 0.3)
    for _ in range(2):
        store.add_comparison(comparison(at="2024-01-01T00:00:00Z"))
    reading = store.comparisons()
    next(reading)
    with pytest.raises(StoreError, match=r"still on the disk.*purge again"):
        store.purge("2025-01-01T00:00:00Z")
    assert QUESTION.text.encode() in on_disk(store), "else the error would be wrong"
    reading.close()
    assert store.purge("2025-01-01T00:00:00Z") == 0
    assert QUESTION.text.encode() not in on_disk(store)


def test_purge_waits_for_a_reader_and_writers_do_not_wait_for_it(store: Store) -> None:
    store.add_comparison(comparison(at="2024-01-01T00:00:00Z"))
    store.add_comparison(comparison(at="2024-01-01T00:00:00Z"))
    reading = store.comparisons()
    next(reading)
    threading.Timer(1.8, reading.close).start()
    took: list[float] = []

    def write() -> None:
        time.sleep(0.2)
        began = time.monotonic()
        store.add_comparison(comparison(question=Question(text="پرسش تازه")))
        took.append(time.monotonic() - began)

    writer = threading.Thread(target=write)
    writer.start()
    assert store.purge("2025-01-01T00:00:00Z") == 2
    writer.join()
    assert took[0] < 1.0
    assert QUESTION.text.encode() not in on_disk(store)


def test_the_tally_counts_each_sessions_newest_blind_verdict(store: Store) -> None:
    def judged(choice: Choice, session: str = "s1", **changes: object) -> Comparison:
        asked = comparison(**changes)
        store.add_comparison(asked)
        store.add_verdict(verdict(asked, choice, session))
        return asked

    judged("left")
    judged("left", left="r", right="v")
    store.add_verdict(verdict(judged("left"), "tie"))
    store.add_verdict(verdict(judged("right"), "both_bad", "s2"))
    judged("left", blind=False)
    known = judged("left")
    for _ in range(2):
        store.add_verdict(verdict(known, "right", blind=False))
    judged("left", right="v")
    tally = store.tally()
    assert tally.models == {
        "r": ModelTally(wins=2, losses=2, ties=1, both_bad=1),
        "v": ModelTally(wins=2, losses=2, ties=1, both_bad=1),
    }
    assert (tally.verdicts, tally.not_blind, tally.changed) == (6, 1, 1)
    assert store.tally("expert").models == {}


def test_export_holds_the_answers_that_were_judged(store: Store, tmp_path: Path) -> None:
    asked = comparison(answers={"left": answer(text="پاسخ نخست")})
    store.add_comparison(asked)
    store.add_verdict(verdict(asked, reasons=("unclear",), strength=2))
    time.sleep(0.005)
    store.add_answer(asked.id, "left", answer(text="پاسخ دوم"))
    store.add_answer(asked.id, "right", answer("r", "پاسخ راست"))
    store.add_verdict(verdict(asked, "right"))
    target = tmp_path / "verdicts.jsonl"
    target.write_text("old")
    assert store.export_jsonl(target) == 2
    first, second = map(json.loads, target.read_text("utf-8").splitlines())
    assert next(iter(first)) == "schema_version"
    assert (first["schema_version"], first["reasons"], first["strength"]) == (SCHEMA_VERSION, ["unclear"], 2)
    assert (first["current"], second["current"]) == (False, True)
    answers = [{side: said["text"] for side, said in row["comparison"]["answers"].items()} for row in (first, second)]
    assert answers == [{"left": "پاسخ نخست", "right": "پاسخ راست"}, {"left": "پاسخ دوم", "right": "پاسخ راست"}]
    assert Question.model_validate(second["comparison"]["question"]) == QUESTION
    assert [path.name for path in tmp_path.glob("*verdicts*")] == ["verdicts.jsonl"]


def test_a_failed_export_leaves_the_old_file(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = comparison()
    store.add_comparison(asked)
    store.add_verdict(verdict(asked))
    target = tmp_path / "verdicts.jsonl"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise RuntimeError("halfway")

    monkeypatch.setattr("gaokerena.store.exported", fail)
    with pytest.raises(RuntimeError, match="halfway"):
        store.export_jsonl(target)
    assert target.read_text() == "old"
    assert not list(tmp_path.glob(".verdicts*"))


def test_reading_slowly_stops_no_writer(store: Store) -> None:
    for _ in range(3):
        store.add_comparison(comparison())
    reading = store.comparisons()
    next(reading)
    store.add_comparison(comparison())
    assert len(list(reading)) == 2
    assert len(list(store.comparisons())) == 4


def test_threads_lose_nothing(store: Store) -> None:
    sides: tuple[Side, Side] = ("left", "right")

    def work(number: int) -> None:
        for turn in range(15):
            asked = comparison(session=f"t{number}")
            store.add_comparison(asked)
            store.add_answer(asked.id, sides[turn % 2], answer("vr"[turn % 2]))
            store.add_verdict(verdict(asked, session=f"t{number}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.current_verdicts())) == 8 * 15
    assert sum(len(kept.attempts[side]) for kept in store.comparisons() for side in sides) == 8 * 15


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.add_comparison(comparison())
