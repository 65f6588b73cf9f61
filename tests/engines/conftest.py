"""A tiny Cohere model with two adapters, made once; a local engine on it, and PEFT's own answers, one a module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from gaokerena.engines.local import LocalEngine
from gaokerena.messages import Message
from tests.tiny import make_tiny


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
        with torch.inference_mode(), peft.disable_adapter() if name == "base" else nullcontext():
            out = peft.generate(**inputs, max_new_tokens=tokens, do_sample=False)
        return str(tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))

    return text
