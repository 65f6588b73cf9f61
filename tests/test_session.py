"""One comparison from asking to both ends: seats, record, snapshots, stopping, failing."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from gaokerena.answers import Answer
from gaokerena.attempts import READABLE_CHARACTERS, Attempt, settle
from gaokerena.comparisons import Comparison, Side, seat
from gaokerena.engines.base import Event, Failed, Finished, Queued, Request, Sampling, Stop, Text
from gaokerena.engines.echo import EchoEngine, Script, Scripted
from gaokerena.intake import RefusalError
from gaokerena.messages import Message
from gaokerena.questions import Prompting, Question
from gaokerena.session import Asker

QUESTION = Question(text="سردرد دارم. چه کنم؟")
CHOICE = Question(text="کدام عصب؟", options=("رادیال", "اولنار", "مدین", "سیاتیک"))


SEVEN = Sampling(max_new_tokens=7)


@dataclass(frozen=True)
class Model:
    prompting: Prompting
    sampling: Sampling = SEVEN


MODELS = {"v": Model("straight"), "r": Model("cot")}


class Record:
    """Keeps what it is given, in order."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, object]] = []

    def add_comparison(self, comparison: Comparison) -> None:
        self.rows.append(("comparison", comparison))

    def add_answer(self, comparison_id: str, side: Side, answer: Answer) -> None:
        self.rows.append((side, answer))


def asker(record: Record | None = None, **scripts: Scripted) -> Asker:
    said: dict[str, Scripted] = {"v": Script("مایعات بنوشید."), "r": Script("پس استراحت کنید.", "۱. درد\n۲. علت\n")}
    return Asker(EchoEngine(said | scripts), MODELS, record or Record(), preset="echo")


def ended(attempt: Attempt) -> Attempt:
    for _ in attempt.updates(every=0.01):
        pass
    return attempt


def side_of(attempt: Attempt, model: str) -> Side:
    return "left" if attempt.comparison.left == model else "right"


def test_both_answers_are_gathered_and_recorded() -> None:
    record = Record()
    attempt = ended(asker(record).ask(QUESTION, seed=3, consent=True, session="s"))
    r, v = attempt.state(side_of(attempt, "r")), attempt.state(side_of(attempt, "v"))
    assert (r.reasoning, r.conclusion, len(r.steps)) == ("۱. درد\n۲. علت\n", "پس استراحت کنید.", 2)
    assert (v.reasoning, v.conclusion, v.steps) == ("", "مایعات بنوشید.", ())
    assert r.finish_reason == v.finish_reason == "stop"
    kinds = [kind for kind, _ in record.rows]
    assert kinds[0] == "comparison"
    assert sorted(kinds[1:]) == ["left", "right"]
    kept = record.rows[0][1]
    assert isinstance(kept, Comparison)
    assert (kept.seed, kept.consent, kept.session, kept.preset, kept.blind) == (3, True, "s", "echo", True)


def test_the_comparison_is_recorded_before_the_engine_is_asked() -> None:
    record = Record()
    seen: list[int] = []

    def script(request: Request) -> Script:
        seen.append(len([kind for kind, _ in record.rows if kind == "comparison"]))
        return Script("بله")

    ended(asker(record, v=script, r=script).ask(QUESTION))
    assert seen == [1, 1]


def test_a_question_that_cannot_be_recorded_is_not_asked() -> None:
    class Broken(Record):
        def add_comparison(self, comparison: Comparison) -> None:
            raise OSError("disk full")

    asked: list[str] = []

    def script(request: Request) -> Script:
        asked.append(request.model)
        return Script("بله")

    with pytest.raises(RefusalError, match="could not be recorded"):
        asker(Broken(), v=script, r=script).ask(QUESTION)
    assert asked == []


def test_seats_follow_from_seed_and_id_and_fall_both_ways() -> None:
    attempts = [asker().ask(QUESTION, seed=seed) for seed in range(20)]
    for attempt in attempts:
        comparison = attempt.comparison
        assert (comparison.left, comparison.right) == seat(("v", "r"), comparison.seed, comparison.id)
    assert {attempt.comparison.left for attempt in attempts} == {"v", "r"}


def test_requests_carry_prompting_sampling_seed_and_history() -> None:
    seen: dict[str, Request] = {}

    def script(request: Request) -> Script:
        seen[request.model] = request
        return Script("بله")

    history = {"r": (Message("user", "پیش"), Message("assistant", "پاسخ"))}
    ended(asker(v=script, r=script).ask(QUESTION, seed=11, history=history))
    assert [turn.content for turn in seen["r"].messages[:2]] == ["پیش", "پاسخ"]
    assert len(seen["v"].messages) == 1
    assert "گام به گام" in seen["r"].messages[-1].content
    assert {request.seed for request in seen.values()} == {11}
    assert {request.sampling.max_new_tokens for request in seen.values()} == {7}


