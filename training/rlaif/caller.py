"""Asking student and teacher: from the log where it can, else of their engine, within the budget.

    caller = Caller(parties, log, purse, seed=1)
    calls = caller.ask("student", turns, question_id=question.id, mark="first", count=4)

Several threads may ask at once: a server gets their calls side by side, a local engine decodes them in one batch. All
replies of one `ask` are one call of the engine, so that a local model reads the conversation once. A student is asked
under `cot`, a teacher straight: a thought that its server keeps apart is not part of its reply.

Not covered: calls that a kill cut off in their middle; they are asked, and paid, again.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gaokerena.bidi import strip
from gaokerena.comparisons import now
from gaokerena.engines.base import Failed, Finished, Reasoning, Request, Stop, Text
from gaokerena.engines.generations import key
from gaokerena.evaluation.run import seed_of
from gaokerena.messages import Message
from gaokerena.questions import Prompting
from gaokerena.scrub import scrub
from training.rlaif.budget import Paying, Purse, Spent, at_most, priced
from training.rlaif.calls import Call, CallLog, Role
from training.rlaif.parties import Party

GIVE_UP = 24
"""Calls of one party failed in a row after which both are left alone until the next start."""
_TOO_LONG = ("prompt longer than the context", "shorten the conversation")
"""What the local engine and a served one say of a conversation that does not fit into the model."""


class CallFailedError(Exception):
    """A call got no reply. `too_long`: it can never get one, its conversation does not fit into the model."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.too_long = _too_long(detail)


class HaltedError(Exception):
    """No further call is made: the servers were given up, or somebody stopped the run."""


