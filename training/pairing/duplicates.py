"""Pairs that say the same thing twice, or its opposite, settled into one; and questions that are one question.

    rows = alone(rows, drop)               # better sources first; drop(row, reason) hears of those that went
    groups = question_groups(rows)         # one number for all rows of a question and its near duplicates

Two pairs belong together when they put the same two answers to the same question, exactly or nearly, whichever they
prefer and however the prompt is worded. Of those that belong together the best source (`ORDER`) speaks, alone: its
pairs vote (`settling`), each with its weight. The side with more weight keeps its first pair, whose weight becomes how
far they agreed, (for - against) / (for + against), times their mean weight. A tie drops them all. So the order of
files decides nothing but whose wording stays.

The pair that stays names every vote in its provenance, and the verdicts, judges and guidelines of all of them, of those
that disagreed too: its weight is made of them.

Not covered: the same question, or the same answer, in other words; the margin is the first pair's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gaokerena.persian import normalize_for_key
from training.pair_rows import PairRow
from training.pairing.built import ORDER
from training.pairing.near import groups, jaccard, near, near_sets, shingles
from training.pairing.questions import question_of
from training.pairing.settling import settle

SAME_PAIR, SAME_QUESTION = 0.8, 0.7
"""The share of shingles that makes two pairs, or two questions, near duplicates."""
_ROUGHLY = 0.7
"""The same of a pair's three texts together, where a look at each is worth it."""
_IN_QUESTION, _IN_ANSWER = 3, 5
"""Words of a shingle."""

TIE, TIE_ABOVE = "contradicted as often as confirmed", "a better source contradicts itself"
CONTRADICTS, CONTRADICTS_ABOVE = "contradicts the majority", "contradicts a better source"

Drop = Callable[[PairRow, str], None]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A row, by the two answers it compares; rows of one `texts` compare the same two, word for word."""

    row: PairRow
    texts: int
    turned: bool
    """Whether it prefers the other answer than the first row of its `texts`."""


Member = tuple[_Placed, bool]
"""A row of a group, and whether it prefers the other side than the group's first."""
Links = dict[int, list[tuple[int, bool]]]
"""For each `texts` those nearly the same, and whether with sides exchanged."""
Shingles = tuple[frozenset[bytes], frozenset[bytes], frozenset[bytes]]
"""Of question, chosen and rejected."""


def alone(rows: Sequence[PairRow], drop: Drop) -> list[PairRow]:
    """The rows, better sources first, of which no two belong together."""
    left = _placed(sorted(rows, key=lambda row: ORDER.index(row.source)))
    links = _links(left)
    while True:
        kept = [one for group in _groups(left, links) if (one := _settled(group, drop))]
        if len(kept) == len(left):
            return [one.row for one in kept]
        left = kept  # what stays of a group may be near to what its first was not near to


def _placed(rows: Sequence[PairRow]) -> list[_Placed]:
    first: dict[tuple[str, frozenset[str]], tuple[int, str]] = {}
    found = []
    for row in rows:
        better, worse = normalize_for_key(row.better), normalize_for_key(row.worse)
        if better == worse:  # apart in a mark or a letter's case alone: by it two pairs may be opposites
            better, worse = row.better, row.worse
        key = normalize_for_key(_whole(row)), frozenset((better, worse))
        texts, preferred = first.setdefault(key, (len(first), better))
        found.append(_Placed(row, texts, better != preferred))
    return found


def _whole(row: PairRow) -> str:
    """The question with its options, however it is asked."""
    question = question_of(row)
    return " ".join((question.text, *question.options))


def _links(rows: Sequence[_Placed]) -> Links:
    first: dict[int, PairRow] = {}
    for placed in rows:
        first.setdefault(placed.texts, placed.row)  # numbered as they come, so a place below is a `texts`
    sets = [_shingles(row) for row in first.values()]
    found: Links = {}
    for one, other in near_sets([question | better | worse for question, better, worse in sets], least=_ROUGHLY):
        turned = _turned(sets[one], sets[other])
        if turned is not None:
            found.setdefault(one, []).append((other, turned))
            found.setdefault(other, []).append((one, turned))
    return found


def _shingles(row: PairRow) -> Shingles:
    return shingles(_whole(row), _IN_QUESTION), shingles(row.better, _IN_ANSWER), shingles(row.worse, _IN_ANSWER)


def _turned(one: Shingles, other: Shingles) -> bool | None:
    """Whether two pairs are nearly the same with sides exchanged (True) or as they stand (False); None for neither."""
    if jaccard(one[0], other[0]) < SAME_PAIR:
        return None
    ways = {
        turned: [jaccard(one[1], other[2 if turned else 1]), jaccard(one[2], other[1 if turned else 2])]
        for turned in (False, True)
    }
    alike = {turned: sum(both) for turned, both in ways.items() if min(both) >= SAME_PAIR}
    return max(alike, key=lambda turned: alike[turned]) if alike else None


def _groups(rows: Sequence[_Placed], links: Links) -> list[list[Member]]:
    """The rows that belong to a group's first; a row near to another member alone is a first itself."""
    led: dict[int, tuple[int, bool]] = {}
    found: list[list[Member]] = []
    for one in rows:
        near_to = [
            (led[other][0], led[other][1] != turned) for other, turned in links.get(one.texts, ()) if other in led
        ]
        group, preferred = led.get(one.texts) or min(near_to, default=(len(found), one.turned))
        if group == len(found):
            led[one.texts] = (group, one.turned)
            found.append([])
        found[group].append((one, one.turned != preferred))
    return found


def _settled(group: Sequence[Member], drop: Drop) -> _Placed | None:
    """The one row that stays, weighed by the votes of its source; the others are dropped by reason."""
    source = group[0][0].row.source
    speaking = [(one.row, turned) for one, turned in group if one.row.source == source]  # better sources come first
    found = settle(speaking)
    if found is None:
        for one, _ in group:
            drop(one.row, TIE if one.row.source == source else TIE_ABOVE)
        return None
    kept, winner = group[found[0]]  # those who speak are the group's first
    for one, turned in group:
        if one is not kept:
            drop(one.row, _reason(one, kept, turned != winner))
    return _Placed(found[1], kept.texts, kept.turned)


def _reason(one: _Placed, kept: _Placed, against: bool) -> str:
    if against:
        return CONTRADICTS if one.row.source == kept.row.source else CONTRADICTS_ABOVE
    return "duplicate" if one.texts == kept.texts else "near duplicate"


def question_groups(rows: Sequence[PairRow]) -> list[int]:
    """The group of each row: rows of one question, and of questions near to it, share one."""
    texts = [normalize_for_key(question_of(row).text) for row in rows]
    first: dict[str, int] = {}
    same = [(first.setdefault(text, place), place) for place, text in enumerate(texts)]
    return groups(len(rows), [*same, *near(list(map(_whole, rows)), size=_IN_QUESTION, least=SAME_QUESTION)])