@pytest.mark.parametrize("consent", [True, False])
def test_only_what_a_visitor_agreed_to_keep_may_be_kept(consent: bool) -> None:
    seen: list[Request] = []

    def script(request: Request) -> Script:
        seen.append(request)
        return Script("بله")

    ended(asker(v=script, r=script).ask(QUESTION, consent=consent))
    assert [request.keep for request in seen] == [consent, consent]


def test_a_slow_side_does_not_delay_the_other() -> None:
    attempt = asker(r=Script("دیر", seconds=5, delay=1)).ask(QUESTION)
    began = time.monotonic()
    for _ in attempt.updates(every=0.01):
        if attempt.state(side_of(attempt, "v")).finished:
            break
    assert time.monotonic() - began < 0.5
    assert not attempt.state(side_of(attempt, "r")).finished


def test_stopping_one_side_keeps_its_words_and_leaves_the_other() -> None:
    record = Record()
    attempt = asker(record, v=Script("یک دو سه چهار پنج شش", seconds=6), r=Script("الف ب ج", seconds=1)).ask(QUESTION)
    slow, quick = side_of(attempt, "v"), side_of(attempt, "r")
    for _ in attempt.updates(every=0.01):
        if len(attempt.state(slow).conclusion.split()) == 2:
            attempt.stop(slow)
    assert attempt.state(slow).finish_reason == "stopped"
    assert attempt.state(slow).conclusion.split() == ["یک", "دو"]
    assert attempt.state(quick).finish_reason == "stop"
    answers = dict(record.rows[1:])
    kept = answers[slow]
    assert isinstance(kept, Answer)
    assert kept.text.split() == ["یک", "دو"]


def test_leaving_early_stops_both() -> None:
    attempt = asker(v=Script("یک دو سه", seconds=30), r=Script("یک دو سه", seconds=30)).ask(QUESTION)
    for _ in attempt.updates(every=0.01):
        break
    end = time.monotonic() + 3
    while not attempt.finished and time.monotonic() < end:
        time.sleep(0.01)
    assert {attempt.state("left").finish_reason, attempt.state("right").finish_reason} == {"stopped"}


def test_watching_from_an_event_loop_ends_and_closing_it_stops() -> None:
    async def watch_whole() -> int:
        return len([version async for version in asker().ask(QUESTION).watch(every=0.01)])

    async def leave_early() -> Attempt:
        attempt = asker(v=Script("یک دو", seconds=30), r=Script("یک دو", seconds=30)).ask(QUESTION)
        watching = attempt.watch(every=0.01)
        async for _ in watching:
            break
        await watching.aclose()
        await asyncio.sleep(0.5)
        return attempt

    assert asyncio.run(watch_whole()) >= 1
    assert asyncio.run(leave_early()).finished


def test_updates_are_throttled() -> None:
    words = " ".join(["کلمه"] * 300)
    attempt = asker(v=Script(words, seconds=1), r=Script(words, seconds=1)).ask(QUESTION)
    began = time.monotonic()
    updates = len(list(attempt.updates(every=0.1)))
    assert 5 <= updates <= (time.monotonic() - began) / 0.1 + 2 < 300, "one each 0.1 s, and the last of each side"


def test_a_failed_side_keeps_its_words_and_its_message() -> None:
    attempt = ended(asker(v=Script("تا اینجا", error="حافظه پر شد.")).ask(QUESTION))
    state = attempt.state(side_of(attempt, "v"))
    assert (state.finish_reason, state.error, state.conclusion) == ("failed", "حافظه پر شد.", "تا اینجا")
    assert attempt.state(side_of(attempt, "r")).finish_reason == "stop"


