"""From the judge's calls to figures: who wins how often, and how far the judge can be believed.

    verdicts = [settle(pair, judged.calls) for pair in pairs]
    report = score([verdict for verdict in verdicts if verdict], seed=1)

A pair's verdict is a win only when both orders name the same answer; both orders a tie is a tie; anything else is
inconsistent and counts as a tie too, reported apart (`flipped`: each order another winner; `half`: one order a tie).
Pairs with an unreadable call are left out of the win rate, and bounds say what they could change. The win rate is the
share of wins with ties as half. Intervals are 95 % percentile bootstrap over whole questions, so several runs of one
question are not taken for independent. Where all values are equal a bootstrap has no width: then the interval is
Wilson's over questions, with a tie as half a win and half a loss.

Not covered: more than two models (Bradley-Terry), agreement with human judges.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gaokerena.evaluation.freeform import Pair
from gaokerena.evaluation.freeform_calls import Call, Place
from gaokerena.evaluation.freeform_length import length_effect
from gaokerena.persian import tidy
from gaokerena.statistics import RESAMPLES, Interval, bootstrap_mean, mcnemar_exact, wilson

Winner = Literal["a", "b", "tie"]
Kind = Literal["consistent", "flipped", "half", "unreadable"]
NEAR = 0.1
"""Answers count as equally long when the longer has at most a tenth more characters."""

_POINTS = {"a": 1.0, "tie": 0.5, "b": 0.0}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What both orders together say of a pair. `said` holds the winner of each order (a first, b first)."""

    pair: Pair
    said: tuple[Winner | None, Winner | None]

    @property
    def kind(self) -> Kind:
        one, other = self.said
        if one is None or other is None:
            return "unreadable"
        if one == other:
            return "consistent"
        return "half" if "tie" in self.said else "flipped"

    @property
    def winner(self) -> Winner | None:
        """None when a call was unreadable."""
        if self.kind == "unreadable":
            return None
        return self.said[0] if self.kind == "consistent" else "tie"

    @property
    def points(self) -> float:
        """1 where a wins, 0.5 for a tie, 0 where b wins. Not for unreadable pairs (KeyError)."""
        return _POINTS[str(self.winner)]

    @property
    def first_shown(self) -> list[bool]:
        """For each order that named a winner, whether it was the answer shown first."""
        return [said == first for said, first in zip(self.said, ("a", "b"), strict=True) if said in ("a", "b")]

    @property
    def ratio(self) -> float:
        """log2 of (characters of a / characters of b), both tidied."""
        return math.log2(_length(self.pair.a) / _length(self.pair.b))


def settle(pair: Pair, calls: Mapping[Place, Call]) -> Verdict | None:
    """The verdict of `pair`; None while one of its two calls is missing."""
    one = calls.get((pair.question_id, pair.run, "ab"))
    other = calls.get((pair.question_id, pair.run, "ba"))
    return Verdict(pair, (_winner(one), _winner(other))) if one and other else None


def _winner(call: Call) -> Winner | None:
    if call.label in (None, "tie"):
        return call.label
    return "a" if (call.label == "first") == (call.order == "ab") else "b"


def _length(text: str) -> int:
    return max(1, len(tidy(text)))


def score(verdicts: Sequence[Verdict], *, seed: int, resamples: int = RESAMPLES) -> dict[str, Any]:
    """All figures, shares in per cent with `ci95` (low, high); figures without a pair to rest on are None."""
    read = [verdict for verdict in verdicts if verdict.kind != "unreadable"]
    mean = _Means(seed, resamples)
    return {
        "pairs": _counts(verdicts),
        "win_rate": mean.share(read, lambda verdict: verdict.points),
        "win_rate_bounds": _bounds(read, len(verdicts) - len(read)),
        "sign_test": _sign_test(read),
        "consistency": mean.share(read, lambda verdict: verdict.kind == "consistent"),
        "position": _position(read, mean),
        "length": _length_bias(read, mean),
        "groups": _groups(read, mean),
    }


@dataclass(frozen=True, slots=True)
class _Means:
    """Shares with their intervals, all with one seed."""

    seed: int
    resamples: int

    def share(self, verdicts: Sequence[Verdict], value: Callable[[Verdict], float]) -> dict[str, Any] | None:
        """The mean of a value between 0 and 1 over `verdicts`, in per cent."""
        return self.of([float(value(each)) for each in verdicts], [each.pair.question_id for each in verdicts])

    def of(self, values: Sequence[float], clusters: Sequence[Hashable]) -> dict[str, Any] | None:
        if not values:
            return None
        if len(set(values)) == 1:
            trials = len(set(clusters)) * (2 if values[0] == 0.5 else 1)
            return _percent(wilson(round(values[0] * trials), trials), len(values))
        drawn = bootstrap_mean(values, seed=self.seed, clusters=clusters, resamples=self.resamples)
        return _percent(drawn, len(values))


