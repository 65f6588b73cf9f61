"""A reward model as a verifier: where five sampled answers agree on nothing, the best-scored one decides.

    made = verified(Sampled.read(path), scorer, "reward")
    python -m training score runs/reward/adapter runs/eval --base models/mini/base --of r

Rows are in the form `gaokerena.evaluation.verifier_file` reads, so that `evaluate transcripts` counts them as the rule
`verifier`. A question with at least three of five answers for one option keeps that and is not scored. For the others
each answer that chooses an option is scored after its own prompt; the highest decides, the earlier run where two are
equal. Without any readable choice the final choice is empty.

Not covered: free-form questions, other counts than five answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gaokerena.evaluation.run_rows import RunError
from gaokerena.evaluation.sampled import OF, Sampled, sampled_in, self_consistent
from gaokerena.messages import Message
from gaokerena.options import read_option
from gaokerena.transcripts import Transcript, TranscriptsError, read
from training.errors import TrainingError
from training.manifest import write_jsonl

Score = Callable[[list[list[Message]]], list[float]]


def answers_in(path: Path, of: str | None) -> list[Sampled]:
    """The five-sample answers of a live run's folder, or of a file of recordings (one for each suite and model).

    Raises TrainingError where there are none, of model `of` where it is named.
    """
    try:
        found = sampled_in(path, of) if (path / "transcripts").is_dir() else _recorded(path, of)
    except (RunError, TranscriptsError) as error:
        raise TrainingError(str(error)) from error
    if not found:
        raise TrainingError(f"{path}: nobody answered every question of a suite {OF} times there")
    return found


def _recorded(path: Path, of: str | None) -> list[Sampled]:
    groups: dict[tuple[str, str, str], dict[tuple[str, int], dict[int, Transcript]]] = defaultdict(dict)
    for row in read(path):
        if row.options and of in (None, row.model):
            runs = groups[row.suite, row.model, row.prompting].setdefault((row.subject, row.question_index), {})
            runs[row.run] = row
    wanted = set(range(1, OF + 1))
    return [
        Sampled(path, {place: tuple(runs[run] for run in sorted(wanted)) for place, runs in sorted(questions.items())})
        for questions in groups.values()
        if all(set(runs) == wanted for runs in questions.values())
    ]


def chat(row: Transcript) -> list[Message]:
    """What was asked and answered."""
    return [Message("user", row.prompt), Message("assistant", row.response)]


def verified(answers: Sampled, score: Score, name: str, revision: str) -> list[dict[str, Any]]:
    """A row for each question, in the order of the answers."""
    choices = {
        place: tuple(read_option(row.response, row.options, question=row.question).choice for row in rows)
        for place, rows in answers.questions.items()
    }
    asked = [
        (place, run)
        for place in answers.questions
        if self_consistent(choices[place]) is None
        for run, choice in enumerate(choices[place])
        if choice
    ]
    scores = dict(zip(asked, score([chat(answers.questions[place][run]) for place, run in asked]), strict=True))
    made = []
    for place, rows in answers.questions.items():
        its = {run: scores[place, run] for run in range(len(rows)) if (place, run) in scores}
        agreed = self_consistent(choices[place])
        best = max(its, key=lambda run: (its[run], -run)) if its else None
        made.append({
            "suite": rows[0].suite, "subject": rows[0].subject, "question_index": rows[0].question_index,
            "question": rows[0].question, "gold": rows[0].gold, "model": rows[0].model,
            "prompting": rows[0].prompting, "choices": choices[place], "self_consistent_choice": agreed,
            "final_choice": agreed if best is None else choices[place][best], "verifier": name,
            "revision": revision, "scores": [its.get(run) for run in range(len(rows))],
        })  # fmt: skip
    return made


def counts(rows: list[dict[str, Any]]) -> dict[str, int]:
    """How the questions were settled."""
    open_ones = [row for row in rows if row["self_consistent_choice"] is None]
    return {
        "questions": len(rows),
        "agreed": len(rows) - len(open_ones),
        "scored": sum(row["final_choice"] is not None for row in open_ones),
        "without_option": sum(row["final_choice"] is None for row in open_ones),
    }


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write the verifier's file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_jsonl(path, rows)
