"""Method B, guided self-correction: the teacher says where an answer slips, never the key; the student tries again.

    pair = self_correct(caller, task, wording, count=4, tries=3, turns=4)

Each turn the teacher criticises the latest answer; a critique that gives the key away (`leaks`) is asked for again. The
student answers in the growing conversation. The first right answer ends it: it is chosen, the first wrong one rejected,
and the prompt is the question alone, so a right answer that speaks of the conversation is dropped with its question.
Idea: Gaokerena-R (arXiv 2510.20059), method B, whose loop did not stop at the first right answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from gaokerena.messages import Message
from gaokerena.prompts import inert, messages
from gaokerena.questions import Letter
from training.pair_rows import PairRow
from training.rlaif.attempts import Sample, first_wrong, places, sample_of, samples, teach
from training.rlaif.caller import Caller
from training.rlaif.calls import Call
from training.rlaif.correction import pair_of
from training.rlaif.leaks import leak, ruled_out
from training.rlaif.outcome import DroppedError
from training.rlaif.questions import Task
from training.rlaif.texts import chain_fault, form_fault
from training.rlaif.wording import Wording, fenced

_ALL_WRONG = 3
"""Options refuted after which only the key is left: a right answer then shows that the student can count."""


def self_correct(caller: Caller, task: Task, wording: Wording, *, count: int, tries: int, turns: int) -> PairRow:
    """The pair of one question. Raises DroppedError, and what `Caller.ask` raises."""
    found = samples(caller, task, count)
    wrong = latest = first_wrong(found, task)
    said = messages(task.question, "cot")
    calls, faults, given, chosen = [wrong.call], list[str](), list[str](), {wrong.choice}
    for turn in range(1, turns + 1):
        if len(ruled_out(given, chosen, task.question)) >= _ALL_WRONG:
            raise DroppedError("eliminated", turns=turn - 1)
        filled = places(task, wording, latest.text) | {"earlier": _earlier(wording, given)}
        check = partial(critique_fault, task, given=tuple(given), chosen=frozenset(chosen))
        taught = teach(caller, task, wording, "critique", filled, check, tries=tries, mark=f"critique:{turn}")
        given.append(taught.text)
        faults += taught.faults
        refinement = wording.say("refinement", critique=inert(taught.text))
        said = (*said, Message("assistant", latest.text or "…"), Message("user", refinement))
        call = caller.ask("student", said, question_id=task.question.id, mark=f"turn:{turn}")[0]
        latest = sample_of(call, task.question)
        calls += [taught.call, call]
        chosen.add(latest.choice)
        if latest.choice == task.gold:
            return _finish(caller, task, wording, found, wrong, latest, calls=calls, turns=turn, faults=faults)
    raise DroppedError("never right", turns=turns)


def _earlier(wording: Wording, given: list[str]) -> str:
    """What the teacher has said before, so that a greedy one does not say it again."""
    return fenced(wording.texts["earlier_title"], "\n\n".join(given)) if given else wording.texts["earlier_none"]


def critique_fault(
    task: Task, text: str, call: Call, given: Sequence[str] = (), chosen: Collection[Letter | None] = ()
) -> str | None:
    """Why the student must not hear this critique after those `given` and its own choices; None when it may."""
    if fault := form_fault(text, call.end) or leak(text, task.question):
        return fault
    return "eliminates" if len(ruled_out([*given, text], chosen, task.question)) >= _ALL_WRONG else None


def _finish(
    caller: Caller, task: Task, wording: Wording, found: list[Sample], wrong: Sample, right: Sample, *,
    calls: list[Call], turns: int, faults: list[str],
) -> PairRow:  # fmt: skip
    fault = chain_fault(right.text, right.call.end, task, wrong.text)
    if fault:
        raise DroppedError(f"right answer: {fault}", turns=turns)
    return pair_of(
        "self_correction", caller, task, wording, found, wrong, right.text, calls=calls, turns=turns, faults=faults
    )
