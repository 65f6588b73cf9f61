"""The recorded engine: published answers found by their question, fresh ones computed once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gaokerena.answers import Usage
from gaokerena.engines.base import Engine, Event, Failed, Finished, Reasoning, Request, Sampling, Stop, Text
from gaokerena.engines.echo import EchoEngine, Script
from gaokerena.engines.recorded import BROKEN, ENGLISH, NOT_RECORDED, RecordedEngine
from gaokerena.messages import Message
from gaokerena.prompts import messages
from gaokerena.questions import Prompting, Question
from gaokerena.transcripts import Transcript, read, write
from tests.engines.contract import EngineContract, finished, play
from tests.real_data import data_folder

OPTIONS = ("آسپرین", "استامینوفن", "مورفین", "ایبوپروفن")
CHOICE = Question(text="کدام دارو برای تب کودک مناسب است؟", options=OPTIONS)
FREE = Question(text="برای سرماخوردگی چه کنم؟")
THOUGHT = "نخست سن کودک را می‌سنجیم. آسپرین در کودکان خطر دارد.\n\n"
CONCLUSION = "بنابراین، گزینهٔ [B] پاسخ درست است."
DRAWN = Sampling(temperature=0.7)


def row(
    question: Question, response: str, prompting: Prompting = "straight", model: str = "pub-v", run: int = 1
) -> Transcript:
    a, b, c, d = question.options or ("", "", "", "")
    return Transcript(
        suite="",
        subject="",
        question_index=0,
        question=question.text,
        option_a=a,
        option_b=b,
        option_c=c,
        option_d=d,
        gold=None,
        model=model,
        prompting=prompting,
        run=run,
        prompt="دستوری دیگر",
        response=response,
        annotated_choice=None,
    )


def ask(question: Question, prompting: Prompting = "straight", model: str = "v", **changes: object) -> Request:
    return replace(Request(model, messages(question, prompting), prompting), **changes)  # type: ignore[arg-type]


MODELS = {"v": "pub-v", "r": "pub-r", "absent": "pub-x"}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "published.jsonl"
    rows = [row(CHOICE, "گزینهٔ [B]."), row(FREE, "استراحت کنید."), row(FREE, "ناشناس", model="other")]
    rows += [row(CHOICE, THOUGHT + CONCLUSION, "cot", "pub-r")]
    rows += [row(FREE, f"اجرای {run}", "cot", "pub-v", run) for run in (3, 1, 2)]
    write(rows, path)
    return path


@pytest.fixture
def engine(published: Path) -> RecordedEngine:
    return RecordedEngine([published], models=MODELS)


class Counting:
    """Any engine, with the requests it was asked."""

    def __init__(self, inner: Engine) -> None:
        self.inner = inner
        self.asked: list[Request] = []
        self.models = inner.models

    def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
        self.asked += requests
        return self.inner.stream(requests, stop)

    def close(self) -> None:
        self.inner.close()


class Saying:
    """Plays the same events in each row, on weights called `revision`."""

    models = ("v",)

    def __init__(self, *events: Event) -> None:
        self.events = events

    def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
        for number, _ in enumerate(requests):
            yield from ((number, event) for event in self.events)

    def close(self) -> None:
        pass


def said(engine: Engine, *requests: Request) -> list[tuple[str, str]]:
    return [(found.reasoning, found.text) for found in play(engine, *requests)]


class TestReplayKeepsTheContract(EngineContract):
    piece_seconds = 0.2

    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[RecordedEngine]:
        path = tmp_path / "published.jsonl"
        slow = Question(text="شرح دهید.")
        write(
            [row(FREE, "استراحت کنید."), row(slow, "واژه " * 300), row(CHOICE, THOUGHT + CONCLUSION, "cot", "pub-r")],
            path,
        )
        self._before = threading.active_count()
        self._slow = ask(slow)
        engine = RecordedEngine([path], models=MODELS, pace=50.0)
        yield engine
        engine.close()

    @pytest.fixture
    def quick(self) -> Request:
        return ask(FREE)

    @pytest.fixture
    def slow(self, engine: RecordedEngine) -> Request:
        return self._slow

    @pytest.fixture
    def thoughtful(self) -> Request:
        return ask(CHOICE, "cot", "r")

    def in_work(self, engine: RecordedEngine) -> int:
        return max(0, threading.active_count() - self._before)


class TestAnsweringThroughAFallbackKeepsTheContract(EngineContract):
    piece_seconds = 0.1

    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[RecordedEngine]:
        self._before = threading.active_count()
        scripts = {
            "v": Script("با پزشک خود تماس بگیرید."),
            "slow": Script("واژه " * 300, seconds=30),
            "r": Script(CONCLUSION, thought=THOUGHT),
        }
        engine = RecordedEngine(fallback=EchoEngine(scripts), cache=tmp_path / "fresh.jsonl")
        yield engine
        engine.close()

    @pytest.fixture
    def quick(self) -> Request:
        return ask(FREE)

    @pytest.fixture
    def slow(self) -> Request:
        return ask(FREE, model="slow")

    @pytest.fixture
    def thoughtful(self) -> Request:
        return ask(CHOICE, "cot", "r")

    def in_work(self, engine: RecordedEngine) -> int:
        return max(0, threading.active_count() - self._before)


def test_an_answer_is_found_by_its_question_in_any_spelling(engine: RecordedEngine) -> None:
    arabic = Question(text="كدام  دارو براي تب کودک مناسب است", options=OPTIONS)
    other_order = Question(text=CHOICE.text, options=OPTIONS[::-1])
    assert said(engine, ask(CHOICE), ask(arabic), ask(FREE)) == [
        ("", "گزینهٔ [B]."), ("", "گزینهٔ [B]."), ("", "استراحت کنید.")
    ]  # fmt: skip
    (missing,) = play(engine, ask(other_order))
    detail = "no straight answer of 'v' is recorded; give a fallback"
    assert missing.last == Failed(NOT_RECORDED, detail, ENGLISH[NOT_RECORDED])


def test_a_question_id_finds_it_whatever_the_wording(engine: RecordedEngine) -> None:
    worded = Request(
        "v", (Message("system", "کوتاه بگو"), Message("user", "به پرسش زیر پاسخ بده: …")), question_id=CHOICE.id
    )
    assert said(engine, worded) == [("", "گزینهٔ [B].")]


def test_a_chain_of_thought_is_split_from_its_conclusion(engine: RecordedEngine) -> None:
    ((reasoning, text),) = said(engine, ask(CHOICE, "cot", "r"))
    assert reasoning + text == THOUGHT + CONCLUSION
    assert "آسپرین در کودکان" in reasoning
    assert text.strip() == CONCLUSION


def test_the_seed_chooses_the_run(engine: RecordedEngine) -> None:
    asked = [ask(FREE, "cot", seed=seed) for seed in (0, 1, 2, 3, -1)]
    assert ["".join(found) for found in said(engine, *asked)] == [f"اجرای {run}" for run in (1, 2, 3, 1, 3)]
    (found,) = play(engine, asked[1])
    assert finished(found).revision == "recorded pub-v, run 2"
    assert finished(found).usage == Usage(completion_tokens=2, estimated=True)


def test_a_follow_up_is_not_the_recorded_question(engine: RecordedEngine) -> None:
    history = (Message("user", "سلام"), Message("assistant", "درود"))
    follow_up = Request("v", messages(FREE, "straight", history), question_id=FREE.id)
    assert isinstance(play(engine, follow_up)[0].last, Failed)


def test_only_models_with_answers_are_offered(engine: RecordedEngine) -> None:
    assert engine.models == ("v", "r")
    assert isinstance(play(engine, ask(CHOICE, model="absent"))[0].last, Failed)


def test_rows_whose_question_cannot_be_asked_are_counted_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [row(CHOICE, "x").model_copy(update={"option_c": ""}), row(FREE, "x").model_copy(update={"question": " "})]
    write([*broken, row(FREE, "استراحت کنید.")], tmp_path / "some.parquet")
    engine = RecordedEngine([tmp_path / "some.parquet"], models=MODELS)
    assert (engine.recordings.skipped, len(engine.recordings)) == (2, 1)
    assert "2 recorded answers are left out" in caplog.text
    assert said(engine, ask(FREE)) == [("", "استراحت کنید.")]


def test_the_pace_is_kept(published: Path) -> None:
    engine = RecordedEngine([published], models=MODELS, pace=40.0)
    (found,) = play(engine, ask(FREE))
    assert found.pieces == 2
    assert found.at[-1] >= len("استراحت کنید.") / 40.0
    assert found.at[0] <= found.at[-1] - 0.1


def test_what_is_not_recorded_is_asked_once(published: Path, tmp_path: Path) -> None:
    fallback = Counting(EchoEngine({"v": Script(CONCLUSION, thought=THOUGHT)}))
    engine = RecordedEngine([published], fallback, models=MODELS, cache=tmp_path / "deep" / "fresh.jsonl")
    new = ask(Question(text="فشار خون طبیعی چیست؟"), "cot")
    first = said(engine, ask(FREE), new)
    assert first == [("", "استراحت کنید."), (THOUGHT, CONCLUSION)]
    assert said(engine, new, ask(FREE)) == [first[1], first[0]]
    assert fallback.asked == [new]
    again = RecordedEngine(fallback=fallback, cache=tmp_path / "deep" / "fresh.jsonl", revisions={"v": "echo"})
    (found,) = play(again, new)
    assert fallback.asked == [new]
    assert (found.reasoning, found.text, finished(found).revision) == (THOUGHT, CONCLUSION, "echo")
    assert finished(found).usage.completion_tokens > 5
    assert not finished(found).usage.estimated


def test_new_weights_answer_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old = Saying(Text("کهنه"), Finished(Usage(), "stop", "1"))
    new = Counting(Saying(Text("نو"), Finished(Usage(), "stop", "2")))
    said(RecordedEngine(fallback=old, cache=tmp_path / "fresh.jsonl"), ask(FREE))
    engine = RecordedEngine(fallback=new, cache=tmp_path / "fresh.jsonl")
    assert said(engine, ask(FREE)) == said(engine, ask(FREE)) == [("", "نو")]
    assert len(new.asked) == 1
    wrongly_told = RecordedEngine(fallback=new, cache=tmp_path / "fresh.jsonl", revisions={"v": "3"})
    with caplog.at_level(logging.WARNING):
        assert said(wrongly_told, ask(FREE)) == said(wrongly_told, ask(FREE)) == [("", "نو")]
    assert "is now '2', was '3'" in caplog.text
    assert len(new.asked) == 2


@pytest.mark.parametrize("end", [Finished(Usage(), "stopped", "1"), Failed("نشد")])
def test_answers_without_an_end_are_not_kept(tmp_path: Path, end: Event) -> None:
    fallback = Counting(Saying(Text("نیمه"), end))
    engine = RecordedEngine(fallback=fallback, cache=tmp_path / "fresh.jsonl", revisions={"v": "1"})
    for _ in range(2):
        (found,) = play(engine, ask(FREE))
        assert (found.text, found.last) == ("نیمه", end)
    assert len(fallback.asked) == 2


def test_what_a_visitor_did_not_agree_to_keep_is_not_kept(tmp_path: Path) -> None:
    fallback, cache = Counting(Saying(Text("پاسخ"), Finished(Usage(), "stop", "1"))), tmp_path / "fresh.jsonl"
    engine = RecordedEngine(fallback=fallback, cache=cache)
    private = ask(FREE, keep=False)
    assert said(engine, private) == said(engine, private) == [("", "پاسخ")]
    assert (len(fallback.asked), cache.read_bytes()) == (2, b"")
    said(engine, ask(FREE), private)
    assert len(fallback.asked) == 4, "both were computed at once"
    assert len(cache.read_text("utf-8").splitlines()) == 1
    assert said(engine, private) == [("", "پاسخ")]
    assert len(fallback.asked) == 4, "what another visitor left there serves this one too"


def test_a_fallback_that_breaks_fails_its_rows_only(published: Path) -> None:
    class Breaking(Saying):
        def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
            yield 0, Text("نیمه")
            raise RuntimeError("no memory")

    new = ask(Question(text="پرسش تازه"))
    engine = RecordedEngine([published], Breaking(), models=MODELS)
    recorded, broken, silent = play(engine, ask(FREE), new, new)
    assert recorded.text == "استراحت کنید."
    assert broken.last == silent.last == Failed(BROKEN, "RuntimeError: no memory", ENGLISH[BROKEN])
    lazy = RecordedEngine([published], Saying(Text("بی‌پایان")), models=MODELS)
    (open_,) = play(lazy, new)
    assert open_.last == Failed(BROKEN, "the fallback engine left this row open", ENGLISH[BROKEN])


def test_a_full_disk_costs_the_cache_not_the_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = RecordedEngine(
        fallback=EchoEngine({"v": Script("پاسخ")}), cache=tmp_path / "fresh.jsonl", revisions={"v": "echo"}
    )
    (tmp_path / "fresh.jsonl").unlink()
    (tmp_path / "fresh.jsonl").mkdir()
    assert said(engine, ask(FREE)) == [("", "پاسخ")]
    assert "cannot read the cache" in caplog.text
    assert "cannot write the cache" in caplog.text


def test_a_reasoning_event_is_cached_as_reasoning(tmp_path: Path) -> None:
    fallback = Saying(Reasoning("برچسب‌دار"), Text("پاسخ"), Finished(Usage(), "stop", "1"))
    engine = RecordedEngine(fallback=fallback, cache=tmp_path / "fresh.jsonl", revisions={"v": "1"})
    assert said(engine, ask(FREE, "cot")) == said(engine, ask(FREE, "cot")) == [("برچسب‌دار", "پاسخ")]


@pytest.mark.data
def test_the_published_answers_are_all_found_by_their_question() -> None:
    engine = RecordedEngine([data_folder()])
    assert (len(engine.recordings), engine.recordings.skipped) == (14_688, 0)
    names = {"gaokerena-v1.0": "v", "gaokerena-r1.0": "r", "aya-expanse-8b": "base"}
    wanted = [found for found in read(data_folder()) if found.model in names and found.question_index % 20 == 0]
    assert len(wanted) > 500
    for found in wanted:
        request = ask(found.asked(), found.prompting, names[found.model], seed=found.run - 1)
        ((reasoning, text),) = said(engine, request)
        assert reasoning + text == found.response
        assert bool(reasoning) <= (found.prompting == "cot")
