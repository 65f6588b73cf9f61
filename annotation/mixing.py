"""From picks to the items doctors see: seats drawn, gold items and swapped duplicates mixed in where nobody can tell.

    items = mixed(mains, golds, Mixing(seed=1), key=ledger.key, earlier=sent)

A seat follows from the seed and what is compared, so the same push draws the same seats. Gold items are spread evenly,
one at a random place in each stretch. A duplicate repeats an earlier comparison, of this push or one before, with its
sides exchanged, so no answer is ever on the same side twice, and comes at least `distance` places later in the order
sent. The rates hold for the dataset as a whole: what small pushes could not repeat yet, later ones do.

Not covered: the order in which Argilla gives records to one doctor. A server that shuffles per doctor may bring twins
closer together.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from annotation.candidates import Candidate, unordered
from annotation.gold import Gold
from annotation.items import Item, Kind, Shown, identify, swapped
from annotation.judged import mirror
from gaokerena.comparisons import Side, seat


@dataclass(frozen=True)
class Mixing:
    """How many there are for each comparison: 0.05 adds one gold item and one duplicate to every twenty."""

    seed: int = 1
    gold: float = 0.05
    duplicates: float = 0.05
    distance: int = 20

    def missing(self, kind: Kind, new: int, earlier: Sequence[Item]) -> int:
        """How many of `kind` are wanted beside `new` comparisons, where `earlier` items are there."""
        rate = self.gold if kind == "gold" else self.duplicates
        comparisons = new + sum(item.kind == "comparison" for item in earlier)
        wanted = int(rate * comparisons + 0.5) if new else 0
        return max(0, wanted - sum(item.kind == kind for item in earlier))


def item_of(candidate: Candidate, reasons: Sequence[str], key: bytes, seed: int) -> Item:
    """The candidate with its seats drawn."""
    sides, _ = _seated(candidate.key(key), candidate.first, candidate.second, seed)
    return Item(
        id=identify(key, candidate.origin, candidate.question, sides["left"], sides["right"]),
        origin=candidate.origin,
        question=candidate.question,
        sides=sides,
        seed=seed,
        reasons=tuple(reasons),
        comparison_id=candidate.comparison_id,
        pair_id=candidate.pair_id,
        red_flags=candidate.red_flags,
    )


def gold_key(key: bytes, gold: Gold) -> str:
    """What a gold item compares, whoever sits where (`candidates.item_key` of the item made of it)."""
    first, second = sorted((gold.first, gold.second), key=lambda shown: (shown.model, shown.revision, shown.text))
    return unordered(key, "gold", gold.question, first, second)


def gold_item(gold: Gold, key: bytes, seed: int) -> Item:
    """The gold comparison with its seats drawn, and its grade turned with them."""
    sides, exchanged = _seated(gold_key(key, gold), gold.first, gold.second, seed)
    return Item(
        id=identify(key, "gold", gold.question, sides["left"], sides["right"]),
        kind="gold",
        origin="gold",
        question=gold.question,
        sides=sides,
        seed=seed,
        reasons=("gold",),
        gold=mirror(gold.grade) if exchanged else gold.grade,
    )


def mixed(
    mains: Sequence[Item], golds: Sequence[Item], mixing: Mixing, *, key: bytes, earlier: Sequence[Item] = ()
) -> list[Item]:
    """`mains` in order, gold items among them, duplicates behind their twins; `earlier` is what was sent before."""
    rng = random.Random(f"{mixing.seed}:{':'.join(item.id for item in mains)}")
    placed = [(float(place), item) for place, item in enumerate(mains)]
    stretch = len(mains) / max(1, len(golds))
    placed += [((number + rng.random()) * stretch - 0.5, item) for number, item in enumerate(golds)]
    repeatable = _repeatable(mains, earlier, len(mains) - mixing.distance)
    wanted = min(len(repeatable), mixing.missing("duplicate", len(mains), earlier))
    for place, item in rng.sample(repeatable, wanted):
        slot = rng.uniform(max(0, place + mixing.distance) - 0.5, len(mains) - 0.5)
        placed.append((slot, swapped(item, key)))
    return [item for _, item in sorted(placed, key=lambda pair: pair[0])]


def _repeatable(mains: Sequence[Item], earlier: Sequence[Item], last: int) -> list[tuple[int, Item]]:
    """(place, comparison) of those without a twin up to place `last`; what was sent before has places below 0."""
    twins = {item.twin for item in earlier if item.twin}
    return [
        (place, item)
        for place, item in enumerate((*earlier, *mains), -len(earlier))
        if place <= last and item.kind == "comparison" and item.id not in twins
    ]


def _seated(name: str, first: Shown, second: Shown, seed: int) -> tuple[dict[Side, Shown], bool]:
    """The seats, and whether `first` went to the right."""
    exchanged = seat(("first", "second"), seed, name)[0] == "second"
    left, right = (second, first) if exchanged else (first, second)
    return {"left": left, "right": right}, exchanged
