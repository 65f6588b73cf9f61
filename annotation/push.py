"""Send comparisons to the doctors: choose, write down, send; whatever is interrupted, the same call goes on.

    wanted = Wanted(Sources(transcripts=Path("transcripts.parquet")).gather, count=500)
    summary = push(argilla, Target("doctors", "first"), wanted, folder, page)

`count` is how many comparisons the dataset is to hold, so pushing twice adds nothing and a higher count adds the rest.
Order of writing: the ledger (what each item really is), the plan (which items the dataset holds, in which order), then
Argilla. Only records that are not there are sent, by their external ids, so nothing that doctors see or have answered
is touched.

Not covered: taking records back, and changing a dataset's guidelines (`dataset` refuses).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotation.candidates import Candidate, Found, item_key
from annotation.cleaning import Cleaner
from annotation.client import Argilla
from annotation.dataset import ready_dataset
from annotation.gold import Gold, read_gold
from annotation.items import Item, ItemError, Ledger
from annotation.mixing import Mixing, gold_item, gold_key, item_of, mixed
from annotation.page.settings import VERSION_KEY
from annotation.plans import Plans, held
from annotation.queue import ordered
from annotation.reasons import reasoned
from annotation.sending import Fields, records_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """Where items go."""

    workspace: str
    dataset: str


@dataclass(frozen=True)
class Page:
    """What the doctors' page is made of: `annotation.page`'s settings and the function that fills a record."""

    settings: dict[str, Any]
    fields_of: Fields

    @property
    def version(self) -> str:
        return str(self.settings["dataset"]["metadata"][VERSION_KEY])


@dataclass(frozen=True)
class Wanted:
    """What the dataset is to hold. `gather` reads the sources; it is called only when something is missing."""

    gather: Callable[[], Found]
    count: int | None = None
    mixing: Mixing = field(default_factory=Mixing)
    gold: Path | None = None
    scores: dict[str, float] = field(default_factory=dict)


@dataclass
class Summary:
    """What a push did. `reasons` counts new comparisons by what brought them, `taken` what was cleaned away."""

    comparisons: int = 0
    gold: int = 0
    duplicates: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    subjects: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    planned: int = 0
    there_before: int = 0
    sent: int = 0

    def note(self, items: Iterable[Item]) -> None:
        for item in items:
            self.gold += item.kind == "gold"
            self.duplicates += item.kind == "duplicate"
            if item.kind == "comparison":
                self.comparisons += 1
                self.reasons[item.reasons[0]] += 1
                self.subjects[item.question.subject or "none"] += 1


def push(argilla: Argilla, target: Target, wanted: Wanted, folder: Path, page: Page) -> Summary:
    """Bring the dataset to what is wanted. Raises ArgillaError, ItemError, LeakError, and what the sources raise."""
    with held(folder):
        dataset = ready_dataset(argilla, target.workspace, target.dataset, page.settings)
        ledger, plans = Ledger(folder), Plans(folder)
        summary, new = choose(ledger, plans, target, wanted)
        ledger.add(new)
        if new:
            seed, names = wanted.mixing.seed, [item.id for item in new]
            plans.add(target.workspace, target.dataset, names, guideline_version=page.version, seed=seed)
        planned = _planned(ledger, plans, target)
        summary.planned = len(planned)
        records = records_of(planned, page.fields_of, skip=_there(argilla, dataset["id"]))
        summary.there_before = len(planned) - len(records)
        for count in argilla.upsert(dataset["id"], records):
            summary.sent += count
            log.info("sent %d of %d records", summary.sent, len(records))
        return summary


def choose(ledger: Ledger, plans: Plans, target: Target, wanted: Wanted) -> tuple[Summary, list[Item]]:
    """The items still missing in the dataset, in the order to send them; nothing is written."""
    held_already = [_known(ledger, name) for name, _ in plans.items(target.workspace, target.dataset)]
    comparisons = sum(item.kind == "comparison" for item in held_already)
    missing = None if wanted.count is None else wanted.count - comparisons
    summary = Summary()
    if missing is not None and missing <= 0:
        return summary, []
    found = wanted.gather()
    cleaner = Cleaner({shown.model for candidate in found.candidates for shown in candidate.shown})
    golds = read_gold(wanted.gold, cleaner) if wanted.gold else []
    summary.refused += found.refused
    mains = list(_mains(found.candidates, held_already, cleaner, ledger.key, wanted, missing, summary.refused))
    chosen = _golds(golds, held_already, ledger.key, wanted.mixing, len(mains))
    new = mixed(mains, chosen, wanted.mixing, key=ledger.key, earlier=held_already)
    summary.taken += cleaner.taken
    summary.note(new)
    return summary, new


def _mains(
    candidates: Sequence[Candidate],
    there: Sequence[Item],
    cleaner: Cleaner,
    key: bytes,
    wanted: Wanted,
    missing: int | None,
    refused: Counter[str],
) -> Iterator[Item]:
    """Up to `missing` comparisons that the dataset does not hold, best first; each is cleaned when its turn comes."""
    origins = {(item.origin, item.pair_id, item.comparison_id) for item in there if item.pair_id or item.comparison_id}
    known = {item_key(key, item) for item in there}
    fresh = [one for one in candidates if (one.origin, one.pair_id, one.comparison_id) not in origins]
    count = 0
    for pick in ordered([reasoned(one, wanted.scores) for one in fresh], seed=wanted.mixing.seed):
        if count == missing:
            return
        clean = cleaner.clean(pick.candidate)
        if isinstance(clean, str):
            refused[clean] += 1
            continue
        name = clean.key(key)
        if name in known:
            refused["repeated"] += 1
            continue
        known.add(name)
        count += 1
        yield item_of(clean, pick.reasons, key, wanted.mixing.seed)


def _golds(golds: Sequence[Gold], there: Sequence[Item], key: bytes, mixing: Mixing, mains: int) -> list[Item]:
    """The next gold items of the file that the dataset does not hold, as many as the rate asks for."""
    known = {item_key(key, item) for item in there if item.kind == "gold"}
    left = [gold for gold in golds if gold_key(key, gold) not in known]
    count = mixing.missing("gold", mains, there)
    return [gold_item(gold, key, mixing.seed) for gold in sorted(left, key=lambda one: gold_key(key, one))[:count]]


def _planned(ledger: Ledger, plans: Plans, target: Target) -> list[tuple[Item, str]]:
    return [(_known(ledger, name), batch) for name, batch in plans.items(target.workspace, target.dataset)]


def _known(ledger: Ledger, name: str) -> Item:
    try:
        return ledger.items[name]
    except KeyError:
        raise ItemError(
            f"{ledger.folder}: item {name} is planned but not in the ledger; restore items.jsonl from a backup"
        ) from None


def _there(argilla: Argilla, dataset_id: str) -> set[str]:
    """External ids of the dataset's records; the server is asked, for it may have been restored from a backup."""
    if not argilla.progress(dataset_id)["total"]:
        return set()
    return {str(row["external_id"]) for row in argilla.records(dataset_id)}
