"""Pairs of one source that put the same answers to one question, as votes: which of them speaks, and how firmly.

    found = settle([(row, False), (other, True)])       # True: it prefers the other side than the first
    place, row = found                                  # None at a tie

The weight that comes out is how far they agree, (for - against) / (for + against), times the mean weight of all votes.
`provenance["merged"]` keeps each vote; a row that was merged before is its votes again, each counted once.

Not covered: which pairs belong together (`duplicates`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from training.pair_rows import PairRow

MERGED = "merged"
LISTED = ("verdict_ids", "judges", "guidelines")
"""Lists in the provenance of doctors' pairs that lead back to labels: a merged row has those of all its votes."""
_NAMED = ("item_id", "comparison_id")

Vote = dict[str, Any]
"""`id`, `weight`, `agrees`, and where the row has them `item_id` and `comparison_id`."""


def settle(rows: Sequence[tuple[PairRow, bool]]) -> tuple[int, PairRow] | None:
    """(place of the first row of the heavier side, that row weighed anew); None where both weigh the same."""
    if len(rows) == 1:
        return 0, rows[0][0]
    votes: dict[str, Vote] = {}
    for vote in (vote for row, turned in rows for vote in _votes(row, turned)):
        votes.setdefault(vote["id"], vote)
    yes, no = (_sum(votes.values(), side) for side in (True, False))
    if math.isclose(yes, no, rel_tol=1e-9):
        return None
    lost = no > yes
    place = next(place for place, (_, turned) in enumerate(rows) if turned == lost)
    told = [vote | {"agrees": vote["agrees"] != lost} for vote in votes.values()]
    provenance = rows[place][0].provenance | _lists([row for row, _ in rows]) | {MERGED: told}
    return place, rows[place][0].model_copy(update={"weight": _weight(told), "provenance": provenance})


def _votes(row: PairRow, turned: bool) -> list[Vote]:
    """The votes behind a row, as seen from the first row's side; a weight a mix gave it since is on all of them."""
    earlier: list[Vote] = row.provenance.get(MERGED, [])
    if not earlier:
        named = {name: row.provenance[name] for name in _NAMED if row.provenance.get(name)}
        return [{"id": row.id, "weight": row.weight, "agrees": not turned} | named]
    since = row.weight / _weight(earlier)
    return [vote | {"weight": vote["weight"] * since, "agrees": vote["agrees"] != turned} for vote in earlier]


def _weight(votes: Sequence[Mapping[str, Any]]) -> float:
    """What a row with these votes weighs; where all agree and weigh alike, exactly what each weighs."""
    yes, no = (_sum(votes, side) for side in (True, False))
    each: list[float] = [vote["weight"] for vote in votes]
    return (yes - no) / (yes + no) * min(max(fmean(each), min(each)), max(each))


def _sum(votes: Iterable[Mapping[str, Any]], agrees: bool) -> float:
    return math.fsum(vote["weight"] for vote in votes if vote["agrees"] == agrees)


def _lists(rows: Sequence[PairRow]) -> dict[str, list[Any]]:
    """Everything the rows list of verdicts, judges and guidelines, once each."""
    found = {name: [one for row in rows for one in row.provenance.get(name, [])] for name in LISTED}
    return {name: list(dict.fromkeys(listed)) for name, listed in found.items() if listed}
