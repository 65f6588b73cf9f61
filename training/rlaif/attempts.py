"""What the methods share: the student's samples, read; and a teacher's text, asked for until it is fit or given up.

    first = samples(caller, task, count=4)            # every sample with the option it chooses
    said = teach(caller, task, wording, "correction", places, check, tries=3)

Not covered: what is done with them (`correction`, `self_correction`, `judging`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gaokerena.messages import Message
from gaokerena.options import read_option
from gaokerena.prompts import messages
from gaokerena.questions import Letter, Question
from training.rlaif.caller import Caller
from training.rlaif.calls import Call
from training.rlaif.form import cleaned
from training.rlaif.outcome import DroppedError
from training.rlaif.questions import Task
from training.rlaif.wording import Wording, fenced, shown


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer of the student: its text as a pair would hold it, and the option it chooses (None: unreadable)."""

    call: Call
    text: str
    choice: Letter | None


@dataclass(frozen=True, slots=True)
class Taught:
    """A teacher's text that passed its check, its call, and the faults of the texts before it."""

    text: str
    call: Call
    faults: tuple[str, ...]


def sample_of(call: Call, question: Question) -> Sample:
    """The call's reply, cleaned and read."""
    text = cleaned(call.reply)
    reading = read_option(text, question.options, question=question.text) if question.options else None
    return Sample(call, text, reading.choice if reading else None)


def samples(caller: Caller, task: Task, count: int) -> list[Sample]:
    """`count` answers to the question with a chain of thought, in one call."""
    turns = messages(task.question, "cot")
    calls = caller.ask("student", turns, question_id=task.question.id, mark="samples", count=count)
    return [sample_of(call, task.question) for call in calls]


def first_wrong(found: list[Sample], task: Task) -> Sample:
    """The sample to be rejected: the first that chooses a wrong option, else one that chooses none; whole first.

    One that breaks off differs from every chosen text in that alone, and might have come to the key.

    Raises DroppedError when all are right, or those that are not say nothing.
    """
    wrong = [sample for sample in found if sample.choice != task.gold]
    if not wrong:
        raise DroppedError("student is right")
    said = [sample for sample in wrong if sample.text]
    if not said:
        raise DroppedError("student said nothing")
    return min(said, key=lambda sample: (sample.choice is None, sample.call.end != "stop"))


def places(task: Task, wording: Wording, answer: str) -> dict[str, str]:
    """What a teacher's prompt is filled with."""
    given = task.explanation.strip()
    texts = wording.texts
    return {
        "question": shown(task.question),
        "gold": task.gold,
        "gold_text": task.gold_text,
        "explanation": fenced(texts["explanation_given"], given) if given else texts["explanation_missing"],
        "answer": fenced(texts["answer_title"], answer),
    }


def teach(
    caller: Caller,
    task: Task,
    wording: Wording,
    prompt: str,
    filled: dict[str, str],
    check: Callable[[str, Call], str | None],
    *,
    tries: int,
    mark: str,
) -> Taught:
    """The teacher's first text without a fault, in at most `tries`; each time it hears what was wrong with the last.

    Raises DroppedError with the last fault.
    """
    asked = (Message("user", wording.say(prompt, **filled)),)
    turns: tuple[Message, ...] = asked
    faults = list[str]()
    for number in range(tries):
        call = caller.ask("teacher", turns, question_id=task.question.id, mark=f"{mark}:{number}")[0]
        text = cleaned(call.reply)
        fault = check(text, call)
        if fault is None:
            return Taught(text, call, tuple(faults))
        faults.append(fault)
        complaint = wording.say("retry", reason=wording.reason(fault, gold=task.gold))
        turns = (*asked, Message("assistant", text or "…"), Message("user", complaint))
    raise DroppedError(f"{prompt}: {faults[-1]}", faults=faults)
