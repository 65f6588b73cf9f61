"""A budget is never exceeded, stops before the call that would exceed it, and can be raised."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.engines.base import Request, Sampling
from gaokerena.evaluation.progress import Prices
from gaokerena.messages import Message
from tests.engines.scripted_server import Ask
from tests.training.rlaif.cases import arguments, chain, content, door, lines, manifest, party, write_questions
from training.errors import TrainingError
from training.pair_rows import read_pairs
from training.rlaif.budget import Budget, BudgetError, Purse, Spent, at_most

ASKED = Request("m", (Message("user", "تب"),), sampling=Sampling(max_new_tokens=10))


def test_what_a_call_takes_at_most_is_a_token_a_byte_and_all_it_may_write() -> None:
    most = at_most([ASKED, ASKED], Prices(2.0, 10.0))
    assert (most.prompt, most.completion) == (2 * (4 + 128), 20)
    assert most.money == pytest.approx((264 * 2 + 20 * 10) / 1e6)


def test_a_call_that_does_not_fit_closes_the_purse() -> None:
    purse = Purse(Budget(tokens=100), Spent(50, 10))
    with purse.set_aside(Spent(20, 20)) as paying:
        paying.spend(Spent(5, 5))
    assert (purse.spent.tokens, purse.exhausted) == (70, False)
    with pytest.raises(BudgetError), purse.set_aside(Spent(31)):
        raise AssertionError("the call began")
    assert purse.exhausted
    with pytest.raises(BudgetError), purse.set_aside(Spent(1)):
        raise AssertionError("a smaller call began after the end")


def test_money_counts_too() -> None:
    purse = Purse(Budget(money=0.3))
    for _ in range(3):
        with purse.set_aside(Spent(1, 1, 0.1)) as paying:
            paying.spend(Spent(1, 1, 0.1))
    with pytest.raises(BudgetError), purse.set_aside(Spent(0, 0, 0.01)):
        raise AssertionError("the call began")


def test_a_call_waits_for_what_others_may_give_back() -> None:
    purse, inside, go = Purse(Budget(tokens=100)), threading.Event(), threading.Event()

    def other() -> None:
        with purse.set_aside(Spent(90)) as paying:
            inside.set()
            go.wait(10)
            paying.spend(Spent(20))

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    threading.Timer(0.05, go.set).start()
    with purse.set_aside(Spent(80)):
        assert go.is_set()
    thread.join()
    assert (purse.spent.tokens, purse.exhausted) == (20, False)


@given(st.integers(0, 300), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12))
def test_no_order_of_calls_ever_exceeds_it(limit: int, calls: list[tuple[int, int]]) -> None:
    """Each call sets aside `most` and takes at most that; the account never passes the limit."""
    purse = Purse(Budget(tokens=limit))
    for most, taken in calls:
        before = purse.spent.tokens
        try:
            with purse.set_aside(Spent(most)) as paying:
                paying.spend(Spent(min(taken, most)))
        except BudgetError:
            assert before + most > limit or purse.exhausted
        assert purse.spent.tokens <= limit


@pytest.mark.parametrize(
    "limit", [("--budget-tokens", 3_600, 90_000), ("--budget-money", 0.011, 1.0)], ids=["tokens", "money"]
)
def test_a_run_stops_where_its_budget_says_and_goes_on_with_a_larger_one(
    tmp_path: Path, limit: tuple[str, float, float]
) -> None:
    """Every call takes 200 + 50 tokens, fewer than are set aside for it.

    One question after another while it is small: of two at once, a call that costs less may fit in the second start.
    """
    option, small, large = limit
    questions, out = write_questions(tmp_path, 4), tmp_path / "out"
    prices = (
        "--price-in", 3.0, "--price-out", 12.0, "--student-price-in", 0, "--student-price-out", 0,
        "--teacher-tokens", 100, "--student-tokens", 100,
    )  # fmt: skip
    with party(lambda one, before: chain(one)) as server:
        words = arguments("a", server.base_url, questions, out, *prices)
        stopped = door(*words, option, small, "--at-once", 1, "--budget-status", 3)
        assert stopped.exit_code == 3, stopped.stderr
        found = manifest(out)
        assert (found["outcome"], found["stage"]) == ("stopped by budget", "rlaif a")
        assert found["accounting"]["not_reached"] > 0
        assert found["accounting"]["failed"] == 0
        spent = found["tokens"] if option == "--budget-tokens" else found["money"]["all"]
        assert 0 < spent <= small
        assert len(read_pairs(out / "pairs.jsonl")) == found["accounting"]["accepted"] > 0
        first = [content(ask) for ask in server.asks]
        assert len(first) == found["calls"]["finished"]
        again = door(*words, option, small, "--at-once", 1)
        assert (again.exit_code, len(server.asks)) == (0, len(first)), "the same budget asked for more"
        done = door(*words, option, large, "--at-once", 2)
        assert done.exit_code == 0, done.stderr
        every = [content(ask) for ask in server.asks]
    assert len(set(every)) == len(every) == 8, "a call was paid twice"
    assert manifest(out)["outcome"] == "complete"
    assert len(read_pairs(out / "pairs.jsonl")) == 4
    with_money = [row["money"] for row in lines(out / "calls.jsonl") if row["role"] == "teacher"]
    assert with_money == [pytest.approx((200 * 3 + 50 * 12) / 1e6)] * 4


def test_it_stops_at_the_very_token(tmp_path: Path) -> None:
    """With room for what the teacher's call can take it is made; with one token less it is not."""
    questions = write_questions(tmp_path, 1)

    def run(name: str, *more: object) -> list[Ask]:
        words = arguments("a", server.base_url, questions, tmp_path / name, "--teacher-tokens", 300, *more)
        server.asks.clear()
        assert door(*words).exit_code == 0
        return list(server.asks)

    with party(lambda one, before: chain(one)) as server:
        student, teacher = run("free")
        turns = tuple(Message(turn["role"], turn["content"]) for turn in teacher.body["messages"])
        enough = 250 + at_most([Request("m", turns, sampling=Sampling(max_new_tokens=300))], Prices()).tokens
        assert [len(run("less", "--budget-tokens", enough - 1)), len(run("more", "--budget-tokens", enough))] == [1, 2]
    less, more = manifest(tmp_path / "less"), manifest(tmp_path / "more")
    assert (less["outcome"], less["tokens"], less["accounting"]["not_reached"]) == ("stopped by budget", 250, 1)
    assert (more["outcome"], more["tokens"], more["accounting"]["accepted"]) == ("complete", 500, 1)
    assert less["budget"] == {"tokens": enough - 1, "money": None}
    assert student.body["model"] == "student"


