"""Blocks: what is asked together does not depend on what is missing, so a run cut short ends like one that was not."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.evaluation.answering import GIVE_UP, Done, Key, answer_all, in_blocks
from gaokerena.evaluation.progress import Meter
from tests.evaluation.live_cases import Company, Kept, tasks


def meter() -> Meter:
    return Meter(0, out=io.StringIO())


def ask(engine: Company, kept: Kept, *, whole: bool = True, rows: int = 6, samples: int = 2, retries: int = 2) -> Done:
    blocks = in_blocks(tasks(7, samples), rows)
    return answer_all(engine, blocks, dict(kept.texts), kept, meter(), whole=whole, retries=retries)


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 10))
def test_blocks_hold_everything_in_order_and_part_no_question_that_fits(sizes: list[int], rows: int) -> None:
    groups = [group[:size] for group, size in zip(tasks(len(sizes), 9), sizes, strict=True)]
    blocks = in_blocks(groups, rows)
    assert [task for block in blocks for task in block] == [task for group in groups for task in group]
    assert all(1 <= len(block) <= rows for block in blocks)
    for group in groups:
        calls = sum(any(task in block for task in group) for block in blocks)
        assert calls == 1 or len(group) > rows


@pytest.mark.parametrize("cut", [1, 4, 5, 6, 7, 11, 13])
def test_a_run_cut_anywhere_equals_one_that_was_not(cut: int) -> None:
    whole, parted, engine = Kept(), Kept(until=cut), Company()
    ask(Company(), whole)
    with pytest.raises(KeyboardInterrupt):
        ask(engine, parted)
    again = Kept(parted.texts)
    done = ask(engine, again)
    assert again.texts == whole.texts
    assert len(again.new) == 14 - cut, "an answer was asked and kept again"
    assert (done.failures, done.differing) == ({}, set())


def test_a_server_is_asked_only_for_what_is_missing() -> None:
    parted, engine = Kept(until=9), Company()
    with pytest.raises(KeyboardInterrupt):
        ask(engine, parted, whole=False)
    engine.calls.clear()
    ask(engine, Kept(parted.texts), whole=False)
    asked = [request.seed for call in engine.calls for request in call]
    assert sorted(asked) == sorted(
        {100 * q + run for q in range(7) for run in (1, 2)} - {100 * q + run for _, q, run in parted.texts}
    )


def test_a_finished_run_asks_nothing() -> None:
    kept, engine = Kept(), Company()
    ask(engine, kept)
    engine.calls.clear()
    ask(engine, Kept(kept.texts))
    assert engine.calls == []


def test_an_answer_that_comes_out_otherwise_is_noticed_and_the_kept_one_stays() -> None:
    whole = Kept()
    ask(Company(), whole)
    have: dict[Key, str] = {key: text for key, text in whole.texts.items() if key != ("", 0, 1)}
    have["", 0, 2] = "پاسخی دیگر"
    again = Kept(have)
    assert ask(Company(), again).differing == {("", 0, 2)}
    assert again.texts["", 0, 2] == "پاسخی دیگر"
    assert again.new == [("", 0, 1)]


def test_failures_are_tried_again_after_all_others_and_then_listed() -> None:
    engine, kept = Company(lambda request: request.seed == 301), Kept()
    done = ask(engine, kept, retries=2)
    assert done.failures == {("", 3, 1): "seed 301 fails"}
    assert len(kept.texts) == 13
    assert len(engine.calls) == 3 + 2
    assert engine.calls[3] == engine.calls[1], "the block is computed again as it was"
    assert engine.calls[2] != engine.calls[1]


def test_a_failure_that_passes_is_forgotten() -> None:
    engine = Company(lambda request: request.seed == 301 and len(engine.calls) < 4)
    done, kept = ask(engine, kept := Kept()), kept
    assert done.failures == {}
    assert len(kept.texts) == 14


def test_a_server_that_only_fails_is_left_alone() -> None:
    engine = Company(lambda request: True)
    blocks = in_blocks(tasks(3 * GIVE_UP, 1), GIVE_UP)
    done = answer_all(engine, blocks, {}, Kept(), meter(), whole=False)
    assert done.gave_up
    assert len(engine.calls) == 1
    assert len(done.failures) == GIVE_UP


@pytest.mark.parametrize("rows", [1, 10, 2 * GIVE_UP])
def test_a_server_is_left_alone_after_failures_in_a_row_and_not_before(rows: int) -> None:
    engine = Company(lambda request: request.seed % 1_000 != 1)
    blocks = in_blocks(tasks(2 * GIVE_UP, 1), rows)
    done = answer_all(engine, blocks, {}, kept := Kept(), meter(), whole=False, retries=0)
    assert not done.gave_up
    assert (len(kept.texts), len(done.failures)) == (13, 115)
    dead = answer_all(Company(lambda request: True), blocks, {}, Kept(), meter(), whole=False, retries=0)
    assert dead.gave_up
    assert GIVE_UP <= len(dead.failures) < GIVE_UP + rows


def test_a_local_engine_is_asked_to_the_end_whatever_fails() -> None:
    engine = Company(lambda request: request.seed < 100 * 2 * GIVE_UP)
    blocks = in_blocks(tasks(3 * GIVE_UP, 1), GIVE_UP)
    done = answer_all(engine, blocks, {}, kept := Kept(), meter(), whole=True, retries=0)
    assert not done.gave_up
    assert (len(done.failures), len(kept.texts)) == (2 * GIVE_UP, GIVE_UP)
