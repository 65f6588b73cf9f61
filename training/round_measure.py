"""What a round's new adapter does beside the one it started from: held-out pairs, safety items, suites.

    told = measure(Wanted(base, old, new, held_out=Path("held_out.jsonl"), ...), Path("runs/rounds/r2/evaluation"))

- held-out pairs: how often the chosen side is the likelier one, and by how many nats (their difference is DPO's
  implicit reward of the new adapter against the old, over beta);
- safety items: the share of answers that send an asker in an emergency to urgent care;
- where a scorer is given: its mean score of answers to the held-out questions;
- where the data folder is: accuracy on a sample of each suite.

Both adapters get the same prompts, sampling and seeds. Every answer is kept in `answers.jsonl` as it comes, so that a
run after a kill asks only what is missing. Not covered: quality as a reader judges it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaokerena.answers import Answer
from gaokerena.engines.base import Engine, Request, Sampling
from gaokerena.engines.local import LocalEngine
from gaokerena.engines.recorded import RecordedEngine
from gaokerena.gather import Gathering
from gaokerena.prompts import messages
from gaokerena.questions import Prompting, Question
from training import round_safety
from training.errors import TrainingError
from training.measure import score, share, suite_sample, tokens
from training.pair_rows import PairRow, read_pairs
from training.pairing.questions import question_of
from training.round_compare import compare

log = logging.getLogger("training")

Scorer = Callable[[Question, Answer], float]
"""How good an answer is, from 0 to 1."""
SIDES = ("old", "new")
SECONDS_BETWEEN = 20
"""Between two lines of progress."""
SUITES = ("mmlu_fa", "ibmsee_2023", "kopp_larger")


@dataclass(frozen=True)
class Wanted:
    """What is measured, and how. `old` and `new` are adapters of `base`; `data` the folder with the suites."""

    base: str
    old: str
    new: str
    held_out: Path
    prompting: Prompting
    sampling: Sampling
    draws: int = 3
    """Answers to each safety item."""
    suite_questions: int = 100
    data: Path | None = None
    scorer: Scorer | None = None
    batch: int = 16
    seed: int = 1


def measure(wanted: Wanted, folder: Path) -> dict[str, Any]:
    """Everything, as one JSON object. Raises TrainingError where there are no held-out pairs."""
    pairs = read_pairs(wanted.held_out)
    if not pairs:
        raise TrainingError(f"{wanted.held_out} is empty: without held-out pairs nobody can say what was learned")
    local = LocalEngine(wanted.base, {"old": wanted.old, "new": wanted.new}, max_rows=wanted.batch)
    revisions = local.loaded.revisions
    engine = RecordedEngine([], fallback=local, models={}, cache=folder / "answers.jsonl", revisions=revisions)
    try:
        found: dict[str, Any] = {"revisions": dict(revisions), "prompting": wanted.prompting, "seed": wanted.seed}
        found["held_out"] = held_out(local, pairs, wanted.seed)
        found["safety"] = safety(engine, wanted)
        if wanted.scorer:
            found["scored"] = scored(engine, wanted, pairs)
        if wanted.data:
            found["suites"] = suites(engine, wanted, wanted.data)
        return found
    finally:
        engine.close()


def held_out(engine: LocalEngine, pairs: Sequence[PairRow], seed: int) -> dict[str, Any]:
    """Likelihood margins of the chosen side, of old and new; and how often the implicit reward prefers it."""
    margins: dict[str, list[float]] = {side: [] for side in SIDES}
    questions, context = [], engine.loaded.context
    for pair in pairs:
        turns, texts = [turn.model_dump() for turn in pair.prompt], (pair.better, pair.worse)
        if max(tokens(engine.loaded, turns, text) for text in texts) > context:
            continue  # a cut would compare the sides without their conclusions
        sides = [score(engine.loaded, SIDES, turns, text, context) for text in texts]
        questions.append(pair.question_id)
        for side in SIDES:
            margins[side].append(sides[0][side].logprob - sides[1][side].logprob)
    if not questions:
        raise TrainingError(f"none of the {len(pairs)} held-out pairs fits the model's {context} tokens")
    old, new = margins["old"], margins["new"]
    hits = sum(other > one for one, other in zip(old, new, strict=True))
    likelier = [[float(margin > 0) for margin in side] for side in (old, new)]
    return {
        "pairs": len(questions),
        "too_long": len(pairs) - len(questions),
        "prefers_chosen": compare(likelier[0], likelier[1], questions, unit="share", seed=seed),
        "margin": compare(old, new, questions, unit="nats", seed=seed),
        "reward_accuracy": share(hits, len(questions)),
    }


def answers(
    engine: Engine, wanted: Wanted, questions: Sequence[Question], draws: int = 1, prompting: Prompting | None = None
) -> dict[str, list[Answer]]:
    """Each side's answers to the questions, `draws` each, question by question; both sides draw with equal seeds."""
    how = prompting or wanted.prompting
    asked = [
        (side, question, wanted.seed + 1000 * draw + number)
        for number, question in enumerate(questions)
        for draw in range(draws)
        for side in SIDES
    ]
    found: dict[str, list[Answer]] = {side: [] for side in SIDES}
    said = time.monotonic()
    for start in range(0, len(asked), wanted.batch):
        if time.monotonic() - said > SECONDS_BETWEEN:
            said = time.monotonic()
            log.info("evaluation: %s of %s answers to these questions", start, len(asked))
        part = asked[start : start + wanted.batch]
        requests = [
            Request(side, tuple(messages(question, how)), how, wanted.sampling, seed, question.id)
            for side, question, seed in part
        ]
        for (side, _, _), answer in zip(part, _said(engine, requests, [row[1] for row in part]), strict=True):
            found[side].append(answer)
    return found


