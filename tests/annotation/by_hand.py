"""What an export must hold, worked out a second time: Bayes' rule and the rules of pairs as plain loops, no arrays."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import pytest

from annotation.items import Item
from annotation.judged import OUTCOMES, mirror, outcome
from gaokerena.expert_verdicts import MARGIN, Grade

Said = Mapping[tuple[str, str], Grade]
"""By judge and item."""
NEITHER = 2


@dataclass(frozen=True)
class Pair:
    """One pair: the side chosen, the posterior that it is better, the mean strength of those who chose it."""

    chosen: str
    weight: float
    margin: float


def posteriors(said: Said) -> dict[str, list[float]]:
    """The fixed point of Dawid and Skene; a doctor has given four verdicts on each class beforehand, three right."""
    judges = sorted({judge for judge, _ in said})
    by_item: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (judge, item), grade in said.items():
        by_item[item][judge] = OUTCOMES.index(outcome(grade))
    found = {item: [list(votes.values()).count(k) / len(votes) for k in range(3)] for item, votes in by_item.items()}
    for _ in range(2_000):
        former, found = found, _round(by_item, judges, found)
        if max(abs(a - b) for item in found for a, b in zip(former[item], found[item], strict=True)) < 1e-11:
            break
    return found


def _round(
    by_item: Mapping[str, Mapping[str, int]], judges: Iterable[str], posterior: Mapping[str, list[float]]
) -> dict[str, list[float]]:
    often = [sum(row[k] for row in posterior.values()) + 4 / 3 for k in range(3)]
    often[0] = often[1] = (often[0] + often[1]) / 2
    prior = [value / sum(often) for value in often]
    rates = {judge: [[3.0 if true == k else 0.5 for k in range(3)] for true in range(3)] for judge in judges}
    for item, votes in by_item.items():
        for judge, vote in votes.items():
            for true in range(3):
                rates[judge][true][vote] += posterior[item][true]
    made = {}
    for item, votes in by_item.items():
        joint = [
            prior[k] * math.prod(rates[judge][k][vote] / sum(rates[judge][k]) for judge, vote in votes.items())
            for k in range(3)
        ]
        made[item] = [value / sum(joint) for value in joint]
    return made


def pairs(items: Mapping[str, Item], said: Said, failed: Collection[str] = (), least: float = 0.7) -> dict[str, Pair]:
    """The pairs of an export with the rules as they are, of sure verdicts without personal data."""
    twins = {item.twin: item.id for item in items.values() if item.twin}
    usable = {
        (judge, name): grade
        for (judge, name), grade in said.items()
        if items[name].kind == "comparison" and judge not in failed and not _torn(said, judge, name, twins.get(name))
    }
    made = {}
    for name, shares in posteriors(usable).items():
        best = shares.index(max(shares))
        if best == NEITHER or shares[best] < least:
            continue
        strengths = [abs(MARGIN[grade]) for (_, item), grade in usable.items() if item == name
                     and outcome(grade) == OUTCOMES[best]]  # fmt: skip
        if strengths and len({shown.text.strip() for shown in items[name].sides.values()}) == 2:
            made[name] = Pair(OUTCOMES[best], shares[best], fmean(strengths))
    return made


def _torn(said: Said, judge: str, name: str, twin: str | None) -> bool:
    """Whether the judge said otherwise of the same answers with their sides exchanged."""
    again = said.get((judge, twin)) if twin else None
    return again is not None and outcome(again) != outcome(mirror(said[judge, name]))


def assert_pairs(rows: Mapping[str, Mapping[str, Any]], items: Mapping[str, Item], wanted: Mapping[str, Pair]) -> None:
    """The same items, sides, margins and weights; `rows` are an export's, by item."""
    assert set(rows) == set(wanted)
    for name, pair in wanted.items():
        chosen, rejected = rows[name]["chosen"][0]["content"], rows[name]["rejected"][0]["content"]
        other = "right" if pair.chosen == "left" else "left"
        texts = {side: shown.text for side, shown in items[name].sides.items()}
        assert (chosen, rejected) == (texts[pair.chosen], texts[other])  # type: ignore[index]
        assert rows[name]["margin"] == pytest.approx(pair.margin, abs=1e-5)
        assert rows[name]["weight"] == pytest.approx(pair.weight, abs=1e-5)
