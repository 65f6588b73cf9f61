"""Doctors' pairs under the prompt that the new adapter will be asked with.

    rows = as_asked(read_pairs(path), "cot")

`annotation export` gives each pair the prompt of its chosen side: straight where V's answer was preferred, with a chain
of thought where R's was. Of a pair V against R the prompt then tells the winner: the side whose form fits it. A policy
learns that fit (100 % of held-out pairs after twenty steps, docs/circle.md) and little of what the doctors meant. So
every prompt of ours becomes the one the continued model is asked with; the provenance keeps how it was before.

Not covered: prompts of another wording, which stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from gaokerena.prompts import VERSION, asked, user_text
from gaokerena.questions import Prompting, Question
from training.pair_rows import PairRow, Turn


def as_asked(rows: Sequence[PairRow], prompting: Prompting) -> list[PairRow]:
    """The rows, their last turn asked with `prompting`."""
    return [_row(row, prompting) for row in rows]


def _row(row: PairRow, prompting: Prompting) -> PairRow:
    if row.provenance.get("prompts") != VERSION:
        return row
    text, options = asked(row.asked)
    wanted = user_text(Question(text=text, options=options), prompting)
    if wanted == row.asked:
        return row
    turns = (*row.prompt[:-1], Turn(role="user", content=wanted))
    return row.model_copy(update={"prompt": turns, "provenance": row.provenance | {"asked_anew": prompting}})