def _said(engine: Engine, requests: Sequence[Request], questions: Sequence[Question]) -> Iterator[Answer]:
    """The answers in the order of the requests. Raises TrainingError for one that failed."""
    gathering = [Gathering(question, request) for question, request in zip(questions, requests, strict=True)]
    said: dict[int, Answer] = {}
    for row, event in engine.stream(requests):
        if answer := gathering[row].add(event):
            said[row] = answer
    for row, request in enumerate(requests):
        if said[row].finish_reason not in ("stop", "length"):
            raise TrainingError(
                f"{request.model} gave no answer to {request.question_id}: {said[row].error}; try again"
            )
        yield said[row]


def safety(engine: Engine, wanted: Wanted) -> dict[str, Any]:
    """How often each sends an asker in an emergency to urgent care; by kind of danger too.

    `can_worsen` counts the questions on which the old one ever did: where there are few the gate cannot shut.
    """
    items = round_safety.load()
    said = answers(engine, wanted, [item.question for item in items], wanted.draws)
    drawn = [item for item in items for _ in range(wanted.draws)]
    sent = {
        side: [round_safety.sends(item, answer.text) for item, answer in zip(drawn, said[side], strict=True)]
        for side in SIDES
    }
    kinds: dict[str, dict[str, float]] = {}
    for kind in dict.fromkeys(item.kind for item in items):
        places = [place for place, item in enumerate(drawn) if item.kind == kind]
        kinds[kind] = {side: round(100 * sum(sent[side][place] for place in places) / len(places), 1) for side in SIDES}
    told = compare(sent["old"], sent["new"], [item.question.id for item in drawn], unit="share", seed=wanted.seed)
    heeded = {item.question.id for item, value in zip(drawn, sent["old"], strict=True) if value}
    return {
        "items": round_safety.digest(),
        "draws": wanted.draws,
        "sends_to_care": told,
        "can_worsen": len(heeded),
        "kinds": kinds,
    }


def scored(engine: Engine, wanted: Wanted, pairs: Sequence[PairRow]) -> dict[str, Any]:
    """The scorer's mean score of answers to the held-out questions."""
    assert wanted.scorer is not None
    questions = list({pair.question_id: question_of(pair) for pair in pairs}.values())
    said = answers(engine, wanted, questions)
    points = {
        side: [wanted.scorer(question, answer) for question, answer in zip(questions, said[side], strict=True)]
        for side in SIDES
    }
    return compare(points["old"], points["new"], [one.id for one in questions], unit="share", seed=wanted.seed)


def suites(engine: Engine, wanted: Wanted, data: Path) -> dict[str, Any]:
    """Accuracy on a sample of each suite; an answer that chooses no option counts as wrong."""
    found = {}
    for suite in SUITES:
        questions = suite_sample(data, suite, wanted.suite_questions, wanted.seed)
        said = answers(engine, wanted, questions)
        right = {
            side: [float(answer.choice == q.gold) for q, answer in zip(questions, said[side], strict=True)]
            for side in SIDES
        }
        ids = [f"{place}:{question.id}" for place, question in enumerate(questions)]
        found[suite] = compare(right["old"], right["new"], ids, unit="share", seed=wanted.seed)
    return found
