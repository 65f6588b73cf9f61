"""The local engine on a tiny Cohere model: real transformers and PEFT code, greedy output equal to PEFT's own."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from gaokerena.engines import decoding, loading, local
from gaokerena.engines.base import EngineError, Failed, Queued, Request, Sampling, Stop, Text
from gaokerena.engines.local import LocalEngine
from gaokerena.messages import Message
from tests.engines.contract import EngineContract, Row, finished, play
from tests.tiny import TEXTS, THOUGHT, make_tiny

SHORT = (Message("user", "سلام، تب دارم"),)
LONG = (Message("user", "از دیشب تب و سرفه دارم و شب‌ها بهتر نمی‌خوابم. فشار خون هم دارم. چه کار کنم؟"),)


def ask(model: str, messages: tuple[Message, ...] = SHORT, tokens: int = 24, **sampling: Any) -> Request:
    seed = sampling.pop("seed", 0)
    return Request(model, messages, sampling=Sampling(max_new_tokens=tokens, **sampling), seed=seed)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"), length=4096)


@pytest.fixture(scope="module")
def engine(tiny: Path) -> Iterator[LocalEngine]:
    engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v"), "r": str(tiny / "r")}, threads=1)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def alone(tiny: Path) -> Any:
    """Greedy text of one adapter by PEFT and `generate`, with nothing of ours in it."""
    tokenizer = AutoTokenizer.from_pretrained(tiny / "base")
    model = AutoModelForCausalLM.from_pretrained(tiny / "base", dtype=torch.float32)
    peft = PeftModel.from_pretrained(model, tiny / "v", adapter_name="adapter_v")
    peft.load_adapter(tiny / "r", adapter_name="adapter_r")

    def text(name: str, messages: tuple[Message, ...], tokens: int) -> str:
        turns = [{"role": turn.role, "content": turn.content} for turn in messages]
        inputs = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        if name != "base":
            peft.set_adapter(f"adapter_{name}", inference_mode=True)
        with torch.inference_mode():
            run = peft if name != "base" else peft.get_base_model()
            scope = peft.disable_adapter() if name == "base" else _nothing()
            with scope:
                out = run.generate(**inputs, max_new_tokens=tokens, do_sample=False)
        return str(tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))

    return text


class _nothing:  # noqa: N801
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


class TestLocalKeepsTheContract(EngineContract):
    pieces_ahead = 50

    @pytest.fixture
    def engine(self, tiny: Path) -> Iterator[LocalEngine]:
        engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, threads=1)
        yield engine
        engine.close()

    @pytest.fixture
    def quick(self) -> Request:
        return ask("v")

    @pytest.fixture
    def slow(self) -> Request:
        return ask("v", tokens=3800)

    @pytest.fixture
    def thoughtful(self) -> Request:
        return Request("v", LONG, "cot", Sampling(max_new_tokens=60))

    def in_work(self, engine: LocalEngine) -> int:
        return len(engine._batch.rows)


def test_what_a_model_learned_by_heart_is_said_and_split(tmp_path: Path) -> None:
    folder = make_tiny(tmp_path, learns=True)
    engine = LocalEngine(str(folder / "base"), {}, threads=1)
    question = (Message("user", THOUGHT),)
    (row,) = play(engine, Request("base", question, "cot", Sampling(max_new_tokens=200)))
    engine.close()
    assert row.reasoning + row.text == TEXTS[2]
    assert row.text.startswith("بنابراین")
    assert finished(row).finish_reason == "stop"


def test_rows_of_one_batch_say_what_each_adapter_says_alone(engine: LocalEngine, alone: Any) -> None:
    rows = play(engine, ask("v"), ask("r", LONG, 40), ask("base", LONG), ask("r", SHORT, 9))
    expected = [alone("v", SHORT, 24), alone("r", LONG, 40), alone("base", LONG, 24), alone("r", SHORT, 9)]
    assert [row.text.rstrip("\ufffd") for row in rows] == [text.rstrip("\ufffd") for text in expected]
    assert len({*expected}) == 4, "the adapters of the test must differ for it to prove anything"


def test_a_row_that_joins_a_running_batch_changes_nothing(engine: LocalEngine, alone: Any) -> None:
    started = threading.Event()
    later: list[Row] = []

    def second() -> None:
        started.wait(20)
        later.extend(play(engine, ask("r", LONG, 40)))

    thread = threading.Thread(target=second)
    thread.start()
    first = play(engine, ask("v", SHORT, 300), each=lambda _, event: started.set() if isinstance(event, Text) else None)
    thread.join(60)
    assert later[0].text.rstrip("\ufffd") == alone("r", LONG, 40).rstrip("\ufffd")
    assert first[0].text.rstrip("\ufffd") == alone("v", SHORT, 300).rstrip("\ufffd")


def test_equal_prompts_are_prefilled_once_and_sampled_apart(engine: LocalEngine) -> None:
    requests = [ask("r", LONG, 30, temperature=1.0, seed=seed) for seed in range(5)]
    rows = play(engine, *requests)
    assert len({row.text for row in rows}) == 5
    cached = [finished(row).usage.cached_tokens for row in rows]
    assert cached[0] == 0
    assert cached[1:] == [finished(rows[0]).usage.prompt_tokens] * 4
    again = play(engine, *requests)
    assert [row.text for row in again] == [row.text for row in rows]


def test_sampling_is_each_rows_own(engine: LocalEngine) -> None:
    greedy, hot = ask("v", LONG), ask("v", LONG, temperature=1.5, seed=1)
    mixed = play(engine, hot, greedy)
    assert mixed[1].text == play(engine, greedy)[0].text
    assert mixed[0].text != mixed[1].text
    narrow = ask("v", LONG, temperature=1.5, top_k=1, seed=9)
    assert play(engine, narrow)[0].text == mixed[1].text
    nucleus = ask("v", LONG, temperature=1.5, top_p=1e-6, seed=9)
    assert play(engine, nucleus)[0].text == mixed[1].text


def test_a_repetition_penalty_breaks_a_loop(engine: LocalEngine) -> None:
    plain, penalised = play(engine, ask("base", tokens=200), ask("base", tokens=200, repetition_penalty=2.0))
    assert _variety(penalised.text) > _variety(plain.text)


def _variety(text: str) -> float:
    pieces = [text[place : place + 4] for place in range(len(text) - 4)]
    return len({*pieces}) / len(pieces)


def test_a_stop_leaves_within_one_token_and_the_other_row_goes_on(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, step, steps = Stop(), engine._batch.step, iter(range(1, 100_000))

    def stop_while_the_fifth_token_is_made() -> Any:
        if next(steps) == 5:
            stop.stop(0)
        return step()

    monkeypatch.setattr(engine._batch, "step", stop_while_the_fifth_token_is_made)
    rows = play(engine, ask("v", tokens=3000), ask("base", LONG, 60), stop=stop)
    assert finished(rows[0]).finish_reason == "stopped"
    assert finished(rows[0]).usage.completion_tokens == 5
    assert finished(rows[1]).usage.completion_tokens == 60


def test_a_prompt_longer_than_the_context_is_refused_in_persian(engine: LocalEngine) -> None:
    huge = (Message("user", "تب و سرفه " * 4000),)
    rows = play(engine, ask("v", huge), ask("r"))
    assert isinstance(rows[0].last, Failed)
    assert "۴۰۹۶" in rows[0].last.message
    assert finished(rows[1]).finish_reason == "length"


def test_answers_end_where_the_context_does(engine: LocalEngine) -> None:
    near = (Message("user", "تب " * 1960),)
    row = play(engine, ask("v", near, tokens=4000))[0]
    usage = finished(row).usage
    assert usage.prompt_tokens + usage.completion_tokens == 4096
    assert finished(row).finish_reason == "length"


def test_an_unknown_model_fails_its_row_alone(engine: LocalEngine) -> None:
    rows = play(engine, ask("x"), ask("v"))
    assert isinstance(rows[0].last, Failed)
    assert "'x'" in rows[0].last.detail
    assert finished(rows[1]).finish_reason == "length"


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_out_of_memory_is_one_clear_message_and_the_engine_lives(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(engine._batch, "_forward", refuse)
    rows = play(engine, ask("v"), ask("r"))
    assert [type(row.last) for row in rows] == [Failed, Failed]
    assert rows[0].last == Failed(local.OUT_OF_MEMORY, f"{type(error).__name__}: {error}", local.OUT_OF_MEMORY_EN)
    monkeypatch.undo()
    assert play(engine, ask("v"))[0].text


def test_an_error_in_the_middle_keeps_what_was_written(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    forward, calls = engine._batch._forward, iter(range(100))

    def fail_later(*arguments: Any) -> torch.Tensor:
        if next(calls) == 12:
            raise RuntimeError("the cable was pulled")
        return forward(*arguments)

    monkeypatch.setattr(engine._batch, "_forward", fail_later)
    row = play(engine, ask("v", tokens=100))[0]
    assert isinstance(row.last, Failed)
    assert row.last.message == local.BROKEN
    assert "cable" in row.last.detail
    assert row.text


def test_visitors_wait_in_turn_and_are_told_their_place(tiny: Path) -> None:
    engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, max_rows=2, threads=1)
    ends: list[str] = []
    places: dict[str, list[int]] = {name: [] for name in ("greedy-1", "greedy-2", "greedy-3", "modest")}
    first = threading.Event()

    def visit(name: str) -> None:
        request = Request("v", SHORT, sampling=Sampling(max_new_tokens=1500), visitor=name.split("-")[0])
        for row, event in engine.stream([request, request]):
            if isinstance(event, Text):
                first.set()
            if row == 0 and isinstance(event, Queued):
                places[name].append(event.position)
        ends.append(name)

    threads = [threading.Thread(target=visit, args=("greedy-1",))]
    threads[0].start()
    assert first.wait(20)
    for name in ("greedy-2", "greedy-3", "modest"):
        threads.append(threading.Thread(target=visit, args=(name,)))
        threads[-1].start()
        while not places[name]:
            time.sleep(0.005)
    for thread in threads:
        thread.join(60)
    engine.close()
    assert ends.index("modest") < ends.index("greedy-2") < ends.index("greedy-3"), ends
    assert places["greedy-1"] == [0]
    assert places["greedy-2"][0] == 1
    assert places["greedy-3"][0] == 2
    assert all(shown[-1] == 0 for shown in places.values())


def surviving(engine: LocalEngine, request: Request) -> Row:
    """The one row of a call that must end whatever happens, and a second call that must be answered after it."""
    (row,) = play(engine, request)
    assert finished(play(engine, ask("v"))[0]).finish_reason == "length"
    return row


@pytest.mark.timeout(60)
class TestNothingEndsTheWorker:
    def test_a_seed_beyond_64_bits(self, engine: LocalEngine) -> None:
        assert surviving(engine, ask("v", temperature=1.0, seed=2**64 + 5)).text

    def test_a_conversation_the_template_refuses(self, engine: LocalEngine) -> None:
        row = surviving(engine, ask("v", (*SHORT, *SHORT)))
        assert isinstance(row.last, Failed)
        assert "TemplateError" in row.last.detail

    def test_a_text_the_tokenizer_refuses(self, engine: LocalEngine) -> None:
        row = surviving(engine, ask("v", (Message("user", "تب \ud800 دارم"),)))
        assert isinstance(row.last, Failed)

    def test_logits_that_are_not_numbers_end_their_row_alone(
        self, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        forward = engine._batch._forward

        def spoil(*arguments: Any) -> torch.Tensor:
            logits = forward(*arguments).clone()
            logits[0] = torch.nan
            return logits

        monkeypatch.setattr(engine._batch, "_forward", spoil)
        first, second = play(engine, ask("v", SHORT), ask("r", LONG, 1))
        monkeypatch.undo()
        assert isinstance(first.last, Failed)
        assert "not numbers" in first.last.detail
        assert finished(second).usage.completion_tokens == 1
        assert surviving(engine, ask("v")).text

    def test_memory_that_runs_out_while_a_row_leaves(
        self, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stop, keep = Stop(), engine._batch._keep

        def refuse(numbers: list[int]) -> None:
            if len(numbers) < len(engine._batch.rows):
                raise torch.OutOfMemoryError("CUDA out of memory")
            keep(numbers)

        monkeypatch.setattr(engine._batch, "_keep", refuse)
        rows = play(engine, ask("v", tokens=2000), ask("r", tokens=2000), stop=stop, each=lambda *_: stop.stop(0))
        monkeypatch.undo()
        assert finished(rows[0]).finish_reason == "stopped"
        assert rows[1].last == Failed(
            local.OUT_OF_MEMORY, "OutOfMemoryError: CUDA out of memory", local.OUT_OF_MEMORY_EN
        )
        assert surviving(engine, ask("v")).text

    def test_memory_that_runs_out_for_a_newcomer_spares_the_running(
        self, engine: LocalEngine, alone: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pad, started, later = decoding._pad_left, threading.Event(), []
        calls = iter(range(1, 1000))

        def refuse(*arguments: Any) -> torch.Tensor:
            if next(calls) == 6:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return pad(*arguments)

        def newcomer() -> None:
            started.wait(20)
            monkeypatch.setattr(decoding, "_pad_left", refuse)
            later.extend(play(engine, ask("r", LONG)))

        thread = threading.Thread(target=newcomer)
        thread.start()
        first = play(
            engine, ask("v", SHORT, 400), each=lambda _, event: started.set() if isinstance(event, Text) else None
        )
        thread.join(30)
        monkeypatch.undo()
        assert isinstance(later[0].last, Failed)
        assert first[0].text.rstrip("\ufffd") == alone("v", SHORT, 400).rstrip("\ufffd")


def test_a_stopped_side_of_a_waiting_call_ends_at_once(tiny: Path) -> None:
    engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, max_rows=2, threads=1)
    busy = engine.stream([ask("v", tokens=3900), ask("base", tokens=3900)])
    next(busy)
    stop = Stop()
    waiting = engine.stream([ask("v"), ask("base")], stop)
    assert [next(waiting)[1], next(waiting)[1]] == [Queued(1), Queued(1)]
    stop.stop(0)
    row, event = next(waiting)
    assert (row, event.finish_reason) == (0, "stopped")  # type: ignore[union-attr]
    busy.close()
    assert [event for row, event in waiting if row == 1][-1].finish_reason == "length"  # type: ignore[union-attr]
    engine.close()


def test_a_batch_holds_no_more_positions_than_it_may(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, max_rows=8, max_tokens=600, threads=1)
    seen: list[int] = []
    step = engine._batch.step

    def watched() -> Any:
        seen.append(len(engine._batch.rows) * max(len(row.prompt) + row.limit for row in engine._batch.rows))
        return step()

    monkeypatch.setattr(engine._batch, "step", watched)
    threads = [threading.Thread(target=play, args=(engine, ask("v", LONG, 100))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    engine.close()
    assert max(seen) <= 600
    assert max(seen) > 300, "several rows must have shared the batch for this to prove anything"


def test_a_call_of_more_rows_than_a_batch_holds_is_answered_in_parts(tiny: Path) -> None:
    engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, max_rows=3, threads=1)
    rows = play(engine, *(ask("v", tokens=5) for _ in range(8)))
    engine.close()
    assert [finished(row).usage.completion_tokens for row in rows] == [5] * 8


def test_no_tokens_wanted_none_made(engine: LocalEngine) -> None:
    (row,) = play(engine, ask("v", tokens=0))
    assert finished(row).usage.completion_tokens == 0
    assert finished(row).finish_reason == "length"


def test_closing_ends_open_streams_as_stopped(tiny: Path) -> None:
    engine = LocalEngine(str(tiny / "base"), {"v": str(tiny / "v")}, threads=1)
    stream = engine.stream([ask("v", tokens=4000)])
    next(stream)
    engine.close()
    ending = [event for _, event in stream][-1]
    assert ending.finish_reason == "stopped"  # type: ignore[union-attr]


class TestLoading:
    def test_a_folder_that_is_not_there(self) -> None:
        with pytest.raises(EngineError, match="no base model at /nowhere/at/all"):
            LocalEngine("/nowhere/at/all", {})

    def test_a_hub_model_that_cannot_be_reached(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        with pytest.raises(EngineError, match="give its folder"):
            LocalEngine("nobody/nothing", {})

    def test_a_missing_adapter(self, tiny: Path) -> None:
        with pytest.raises(EngineError, match=r"no adapter v at .*gone"):
            LocalEngine(str(tiny / "base"), {"v": str(tiny / "gone")})

    def test_an_adapter_folder_without_weights(self, tiny: Path, tmp_path: Path) -> None:
        shutil.copytree(tiny / "v", tmp_path / "v")
        (tmp_path / "v" / "adapter_model.safetensors").unlink()
        with pytest.raises(EngineError, match=r"adapter v .*missing or incomplete"):
            LocalEngine(str(tiny / "base"), {"v": str(tmp_path / "v")})

    def test_an_adapter_of_another_shape(self, tiny: Path, tmp_path: Path) -> None:
        other = make_tiny(tmp_path, vocabulary=400)
        weights = json.loads((other / "base" / "config.json").read_text())
        assert weights["hidden_size"] == 64
        config = json.loads((other / "v" / "adapter_config.json").read_text()) | {"r": 6}
        (other / "v" / "adapter_config.json").write_text(json.dumps(config))
        with pytest.raises(EngineError, match=r"adapter v .*does not fit the base"):
            LocalEngine(str(tiny / "base"), {"v": str(other / "v")})

    @pytest.mark.parametrize(
        "change", [{"use_dora": True}, {"modules_to_save": ["norm"]}, {"bias": "all"}, {"lora_bias": True}]
    )
    def test_an_adapter_that_is_not_plain_lora(self, tiny: Path, tmp_path: Path, change: dict[str, object]) -> None:
        shutil.copytree(tiny / "v", tmp_path / "v")
        config = json.loads((tmp_path / "v" / "adapter_config.json").read_text()) | change
        (tmp_path / "v" / "adapter_config.json").write_text(json.dumps(config))
        with pytest.raises(EngineError, match=rf"adapter v is LORA with {next(iter(change))}; only plain LoRA"):
            LocalEngine(str(tiny / "base"), {"v": str(tmp_path / "v")})

    @pytest.mark.parametrize("part", ["base/model.safetensors", "v/adapter_model.safetensors"])
    def test_damaged_weights(self, tiny: Path, tmp_path: Path, part: str) -> None:
        shutil.copytree(tiny, tmp_path / "copy")
        (tmp_path / "copy" / part).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
        with pytest.raises(EngineError, match=r"SafetensorError"):
            LocalEngine(str(tmp_path / "copy" / "base"), {"v": str(tmp_path / "copy" / "v")})

    def test_an_adapter_trained_on_other_weights(self, tiny: Path, tmp_path: Path) -> None:
        shutil.copytree(tiny / "v", tmp_path / "v")
        (tmp_path / "v" / "lineage.json").write_text('{"base_weights": "0123456789abcdef"}')
        with pytest.raises(EngineError, match="trained on base weights 0123456789abcdef"):
            LocalEngine(str(tiny / "base"), {"v": str(tmp_path / "v")})

    def test_a_model_that_is_no_language_model(self, tiny: Path, tmp_path: Path) -> None:
        shutil.copytree(tiny / "base", tmp_path / "base")
        config = json.loads((tmp_path / "base" / "config.json").read_text()) | {"architectures": ["CohereModel"]}
        (tmp_path / "base" / "config.json").write_text(json.dumps(config))
        with pytest.raises(EngineError, match="not a causal language model"):
            LocalEngine(str(tmp_path / "base"), {})

    def test_a_tokenizer_without_a_template(self, tiny: Path, tmp_path: Path) -> None:
        shutil.copytree(tiny / "base", tmp_path / "base")
        (tmp_path / "base" / "chat_template.jinja").unlink()
        with pytest.raises(EngineError, match="no chat template"):
            LocalEngine(str(tmp_path / "base"), {})

    def test_a_device_that_is_not_there(self, tiny: Path) -> None:
        absent = "mps" if not torch.backends.mps.is_available() else "cuda"
        with pytest.raises(EngineError, match=f"device '{absent}' is not on this machine"):
            LocalEngine(str(tiny / "base"), {}, device=absent)

    def test_four_bits_without_a_gpu(self, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(EngineError, match="4-bit weights need a CUDA GPU"):
            LocalEngine(str(tiny / "base"), {}, quantise="4bit")

    def test_small_models_compute_in_float32_on_a_cpu_and_large_ones_in_bfloat16(self) -> None:
        cpu = torch.device("cpu")
        assert loading.pick_dtype(cpu, 15_000_000) is torch.float32
        assert loading.pick_dtype(cpu, 8_000_000_000) is torch.bfloat16
        assert loading.pick_dtype(torch.device("mps"), 8_000_000_000) is torch.float16
        with pytest.raises(EngineError, match="dtype 'int3'"):
            loading.pick_dtype(cpu, 1, "int3")
