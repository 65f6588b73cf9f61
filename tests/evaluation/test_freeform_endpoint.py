"""Free-form judging over a real endpoint: the shipped mini base model on a real llama.cpp server.

A model of fifteen million parameters judges like a coin, but it is a model: a grammar of the server lets it write one
of the three verdicts and nothing else, and which one is its own choice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gaokerena.engines.endpoint import EndpointEngine
from gaokerena.engines.endpoint_model import EndpointModel
from gaokerena.evaluation.freeform import Pair
from gaokerena.evaluation.freeform_prompt import LABELS
from gaokerena.evaluation.freeform_score import score, settle
from gaokerena.presets import MODELS
from tests.engines.llama_server import llama_server
from tests.evaluation.freeform_cases import asked
from training.gguf import convert_model

GRAMMAR = "root ::= " + " | ".join(json.dumps(words, ensure_ascii=False) for words in LABELS.values())
PAIRS = [
    Pair("1", 0, "تب دارم. چه کنم؟", "استراحت کنید و مایعات بنوشید. اگر تب ماند پزشک ببینید.", "صبر کنید."),
    Pair("2", 0, "درد سینه دارم.", "صبر کنید.", "همین حالا به اورژانس بروید."),
    Pair("3", 0, "سرم گیج می‌رود.", "همین.", "فشار خونتان را اندازه بگیرید."),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    model = tmp_path_factory.mktemp("mini") / "base.gguf"
    convert_model(MODELS / "mini" / "base", model, "f16")
    with llama_server(model, context=2048, slots=2) as address:
        yield address


def engine(server: str, **body: str) -> EndpointEngine:
    model = EndpointModel(base_url=f"{server}/v1", model="mini", dialect="llama.cpp", extra_body=body)
    return EndpointEngine({"judge": model}, concurrent=2)


def test_a_real_model_judges_every_pair_in_both_orders(server: str, tmp_path: Path) -> None:
    judge = engine(server, grammar=GRAMMAR)
    judged = asked(judge, tmp_path / "calls.jsonl", PAIRS, "judge")
    again = asked(judge, tmp_path / "calls.jsonl", PAIRS, "judge")
    judge.close()
    assert judged.failures == []
    assert (judged.fresh, again.fresh) == (6, 0)
    assert again.calls == judged.calls
    assert all(call.label and call.tries == 1 for call in judged.calls.values())
    assert all(call.usage.prompt_tokens > 200 and not call.usage.estimated for call in judged.calls.values())
    assert {call.revision for call in judged.calls.values()} == {"base.gguf"}
    verdicts = [settled for pair in PAIRS if (settled := settle(pair, judged.calls))]
    report = score(verdicts, seed=1)
    assert report["pairs"]["judged"] == 3
    assert report["pairs"]["unreadable"] == 0
    assert 0 <= report["win_rate"]["estimate"] <= 100


def test_without_a_grammar_its_babble_is_counted_as_unreadable(server: str, tmp_path: Path) -> None:
    judge = engine(server)
    judged = asked(judge, tmp_path / "calls.jsonl", PAIRS[:1], "judge")
    judge.close()
    assert len(judged.calls) + len(judged.failures) == 2
    assert all(call.label is None and call.tries == 2 and call.reply for call in judged.calls.values())
