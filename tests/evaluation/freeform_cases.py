"""Answers to judge, and judges that follow a rule, for the tests of free-form judging."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gaokerena.engines.base import Engine
from gaokerena.evaluation.freeform import Pair
from gaokerena.evaluation.freeform_calls import CallLog, Judge, Judged
from gaokerena.evaluation.freeform_prompt import LABELS, Label
from gaokerena.messages import Message
from gaokerena.questions import Prompting
from gaokerena.transcripts import Transcript, write

_FENCED = re.compile(r"--- آغاز پاسخ ([۱۲]) (\w+) ---\n(.*?)\n--- پایان پاسخ \1 \2 ---", re.DOTALL)
Rule = Callable[[str, str], Label | None]


def shown(text: str) -> tuple[str, str]:
    """The two answers in the order a judge sees them."""
    found = {match[1]: match[3] for match in _FENCED.finditer(text)}
    return found["۱"], found["۲"]


def verdict(text: str, rule: Rule) -> str:
    """What a judge with this rule replies to the conversation's first turn."""
    named = rule(*shown(text))
    return f"پاسخ‌ها در نشانهٔ خطر تفاوت دارند.\n{LABELS[named]}" if named else "نمی‌دانم."


def first(one: str, other: str) -> Label:
    return "first"


def longer(one: str, other: str) -> Label:
    return "tie" if len(one) == len(other) else "first" if len(one) > len(other) else "second"


def prefers(word: str) -> Rule:
    """The answer that holds `word`; a tie where both or neither do."""

    def rule(one: str, other: str) -> Label:
        if (word in one) == (word in other):
            return "tie"
        return "first" if word in one else "second"

    return rule


def row(
    model: str, question: str, response: str, *, run: int = 0, prompting: Prompting = "straight", index: int = 0
) -> Transcript:
    return Transcript(
        suite="mf3qa",
        subject="",
        question_index=index,
        question=question,
        option_a="",
        option_b="",
        option_c="",
        option_d="",
        gold=None,
        model=model,
        prompting=prompting,
        run=run,
        prompt=question,
        response=response,
        annotated_choice=None,
    )


def live(folder: Path, *rows: Transcript) -> Path:
    """A folder as a live evaluation leaves it: one file of transcripts a model and prompting."""
    (folder / "transcripts").mkdir(parents=True, exist_ok=True)
    for model, prompting in {(each.model, each.prompting) for each in rows}:
        mine = [each for each in rows if (each.model, each.prompting) == (model, prompting)]
        write(mine, folder / "transcripts" / f"mf3qa.{model}.{prompting}.jsonl")
    return folder


def asked(engine: Engine, path: Path, pairs: Sequence[Pair], judge: str = "v", **settings: Any) -> Judged:
    """Every pair judged, with the log at `path`."""
    with CallLog(path) as log:
        return Judge(engine, judge, log, **settings).judge(pairs)


def user(messages: tuple[Message, ...]) -> str:
    return messages[0].content
