"""Asking student and teacher: from the log where it can, else of their engine, within the budget.

    caller = Caller(parties, log, purse, seed=1)
    calls = caller.ask("student", turns, question_id=question.id, mark="first", count=4)

Several threads may ask at once: a server gets their calls side by side, a local engine decodes them in one batch. All
replies of one `ask` are one call of the engine, so that a local model reads the conversation once. A student is asked
under `cot`, a teacher straight: a thought that its server keeps apart is not part of its reply.

Every try is written down before it is sent and when it has ended, also one that failed or was stopped: each may cost.
What a server refuses for the moment is tried again after a pause (`RetryPolicy`), every try within the budget.

Not covered: the text of a call that a kill or Ctrl-C cut off in its middle; it is asked, and paid, again.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gaokerena.engines.base import Failed, Finished, Queued, Reasoning, Request, Stop, Text
from gaokerena.engines.generations import key
from gaokerena.engines.retry import RetryPolicy
from gaokerena.evaluation.run import seed_of
from gaokerena.messages import Message
from gaokerena.questions import Prompting
from training.rlaif.budget import Purse, Spent, at_most, priced
from training.rlaif.calls import Call, CallLog, Role
from training.rlaif.charging import STOPPED, Row, call_of, too_long
from training.rlaif.parties import Party

GIVE_UP = 24
"""Calls of one party failed in a row after which both are left alone until the next start."""
LASTING = 3
"""The same for a wrong key, name or address of a party that has not answered in this start: the other's calls cost."""
_LASTS = ("HTTP 401", "HTTP 403", "HTTP 404", "no connection: ConnectError", "text/html")


class CallFailedError(Exception):
    """A call got no reply. `too_long`: it can never get one, its conversation does not fit into the model."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.too_long = too_long(detail)


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
    given_up: str = ""
    """Who was given up and why; empty as long as nobody was."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    _halted: threading.Event = field(default_factory=threading.Event)
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
        self._halted.set()
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
        """The calls, tried again where the server may yet answer."""
        ended: dict[str, Call] = {}
        left, failures = dict(missing), 0
        while left:
            tried, pauses = self._try(role, party, left, failures)
            failures += 1
            ended |= {name: call for name, call in tried.items() if name not in pauses}
            left = {name: left[name] for name in pauses}
            if left and self._halted.wait(max(pauses.values())):
                raise HaltedError
        self._count(role, ended.values())
        failed = [call for call in ended.values() if call.end == "failed"]
        if failed:
            raise CallFailedError(failed[0].detail)
        return ended

    def _try(
        self, role: Role, party: Party, missing: Mapping[str, Request], failures: int
    ) -> tuple[dict[str, Call], dict[str, float]]:
        """One try of each: the calls, and the seconds to wait before those that may be tried again."""
        one = self._most(role, party, next(iter(missing.values())))  # the same for all: they differ in their seed
        with self.purse.set_aside(one * len(missing)) as paying:
            stop = self._stops[threading.get_ident()] = Stop()  # one a stream: its engine stops it in the end
            if self.given_up or self._halted.is_set():  # perhaps while this call waited for money
                raise HaltedError
            self.log.begin(role, list(missing), one)
            tried, pauses = dict[str, Call](), dict[str, float]()
            for row, end in self._ends(role, party, missing, stop):
                call = tried[row.name] = call_of(party, row, end, one)
                self.log.add(call)
                paying.spend(call.spent)
                self._learn(call, at_most([row.request], party.prices))
                if isinstance(end, Failed) and end.retryable:
                    pause = self.retry.pause(failures + 1, end.retry_after)
                    pauses |= {} if pause is None else {row.name: pause}
        if any(call.detail == STOPPED for call in tried.values()):
            raise HaltedError
        return tried, pauses

    def _ends(
        self, role: Role, party: Party, missing: Mapping[str, Request], stop: Stop
    ) -> Iterator[tuple[Row, Finished | Failed]]:
        """Each row when it has ended, with how."""
        rows = [Row(role, name, request) for name, request in missing.items()]
        for number, event in party.engine.stream(list(missing.values()), stop):
            row = rows[number]
            if isinstance(event, Reasoning | Text):
                row.said += event.text
            elif isinstance(event, Queued):
                row.waiting = event.position > 0
            else:
                yield row, event

    def _most(self, role: Role, party: Party, request: Request) -> Spent:
        """What `request` can take, by its bytes and by what earlier calls took beyond theirs."""
        beyond = self._beyond.get(role, Spent())
        return at_most([request], party.prices) + priced(beyond.prompt, beyond.completion, party.prices)

    def _learn(self, call: Call, most: Spent) -> None:
        """Note how far beyond its bound this server counts."""
        with self._lock:
            self.fresh += 1
            if call.end != "failed":
                known = self._beyond.get(call.role, Spent())
                self._beyond[call.role] = Spent(
                    max(known.prompt, call.prompt_tokens - most.prompt),
                    max(known.completion, call.completion_tokens - most.completion),
                )

    def _count(self, role: Role, ended: Collection[Call]) -> None:
        """Give a party up that fails again and again."""
        with self._lock:
            for call in ended:
                broken = call.end == "failed" and not too_long(call.detail)
                self.failed_in_a_row[role] = self.failed_in_a_row[role] + 1 if broken else 0
                wrong = role not in self._beyond and any(sign in call.detail for sign in _LASTS)
                limit = LASTING if wrong else GIVE_UP
                if self.failed_in_a_row[role] >= limit:
                    self.given_up = self.given_up or f"{role}: {call.detail}"
