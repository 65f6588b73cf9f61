"""Pairs from a judge's verdicts: their source is `judge`, they say how well it was measured, and never pass as human.

    pair = label_pair(caller, compared, wording, trust)       # DroppedError says why there is none

A pair is made only where both orders name the same winner, whose text is whole, Persian and not against a known key.
Its weight is how much better than a coin the judge surely names the doctors' winner; `UNMEASURED` where nobody knows.

Not covered: preferring by the key alone; methods A and B do that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gaokerena.options import read_option
from gaokerena.persian import normalize_for_key
from gaokerena.prompts import VERSION, user_text
from training.pair_rows import PairRow, Turn
from training.rlaif.agreement import Agreement
from training.rlaif.attempts import Sample, samples
from training.rlaif.caller import Caller
from training.rlaif.compared import Compared, name_of
from training.rlaif.form import cleaned, form_fault
from training.rlaif.judging import judge
from training.rlaif.outcome import DroppedError
from training.rlaif.questions import Task
from training.rlaif.texts import lower_cased
from training.rlaif.wording import Wording

UNMEASURED = 0.05
"""The weight of a label nobody could check, near that of a coin's, which is nothing; the least weight of any label."""


def student_pair(caller: Caller, task: Task) -> Compared:
    """Two samples of the student to compare: the first two whose texts differ. Raises DroppedError."""
    found: list[Sample] = []
    for sample in samples(caller, task, 2):
        if sample.text and all(normalize_for_key(sample.text) != normalize_for_key(other.text) for other in found):
            found.append(sample)
    if len(found) < 2:
        raise DroppedError("the student's samples are the same or empty")
    one, other = found
    ended = (one.call.end == "stop", other.call.end == "stop")
    name = name_of(task.question.id, one.text, other.text)
    return Compared(name, task.question, user_text(task.question, "cot"), one.text, other.text, ended)


def label_pair(caller: Caller, compared: Compared, wording: Wording, trust: Agreement | None) -> PairRow:
    """The pair of one comparison. Raises DroppedError, and what `Caller.ask` raises."""
    a, b = cleaned(compared.a), cleaned(compared.b)
    if normalize_for_key(a) == normalize_for_key(b):
        raise DroppedError("both answers say the same")
    compared = replace(compared, a=a, b=b)  # the judge sees what the pair will hold
    verdict, calls = judge(caller, compared, wording)
    if verdict.kind != "consistent":
        raise DroppedError(f"judge: {verdict.kind}")
    if verdict.winner == "tie":
        raise DroppedError("judge: tie")
    won = verdict.winner == "a"
    chosen, rejected = (a, b) if won else (b, a)
    if fault := _fault(compared, chosen, rejected, "stop" if compared.ended[not won] else "length"):
        raise DroppedError(fault)
    provenance: dict[str, Any] = {
        "set": "rlaif",
        "label": "a model's, not a person's",
        "judge": caller.parties["teacher"].about(),
        "measured": trust.short() if trust else None,
        "compared": compared.id,
        "gold": compared.question.gold,
        "calls": [call.key for call in calls],
        "prompts": wording.provenance | {"question": VERSION if _ours(compared) else None},
    }
    return PairRow(
        id=f"judge-{compared.id}",
        prompt=(Turn(role="user", content=compared.prompt),),
        chosen=(Turn(role="assistant", content=chosen),),
        rejected=(Turn(role="assistant", content=rejected),),
        source="judge",
        question_id=compared.question.id,
        weight=weight(trust),
        provenance=provenance,
    )


def _ours(compared: Compared) -> bool:
    """Whether the question was asked with a prompt of this project's."""
    return compared.prompt in (user_text(compared.question, "cot"), user_text(compared.question, "straight"))


def weight(trust: Agreement | None) -> float:
    """How far a label is believed: 2 p - 1, p the lower end of the agreement; a coin's would weigh nothing."""
    if trust is None or trust.decided is None:
        return UNMEASURED
    return round(max(UNMEASURED, 2 * trust.decided.low - 1), 6)


def _fault(compared: Compared, chosen: str, rejected: str, ended: str) -> str | None:
    """Why this pair must not be trained on, whatever the judge says; None when it may."""
    if fault := form_fault(chosen, ended):
        return f"chosen: {fault}"
    if lower_cased(chosen, (compared.question.text, *compared.question.options, rejected)):
        return "chosen: lower_cased"
    if not rejected:
        return "rejected: empty"
    return "chosen: misses the key" if _against_key(compared, chosen) else None


def _against_key(compared: Compared, chosen: str) -> bool:
    """Whether the question has a key and the chosen text names another option, or none."""
    question = compared.question
    if question.gold is None:
        return False
    return read_option(chosen, question.options, question=question.text).choice != question.gold
