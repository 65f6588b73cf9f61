"""The kinds of prompt that pairs are asked with: what of a prompt is wording and not the question.

    kinds = prompt_kinds(rows)             # one name a row: "cot", "straight", "cot, system turn «…»", …
    groups = grouped(kinds, weights)       # {"cot": places, "straight": places}

Prompts of ours are told by `gaokerena.prompts`: with its request for a chain of thought, or straight. Of any other,
what many questions begin or end with is wording, and so is a system turn. The mere question counts as straight.

Not covered: wording in the middle of a question, wording that few pairs share, earlier turns of a conversation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gaokerena.prompts import COT_CHOICE, COT_FREE, STRAIGHT_CHOICE, VERSION, asked
from training.pair_rows import PairRow
from training.pairing.weighing import LEAST

MOST = 8
"""Kinds kept apart, the largest ones."""
OTHER = "other prompts"
_UNIT = re.compile(r"\n+|(?<=[.!?؟:])\s+")
_SHOWN = 40

Groups = dict[str, NDArray[np.intp]]


def prompt_kinds(rows: Sequence[PairRow]) -> list[str]:
    """The kind of each row's prompt."""
    edges = [_edges(row) for row in rows]
    systems = [_system(row) for row in rows]
    often = Counter(part for one in edges for part in one.items())
    shared = Counter(systems)
    found = []
    for row, edge, system in zip(rows, edges, systems, strict=True):
        wording = [f"{where} «{_short(text)}»" for where, text in edge.items() if often[where, text] >= LEAST]
        name = " and ".join(wording) or ("cot" if row.asked.endswith((COT_CHOICE, COT_FREE)) else "straight")
        if system:
            name += f", system turn «{_short(system)}»" if shared[system] >= LEAST else ", system turn"
        found.append(name)
    return found


def grouped(kinds: Sequence[str], weights: NDArray[np.float64]) -> Groups:
    """Places of the rows of each kind, the largest first; kinds that weigh too little to say anything are one."""
    names, place = np.unique(np.array(kinds, dtype=object), return_inverse=True)
    sizes = np.bincount(place, weights)
    large = [number for number in np.argsort(-sizes, kind="stable")[:MOST] if sizes[number] >= LEAST]
    groups = {str(names[number]): np.flatnonzero(place == number) for number in large}
    rest = np.flatnonzero(~np.isin(place, large))
    return groups | ({OTHER: rest} if len(rest) else {})


def _edges(row: PairRow) -> dict[str, str]:
    """What the user's turn begins and ends with; nothing for a prompt of ours, which is no riddle."""
    if row.asked.endswith((COT_CHOICE, COT_FREE, STRAIGHT_CHOICE)) or row.provenance.get("prompts") == VERSION:
        return {}
    text, options = asked(row.asked)
    units = [unit for unit in map(str.strip, _UNIT.split(text)) if unit]
    if len(units) < 2:
        return {}
    return {"begins": units[0]} if options else {"begins": units[0], "ends": units[-1]}


def _system(row: PairRow) -> str:
    return "\n".join(turn.content for turn in row.prompt if turn.role == "system")


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN else f"{flat[:_SHOWN]}…"
