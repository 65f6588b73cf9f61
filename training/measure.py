"""What the mini pair can and cannot do, measured: `python -m training measure --json`.

- bits per character of held-out answers given their questions, of base, V and R (lower is better), and V's and R's
  difference from the base, paired by document;
- of generated answers: the share that end by themselves, stay in Persian script, do not loop, choose one option;
- reward accuracy and margin of R on held-out pairs (how often DPO's implicit reward prefers the chosen side);
- accuracy on a sample of each suite, where chance (25 %) is expected: the mini pair knows no medicine.

Every share has a 95 % Wilson interval, every mean a bootstrap interval over documents. Held-out documents share no
question with what was trained on; phrases of template answers they may. Not covered: quality as a reader judges it.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gaokerena.answers import Answer
from gaokerena.engines.base import Request, Sampling
from gaokerena.engines.loading import Loaded
from gaokerena.engines.local import LocalEngine
from gaokerena.gather import Gathering
from gaokerena.persian import foreign_script, persian_share
from gaokerena.presets import PLANS
from gaokerena.prompts import messages
from gaokerena.questions import LETTERS, Prompting, Question
from gaokerena.statistics import wilson
from training import sources
from training.manifest import read_jsonl

MODELS = ("base", "v", "r")
PROMPTING: dict[str, Prompting] = {"base": "straight", "v": "straight", "r": "cot"}
BETA = 0.1


@dataclass(frozen=True, slots=True)
class Scored:
    """A completion's log-probability under one model, nats, and its length in characters."""

    logprob: float
    characters: int


def tokens(loaded: Loaded, prompt: list[dict[str, Any]], completion: str) -> int:
    """How many tokens `score` reads of a chat turn with its prompt, its end token included."""
    head = loaded.tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    texts = (head, completion.strip() + loaded.tokenizer.eos_token)
    return sum(len(loaded.tokenizer(text, add_special_tokens=False).input_ids) for text in texts)


@torch.inference_mode()
def score(
    loaded: Loaded,
    models: Sequence[str],
    prompt: str | list[dict[str, Any]],
    completion: str,
    context: int = 1024,
) -> dict[str, Scored]:
    """log p(completion | prompt) of a chat turn by each of `models`, its end token included, in one forward pass.

    `prompt` is the user's text, or all turns up to it. What lies beyond `context` tokens is not counted.
    """
    tokenizer = loaded.tokenizer
    turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    head = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    start = tokenizer(head, add_special_tokens=False).input_ids
    said = tokenizer(completion.strip() + tokenizer.eos_token, add_special_tokens=False).input_ids
    ids = torch.tensor([(start + said)[:context]] * len(models), device=loaded.model.device)
    loaded.selection.choose(models, ids.device)
    kept = ids[0, len(start) :]
    out = loaded.model(input_ids=ids, use_cache=False, logits_to_keep=len(kept) + 1).logits
    characters = max(1, len(tokenizer.decode(kept, skip_special_tokens=True)))
    places = torch.arange(len(kept))
    return {
        model: Scored(logits[:-1].float().log_softmax(-1)[places, kept].sum().item(), characters)
        for model, logits in zip(models, out, strict=True)
    }