@pytest.mark.parametrize("at_once", [1, 8])
def test_a_server_that_counts_more_than_it_was_sent_is_reckoned_with(tmp_path: Path, at_once: int) -> None:
    """It counts 5,000 tokens for each prompt: after the first call as much is set aside for every other."""
    questions, out = write_questions(tmp_path, 8), tmp_path / "out"
    with party(lambda one, before: chain(one), lambda one, before: chain(one), prompt=5000) as server:
        words = arguments("a", server.base_url, questions, out, "--at-once", at_once, "--student-tokens", 50)
        door(*words, "--budget-tokens", 18_000)
        assert len(server.asks) == 3
    found = manifest(out)
    assert (found["tokens"], found["budget_exceeded_by"]) == (3 * 5050, None)


def test_many_samples_of_one_question_are_reckoned_with_too_and_what_goes_beyond_is_told(tmp_path: Path) -> None:
    questions, out = write_questions(tmp_path, 2), tmp_path / "out"
    with party(lambda one, before: chain(one), lambda one, before: chain(one), prompt=5000) as server:
        words = arguments("a", server.base_url, questions, out, "--student-tokens", 50, "--samples", 4)
        result = door(*words, "--budget-tokens", 3_000)
        assert len(server.asks) == 1
    assert manifest(out)["budget_exceeded_by"] == {"tokens": 2050, "money": 0.0}
    assert "budget exceeded by 2,050 tokens" in result.stdout


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        (
            (),
            "--student .* give --student-price-in and --student-price-out|--teacher .* give --price-in and --price-out",
        ),
        (("--price-in", 0.3, "--student-price-in", 0, "--student-price-out", 0), "give --price-in and --price-out"),
        (("--price-in", 0.3, "--price-out", 0.3), "give --student-price-in and --student-price-out"),
    ],
)
def test_a_budget_in_money_needs_every_price(tmp_path: Path, prices: tuple[object, ...], said: str) -> None:
    questions, out = write_questions(tmp_path, 1), tmp_path / "out"
    with party(lambda one, before: chain(one)) as server:
        result = door(*arguments("a", server.base_url, questions, out, "--budget-money", 0.000001, *prices))
        assert not server.asks
    with pytest.raises(TrainingError, match=said):
        raise result.exception or AssertionError(result.output)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("garbage", "utf-8")])
def test_a_finished_run_whose_pairs_are_lost_writes_them_again_from_its_log(tmp_path: Path, spoil: Any) -> None:
    questions, out = write_questions(tmp_path, 1), tmp_path / "out"
    with party(lambda one, before: chain(one)) as server:
        words = arguments("a", server.base_url, questions, out)
        assert door(*words).exit_code == 0
        whole, asked = (out / "pairs.jsonl").read_bytes(), len(server.asks)
        spoil(out / "pairs.jsonl")
        assert door(*words).exit_code == 0
        assert ((out / "pairs.jsonl").read_bytes(), len(server.asks)) == (whole, asked)
