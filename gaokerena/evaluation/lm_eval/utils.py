"""What the tasks for lm-eval share: questions of our suites, our prompts, and our reader of the chosen option.

    python -m lm_eval run --include_path gaokerena/evaluation/lm_eval --tasks gaokerena_mmlu_fa_straight …   # README.md

The YAML files beside this one name these functions. Questions come from the suites of `gaokerena.evaluation.suites`, so
from files on this machine; nothing is fetched. What cannot be asked, or has no gold letter, is left out, as everywhere
in this project.

Not covered: few-shot examples, log likelihoods of letters, several samples of one question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset

from gaokerena.evaluation.suites import Item, SuiteError, load_suite
from gaokerena.options import read_option
from gaokerena.prompts import user_text
from gaokerena.questions import Prompting
from gaokerena.settings import load_settings

NO_CHOICE = ""
"""What a response without a readable option, or with several, is filtered to."""
_WRONG = -1 / 3


def load(suite: str, prompting: Prompting, subject: str | None = None, data: str | None = None, **_: Any) -> Any:
    """The split `test` of one task: one row a question. lm-eval calls this with a task's dataset_kwargs and --metadata.

    `data` (else GAOKERENA_DATA) is a folder with the suites, or a file in one of their layouts. Raises SuiteError where
    the suite is not there, or has no question of that subject.
    """
    found = load_suite(suite, Path(data) if data else load_settings().data)
    scored = [item for item in found.askable if item.gold and subject in (None, item.subject)]
    if not scored:
        there = ", ".join(found.subjects)
        raise SuiteError(f"{found.origin}: no question of subject {subject!r} with a key in {suite}; there are {there}")
    return {"test": Dataset.from_list([_row(item, prompting) for item in scored])}


def _row(item: Item, prompting: Prompting) -> dict[str, Any]:
    question = item.question()
    return {
        "suite": item.suite,
        "subject": item.subject,
        "index": item.index,
        "question_id": question.id,
        "question": question.text,
        "options": list(question.options),
        "gold": item.gold,
        "prompt": user_text(question, prompting),
    }


def read(responses: Sequence[Sequence[str]], docs: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    """A filter: every response as the letter it chooses, or NO_CHOICE."""
    for said, doc in zip(responses, docs, strict=True):
        yield [read_option(text, doc["options"], question=doc["question"]).choice or NO_CHOICE for text in said]


def score(doc: Mapping[str, Any], choices: Sequence[str]) -> dict[str, float]:
    """Figures of one question from its filtered response: right or not, with negative marking, chosen or not."""
    (choice,) = choices
    right = choice == doc["gold"]
    return {
        "acc": float(right),
        "negative_marking": 1.0 if right else _WRONG if choice else 0.0,
        "no_choice": float(not choice),
    }