def mean_interval(
    values: Sequence[float], weights: Sequence[float], seed: int = 0, rounds: int = 2000
) -> dict[str, float]:
    """Ratio of sums (values / weights) with a 95 % percentile bootstrap interval over the rows."""
    top, bottom = np.array(values, float), np.array(weights, float)
    picks = np.random.default_rng(seed).integers(0, len(top), (rounds, len(top)))
    drawn = top[picks].sum(1) / bottom[picks].sum(1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {
        "value": round(float(top.sum() / bottom.sum()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "n": len(top),
    }


def share(hits: int, count: int) -> dict[str, float]:
    """A share in per cent with its 95 % Wilson interval."""
    interval = wilson(hits, count)
    return {
        "value": round(100 * hits / count, 1),
        "low": round(100 * interval.low, 1),
        "high": round(100 * interval.high, 1),
        "n": count,
    }


def loops(text: str) -> bool:
    """Whether a run of four words comes back four times or more, or a line three times."""
    words = re.findall(r"\w+", text)
    runs = [tuple(words[start : start + 4]) for start in range(len(words) - 3)]
    lines = [line.strip() for line in text.split("\n") if len(line.strip()) > 20]
    return any(runs.count(run) >= 4 for run in set(runs)) or any(lines.count(line) >= 3 for line in set(lines))


def bits_per_character(loaded: Loaded, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """By kind of document: each model's, and how much more or fewer bits V and R need than the base, paired."""
    found: dict[str, Any] = {}
    for kind in sorted({row["kind"] for row in documents}):
        rows = [row for row in documents if row["kind"] == kind]
        scores = [score(loaded, MODELS, row["user"], row["assistant"]) for row in rows]
        bits = {model: [-one[model].logprob / math.log(2) for one in scores] for model in MODELS}
        for model in MODELS[1:]:
            bits[f"{model}_minus_base"] = [own - plain for own, plain in zip(bits[model], bits["base"], strict=True)]
        characters = [one["base"].characters for one in scores]
        found[kind] = {name: mean_interval(values, characters) for name, values in bits.items()}
    return found


def rewards(loaded: Loaded, pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """DPO's implicit reward of R against the base on pairs it was not trained on."""
    margins = []
    for pair in pairs:
        prompt = pair["prompt"][-1]["content"]
        gain = {}
        for side in ("chosen", "rejected"):
            said = score(loaded, ("r", "base"), prompt, pair[side][-1]["content"])
            gain[side] = said["r"].logprob - said["base"].logprob
        margins.append(BETA * (gain["chosen"] - gain["rejected"]))
    wins = sum(margin > 0 for margin in margins)
    return {"accuracy": share(wins, len(margins)), "margin": mean_interval(margins, [1.0] * len(margins))}


def generate(
    engine: LocalEngine, questions: Sequence[Question], model: str, batch: int = 16
) -> Iterator[tuple[Question, Answer]]:
    """Each question answered by `model` with its own prompting and the mini preset's sampling."""
    plan, prompting = PLANS["mini"], PROMPTING[model]
    sampling: Sampling = plan.cot if prompting == "cot" else plan.straight
    for start in range(0, len(questions), batch):
        part = questions[start : start + batch]
        requests = [
            Request(model, tuple(messages(question, prompting)), prompting, sampling, start + number, question.id)
            for number, question in enumerate(part)
        ]
        gathering = [Gathering(question, request) for question, request in zip(part, requests, strict=True)]
        for row, event in engine.stream(requests):
            if answer := gathering[row].add(event):
                yield part[row], answer


def behaviour(answered: Sequence[tuple[Question, Answer]]) -> dict[str, Any]:
    """Shares of answers that end by themselves, stay in Persian, do not loop, and choose exactly one option."""
    answers = [answer for _, answer in answered]
    choices = [answer.choice for question, answer in answered if question.options]
    found = {
        "ends_by_itself": share(sum(answer.finish_reason == "stop" for answer in answers), len(answers)),
        "stays_in_persian": share(
            sum(persian_share(a.text) >= 0.8 and not foreign_script(a.text) for a in answers), len(answers)
        ),
        "does_not_loop": share(sum(not loops(answer.text) for answer in answers), len(answers)),
        "has_reasoning_and_conclusion": share(
            sum(bool(a.reasoning.strip() and a.conclusion.strip()) for a in answers), len(answers)
        ),
    }
    if choices:
        found["chooses_exactly_one_option"] = share(sum(choice is not None for choice in choices), len(choices))
    return found


def accuracy(answered: Sequence[tuple[Question, Answer]]) -> dict[str, float]:
    """Share of multiple-choice questions whose gold option was chosen; no choice counts as wrong."""
    hits = sum(answer.choice == question.gold for question, answer in answered)
    return share(hits, len(answered))


def suite_sample(folder: Path, suite: str, count: int, seed: int) -> list[Question]:
    """`count` questions of a suite, drawn at random with the seed."""
    rows = [row for row in sources.table_rows(folder, "benchmarks") if row["suite"] == suite]
    picked = random.Random(f"{seed}:{suite}").sample(rows, min(count, len(rows)))
    questions = []
    for row in picked:
        options = tuple(str(row[f"option_{letter}"] or "").strip() or "-" for letter in "abcd")
        gold = LETTERS[int(row["gold"]) - 1] if row["gold"].isdecimal() else row["gold"]
        questions.append(
            Question(text=row["question"], options=options, gold=gold, suite=suite, subject=row["subject"])
        )
    return questions


def held_out_questions(documents: list[dict[str, Any]], count: int, seed: int) -> list[Question]:
    """Questions people asked that nothing was trained on, in their first, plain wording."""
    texts = sorted({row["user"].split("\n\nگام به گام")[0] for row in documents if row["kind"] == "consultation"})
    return [Question(text=text) for text in random.Random(seed).sample(texts, min(count, len(texts)))]


def measure(models: Path, run: Path, count: int, seed: int = 1) -> dict[str, Any]:
    """Everything, as one JSON object. `models` holds base, v and r; `run` the documents and pairs of a mini run."""
    documents, pairs = read_jsonl(run / "documents" / "held_out.jsonl"), read_jsonl(run / "pairs" / "held_out.jsonl")
    data = sources.data_folder()
    adapters = {name: str(models / name) for name in ("v", "r")}
    engine = LocalEngine(str(models / "base"), adapters, max_rows=16)
    try:
        free = held_out_questions(documents, count, seed)
        suites = {name: suite_sample(data, name, count, seed) for name in ("mmlu_fa", "ibmsee_2023", "kopp_larger")}
        report: dict[str, Any] = {"sample": count, "seed": seed, "revisions": engine.loaded.revisions}
        report |= {"behaviour": {}, "suites": {}}
        for model in MODELS:
            asked = list(generate(engine, free, model))
            chosen = {name: list(generate(engine, questions, model)) for name, questions in suites.items()}
            every = [*asked, *(pair for rows in chosen.values() for pair in rows)]
            report["behaviour"][model] = behaviour(every)
            report["suites"][model] = {name: accuracy(rows) for name, rows in chosen.items()}
        report["bits_per_character"] = bits_per_character(engine.loaded, documents)
        report["rewards"] = rewards(engine.loaded, pairs)
        return report
    finally:
        engine.close()
