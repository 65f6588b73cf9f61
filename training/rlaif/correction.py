"""Method A, teacher correction: the student's wrong chain of thought rejected, the teacher's corrected one chosen.

    pair = correct(caller, task, samples=4, tries=3)         # DroppedError says why there is none

The student answers `samples` times; the first wrong (else unreadable) answer is rejected. The teacher, given key and
explanation, writes a chain of thought that mends it where it goes wrong; `texts.chain_fault` decides whether it is
taken. What is not is asked for again with the reason, at most `tries` times in all. Idea: Gaokerena-R (arXiv
2510.20059), method A, which took one text unchecked and lower-cased it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gaokerena.prompts import VERSION, user_text
from training.pair_rows import PairRow, Source, Turn
from training.rlaif.attempts import Sample, first_wrong, places, samples, teach
from training.rlaif.caller import Caller
from training.rlaif.calls import Call
from training.rlaif.questions import Task
from training.rlaif.texts import chain_fault
from training.rlaif.wording import Wording


def correct(caller: Caller, task: Task, wording: Wording, *, count: int, tries: int) -> PairRow:
    """The pair of one question. Raises DroppedError, and what `Caller.ask` raises."""
    found = samples(caller, task, count)
    wrong = first_wrong(found, task)

    def check(text: str, call: Call) -> str | None:
        return chain_fault(text, call.end, task, wrong.text)

    filled = places(task, wording, wrong.text)
    taught = teach(caller, task, wording, "correction", filled, check, tries=tries, mark="correction")
    return pair_of(
        "teacher_correction", caller, task, wording, found, wrong, taught.text,
        calls=[wrong.call, taught.call], faults=taught.faults,
    )  # fmt: skip


def pair_of(
    source: Source,
    caller: Caller,
    task: Task,
    wording: Wording,
    found: Sequence[Sample],
    wrong: Sample,
    chosen: str,
    *,
    calls: Sequence[Call],
    **more: Any,
) -> PairRow:
    """The row: the prompt is the question alone, `chosen` stands over the wrong sample."""
    question = task.question
    provenance: dict[str, Any] = {
        "set": "rlaif",
        "gold": task.gold,
        "suite": question.suite,
        "subject": question.subject,
        "student": caller.parties["student"].about(),
        "teacher": caller.parties["teacher"].about(),
        "choices": [sample.choice for sample in found],
        "rejected_choice": wrong.choice,
        "rejected_end": wrong.call.end,
        "calls": [call.key for call in calls],
        "prompts": wording.provenance | {"question": VERSION},
        **more,
    }
    return PairRow(
        id=f"{source}-{question.id}",
        prompt=(Turn(role="user", content=user_text(question, "cot")),),
        chosen=(Turn(role="assistant", content=chosen),),
        rejected=(Turn(role="assistant", content=wrong.text),),
        source=source,
        question_id=question.id,
        provenance=provenance,
    )
