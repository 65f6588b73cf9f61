"""A visit's conversations and verdicts, on the real store."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gaokerena.answers import Answer
from gaokerena.attempts import READABLE_CHARACTERS, Attempt
from gaokerena.comparisons import Comparison, Verdict
from gaokerena.engines.base import Request
from gaokerena.engines.echo import EchoEngine, Script
from gaokerena.intake import RefusalError
from gaokerena.questions import Question
from gaokerena.session import Asker
from gaokerena.store import Store
from gaokerena.visits import DOUBLE_CLICK_SECONDS, TURNS_LIMIT, Desk, Visit
from tests.test_session import MODELS

FIRST = Question(text="سردرد دارم. چه کنم؟")
NEXT = Question(text="و اگر خوب نشد؟")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store.sqlite3") as opened:
        yield opened


@pytest.fixture
def desk(store: Store) -> Desk:
    engine = EchoEngine({"v": Script("مایعات بنوشید."), "r": Script("استراحت کنید.", "۱. درد\n")})
    return Desk(Asker(engine, MODELS, store), store, seed=5)


def ended(attempt: Attempt) -> Attempt:
    for _ in attempt.updates(every=0.01):
        pass
    return attempt


def test_sessions_are_hashes_that_change_with_every_start(desk: Desk, store: Store) -> None:
    assert desk.visit("abc") is desk.visit("abc")
    assert desk.visit("abc") is not desk.visit("xyz")
    assert "abc" not in desk.visit("abc").session
    assert Desk(desk.asker, store).session("abc") != desk.session("abc")


def test_again_asks_the_same_with_a_new_seed_and_keeps_the_old_attempt(desk: Desk) -> None:
    visit = desk.visit("a")
    first = ended(visit.ask(FIRST))
    second = ended(visit.again())
    assert second.comparison.question == first.comparison.question
    assert second.comparison.seed != first.comparison.seed
    assert second.comparison.follows is None
    assert visit.shelf == [first]
    assert visit.thread == [second]
    seats = {ended(visit.again()).comparison.left for _ in range(12)}
    assert seats == {"v", "r"}


def test_follow_keeps_seats_and_each_sides_own_history(desk: Desk) -> None:
    visit = desk.visit("a")
    first = ended(visit.ask(FIRST))
    second = ended(visit.follow(NEXT))
    assert second.comparison.follows == first.comparison.id
    assert (second.comparison.left, second.comparison.right) == (first.comparison.left, first.comparison.right)
    r = "left" if second.comparison.left == "r" else "right"
    v = "right" if r == "left" else "left"
    assert [turn.role for turn in second.conversation(r)] == ["user", "assistant"] * 2
    assert second.conversation(r)[1].content == "استراحت کنید."
    assert second.conversation(v)[1].content == "مایعات بنوشید."
    again = ended(visit.again())
    assert (again.comparison.left, again.comparison.follows) == (first.comparison.left, first.comparison.id)
    assert visit.thread == [first, again]
    assert visit.shelf == [second]


def test_what_follows_a_reveal_is_not_blind(desk: Desk, store: Store) -> None:
    visit = desk.visit("a")
    first = ended(visit.ask(FIRST))
    assert not desk.revealed(first.comparison.id)
    verdict, seen = desk.judge(first.comparison.id, "left", session=visit.session)
    assert verdict.blind
    assert (seen.left, seen.right) == (first.comparison.left, first.comparison.right)
    assert desk.revealed(first.comparison.id)
    second = ended(visit.follow(NEXT))
    assert not second.comparison.blind
    assert not desk.judge(second.comparison.id, "tie", session=visit.session)[0].blind
    assert ended(visit.ask(FIRST)).comparison.blind, "a new conversation is blind again"
    kept = store.comparison(second.comparison.id)
    assert kept
    assert not kept.blind


def second_turn(desk: Desk) -> tuple[Visit, Attempt, Attempt]:
    """A conversation of two turns, the second one judged and so revealed."""
    visit = desk.visit("a")
    first, second = ended(visit.ask(FIRST)), ended(visit.follow(NEXT))
    assert desk.judge(second.comparison.id, "left", session=visit.session)[0].blind
    return visit, first, second


def test_asking_the_revealed_last_turn_again_is_not_blind(desk: Desk, store: Store) -> None:
    visit, _, second = second_turn(desk)
    for _ in range(2):  # the second time, the last turn was never judged, but its seats are the revealed ones
        again = ended(visit.again())
        assert (again.comparison.left, again.comparison.right) == (second.comparison.left, second.comparison.right)
        assert not again.comparison.blind
    assert not desk.judge(again.comparison.id, "left", session=visit.session)[0].blind
    assert (store.tally().verdicts, store.tally().not_blind) == (1, 1)


@pytest.mark.parametrize("first", [True, False])
def test_a_turn_carries_no_earlier_one_into_a_cache_without_consent_to_both(store: Store, first: bool) -> None:
    seen: list[Request] = []

    def script(request: Request) -> Script:
        seen.append(request)
        return Script("بله، چنین است.")

    visit = Desk(Asker(EchoEngine({"v": script, "r": script}), MODELS, store), store).visit("a")
    ended(visit.ask(FIRST, consent=first))
    for _ in range(2):
        ended(visit.follow(NEXT, consent=True))
    assert [request.keep for request in seen] == [first] * 6
    ended(visit.ask(FIRST, consent=True))
    assert [request.keep for request in seen[6:]] == [True, True], "a new conversation owes nothing to the old one"


def test_an_earlier_turn_judged_after_its_seats_were_shown_is_not_blind(desk: Desk) -> None:
    visit, first, _ = second_turn(desk)
    assert first.comparison.blind
    assert not desk.judge(first.comparison.id, "left", session=visit.session)[0].blind


def test_a_first_turn_asked_again_has_new_seats_and_is_blind(desk: Desk) -> None:
    visit = desk.visit("a")
    first = ended(visit.ask(FIRST))
    desk.judge(first.comparison.id, "left", session=visit.session)
    again = [ended(visit.again()) for _ in range(8)]
    assert all(attempt.comparison.blind for attempt in again)
    assert {attempt.comparison.left for attempt in again} == {"v", "r"}


def test_what_was_revealed_stays_revealed_when_the_desk_forgets_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gaokerena.visits.ATTEMPTS_KEPT", 1)
    visit, _, _ = second_turn(desk)
    ended(desk.visit("other").ask(FIRST))
    assert not ended(visit.follow(NEXT)).comparison.blind


def test_a_second_verdict_replaces_the_first_and_is_not_blind(desk: Desk, store: Store) -> None:
    visit = desk.visit("a")
    comparison = ended(visit.ask(FIRST)).comparison.id
    desk.judge(comparison, "left", session=visit.session, strength=3, reasons=("wrong", "wrong", "unclear"))
    desk.judge(comparison, "both_bad", session=visit.session, strength=3)
    first, second = store.verdicts()
    assert (first.choice, first.strength, first.reasons, first.blind) == ("left", 3, ("wrong", "unclear"), True)
    assert (second.choice, second.strength, second.blind) == ("both_bad", 1, False)
    assert [verdict.choice for verdict in store.current_verdicts()] == ["both_bad"]


@pytest.mark.parametrize(
    ("choice", "strength", "reasons", "message"),
    [
        ("best", 1, (), "'best' is none of"),
        ("left", 4, (), "4 is not 1, 2 or 3"),
        ("left", 1, ("bad",), "'bad' is none"),
        ("left", 1, [1], "Reason 1 is none of"),
        ("left", 1, [{"a": 1}], "Reason {'a': 1} is none of"),
        ("left", 1, [["wrong"]], "Reason ['wrong'] is none of"),
        ("left", 1, "wrong", "Reasons must be a list of"),
        ("left", 1, 5, "Reasons must be a list of"),
        ("left", 1, {"wrong": 1}, "Reasons must be a list of"),
        ("left", "2", (), "'2' is not 1, 2 or 3"),
        ("left", [], (), "[] is not 1, 2 or 3"),
        ("left", True, (), "True is not 1, 2 or 3"),
        (5, 1, (), "5 is none of"),
        (None, 1, (), "None is none of"),
        ({"left": 1}, 1, (), "{'left': 1} is none of"),
    ],
)
def test_odd_verdicts_are_refused(
    desk: Desk, store: Store, choice: Any, strength: Any, reasons: Any, message: str
) -> None:
    comparison = ended(desk.visit("a").ask(FIRST)).comparison.id
    with pytest.raises(RefusalError) as refused:
        desk.judge(comparison, choice, session="s", strength=strength, reasons=reasons)
    assert message in refused.value.en
    assert list(store.verdicts()) == []
    assert not desk.revealed(comparison)


def test_nothing_is_revealed_when_the_verdict_could_not_be_stored(desk: Desk, store: Store) -> None:
    comparison = ended(desk.visit("a").ask(FIRST)).comparison.id
    store.close()
    with pytest.raises(RefusalError, match="was not stored"):
        desk.judge(comparison, "left", session="s")
    assert not desk.revealed(comparison)


def kept_answers(store: Store, attempt: Attempt) -> dict[str, list[tuple[str, str]]]:
    kept = store.comparison(attempt.comparison.id)
    assert kept
    return {
        kept.left if side == "left" else kept.right: [(row.answer.finish_reason, row.answer.text) for row in rows]
        for side, rows in kept.attempts.items()
    }


def test_a_verdict_takes_the_answers_it_is_about_to_the_disk(store: Store, tmp_path: Path) -> None:
    long = "این پاسخ هنوز دارد نوشته می‌شود و به این زودی‌ها پایان نمی‌یابد. " * 3
    engine = EchoEngine({"v": Script("مایعات بنوشید."), "r": Script(long, "۱. درد\n", seconds=3)})
    desk = Desk(Asker(engine, MODELS, store), store)
    attempt = desk.visit("a").ask(FIRST, consent=True)
    r = "left" if attempt.comparison.left == "r" else "right"
    while not attempt.choices:
        time.sleep(0.01)
    desk.judge(attempt.comparison.id, r, session="s")
    stored = kept_answers(store, attempt)  # what a process killed now would leave behind
    assert stored["v"] == [("stop", "مایعات بنوشید.")]
    [(reason, text)] = stored["r"]
    assert reason == "unfinished"
    assert ("۱. درد\n" + long).startswith(text)
    assert len(text) >= READABLE_CHARACTERS
    assert not attempt.finished
    store.export_jsonl(tmp_path / "verdicts.jsonl")
    assert json.loads((tmp_path / "verdicts.jsonl").read_text("utf-8"))["comparison"]["answers"][r]["text"] == text
    attempt.stop()
    ended(attempt)
    desk.judge(attempt.comparison.id, r, session="s")
    assert [reason for reason, _ in kept_answers(store, attempt)["r"]] == ["unfinished", "stopped"]
    assert len(kept_answers(store, attempt)["v"]) == 1, "an answer kept whole is not kept again"


def test_a_verdict_that_is_not_stored_leaves_no_answer_behind(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = Comparison(question=FIRST, left="v", right="r", seed=1)
    store.add_comparison(comparison)
    answer = Answer(question_id="q", model="v", prompting="straight", text="", finish_reason="stop", seed=1, seconds=1)
    verdict = Verdict(comparison_id=comparison.id, choice="left", session="s")
    store.add_verdict(verdict)
    with pytest.raises(ValueError, match="already in"):
        store.add_verdict(verdict, {"left": answer})
    kept = store.comparison(comparison.id)
    assert kept
    assert kept.attempts["left"] == ()


@pytest.mark.parametrize("end", [Script(""), Script("", error="برق رفت.")])
def test_a_side_that_ended_without_a_word_can_only_lose(store: Store, end: Script) -> None:
    silent = EchoEngine({"v": Script("مایعات بنوشید."), "r": end})
    attempt = ended(Desk(Asker(silent, MODELS, store), store).visit("a").ask(FIRST))
    spoke, mute = ("left", "right") if attempt.comparison.left == "v" else ("right", "left")
    assert attempt.choices == (spoke, "both_bad")
    desk = Desk(Asker(silent, MODELS, store), store)
    desk.keep(attempt)
    for choice in (mute, "tie"):
        with pytest.raises(RefusalError, match=f"choose {spoke} or both_bad"):
            desk.judge(attempt.comparison.id, choice, session="s")
    assert not desk.revealed(attempt.comparison.id)
    assert desk.judge(attempt.comparison.id, spoke, session="s")[0].choice == spoke


def test_two_silent_sides_can_be_judged_both_bad(store: Store) -> None:
    desk = Desk(Asker(EchoEngine({"v": Script(""), "r": Script("")}), MODELS, store), store)
    attempt = ended(desk.visit("a").ask(FIRST))
    assert attempt.choices == ("both_bad",)
    assert desk.judge(attempt.comparison.id, "both_bad", session="s")[0].blind


def test_a_conversation_ends_at_its_limit(desk: Desk) -> None:
    visit = desk.visit("a")
    ended(visit.ask(FIRST))
    for _ in range(TURNS_LIMIT - 1):
        ended(visit.follow(NEXT))
    with pytest.raises(RefusalError, match="at most 10 turns"):
        visit.follow(NEXT)


def test_going_on_needs_a_beginning(desk: Desk) -> None:
    for go_on in (lambda: desk.visit("new").again(), lambda: desk.visit("new").follow(NEXT)):
        with pytest.raises(RefusalError, match="Nothing was asked yet"):
            go_on()


def test_a_second_press_within_a_moment_is_a_double_click(store: Store) -> None:
    slow = {"v": Script("یک دو", seconds=30), "r": Script("یک دو", seconds=30)}
    visit = Desk(Asker(EchoEngine(slow), MODELS, store), store).visit("a")
    assert not visit.just_asked
    attempt = visit.ask(FIRST)
    assert visit.just_asked
    time.sleep(DOUBLE_CLICK_SECONDS + 0.1)
    assert not visit.just_asked
    attempt.stop()
    second = visit.again()
    second.stop()
    ended(second)
    assert not visit.just_asked, "once all is written, the next press is meant"


def test_a_new_question_and_leaving_both_stop_what_is_being_written(store: Store) -> None:
    slow = {"v": Script("یک دو سه", seconds=30), "r": Script("یک دو سه", seconds=30)}
    desk = Desk(Asker(EchoEngine(slow), MODELS, store), store)
    visit = desk.visit("a")
    first = visit.ask(FIRST)
    second = visit.ask(NEXT)
    assert ended(first).state("left").finish_reason == "stopped"
    assert not second.finished
    desk.leave("a")
    assert ended(second).state("right").finish_reason == "stopped"
    desk.leave("never came")


def test_a_visit_outlives_its_page_for_a_while_and_no_longer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    visit = desk.visit("a")
    ended(visit.ask(FIRST))
    desk.leave("a")
    assert desk.visit("a") is visit, "a phone that slept comes back"
    monkeypatch.setattr("gaokerena.visits.LEFT_SECONDS", 0.0)
    desk.visit("b")
    assert desk.visit("a") is visit, "coming back undoes the leaving"
    desk.leave("a")
    desk.visit("b")
    assert desk.visit("a") is not visit
