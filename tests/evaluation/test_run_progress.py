"""The progress line: rates of this start, time left, tokens and cost of the whole run, no peeking at what is right."""

from __future__ import annotations

import io

import pytest

from gaokerena.answers import Usage
from gaokerena.evaluation.progress import EVERY, Meter, Prices


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


USED = Usage(prompt_tokens=1_000, completion_tokens=500)


def test_rates_and_time_left_are_of_this_start_and_tokens_of_all() -> None:
    clock = Clock()
    meter = Meter(100, done=20, prices=Prices(2.0, 10.0), out=io.StringIO(), clock=clock)
    for _ in range(20):
        meter.before(USED, right=True)
    clock.now += 40
    for _ in range(10):
        meter.ended(0, USED)
        meter.answer(USED, right=False)
    assert meter.line() == (
        "30/100 answers · 0.25 answers/s · 125.0 tokens/s · 5 min left · 30,000 + 15,000 tokens · cost 0.2100"
    )
    assert (meter.right, meter.with_gold) == (20, 30)


def test_whether_answers_are_right_is_shown_only_when_asked_for() -> None:
    shown = Meter(4, show_accuracy=True, out=io.StringIO(), clock=Clock())
    hidden = Meter(4, out=io.StringIO(), clock=Clock())
    for meter in (shown, hidden):
        for right in (True, False, None, True):
            meter.answer(USED, right)
    assert "66.7 % of 3 right" in shown.line()
    assert "%" not in hidden.line()


@pytest.mark.parametrize(
    ("prices", "cost"),
    [
        (Prices(), None),
        (Prices(2.0), 0.002),
        (Prices(None, 10.0), 0.005),
        (Prices(2.0, 10.0), 0.007),
        (Prices(0.0), 0.0),
    ],
)
def test_cost_by_a_million_tokens(prices: Prices, cost: float | None) -> None:
    meter = Meter(1, prices=prices, out=io.StringIO(), clock=Clock())
    meter.answer(USED)
    assert meter.cost == pytest.approx(cost)
    assert ("cost" in meter.line()) == (cost is not None)


def test_tokens_that_were_not_counted_are_called_about() -> None:
    meter = Meter(1, prices=Prices(2.0), out=io.StringIO(), clock=Clock())
    meter.answer(Usage(completion_tokens=9, estimated=True))
    assert "about 0 + 9 tokens · cost about" in meter.line()


def test_unfinished_answers_count_towards_the_speed_once() -> None:
    clock = Clock()
    meter = Meter(2, out=io.StringIO(), clock=clock)
    for _ in range(30):
        meter.piece()
    clock.now += 10
    assert meter.tokens_per_second == 3.0
    meter.ended(20, Usage(completion_tokens=25))
    assert meter.tokens_per_second == 3.5
    meter.ended(10)
    assert meter.tokens_per_second == 3.5


def test_without_a_terminal_a_line_now_and_then() -> None:
    clock, out = Clock(), io.StringIO()
    meter = Meter(3, out=out, clock=clock)
    meter.answer(USED)
    clock.now += EVERY
    meter.answer(USED)
    meter.answer(USED)
    meter.close()
    assert [line.split(" ")[0] for line in out.getvalue().splitlines()] == ["2/3", "3/3"]


def test_on_a_terminal_one_line_is_written_over_and_cleared() -> None:
    clock, out = Clock(), Terminal()
    meter = Meter(3, out=out, clock=clock)
    for _ in range(3):
        clock.now += 1
        meter.answer(USED)
    meter.say("هشدار")
    meter.close()
    shown = out.getvalue()
    assert shown.count("\r") == 3 + 2
    assert shown.split("\r")[-1].startswith("هشدار\n3/3 answers")


@pytest.mark.parametrize(
    ("rate", "left"), [(2.0, "48 s left"), (0.5, "3 min left"), (0.01, "2 h 40 min left"), (0.0005, "2.2 days left")]
)
def test_time_left_in_units_people_use(rate: float, left: str) -> None:
    clock = Clock()
    meter = Meter(97, out=io.StringIO(), clock=clock)
    clock.now += 1 / rate
    meter.answer(USED)
    assert left in meter.line()
