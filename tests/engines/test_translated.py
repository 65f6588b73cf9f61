"""Translate and ask: the contract, what the two models are shown, failures and stops on the way, the settings."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gaokerena.answers import Usage
from gaokerena.engines.base import Engine, EngineError, Event, Failed, Finished, Queued, Request, Sampling, Stop, Text
from gaokerena.engines.echo import EchoEngine, Script
from gaokerena.engines.english import VERSION, english
from gaokerena.engines.translated import BROKEN, NOTHING, Pipeline, TranslatedEngine
from gaokerena.messages import Message
from gaokerena.options import read_option
from gaokerena.presets import load_preset
from gaokerena.prompts import messages
from gaokerena.questions import Prompting, Question
from gaokerena.settings import SettingsError, load_settings
from tests.engines.contract import EngineContract, finished, play

QUESTION = Question(text="کدام دارو تب کودک را پایین می‌آورد؟", options=("آسپرین", "استامینوفن", "مورفین", "دیازپام"))
TRANSLATION = "Which drug lowers a child's fever?\n\n[A] Aspirin\n[B] Paracetamol\n[C] Morphine\n[D] Diazepam"
PERSIAN = ("آسپرین", "استامینوفن", "مورفین", "دیازپام")


class Heard:
    """An engine, with the calls it was given."""

    def __init__(self, inner: Engine) -> None:
        self.inner = inner
        self.calls: list[list[Request]] = []
        self.models = inner.models

    def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
        self.calls.append(list(requests))
        return self.inner.stream(requests, stop)

    def close(self) -> None:
        self.inner.close()

    def asked(self, model: str) -> list[Request]:
        return [request for call in self.calls for request in call if request.model == model]


def ask(model: str = "pivot", prompting: Prompting = "straight", **changes: object) -> Request:
    return replace(Request(model, messages(QUESTION, prompting), prompting), **changes)  # type: ignore[arg-type]


def pivot(**scripts: Script) -> tuple[TranslatedEngine, Heard]:
    """Pipelines: `pivot` (t, a), `late` (a translator that takes half a minute), `broken` and `mute` translators."""
    given = {
        "t": Script(TRANSLATION),
        "a": Script("The correct option is [B]."),
        "late": Script(TRANSLATION, seconds=30),
        "broken": Script("Which", error="مترجم از کار افتاد."),
        "mute": Script(""),
        **scripts,
    }
    heard = Heard(EchoEngine(given))
    pipelines = {name: Pipeline(translator=name, answerer="a") for name in ("late", "broken", "mute")}
    renamed = {f"by-{name}": pipeline for name, pipeline in pipelines.items()}
    return TranslatedEngine(heard, {"pivot": Pipeline(translator="t", answerer="a"), **renamed}), heard


class TestTranslatedKeepsTheContract(EngineContract):
    piece_seconds = 0.25

    @pytest.fixture
    def engine(self) -> Iterator[TranslatedEngine]:
        self._before = threading.active_count()
        inner = EchoEngine({
            "t": Script(TRANSLATION),
            "v": Script("The correct option is [B]."),
            "slow": Script("word " * 120, seconds=30),
            "r": Script("So option [B] is right.", thought="First the age. Then the weight."),
        })  # fmt: skip
        engine = TranslatedEngine(inner, {f"t-{name}": Pipeline(translator="t", answerer=name) for name in "vr"} | {
            "t-slow": Pipeline(translator="t", answerer="slow")
        })  # fmt: skip
        yield engine
        engine.close()

    @pytest.fixture
    def quick(self) -> Request:
        return ask("t-v")

    @pytest.fixture
    def slow(self) -> Request:
        return ask("t-slow")

    @pytest.fixture
    def thoughtful(self) -> Request:
        return ask("t-r", "cot")

    def in_work(self, engine: TranslatedEngine) -> int:
        return max(0, threading.active_count() - self._before)


def test_the_answerer_is_asked_in_english_and_the_letter_stays() -> None:
    engine, heard = pivot()
    (row,) = play(engine, ask(seed=7, sampling=Sampling(0.5)))
    (translating,), (answering,) = heard.calls
    assert translating.messages[-1].content.endswith("؟\n[A] آسپرین\n[B] استامینوفن\n[C] مورفین\n[D] دیازپام")
    assert translating.sampling.temperature == 0
    assert answering.messages[-1].content == f"{TRANSLATION}\n\nName the correct option and explain it briefly."
    assert (answering.seed, answering.sampling.temperature, answering.question_id) == (7, 0.5, "")
    assert read_option(row.text, QUESTION.options, question=QUESTION.text).choice == "B"
    assert finished(row).revision == f"echo > echo ({VERSION})"


def test_a_chain_of_thought_is_asked_for_in_english() -> None:
    engine, heard = pivot()
    play(engine, ask(prompting="cot"))
    assert heard.asked("a")[0].messages[-1].content.endswith("at the end choose exactly one option.")
    assert heard.asked("t")[0].prompting == "straight"


def test_rows_that_ask_the_same_share_one_translation_and_count_it_once() -> None:
    engine, heard = pivot()
    rows = play(engine, *(ask(seed=seed) for seed in range(3)), ask("a"))
    assert len(heard.asked("t")) == 1
    assert sorted(request.seed for request in heard.asked("a")) == [0, 0, 1, 2]
    first, second, third, plain = (finished(row).usage for row in rows)
    assert second == third
    assert first.completion_tokens > second.completion_tokens == plain.completion_tokens
    assert first.prompt_tokens > second.prompt_tokens


def test_translations_made_beforehand_serve_the_call_that_follows_in_one_piece() -> None:
    engine, heard = pivot()
    other = replace(ask(), messages=(Message("user", "سؤال دیگر"),))
    requests = [ask(), other, ask(seed=2)]
    assert engine.translate(requests) == dict.fromkeys(range(3), TRANSLATION)
    play(engine, *requests)
    assert [[request.model for request in call] for call in heard.calls] == [["t", "t"], ["a", "a", "a"]]
    engine.translate([other])
    play(engine, *requests)
    assert len(heard.asked("t")) == 4, "what was made before the last `translate` is not used"


def test_a_translation_that_fails_ends_its_rows_and_no_other() -> None:
    engine, heard = pivot()
    rows = play(engine, ask("by-broken"), ask("by-mute"), ask(), ask("a"))
    assert rows[0].last == Failed("مترجم از کار افتاد.")
    assert isinstance(rows[1].last, Failed)
    assert (rows[1].last.message, rows[1].text) == (NOTHING, "")
    assert [finished(row).finish_reason for row in rows[2:]] == ["stop", "stop"]
    assert len(heard.asked("a")) == 2
    assert engine.translate([ask("by-broken"), ask("by-mute"), ask()]) == {2: TRANSLATION}


def test_an_answerer_that_fails_passes_its_failure_on() -> None:
    engine, _ = pivot(a=Script("The", error="پاسخ نیامد."))
    (row,) = play(engine, ask())
    assert row.last == Failed("پاسخ نیامد.")


def test_a_stop_while_the_translation_is_made_is_heard_at_once_and_leaves_the_others() -> None:
    engine, heard = pivot()
    stop = Stop()
    threading.Timer(0.2, stop.stop, [0]).start()
    threading.Timer(1.2, stop.stop, [1]).start()
    start = time.monotonic()
    first, second, plain = play(engine, ask("by-late"), ask("by-late", seed=1), ask(), stop=stop)
    assert time.monotonic() - start < 5
    assert first.at[-1] < second.at[-1] - 0.5, "the row waited for the other one's stop"
    assert [finished(row).finish_reason for row in (first, second, plain)] == ["stopped", "stopped", "stop"]
    assert [request.seed for request in heard.asked("a")] == [0]


def test_an_engine_that_raises_ends_every_row() -> None:
    class Raising(Heard):
        def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
            if requests[0].model == "a":
                raise RuntimeError("disk full")
            return super().stream(requests, stop)

    engine = TranslatedEngine(Raising(pivot()[1].inner), {"pivot": Pipeline(translator="t", answerer="a")})
    for row in play(engine, ask(), ask(seed=1)):
        assert isinstance(row.last, Failed)
        assert (row.last.message, row.last.detail) == (BROKEN, "RuntimeError: disk full")


def test_the_place_in_the_queue_is_told_while_the_translation_waits() -> None:
    class Queueing(Heard):
        def stream(self, requests: Sequence[Request], stop: Stop | None = None) -> Iterator[tuple[int, Event]]:
            yield 0, Queued(3 if requests[0].model == "t" else 1)
            yield 0, Text(TRANSLATION)
            yield 0, Finished(Usage(), "stop", "w")

    engine = TranslatedEngine(Queueing(EchoEngine()), {"pivot": Pipeline(translator="t", answerer="a")})
    (row,) = play(engine, ask())
    assert row.places == [3, 1]


@pytest.mark.parametrize(
    "said",
    [
        "Which one?\n[A] Aspirin\n[B] Paracetamol\n[C] Morphine\n[D] Diazepam",
        "Which one?\nA) Aspirin\nB) Paracetamol\nC) Morphine\nD) Diazepam\nThe answer is A.",
        "Which one?\n\n**A.** Aspirin\n**B.** Paracetamol\n**C.** Morphine\n**D.** Diazepam",
        "Which one?\n(A) Aspirin\n(B) Para-\ncetamol\n(C) Morphine\n(D) Diazepam\n\nAnswer: (C)",
    ],
)
def test_options_are_found_in_the_layouts_models_use(said: str) -> None:
    shown = english(said, PERSIAN, "straight").replace("Para- cetamol", "Paracetamol")
    assert shown == (
        "Which one?\n\n[A] Aspirin\n[B] Paracetamol\n[C] Morphine\n[D] Diazepam\n\n"
        "Name the correct option and explain it briefly."
    )


@pytest.mark.parametrize("said", ["Which one?", "Which?\n[A] x\n[C] y\n[B] z\n[D] w", "[A] x\n[B] y\n[C] z\n[D] w"])
def test_where_options_are_lost_the_persian_ones_are_shown(said: str) -> None:
    lines = english(said, PERSIAN, "cot").split("\n\n")
    assert lines[0] == said
    assert lines[1] == "[A] آسپرین\n[B] استامینوفن\n[C] مورفین\n[D] دیازپام"


def test_a_free_question_carries_no_options_and_template_tokens_are_taken_out() -> None:
    assert english(" My head <|END_OF_TURN_TOKEN|>hurts. ", (), "straight") == "My head hurts."
    assert english("[A] is what?", (), "cot").endswith("conclude in one sentence.")


# From the settings


def test_pipelines_come_from_the_settings_for_any_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAOKERENA_PIPELINES", json.dumps({
        "pivot": {"translator": "v", "answerer": "r"}, "gone": {"translator": "v", "answerer": "nobody"}
    }))  # fmt: skip
    preset = load_preset(load_settings(preset="echo"), ["pivot"])
    info = preset.models["pivot"]
    assert (info.name, info.prompting, list(preset.models)) == ("pivot", "cot", ["v", "r", "pivot"])
    assert preset.revisions["pivot"] == f"echo > echo ({VERSION})"
    request = Request("pivot", messages(QUESTION, "cot"), "cot", info.sampling)
    (row,) = play(preset.engine, request)
    assert "شما پرسیدید: «Translate" in row.text
    assert finished(row).revision == preset.revisions["pivot"]
    with pytest.raises(EngineError, match="no model 'gone' in the preset echo; there are v, r, pivot"):
        load_preset(load_settings(preset="echo"), ["gone"])


def test_a_pipeline_may_not_take_a_models_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAOKERENA_PIPELINES", json.dumps({"v": {"translator": "v", "answerer": "r"}}))
    with pytest.raises(EngineError, match=r"pipelines\.v has the name of a model"):
        load_preset(load_settings(preset="echo"))


def test_an_unknown_key_of_a_pipeline_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAOKERENA_PIPELINES", json.dumps({"p": {"translator": "v", "answer": "r"}}))
    with pytest.raises(SettingsError, match=r"pipelines\.p\.answerer: Field required"):
        load_settings()


def test_only_the_models_asked_for_have_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAOKERENA_ENDPOINTS__Q__BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("GAOKERENA_ENDPOINTS__Q__MODEL", "qwen")
    with pytest.raises(EngineError, match=r"needs \[endpoints.v\] and \[endpoints.r\].*there is: q"):
        load_preset(load_settings(preset="endpoint"))
    preset = load_preset(load_settings(preset="endpoint"), ["q"])
    assert list(preset.models) == ["q"]
    preset.engine.close()


def test_a_local_preset_has_its_base_and_loads_only_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAOKERENA_PIPELINES", json.dumps({"pivot": {"translator": "base", "answerer": "v"}}))
    preset = load_preset(load_settings(preset="mini"), ["pivot"])
    assert list(preset.models) == ["v", "base", "pivot"]
    assert preset.models["base"].prompting == "straight"
    assert set(preset.revisions) == {"v", "base", "pivot"}
    assert preset.samplings["cot"].max_new_tokens == 448
    assert preset.device.startswith("cpu, float32")
    preset.engine.close()
    with pytest.raises(EngineError, match="no model 'x' in the preset mini; there are v, r, base"):
        load_preset(load_settings(preset="mini"), ["x"])
