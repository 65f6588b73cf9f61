"""Which option an answer chooses, and how that was read.

    reading = read_option("بنابراین، پاسخ صحیح گزینه [ب] است.", question.options, question=question.text)
    reading.choice, reading.reason, reading.quote

An answer is read sentence by sentence (`option_claims`; `option_cues` holds the words looked for). The last sentence
that announces an answer decides, then the last that concludes, then what it affirms, opens with, or leaves over. What
an answer only sets aside («گزینهٔ A درست نیست», `option_denials`) it does not choose.

Measured on the published answers (tests/test_options.py): 98.7 to 99.5 % of chains of thought are read as a person read
them, and about half of the rest are slips of that person. Where an answer keeps two options open with «یا», people
often noted the first; here it counts as several.

Not covered: whether the choice is right, and answers in other languages than Persian (a few English cues apart).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gaokerena.option_claims import AFFIRMED, ANNOUNCED, CONCLUDED, Claim, Claims, claims_of
from gaokerena.option_cues import EXCEPT, OTHERS, fold, unshaped
from gaokerena.questions import LETTERS, Letter

Reason = Literal["answer", "conclusion", "affirmed", "opening", "only", "remaining", "text", "several", "none"]
"""`answer`: a sentence announces it. `conclusion`: one concludes on it. `affirmed`: one option is called right (or
wrong, where the question asks for that). `opening`: the first sentence names it. `text`: by the option's words.
`only`: no other letter is left standing. `remaining`: the three others are set aside."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer chooses: `choice`, the `reason` (which kind of cue), the sentence `quote`d for it.

    `mentions` are the distinct letters named anywhere, in order of first mention; with reason `several`, `chosen`
    holds the letters chosen together.
    """

    choice: Letter | None
    reason: Reason
    quote: str = ""
    mentions: tuple[Letter, ...] = ()
    chosen: tuple[Letter, ...] = ()


def read_option(text: str, options: Sequence[str] = (), *, question: str = "") -> Reading:
    """The option (A to D) that `text` chooses, or None with reason `several` or `none`. Pure; about 0.3 ms."""
    text = unshaped(text)
    folded = fold(text)
    asks_false = EXCEPT.search(_stem(fold(question))) is not None
    said = claims_of(folded, _folded(tuple(options)), asks_false)
    named = tuple(said.named)
    found = _settled(said, _decide(said, folded, asks_false))
    if not found:
        return Reading(None, "none", "", named)
    reason, claim = found
    start = claim.start
    while start and text[start - 1] in "*_`":  # marks that the folded text shows as blanks
        start -= 1
    quote = text[start : claim.end].strip()
    if not claim.letters:
        return Reading(None, "none", quote, named)
    if len(claim.letters) > 1:
        return Reading(None, "several", quote, named, claim.letters)
    return Reading(claim.letters[0], reason, quote, named, claim.letters)


def _stem(question: str) -> str:
    """What the question asks: its last sentence, without the case told before."""
    return re.split(r"[.؟?!:]\s", question.strip(" \n.؟?:!…"))[-1][-120:]


@lru_cache(maxsize=4096)
def _folded(options: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(fold(unshaped(option)) for option in options)


def _decide(said: Claims, folded: str, asks_false: bool) -> tuple[Reason, Claim] | None:
    """The claim that counts, by what it rests on."""
    if claim := _last(c for c in said.claims if c.force == ANNOUNCED and not c.by_text):
        return "answer", claim
    if claim := _last(c for c in said.claims if c.force == CONCLUDED and not c.by_text):
        return "conclusion", claim
    opening = _opening(said, asks_false)
    if opening and not opening.by_text and len(said.items) == 1:
        return "opening", opening
    affirmed = _last(c for c in said.claims if c.force == AFFIRMED)
    by_text = _last(c for c in said.claims if c.force >= CONCLUDED)
    if by_text and not (affirmed and affirmed.start > by_text.start and by_text.force == CONCLUDED):
        return "text", by_text
    if affirmed:
        return "affirmed", affirmed
    if opening and (said.items[:2] != ["A", "B"] or OTHERS.search(folded)):
        return "text" if opening.by_text else "opening", opening
    pool = said.rejected if asks_false else said.affirmed
    if len(pool) == 1:
        return "affirmed", next(iter(pool.values()))
    if claim := _last(c for c in said.claims if not said.refused.issuperset(c.letters)):
        return "only", claim
    if len(said.named) == 3 and said.refused.union(said.rejected).issuperset(said.named):
        left = next(letter for letter in LETTERS if letter not in said.named)
        return "remaining", Claim(0, (left,), 0, 0)
    if len(said.named) == 1 and not said.rejected and not said.refused:
        return "only", Claim(0, (said.named[0],), 0, 0)
    return None


def _settled(said: Claims, found: tuple[Reason, Claim] | None) -> tuple[Reason, Claim] | None:
    """What was found, or where that holds several letters, a later claim that settles on one of them."""
    if not found or len(found[1].letters) < 2:
        return found
    letters, start = found[1].letters, found[1].start
    later = _last(
        claim
        for claim in said.claims
        if claim.start > start and claim.force and len(claim.letters) == 1 and claim.letters[0] in letters
    )
    return found if not later or later.by_text else ("conclusion" if later.force == CONCLUDED else "affirmed", later)


def _opening(said: Claims, asks_false: bool) -> Claim | None:
    """What the first sentence names, unless it is set aside, or judged against and another letter is claimed."""
    denied = said.affirmed if asks_false else said.rejected
    for opening in said.opening[:1]:
        if said.refused.issuperset(opening.letters):
            return None
        if opening.letters[0] not in denied or not any(claim.letters for claim in said.claims):
            return opening
    return None


def _last(claims: Iterable[Claim]) -> Claim | None:
    return max(claims, key=lambda claim: claim.start, default=None)
