"""A visit's conversations and verdicts, on the real store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gaokerena.attempts import Attempt
from gaokerena.engines.echo import EchoEngine, Script
from gaokerena.intake import RefusalError
from gaokerena.questions import Question
from gaokerena.session import Asker
from gaokerena.store import Store
from gaokerena.visits import DOUBLE_CLICK_SECONDS, TURNS_LIMIT, Desk
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
    ],
)
def test_odd_verdicts_are_refused(
    desk: Desk, store: Store, choice: str, strength: int, reasons: tuple[str, ...], message: str
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
