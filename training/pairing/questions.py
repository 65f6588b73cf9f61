"""The question a pair is about, read back from its prompt.

    question_of(row).text, question_of(row).options, question_of(row).gold

Prompts of ours (`gaokerena.prompts`) are taken apart; another wording counts as the question as a whole. The gold
letter is the one in the row's provenance, where it has one.
"""

from __future__ import annotations

from typing import cast

from gaokerena.prompts import asked
from gaokerena.questions import LETTERS, Letter, Question
from training.pair_rows import PairRow


def question_of(row: PairRow) -> Question:
    """Text, options and gold letter; earlier turns of a conversation belong to the text."""
    text, options = asked(row.asked)
    earlier = [turn.content for turn in row.prompt[:-1] if turn.role != "system"]
    gold = row.provenance.get("gold")
    whole = "\n".join([*earlier, text]).strip() or row.asked.strip() or "-"
    if len(options) != len(LETTERS) or not all(option.strip() for option in options):
        return Question(text=whole)
    return Question(text=whole, options=options, gold=cast(Letter, gold) if gold in LETTERS else None)
