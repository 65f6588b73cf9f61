"""Pairs under one prompt: a round's under the one that its new adapter will be asked with.

    rows = as_asked(read_pairs(path), "cot")

`annotation export` gives each pair the prompt of its chosen side: straight where V's answer was preferred, with a chain
of thought where R's was. Of a pair V against R the prompt then tells the winner: the side whose form fits it. A policy
learns that fit (100 % of held-out pairs after twenty steps, docs/circle.md) and little of what the doctors meant. So
every prompt of ours becomes the one that is wanted, and the provenance says so. A prompt is of ours when the provenance
names today's wording (`prompts`), or when it ends in it.

Not covered: prompts of another wording, which stay as they are (`ours` tells which).
"""

from __future__ import annotations

from collections.abc import Sequence

from gaokerena.prompts import COT_CHOICE, COT_FREE, STRAIGHT_CHOICE, VERSION, asked, user_text
from gaokerena.questions import Prompting, Question
from training.pair_rows import PairRow, Turn


def as_asked(rows: Sequence[PairRow], prompting: Prompting) -> list[PairRow]:
    """The rows, their last turn asked with `prompting`."""
    return [_row(row, prompting) for row in rows]


def ours(row: PairRow) -> bool:
    """Whether the row is asked in a wording of `gaokerena.prompts`."""
    told = row.provenance.get("prompts")
    version = told.get("question") if isinstance(told, dict) else told
    if "asked_anew" in row.provenance:
        return True
    return version == VERSION or row.asked.endswith(
        tuple(f"\n\n{one}" for one in (COT_CHOICE, COT_FREE, STRAIGHT_CHOICE))
    )


def _row(row: PairRow, prompting: Prompting) -> PairRow:
    if not ours(row):
        return row
    text, options = asked(row.asked)
    wanted = user_text(Question(text=text, options=options), prompting)
    if wanted == row.asked:
        return row
    turns = (*row.prompt[:-1], Turn(role="user", content=wanted))
    return row.model_copy(update={"prompt": turns, "provenance": row.provenance | {"asked_anew": prompting}})