def test_an_engine_that_breaks_ends_both_sides_in_words(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(EchoEngine):
        def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
            yield 0, Text("نیمه")
            raise RuntimeError("out of order")

    attempt = ended(Asker(Broken(), MODELS, Record()).ask(QUESTION))
    assert attempt.state("left").conclusion == "نیمه"
    assert all(attempt.state(side).finish_reason == "failed" for side in ("left", "right"))
    assert "دوباره بپرسید" in attempt.state("right").error
    assert "out of order" in caplog.text


def test_an_answer_that_cannot_be_recorded_is_still_shown(caplog: pytest.LogCaptureFixture) -> None:
    class Full(Record):
        def add_answer(self, comparison_id: str, side: Side, answer: Answer) -> None:
            raise OSError("disk full")

    attempt = ended(asker(Full()).ask(QUESTION))
    assert attempt.state(side_of(attempt, "v")).conclusion == "مایعات بنوشید."
    assert "was not recorded" in caplog.text


def test_the_queue_is_shown_until_the_first_word() -> None:
    go = threading.Event()

    class Waiting(EchoEngine):
        def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
            yield from ((row, Queued(3)) for row in (0, 1))
            go.wait(5)
            yield from ((row, Queued(0)) for row in (0, 1))
            yield from super().stream(requests, stop)

    attempt = Asker(Waiting({"v": Script("بله"), "r": Script("بله")}), MODELS, Record()).ask(QUESTION)
    for _ in attempt.updates(every=0.01):
        if attempt.state("right").queued == 3:
            go.set()
    assert go.is_set()
    assert attempt.state("right").queued is None


def test_waiting_in_the_queue_is_no_thinking() -> None:
    go = threading.Event()

    class Waiting(EchoEngine):
        def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
            yield from ((row, Queued(3)) for row in (0, 1))
            go.wait(5)
            yield from super().stream(requests, stop)

    scripts = {"v": Script("بله"), "r": Script("بله", "۱. درد\n", seconds=0.2)}
    attempt = Asker(Waiting(scripts), MODELS, Record()).ask(QUESTION)
    time.sleep(0.6)
    assert attempt.state("left").seconds == attempt.state("left").thought_seconds == 0.0
    go.set()
    r = ended(attempt).state(side_of(attempt, "r"))
    assert 0.05 <= r.thought_seconds <= r.seconds < 0.6
    later = attempt.state(side_of(attempt, "r"))
    assert (later.seconds, later.thought_seconds) == (r.seconds, r.thought_seconds), "the clock stops at the end"


def test_thinking_begins_when_the_engine_takes_the_row() -> None:
    class Reading(EchoEngine):
        def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
            yield from ((row, Queued(0)) for row in (0, 1))
            time.sleep(0.3)
            yield from super().stream(requests, stop)

    attempt = ended(Asker(Reading({"v": Script("بله"), "r": Script("بله", "۱\n")}), MODELS, Record()).ask(QUESTION))
    assert attempt.state(side_of(attempt, "r")).thought_seconds >= 0.3


def test_a_row_that_never_began_shows_how_long_it_waited() -> None:
    class Failing(EchoEngine):
        def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
            time.sleep(0.3)
            yield from ((row, Failed("نشد")) for row in (0, 1))

    assert ended(Asker(Failing(), MODELS, Record()).ask(QUESTION)).state("left").seconds >= 0.3


def test_settling_waits_until_the_answers_are_stored() -> None:
    class Slow(Record):
        def add_answer(self, comparison_id: str, side: Side, answer: Answer) -> None:
            time.sleep(0.3)
            super().add_answer(comparison_id, side, answer)

    record, scripts = Slow(), {"v": Script("یک دو سه", seconds=30), "r": Script("یک دو سه", seconds=30)}
    engine = EchoEngine(scripts)
    Asker(engine, MODELS, record).ask(QUESTION)
    assert not settle(0.05)
    engine.close()
    assert settle(10)
    assert sorted(kind for kind, _ in record.rows) == ["comparison", "left", "right"]


def test_an_error_is_told_in_english_too_where_the_engine_does() -> None:
    class Failing(EchoEngine):
        def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
            yield 0, Failed("برق رفت.", "power", "The power went out.")
            yield 1, Failed("برق رفت.")

    attempt = ended(Asker(Failing(), MODELS, Record()).ask(QUESTION))
    assert [attempt.state(side).error_english for side in ("left", "right")] == ["The power went out.", ""]


def test_the_choice_is_read_when_the_side_ends() -> None:
    attempt = ended(asker(v=Script("پاسخ درست گزینهٔ [B] است.")).ask(CHOICE))
    assert attempt.state(side_of(attempt, "v")).choice == "B"


def test_one_word_of_thought_is_not_enough_to_judge() -> None:
    words = " ".join(["کلمه"] * 40)
    attempt = asker(v=Script("بله"), r=Script(words, words, seconds=4)).ask(QUESTION)
    r = side_of(attempt, "r")
    for _ in attempt.updates(every=0.01):
        state = attempt.state(r)
        if attempt.choices:
            break
    assert len(state.reasoning) >= READABLE_CHARACTERS - len("کلمه ")
    assert not attempt.state(r).finished


def test_judging_waits_for_words_on_both_sides() -> None:
    attempt = asker(v=Script("بله"), r=Script("بله", delay=0.4)).ask(QUESTION)
    assert not attempt.choices
    assert ended(attempt).choices


def test_history_leaves_the_chain_of_thought_out_and_the_unsaid_question_too() -> None:
    attempt = ended(asker(v=Script("")).ask(QUESTION))
    spoken = attempt.conversation(side_of(attempt, "r"))
    assert spoken[-1] == Message("assistant", "پس استراحت کنید.")
    assert attempt.conversation(side_of(attempt, "v")) == ()


def test_events_after_the_end_of_a_row_change_nothing() -> None:
    class Chatty(EchoEngine):
        def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
            for row, event in super().stream(requests, stop):
                yield row, event
                if isinstance(event, Finished):
                    yield row, Text("پس‌لرزه")

    record = Record()
    attempt = ended(Asker(Chatty({"v": Script("بله"), "r": Script("بله")}), MODELS, record).ask(QUESTION))
    assert attempt.state("left").conclusion == attempt.state("right").conclusion == "بله"
    assert len(record.rows) == 3


def test_one_model_is_not_a_comparison() -> None:
    with pytest.raises(ValueError, match="needs two models"):
        Asker(EchoEngine(), {"v": MODELS["v"]}, Record())
