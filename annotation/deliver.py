"""From the page's outbox to the doctors: every judged comparison whose visitor agreed, once, whenever Argilla is there.

    delivery = deliver(route, lambda: connect("annotation-home"))         # one round
    keep_delivering(route, connect, every=30)         # until interrupted; waits while Argilla is away

A round reads the entries without a mark, sends their comparisons through `push` (cleaned, seated, ledger and plan
before Argilla, records by external id) and marks them last. Whatever is killed, whenever: the next round does the same
again and `push` sends only what is not there. Nothing but a mark takes an entry out, so nothing is lost.

An entry waits while its verdict is not in the store or an answer is still being written; after `GRACE_SECONDS` it is
`void` or refused. Not covered: gold items and duplicates, which `push` mixes in; removing what stands in Argilla.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from annotation.address import NotRunningError
from annotation.candidates import Candidate, Found
from annotation.cleaning import Cleaner
from annotation.client import Argilla, BrokenError, UnreachableError
from annotation.items import Ledger
from annotation.mixing import Mixing
from annotation.plans import BusyError, Plans
from annotation.push import Page, Target, Wanted, push
from annotation.sources_store import some_of
from gaokerena.outbox import Entry, Mark, Outbox
from gaokerena.store import Store

log = logging.getLogger(__name__)

GRACE_SECONDS = 600.0
"""How long an entry may wait for its verdict and for whole answers."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
_WAITING = ("unfinished", "unknown")
"""Why a comparison may yet become an item."""

Connect = Callable[[], Argilla]


class AwayError(Exception):
    """Argilla is not there now, or another push is at work; the entries wait."""


@dataclass(frozen=True)
class Route:
    """Where entries come from and where they go; `seed` draws the seats."""

    store: Path
    outbox: Path
    folder: Path
    target: Target
    page: Page
    seed: int = 1


@dataclass
class Delivery:
    """What one round did, counted in entries: two verdicts on one comparison are two entries and one record."""

    sent: int = 0
    waiting: int = 0
    void: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def note(self, marks: Iterable[Mark]) -> None:
        for mark in marks:
            self.sent += mark.outcome == "sent"
            self.void += mark.outcome == "void"
            if mark.outcome == "refused":
                self.refused[mark.why] += 1


def deliver(route: Route, connect: Connect, *, moment: datetime | None = None) -> Delivery:
    """One round over the entries that wait. Raises AwayError, ArgillaError, and what `push` raises."""
    done = Delivery()
    with Outbox(route.outbox) as outbox:
        entries = outbox.pending()
        if not entries:
            return done
        candidates, marks = _sorted_out(route, entries, moment or datetime.now(UTC))
        if candidates:
            items = _sent(route, connect, candidates)
            ours = [entry for entry in entries if entry.comparison_id in candidates]
            marks += [_mark(entry, items.get(entry.comparison_id)) for entry in ours]
        outbox.mark(marks)
    done.note(marks)
    done.waiting = len(entries) - len(marks)
    return done


def keep_delivering(
    route: Route,
    connect: Connect,
    *,
    every: float = 30.0,
    say: Callable[[Delivery], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Deliver until interrupted, `every` seconds; while Argilla is away, at longer and longer intervals.

    Raises what a person must mend: a refused key, another dataset, a broken file.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            done = deliver(route, connect)
            if say:
                say(done)
            pause = FIRST_PAUSE
            sleep(every)
        except AwayError as away:
            log.warning("nothing is delivered for now and nothing is lost; again in %.0f s: %s", pause, away)
            sleep(pause * random.uniform(0.75, 1.0))
            pause = min(pause * 2, LONGEST_PAUSE)


def _sorted_out(route: Route, entries: list[Entry], moment: datetime) -> tuple[dict[str, Candidate], list[Mark]]:
    """The comparisons to send, by id, and marks for entries that will never be sent; the others wait."""
    with Store(route.store) as store:
        stored = {verdict.id for verdict in store.verdicts()}
        found = some_of(store, {entry.comparison_id for entry in entries})
    cleaner = Cleaner({shown.model for one in found.values() if isinstance(one, Candidate) for shown in one.shown})
    known = {name: cleaner.clean(one) if isinstance(one, Candidate) else one for name, one in found.items()}
    send: dict[str, Candidate] = {}
    marks = []
    for entry in entries:
        one = known[entry.comparison_id]
        late = moment - datetime.fromisoformat(entry.at) > timedelta(seconds=GRACE_SECONDS)
        if entry.verdict_id not in stored:
            marks += [Mark(verdict_id=entry.verdict_id, outcome="void")] if late else []
        elif isinstance(one, Candidate):
            send[entry.comparison_id] = one
        elif late or one not in _WAITING:
            marks.append(Mark(verdict_id=entry.verdict_id, outcome="refused", why=one))
    return send, marks


def _sent(route: Route, connect: Connect, candidates: Mapping[str, Candidate]) -> dict[str, str]:
    """Push the candidates; the id of each comparison's item, where it has one of its own."""
    wanted = Wanted(lambda: Found(list(candidates.values())), mixing=Mixing(route.seed, gold=0.0, duplicates=0.0))
    try:
        with connect() as argilla:
            push(argilla, route.target, wanted, route.folder, route.page)
    except (UnreachableError, BrokenError, NotRunningError, BusyError) as error:
        raise AwayError(str(error)) from error
    planned = {name for name, _ in Plans(route.folder).items(route.target.workspace, route.target.dataset)}
    items = [item for item in Ledger(route.folder).items.values() if item.id in planned and item.comparison_id]
    return {item.comparison_id: item.id for item in items if item.comparison_id}


def _mark(entry: Entry, item_id: str | None) -> Mark:
    """Without an item of its own, another comparison of the dataset has the same question and answers."""
    if item_id is None:
        return Mark(verdict_id=entry.verdict_id, outcome="refused", why="repeated")
    return Mark(verdict_id=entry.verdict_id, outcome="sent", item_id=item_id)
