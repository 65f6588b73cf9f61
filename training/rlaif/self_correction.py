"""Method B, guided self-correction: the teacher says where an answer slips, never the key; the student tries again.

    pair = self_correct(caller, task, wording, count=4, tries=3, turns=4)

Each turn the teacher criticises the latest answer; a critique that gives the key away (`leaks`) is asked for again. The
student answers in the growing conversation. The first right answer ends it: it is chosen, the first wrong one rejected,
and the prompt is the question alone, so a right answer that speaks of the conversation is dropped with its question.
Idea: Gaokerena-R (arXiv 2510.20059), method B, whose loop did not stop at the first right answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from gaokerena.messages import Message
from gaokerena.prompts import inert, messages
from gaokerena.questions import Letter
from training.pair_rows import PairRow
from training.rlaif.attempts import Sample, first_wrong, places, sample_of, samples, teach
from training.rlaif.caller import Caller
from training.rlaif.calls import Call
from training.rlaif.correction import pair_of
from training.rlaif.form import form_fault
from training.rlaif.leaks import leak, ruled_out
from training.rlaif.outcome import DroppedError
from training.rlaif.questions import Task
from training.rlaif.texts import chain_fault
from training.rlaif.turns import OPEN, RIGHT
from training.rlaif.wording import Wording, fenced

_ALL_WRONG = 3
"""Options refuted after which only the key is left: a right answer then shows that the student can count."""


@dataclass
class _Talk:
    """One conversation as it grows: what the student heard (`given`) and chose, and the calls behind it.

    `open` holds, for each answer after a critique, how many options nothing had ruled out by then.
    """

    task: Task
    wrong: Sample
    latest: Sample
    said: tuple[Message, ...]
    chosen: set[Letter | None]
    calls: list[Call]
    faults: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    open: list[int] = field(default_factory=list)

    def refuted(self) -> int:
        return len(ruled_out(self.given, self.chosen, self.task.question))

    def told(self) -> dict[str, object]:
        """What of it is kept, whichever way it ends."""
        return {"turns": len(self.open), OPEN: list(self.open)}


def self_correct(caller: Caller, task: Task, wording: Wording, *, count: int, tries: int, turns: int) -> PairRow:
    """The pair of one question. Raises DroppedError, and what `Caller.ask` raises."""
    found = samples(caller, task, count)
    wrong = first_wrong(found, task)
    talk = _Talk(task, wrong, wrong, messages(task.question, "cot"), {wrong.choice}, [wrong.call])
    for turn in range(1, turns + 1):
        if talk.refuted() >= _ALL_WRONG:
            raise DroppedError("eliminated", **talk.told())
        try:
            _teach(talk, caller, wording, turn, tries)
        except DroppedError as error:
            error.told |= talk.told()
            raise
        _answer(talk, caller, wording, turn)
        if talk.latest.choice == task.gold:
            return _finish(talk, caller, wording, found)
    raise DroppedError("never right", **talk.told())


def _teach(talk: _Talk, caller: Caller, wording: Wording, turn: int, tries: int) -> None:
    """The teacher's critique of the latest answer."""
    filled = places(talk.task, wording, talk.latest.text) | {"earlier": _earlier(wording, talk.given)}
    check = partial(critique_fault, talk.task, given=tuple(talk.given), chosen=frozenset(talk.chosen))
    taught = teach(caller, talk.task, wording, "critique", filled, check, tries=tries, mark=f"critique:{turn}")
    talk.given.append(taught.text)
    talk.faults += taught.faults
    talk.calls.append(taught.call)


def _answer(talk: _Talk, caller: Caller, wording: Wording, turn: int) -> None:
    """The student's next answer, in the growing conversation."""
    refinement = wording.say("refinement", critique=inert(talk.given[-1]))
    talk.said = (*talk.said, Message("assistant", talk.latest.text or "…"), Message("user", refinement))
    talk.open.append(len(talk.task.question.options) - talk.refuted())
    call = caller.ask("student", talk.said, question_id=talk.task.question.id, mark=f"turn:{turn}")[0]
    talk.latest = sample_of(call, talk.task.question)
    talk.calls.append(call)
    talk.chosen.add(talk.latest.choice)


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


def _finish(talk: _Talk, caller: Caller, wording: Wording, found: list[Sample]) -> PairRow:
    right, wrong = talk.latest, talk.wrong
    if fault := chain_fault(right.text, right.call.end, talk.task, wrong.text):
        raise DroppedError(f"{RIGHT}: {fault}", **talk.told())
    return pair_of(
        "self_correction", caller, talk.task, wording, found, wrong, right.text,
        calls=talk.calls, faults=talk.faults, **talk.told(),
    )  # fmt: skip