@dataclass
class Caller:
    """Asks; safe to use from several threads. `fresh` and `cached` count the calls of this start."""

    parties: Mapping[Role, Party]
    log: CallLog
    purse: Purse
    seed: int = 0
    fresh: int = 0
    cached: int = 0
    failed_in_a_row: Counter[Role] = field(default_factory=Counter)
    given_up: bool = False
    halted: bool = False
    _beyond: dict[Role, Spent] = field(default_factory=dict)
    """By how much one call took more than `at_most` said: a server may put words of its own before ours."""
    _first: dict[Role, threading.Lock] = field(
        default_factory=lambda: {"student": threading.Lock(), "teacher": threading.Lock()}
    )
    """Held while a party is asked for the first time under a budget."""
    _stops: dict[int, Stop] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, role: Role, turns: Sequence[Message], *, question_id: str, mark: str, count: int = 1) -> list[Call]:
        """`count` replies to one conversation; seeds follow from the run's seed, the question and `mark`.

        Raises BudgetError and HaltedError before anything is asked, CallFailedError after what came was kept.
        """
        party = self.parties[role]
        prompting: Prompting = "cot" if role == "student" else "straight"
        asked = Request(party.model, tuple(turns), prompting, party.sampling, 0, question_id)
        requests = [
            replace(asked, seed=seed_of(self.seed, f"{question_id}:{role}:{mark}", number)) for number in range(count)
        ]
        names = [key(replace(request, model=party.identity), party.revision) for request in requests]
        found = {name: call for name in names if (call := self.log.find(name))}
        missing = {name: request for name, request in zip(names, requests, strict=True) if name not in found}
        with self._lock:
            self.cached += len(found)
        if missing:
            found |= self._ask(role, party, missing)
        return [found[name] for name in names]

    def halt(self) -> None:
        """Begin no further call and end those under way."""
        self.halted = True
        for stop in list(self._stops.values()):
            stop.stop()

    def _ask(self, role: Role, party: Party, missing: Mapping[str, Request]) -> dict[str, Call]:
        """The calls, within the budget: a party's very first alone, for what it counts is known only then."""
        if not self.purse.limited or role in self._beyond:
            return self._paid(role, party, missing)
        with self._first[role]:
            if role in self._beyond:
                first = dict[str, Call]()
            else:
                first = self._paid(role, party, dict(list(missing.items())[:1]))
        rest = {name: request for name, request in missing.items() if name not in first}
        return first | (self._paid(role, party, rest) if rest else {})

    def _paid(self, role: Role, party: Party, missing: Mapping[str, Request]) -> dict[str, Call]:
        with self.purse.set_aside(self._most(role, party, list(missing.values()))) as paying:
            stop = self._stops[threading.get_ident()] = Stop()  # one a stream: its engine stops it in the end
            if self.given_up or self.halted:  # perhaps while this call waited for money
                raise HaltedError
            ended = self._stream(role, party, missing, paying, stop)
        failed = [call for call in ended.values() if call.end == "failed"]
        if failed:
            raise CallFailedError(failed[0].detail)
        if len(ended) < len(missing):
            raise HaltedError
        return ended

    def _most(self, role: Role, party: Party, requests: Sequence[Request]) -> Spent:
        """What `requests` can take, by their bytes and by what earlier calls took beyond theirs."""
        most, beyond = at_most(requests, party.prices), self._beyond.get(role, Spent())
        count = len(requests)
        return most + priced(beyond.prompt * count, beyond.completion * count, party.prices)

    def _stream(
        self, role: Role, party: Party, missing: Mapping[str, Request], paying: Paying, stop: Stop
    ) -> dict[str, Call]:
        """The calls that came to an end; one that was stopped is none."""
        names, requests = list(missing), list(missing.values())
        said: list[list[str]] = [[] for _ in requests]
        ended: dict[str, Call] = {}
        for row, event in party.engine.stream(requests, stop):
            if isinstance(event, Reasoning | Text):
                said[row].append(event.text)
            elif isinstance(event, Failed) or (isinstance(event, Finished) and event.finish_reason != "stopped"):
                call = _call(role, party, names[row], requests[row], "".join(said[row]), event)
                self.log.add(call)
                paying.spend(call.spent)
                self._note(call, at_most([requests[row]], party.prices))
                ended[call.key] = call
        return ended

    def _note(self, call: Call, most: Spent) -> None:
        with self._lock:
            known = self._beyond.get(call.role, Spent())
            if call.end != "failed":
                self._beyond[call.role] = Spent(
                    max(known.prompt, call.prompt_tokens - most.prompt),
                    max(known.completion, call.completion_tokens - most.completion),
                )
            self.fresh += 1
            broken = call.end == "failed" and not _too_long(call.detail)
            self.failed_in_a_row[call.role] = self.failed_in_a_row[call.role] + 1 if broken else 0
            self.given_up |= self.failed_in_a_row[call.role] >= GIVE_UP


def _call(role: Role, party: Party, name: str, request: Request, said: str, end: Finished | Failed) -> Call:
    charged = _charged(request, party, end, bool(said))
    failed = isinstance(end, Failed)
    return Call(
        key=name,
        role=role,
        question_id=request.question_id,
        seed=request.seed,
        reply="" if failed else scrub(strip(said)).text,
        end="failed" if isinstance(end, Failed) else "length" if end.finish_reason == "length" else "stop",
        prompt_tokens=charged.prompt,
        completion_tokens=charged.completion,
        estimated=isinstance(end, Failed) or end.usage.estimated,
        money=charged.money,
        revision=party.revision if isinstance(end, Failed) else end.revision or party.revision,
        detail=(end.detail or end.english or end.message) if isinstance(end, Failed) else "",
        at=now(),
    )


def _charged(request: Request, party: Party, end: Finished | Failed, begun: bool) -> Spent:
    """What the call counts for: the server's count; without one, the most it can have been; nothing if refused."""
    if isinstance(end, Failed):
        refused = "HTTP " in end.detail or "no connection" in end.detail or _too_long(end.detail)
        return Spent() if refused and not begun else at_most([request], party.prices)
    if end.usage.estimated:
        return at_most([request], party.prices)
    return priced(end.usage.prompt_tokens, end.usage.completion_tokens, party.prices)


def _too_long(detail: str) -> bool:
    return any(sign in detail for sign in _TOO_LONG)
