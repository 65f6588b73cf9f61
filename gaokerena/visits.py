"""One visitor's afternoon: conversations, second tries and verdicts, and the desk that knows all visitors.

    desk = Desk(asker, store, seed=7)
    visit = desk.visit(session_key)
    attempt = visit.ask(question)                    # a new conversation
    attempt = visit.again()                          # the same question once more; the old attempt stays on record
    attempt = visit.follow(next_question)            # the conversation goes on, each side with its own history
    verdict = desk.judge(attempt.comparison.id, "left", session=visit.session)

Blindness. Seats are drawn anew for each new conversation and for a second try of its first turn. Within a conversation
they stay, since each side goes on from its own words, and its comparisons share one `Curtain`: once any of them was
judged and so revealed, later comparisons carry `blind=False`, and so do later verdicts, the earlier turns' included.

Not covered: anything about showing; nothing of a visit survives a restart except what the store holds.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

from gaokerena.answers import Answer
from gaokerena.attempts import Attempt, Curtain
from gaokerena.comparisons import SIDES, Comparison, Side, Verdict
from gaokerena.intake import RefusalError
from gaokerena.judging import check_readable, made
from gaokerena.messages import Message
from gaokerena.persian import persian_digits
from gaokerena.questions import Question
from gaokerena.session import Asker

VISITS_KEPT = 2_000
ATTEMPTS_KEPT = 2_000
LEFT_SECONDS = 3_600.0
"""How long a visit outlives its page: a phone that slept comes back to its answers."""
DOUBLE_CLICK_SECONDS = 0.6
TURNS_LIMIT = 10
"""Turns of one conversation; more would not fit the context of the models shown here."""


class VerdictRecord(Protocol):
    """Where verdicts are kept (`store.Store` fits).

    `add_verdict` returns once the verdict is on the disk, and with it the answers as they were when it was given.
    """

    def add_verdict(self, verdict: Verdict, answers: Mapping[Side, Answer]) -> object: ...


class Post(Protocol):
    """Where verdicts whose comparison may leave the page wait for delivery (`outbox.Outbox` fits).

    `add` returns once the entry is on the disk.
    """

    def add(self, verdict: Verdict) -> object: ...


class Visit:
    """What one visitor has asked. `thread` is the conversation now open, oldest first; `shelf` what came before."""

    def __init__(self, desk: Desk, session: str) -> None:
        self.session = session
        self.thread: list[Attempt] = []
        self.shelf: list[Attempt] = []
        self._desk = desk
        self.left_at: float | None = None
        self._asked = 0
        self._asked_at = float("-inf")
        self._starting = False

    @property
    def just_asked(self) -> bool:
        """Whether the last question is so fresh that another press can only be a double click."""
        writing = self.current is not None and not self.current.finished
        return self._starting or (writing and time.monotonic() - self._asked_at < DOUBLE_CLICK_SECONDS)

    @property
    def current(self) -> Attempt | None:
        return self.thread[-1] if self.thread else None

    def ask(self, question: Question, *, consent: bool = False, pair: tuple[str, str] | None = None) -> Attempt:
        """Begin a new conversation, with the models of `pair` or the usual two."""
        attempt = self._start(question, None, consent, pair)
        self.shelf = [*self.shelf, *self.thread][-20:]
        self.thread = [attempt]
        return attempt

    def again(self, *, consent: bool = False) -> Attempt:
        """Ask the last question once more, with a new seed and (outside a longer conversation) new seats."""
        last = self._last()
        earlier = self.thread[:-1]
        pair = self._desk.asker.read_pair(f"{last.comparison.left},{last.comparison.right}")
        attempt = self._start(last.comparison.question, earlier[-1] if earlier else None, consent, pair)
        self.shelf = [*self.shelf, last][-20:]
        self.thread = [*earlier, attempt]
        return attempt

    def follow(self, question: Question, *, consent: bool = False) -> Attempt:
        """Go on with the conversation: both sides keep their seats and their own history."""
        last = self._last()
        if len(self.thread) >= TURNS_LIMIT:
            raise RefusalError(
                f"هر گفت‌وگو تا {persian_digits(TURNS_LIMIT)} نوبت ادامه دارد. پرسش تازه‌ای از بالای صفحه بپرسید.",
                f"A conversation has at most {TURNS_LIMIT} turns. Ask a new question at the top of the page.",
            )
        attempt = self._start(question, last, consent)
        self.thread = [*self.thread, attempt]
        return attempt

    def stop(self) -> None:
        """Stop whatever is still being written."""
        if self.current:
            self.current.stop()

    def _last(self) -> Attempt:
        if not self.current:
            raise RefusalError(
                "هنوز پرسشی نپرسیده‌اید. نخست پرسش خود را بنویسید.", "Nothing was asked yet. Ask a question first."
            )
        return self.current

    def _start(
        self, question: Question, last: Attempt | None, consent: bool, pair: tuple[str, str] | None = None
    ) -> Attempt:
        self._starting = True
        try:
            return self._asked_anew(question, last, consent, pair)
        finally:
            self._starting = False

    def _asked_anew(
        self, question: Question, last: Attempt | None, consent: bool, pair: tuple[str, str] | None
    ) -> Attempt:
        """Ask; after the turn `last` with its seats, its history and its curtain, or with new ones."""
        self.stop()
        curtain = last.curtain if last else Curtain()
        seed = self._desk.seed + self._asked
        self._asked += 1
        attempt = self._desk.asker.ask(
            question,
            seed=seed,
            history=_history(last) if last else None,
            seating=(last.comparison.left, last.comparison.right) if last else None,
            pair=pair,
            follows=last.comparison.id if last else None,
            blind=not curtain.open,
            consent=consent,
            private=last is not None and not last.kept,
            session=self.session,
        )
        attempt.curtain = curtain
        self._desk.keep(attempt)
        self._asked_at = time.monotonic()
        return attempt


class Desk:
    """All visits and the comparisons still open to judgement. Safe to use from several threads."""

    def __init__(self, asker: Asker, record: VerdictRecord, *, seed: int = 0, outbox: Post | None = None) -> None:
        self.asker = asker
        self.seed = seed
        self._record = record
        self._outbox = outbox
        self._salt = secrets.token_hex(16)
        self._lock = threading.Lock()
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._attempts: OrderedDict[str, Attempt] = OrderedDict()

    def session(self, key: str | None) -> str:
        """A hash of a session key, salted anew with every start, so that no row leads back to a person."""
        return hashlib.sha256(f"{self._salt}:{key or 'none'}".encode()).hexdigest()[:16]

    def visit(self, key: str | None) -> Visit:
        """The visit of `key`, made when new; the oldest are forgotten, and those left an hour ago."""
        session = self.session(key)
        with self._lock:
            visit = self._visits.setdefault(session, Visit(self, session))
            visit.left_at = None
            self._visits.move_to_end(session)
            self._forget()
            return visit

    def _forget(self) -> None:
        """Drop visits left for good, then the oldest; called with the lock held."""
        until = time.monotonic() - LEFT_SECONDS
        for session, visit in list(self._visits.items()):
            if visit.left_at is not None and visit.left_at <= until:
                del self._visits[session]
        while len(self._visits) > VISITS_KEPT:
            self._visits.popitem(last=False)

    def leave(self, key: str | None) -> None:
        """The visitor went away: stop what is still being written for them, forget them unless they come back."""
        with self._lock:
            visit = self._visits.get(self.session(key))
            if visit:
                visit.left_at = time.monotonic()
        if visit:
            visit.stop()

    def keep(self, attempt: Attempt) -> None:
        """Open `attempt` to judgement."""
        with self._lock:
            self._attempts[attempt.comparison.id] = attempt
            while len(self._attempts) > ATTEMPTS_KEPT:
                self._attempts.popitem(last=False)

    def revealed(self, comparison_id: str) -> bool:
        """Whether the seating of this open comparison was shown."""
        with self._lock:
            attempt = self._attempts.get(comparison_id)
            return attempt is not None and attempt.curtain.open

    def judge(
        self, comparison_id: str, choice: str, *, session: str, strength: int = 1, reasons: Sequence[str] = ()
    ) -> tuple[Verdict, Comparison]:
        """Record a verdict and the answers it is about; on return they are on the disk and the seating is known.

        Raises RefusalError for an unknown comparison, choice, strength or reasons (a visitor's, so of any type), while
        a side can neither be read nor has ended, and for praise of a side that ended without a word.
        """
        with self._lock:
            attempt = self._attempts.get(comparison_id)
            blind = attempt is not None and not attempt.curtain.open
        if not attempt:
            raise RefusalError(
                "این مقایسه پیدا نشد یا کهنه شده است. دوباره بپرسید و سپس داوری کنید.",
                f"No open comparison {comparison_id[:40]!r}. Ask again and judge the comparison that /ask names.",
            )
        verdict = made(attempt.comparison, choice, strength, reasons, session, blind)
        check_readable(attempt, verdict)
        try:
            if self._outbox and attempt.comparison.consent:  # first, so that no stored verdict lacks its entry
                self._outbox.add(verdict)
            self._record.add_verdict(verdict, attempt.answers())
        except Exception as error:
            raise RefusalError(
                "داوری شما ثبت نشد. چیزی از دست نرفته است؛ دوباره دکمهٔ ثبت را بزنید.",
                "The verdict was not stored. Nothing is lost: send it again.",
            ) from error
        with self._lock:
            attempt.curtain.open = attempt.judged = True
        return verdict, attempt.comparison


def _history(last: Attempt) -> Mapping[str, tuple[Message, ...]]:
    return {last.comparison.model_at(side): last.conversation(side) for side in SIDES}
