"""A teacher compares two answers, each shown first once, a tie allowed; what both orders say together is its verdict.

    said = judge(caller, compared, wording)          # said.winner: "a", "b", "tie"; said.kind: "consistent", …

A winner is one that both orders name. The reading of the last line, the orders and the combining are those of the
free-form judge of the evaluation (`gaokerena.evaluation.freeform_prompt`, `freeform_score`); the wording is this
package's own. A reply without a verdict is answered once with a reminder.

Not covered: how far the judge is to be believed (`agreement`); pairs made of its verdicts (`judged_pairs`).
"""

from __future__ import annotations

from gaokerena.evaluation.freeform import Pair
from gaokerena.evaluation.freeform_prompt import LABELS, ORDERS, Label, Order, label
from gaokerena.evaluation.freeform_score import Verdict, Winner
from gaokerena.messages import Message
from training.rlaif.caller import Caller
from training.rlaif.calls import Call
from training.rlaif.compared import Compared
from training.rlaif.form import cleaned
from training.rlaif.wording import Wording, fenced, shown

_LABELS = "\n".join(LABELS.values())


def judge(caller: Caller, compared: Compared, wording: Wording) -> tuple[Verdict, list[Call]]:
    """The verdict on one comparison and the calls behind it. Raises what `Caller.ask` raises."""
    said: list[Winner | None] = []
    calls: list[Call] = []
    for order in ORDERS:
        found, asked = _ask(caller, compared, wording, order)
        said.append(_winner(found, order))
        calls += asked
    pair = Pair(compared.question.id, 0, compared.question.text, compared.a, compared.b)
    return Verdict(pair, (said[0], said[1])), calls


def _ask(caller: Caller, compared: Compared, wording: Wording, order: Order) -> tuple[Label | None, list[Call]]:
    first, second = (compared.a, compared.b) if order == "ab" else (compared.b, compared.a)
    text = wording.say(
        "judging",
        question=fenced(wording.texts["question_title"], shown(compared.question)),
        first=fenced(wording.texts["first_title"], first),
        second=fenced(wording.texts["second_title"], second),
        labels=_LABELS,
    )
    turns = (Message("user", text),)
    name = compared.question.id
    call = caller.ask("teacher", turns, question_id=name, mark="judge")[0]
    found = _read(call)
    if found is not None:
        return found, [call]
    reminder = Message("user", wording.say("again", labels=_LABELS))
    again = caller.ask(
        "teacher", (*turns, Message("assistant", call.reply or "…"), reminder), question_id=name, mark="again"
    )[0]
    return _read(again), [call, again]


def _read(call: Call) -> Label | None:
    """The verdict of a reply that came to its own end; a verdict weighed in a thought is none."""
    return label(cleaned(call.reply)) if call.end == "stop" else None


def _winner(found: Label | None, order: Order) -> Winner | None:
    if found is None or found == "tie":
        return found
    return "a" if (found == "first") == (order == "ab") else "b"
