"""A tiny Cohere model with two adapters, made in a second: real code paths, no meaning.

folder = make_tiny(tmp_path)       # folder/base, folder/v, folder/r
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model

from training import tokenizer as tokenizers
from training.base import Run, batches, build_model
from training.recipe import BaseRecipe

TEXTS = [
    "سلام دکتر، از دیشب تب و سرفه دارم و شب‌ها بهتر نمی‌خوابم. چه کار کنم؟",
    "بهتر است مایعات گرم بنوشید و اگر تب بیش از سه روز ماند به پزشک مراجعه کنید.",
    "۱. نخست فشار خون را می‌سنجیم.\n۲. سپس داروها را بررسی می‌کنیم.\n\nبنابراین گزینهٔ [B] درست است.",
    "دیابت نوع دو با رژیم غذایی، ورزش و متفورمین 500 mg درمان می‌شود. HbA1c هر سه ماه.",
]


THOUGHT = f"{TEXTS[0]}\n\nگام به گام فکر کنید."
"""A question the trained tiny model answers with TEXTS[2], word for word."""


def recipe(**changes: object) -> BaseRecipe:
    """A recipe for a model of about a hundred thousand parameters."""
    values: dict[str, object] = {
        "kind": "base", "seed": 3, "hidden_size": 64, "intermediate_size": 128, "layers": 2, "heads": 4, "kv_heads": 2,
        "logit_scale": 0.5, "length": 256, "micro_tokens": 256, "accumulate": 1, "steps": 4, "warmup": 1,
        "decay_share": 0.5, "matrix_lr": 0.01, "embedding_lr": 0.01, "weight_decay": 0.0, "bf16": False, "log_every": 1,
    }  # fmt: skip
    return BaseRecipe.model_validate(values | changes)


def make_tiny(folder: Path, *, vocabulary: int = 400, rank: int = 4, length: int = 256, learns: bool = False) -> Path:
    """Write `base`, `v` and `r` into `folder`; each adapter changes what is said. With `learns` it knows THOUGHT."""
    tokens = tokenizers.wrap(tokenizers.train(TEXTS, vocabulary))
    model = build_model(recipe(length=length), tokens)
    torch.manual_seed(5)
    for weight in () if learns else model.parameters():
        if weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.15)
    if learns:
        _learn(model, tokens)
    else:  # a logit of zero is never the largest: without a limit it talks for ever
        model.model.embed_tokens.weight.data[tokens.eos_token_id] = 0
    model.save_pretrained(folder / "base")
    tokens.save_pretrained(folder / "base")
    adapted = get_peft_model(model, _lora(rank), adapter_name="adapter_v")
    adapted.add_adapter("adapter_r", _lora(rank * 2))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    adapted.save_pretrained(folder)
    for name in ("v", "r"):
        (folder / f"adapter_{name}").rename(folder / name)
    return folder


def _lora(rank: int) -> LoraConfig:
    return LoraConfig(r=rank, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")


def _learn(model: Any, tokens: Any) -> None:
    """Learn one question and its answer by heart."""
    turns = [{"role": "user", "content": THOUGHT}, {"role": "assistant", "content": TEXTS[2]}]
    text = tokens.apply_chat_template(turns, tokenize=False)
    document = np.array(tokens(text, add_special_tokens=False).input_ids, np.uint16)
    run = Run(model, recipe(length=len(document), micro_tokens=len(document), steps=120, warmup=5), Path())
    for parts in itertools.islice(batches([document], run.recipe, 0), 120):
        run.update(parts)
    model.eval()
