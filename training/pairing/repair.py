"""One pair repaired, or the reason why it must not be trained on.

    row = cased(row, casing)                  # Latin letter case by one convention, both sides alike
    reason = fault(row, references)           # None when the pair is sound
    row, reason = one_hand(row)               # both sides in the chosen text's hand, apart in their conclusion

`one_hand`: a teacher's and a student's answer differ in every habit of wording, and a few words tell them apart on
over 99 % of pairs however they are cleaned (docs/pairs.md). So the rejected side becomes the teacher's own reasoning
with the student's wrong conclusion. What is left to prefer is the conclusion that follows; no surface cue is left, and
the student's wrong reasoning is lost.

Not covered: whether a chain of thought is right.
"""

from __future__ import annotations

import re
from functools import lru_cache

from gaokerena.options import Reading, read_option
from gaokerena.questions import Letter, Question
from training.casing import Casing
from training.decontaminate import Reference, forms
from training.documents import defect
from training.pair_rows import PairRow, Turn
from training.pairing.questions import question_of

TAUGHT = ("teacher_correction", "self_correction")
"""Sources whose chosen side was made with the key at hand, out of a wrong answer that is the rejected side."""
CASE, ONE_HAND = "letter case", "one hand"
"""Repairs as a row's provenance names them."""
_TEACHER = re.compile(r"دانشجو|تصحیح|اصلاح‌? ?شده|پاسخ اولیه|زنجیره افکار (?:ارائه|داده) ?‌?شده")
_HEADING_LEFT = re.compile(r"(?:\n\s*(?:#{1,6}[^\n]*|\**[^\n.؟!]{0,50}:\**)|[\s*#_-])+\Z")
_LATE = 0.5
"""The share of a text that may follow its conclusion; more than that was reasoning."""


def _with(row: PairRow, chosen: str, rejected: str, repair: str) -> PairRow:
    """The row with other texts, the repair named in its provenance. Raises ValueError where that leaves no pair."""
    done = [*row.provenance.get("repairs", []), repair]
    return PairRow(
        **row.model_dump(exclude={"chosen", "rejected", "provenance"}),
        chosen=(Turn(role="assistant", content=chosen),),
        rejected=(Turn(role="assistant", content=rejected),),
        provenance=row.provenance | {"repairs": done},
    )


def published(row: PairRow) -> bool:
    """Whether the row is of the published table, whose preferred answers were lower-cased and nobody else's."""
    return row.provenance.get("set") == "published"


def cased(row: PairRow, casing: Casing) -> PairRow | None:
    """The row in the letter case of `casing`, None where the sides become one; a row repaired before as it is."""
    if CASE in row.provenance.get("repairs", ()):
        return row
    chosen, rejected = casing.restore(row.better), casing.restore(row.worse)
    return None if chosen == rejected else _with(row, chosen, rejected, CASE)


def fault(row: PairRow, references: Reference | None) -> str | None:
    """Why a pair must not be trained on; None when it may."""
    question = question_of(row)
    for side, text in (("chosen", row.better), ("rejected", row.worse)):
        if reason := defect(text):
            return f"{side}: {reason}"
    if row.source in TAUGHT and _TEACHER.search(row.better):
        return "chosen: names the student or the correction"
    if question.gold and _choice(row.better, question) != question.gold:
        return "chosen: does not reach the key"
    if question.gold and row.source in TAUGHT and _choice(row.worse, question) == question.gold:
        return "rejected: reaches the key"
    if references and (hit := references.hit(*forms(question), row.better, row.worse)):
        return f"shares_8_gram_with_{hit}"
    return None


@lru_cache(maxsize=8)  # one pair after the other is looked at several times
def _reading(text: str, question: Question) -> Reading:
    return read_option(text, question.options, question=question.text)


def _choice(text: str, question: Question) -> Letter | None:
    return _reading(text, question).choice


def one_hand(row: PairRow) -> tuple[PairRow | None, str | None]:
    """(the row in one hand, None), or (None, why that cannot be done).

    For rows with a key that the chosen side concludes on and the rejected does not (`fault` found none); a row repaired
    before stays.
    """
    if ONE_HAND in row.provenance.get("repairs", ()):
        return row, None
    question = question_of(row)
    reading = _reading(row.better, question)
    wrong = _choice(row.worse, question)
    place = row.better.rfind(reading.quote) if reading.quote else -1
    if not wrong:
        return None, "one hand: the rejected side chooses nothing"
    if place < 0 or not reading.choice:
        return None, "one hand: no concluding sentence to cut"
    after = len(row.better) - place - len(reading.quote)
    if after > _LATE * len(row.better):
        return None, "one hand: reasons after the conclusion"
    body = _HEADING_LEFT.sub("", row.better[:place])
    if defect(body):
        return None, "one hand: no reasoning before the conclusion"
    chosen, rejected = (f"{body}\n\nبنابراین پاسخ درست گزینهٔ [{letter}] است." for letter in (reading.choice, wrong))
    if _choice(chosen, question) != reading.choice or _choice(rejected, question) != wrong:
        return None, "one hand: the new conclusion is not what is read"
    return _with(row, chosen, rejected, ONE_HAND), None