def _percent(interval: Interval, count: int) -> dict[str, Any]:
    return {
        "estimate": 100 * interval.estimate,
        "ci95": [100 * interval.low, 100 * interval.high],
        "n": count,
    }


def _counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    winners, kinds = [verdict.winner for verdict in verdicts], [verdict.kind for verdict in verdicts]
    consistent = [verdict.winner for verdict in verdicts if verdict.kind == "consistent"]
    return {
        "judged": len(verdicts),
        "questions": len({verdict.pair.question_id for verdict in verdicts}),
        "a_wins": winners.count("a"),
        "b_wins": winners.count("b"),
        "ties": consistent.count("tie"),
        "flipped": kinds.count("flipped"),
        "half": kinds.count("half"),
        "unreadable": kinds.count("unreadable"),
    }


def _bounds(read: Sequence[Verdict], unread: int) -> list[float] | None:
    """The win rate if b, or if a, had won every pair that could not be read."""
    total = len(read) + unread
    points = sum(verdict.points for verdict in read)
    return [100 * points / total, 100 * (points + unread) / total] if total else None


def _sign_test(read: Sequence[Verdict]) -> dict[str, Any]:
    """Exact two-sided test over questions: in how many a has more wins than b, in how many fewer."""
    balance: dict[str, int] = {}
    for verdict in read:
        step = {"a": 1, "b": -1}.get(str(verdict.winner), 0)
        balance[verdict.pair.question_id] = balance.get(verdict.pair.question_id, 0) + step
    more, fewer = sum(value > 0 for value in balance.values()), sum(value < 0 for value in balance.values())
    return {"test": "mcnemar_exact", "a": more, "b": fewer, "p": mcnemar_exact(more, fewer)}


def _position(read: Sequence[Verdict], mean: _Means) -> dict[str, Any]:
    """How often the answer shown first wins, of all calls that name a winner; 50 is fair.

    The test counts pairs whose orders contradict each other: first both times against second both times.
    """
    calls = [(float(first), verdict.pair.question_id) for verdict in read for first in verdict.first_shown]
    flipped = [verdict.first_shown[0] for verdict in read if verdict.kind == "flipped"]
    first, second = sum(flipped), len(flipped) - sum(flipped)
    return {
        "first_wins": mean.of([value for value, _ in calls], [cluster for _, cluster in calls]),
        "always_first": first,
        "always_second": second,
        "p": mcnemar_exact(first, second),
    }


def _length_bias(read: Sequence[Verdict], mean: _Means) -> dict[str, Any]:
    near = math.log2(1 + NEAR)
    unequal = [verdict for verdict in read if verdict.ratio]
    longer = [verdict.points if verdict.ratio > 0 else 1 - verdict.points for verdict in unequal]
    clusters = [verdict.pair.question_id for verdict in read]
    fit = length_effect([each.points for each in read], [each.ratio for each in read], clusters)
    return {
        "unit": "characters",
        "a_longer": sum(verdict.ratio > 0 for verdict in read),
        "b_longer": sum(verdict.ratio < 0 for verdict in read),
        "longer_wins": mean.of(longer, [verdict.pair.question_id for verdict in unequal]),
        "win_rate_a_longer": mean.share([each for each in read if each.ratio > near], lambda each: each.points),
        "win_rate_near": mean.share([each for each in read if abs(each.ratio) <= near], lambda each: each.points),
        "win_rate_b_longer": mean.share([each for each in read if each.ratio < -near], lambda each: each.points),
        "win_rate_at_equal_length": _percent(fit.at_equal_length, len(read)) if fit else None,
        "log_odds_per_doubling": {"estimate": fit.slope.estimate, "ci95": [fit.slope.low, fit.slope.high]}
        if fit
        else None,
    }


def _groups(read: Sequence[Verdict], mean: _Means) -> list[dict[str, Any]]:
    """The win rate by subject and by source, where there is more than one of them."""
    found = []
    for kind in ("subject", "source"):
        names = sorted({getattr(verdict.pair, kind) for verdict in read})
        for name in names if len(names) > 1 else ():
            part = [verdict for verdict in read if getattr(verdict.pair, kind) == name]
            found.append({"by": kind, "name": name, "win_rate": mean.share(part, lambda each: each.points)})
    return found
