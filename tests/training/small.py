"""Small recipes, rows and pairs for tests of the trainers on the tiny Cohere model of tests/tiny.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.tiny import TEXTS
from training.manifest import Manifest, write_jsonl
from training.recipe import DpoRecipe, RewardRecipe, SftRecipe

OPTIMISER = {
    "learning_rate": 0.005, "lr_scheduler_type": "linear", "warmup_ratio": 0.1, "weight_decay": 0.0,
    "max_grad_norm": 1.0, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 2, "num_train_epochs": 1,
    "max_steps": 6, "save_steps": 2, "logging_steps": 1, "bf16": False,
}  # fmt: skip
LORA = {"r": 4, "lora_alpha": 8, "lora_dropout": 0.05}
QUESTIONS = [
    "سرم درد می‌کند، چه کنم؟", "شب‌ها سرفه دارم، چرا؟", "آیا قهوه فشار خون را بالا می‌برد؟",
    "برای تب کودک چه خوب است؟", "چند روز باید دارو بخورم؟", "آزمایش خون را ناشتا بدهم؟",
]  # fmt: skip
ANSWERS = [
    "استراحت کنید و آب بنوشید.", "هوای خشک گلو را می‌آزارد.", "کمی، و برای چند ساعت.", "پاشویه با آب ولرم.",
    "هفت روز، تا پایان بسته.", "بله، هشت ساعت ناشتا.",
]  # fmt: skip


def manifest() -> Manifest:
    return Manifest("test", 0, "x")


def optimiser(**changes: Any) -> dict[str, Any]:
    return OPTIMISER | changes


def sft_recipe(base: Path, form: str, **changes: Any) -> SftRecipe:
    values: dict[str, Any] = {
        "kind": "sft", "seed": 5, "base": str(base), "data": "-", "form": form, "max_length": 256, "lora": LORA,
        "optimiser": OPTIMISER,
    }  # fmt: skip
    return SftRecipe.model_validate(values | changes)


def dpo_recipe(base: Path, **changes: Any) -> DpoRecipe:
    values: dict[str, Any] = {
        "kind": "dpo", "seed": 6, "base": str(base), "data": "-", "beta": 0.1, "max_length": 256,
        "lora": LORA | {"lora_dropout": 0.0}, "optimiser": OPTIMISER,
    }  # fmt: skip
    return DpoRecipe.model_validate(values | changes)


def reward_recipe(base: Path, **changes: Any) -> RewardRecipe:
    values: dict[str, Any] = {
        "kind": "reward", "seed": 8, "base": str(base), "data": "-", "max_length": 256,
        "lora": LORA | {"lora_dropout": 0.0}, "optimiser": OPTIMISER,
    }  # fmt: skip
    return RewardRecipe.model_validate(values | changes)


def corpus(folder: Path) -> Path:
    write_jsonl(folder / "corpus.jsonl", ({"text": text} for text in [*TEXTS, *ANSWERS, *QUESTIONS]))
    return folder / "corpus.jsonl"


def instructions(folder: Path, answers: list[str] = ANSWERS) -> Path:
    rows = (
        {"prompt": [{"role": "user", "content": asked}], "completion": [{"role": "assistant", "content": said}]}
        for asked, said in zip(QUESTIONS, answers, strict=True)
    )
    write_jsonl(folder / "instruct.jsonl", rows)
    return folder / "instruct.jsonl"


def pair(asked: str, chosen: str, rejected: str) -> dict[str, Any]:
    return {
        "prompt": [{"role": "user", "content": asked}],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


def pairs(folder: Path, count: int = 4) -> Path:
    """Each question with its answer preferred to the next question's."""
    rows = [pair(QUESTIONS[place], ANSWERS[place], ANSWERS[(place + 1) % len(ANSWERS)]) for place in range(count)]
    write_jsonl(folder / "pairs.jsonl", rows)
    return folder / "pairs.jsonl"


def counting(trainer: Any, seen: list[int]) -> Any:
    """A trainer class like `trainer` that notes the step of each batch it trains on."""

    class Counting(trainer):  # type: ignore[misc]
        def training_step(self, *given: Any, **named: Any) -> Any:
            seen.append(self.state.global_step)
            return super().training_step(*given, **named)

    return Counting


def load(folder: Path) -> tuple[Any, Any]:
    """The base in float32 and its tokenizer."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(), AutoTokenizer.from_pretrained(
        folder
    )


@torch.no_grad()
def logprob(model: Any, tokenizer: Any, row: dict[str, Any], side: str) -> float:
    """log p of one side of a pair given its prompt, by hand: nats, every token after the prompt counted."""
    prompt = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=False)
    whole = tokenizer.apply_chat_template(row["prompt"] + row[side], return_dict=False)
    assert whole[: len(prompt)] == prompt
    scores = model(torch.tensor([whole])).logits[0].log_softmax(-1)
    return float(sum(scores[place - 1, whole[place]] for place in range(len(prompt), len(whole))))
