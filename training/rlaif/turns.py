"""Did the teaching teach? How often method B's students reach the key, turn by turn, and how often elimination would.

    by_turn(ends)      # [{"turn": 1, "answered": 20, "right": 9, "by_elimination": 6.7}, …]

A student that has learnt nothing but which options are wrong (its own answers that were criticised, those a critique
named) and guesses among the n - k others is right with 1 / (n - k). The sum of that over the answers given in a turn
is what elimination alone would reach there, of the very conversations that were held.

Not covered: conversations that no model could take in, or that are not at their end yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from training.pair_rows import PairRow
from training.rlaif.outcome import DroppedError

OPEN, RIGHT = "open", "right answer"
"""The key under which an end holds the options still open at each answer; how the reason of a right one begins."""


def by_turn(ends: Sequence[object]) -> list[dict[str, Any]]:
    """One row a turn, until the last that anybody answered; see the module's docstring."""
    told = list(_told(ends))
    rows: list[dict[str, Any]] = []
    for place in range(max((len(left) for left, _ in told), default=0)):
        answered = [(left[place], right and place == len(left) - 1) for left, right in told if place < len(left)]
        rows.append(
            {
                "turn": place + 1,
                "answered": len(answered),
                "right": sum(right for _, right in answered),
                "by_elimination": round(sum(1 / left for left, _ in answered), 2),
            }
        )
    return rows


def _told(ends: Sequence[object]) -> Iterator[tuple[list[int], bool]]:
    """Of each conversation the options open at each answer, and whether the last of them was right."""
    for end in ends:
        if isinstance(end, PairRow) and OPEN in end.provenance:
            yield end.provenance[OPEN], True
        elif isinstance(end, DroppedError) and OPEN in end.told:
            yield end.told[OPEN], end.reason.startswith(RIGHT)


def text(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A line a turn, for people."""
    return [
        f"  turn {row['turn']}: {row['right']:,} of {row['answered']:,} answers reach the key; avoiding what is "
        f"refuted and guessing would reach {row['by_elimination']:,.1f}"
        for row in rows
    ]
