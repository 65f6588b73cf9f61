"""EchoEngine keeps the contract and plays its script: text, pace, errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from gaokerena.engines.base import Failed, Request
from gaokerena.engines.echo import EchoEngine, Script
from gaokerena.messages import Message
from tests.engines.contract import EngineContract, finished, play

ASKED = (Message("user", "تب کودک از چند درجه به بالا خطرناک است؟"),)


class TestEchoKeepsTheContract(EngineContract):
    piece_seconds = 0.25

    @pytest.fixture
    def engine(self) -> Iterator[EchoEngine]:
        self._before = threading.active_count()
        engine = EchoEngine({
            "v": Script("با پزشک خود تماس بگیرید."),
            "slow": Script("واژه " * 120, seconds=30),
            "r": Script("پس گزینهٔ دوم درست است.", thought="نخست سن را می‌سنجیم. سپس دما را."),
        })  # fmt: skip
        yield engine
        engine.close()

    @pytest.fixture
    def quick(self) -> Request:
        return Request("v", ASKED)

    @pytest.fixture
    def slow(self) -> Request:
        return Request("slow", ASKED)

    @pytest.fixture
    def thoughtful(self) -> Request:
        return Request("r", ASKED, "cot")

    def in_work(self, engine: EchoEngine) -> int:
        return max(0, threading.active_count() - self._before)


def test_pieces_joined_are_the_script() -> None:
    script = Script("پاسخ  با دو فاصله.", thought="فکر\nدر دو خط ")
    (row,) = play(EchoEngine({"r": script}), Request("r", ASKED, "cot"))
    assert (row.reasoning, row.text) == (script.thought, script.text)
    (straight,) = play(EchoEngine({"r": script}), Request("r", ASKED))
    assert (straight.reasoning, straight.text) == ("", script.text)


def test_a_scripted_error_comes_after_its_text() -> None:
    (row,) = play(EchoEngine({"v": Script("نیمه", error="برق رفت.")}), Request("v", ASKED))
    assert row.text == "نیمه"
    assert row.last == Failed("برق رفت.")


def test_left_finishes_at_once_while_right_takes_its_time() -> None:
    engine = EchoEngine({"v": Script("آماده"), "r": Script("آهسته " * 5, seconds=1.5)})
    left, right = play(engine, Request("v", ASKED), Request("r", ASKED))
    assert left.at[-1] < 0.5
    assert right.at[-1] >= 1.4
    assert finished(left).finish_reason == finished(right).finish_reason == "stop"


def test_a_model_without_a_script_repeats_the_question() -> None:
    (row,) = play(EchoEngine(), Request("v", ASKED))
    assert ASKED[0].content in row.text
