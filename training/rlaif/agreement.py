"""How often the judge says what doctors said, with an interval: measured before any label of its is written.

    measured = measure(read_doctors(path), verdicts)
    measured.decided.estimate, measured.decided.low

Intervals are 95 %: Wilson's where every question has one comparison, else a bootstrap over whole questions.

Not covered: reading the doctors' files (`doctors`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gaokerena.evaluation.freeform_score import Verdict, Winner
from gaokerena.statistics import Interval, bootstrap_mean, wilson
from training.rlaif.doctors import Doctors


@dataclass(frozen=True, slots=True)
class Agreement:
    """`all`: the same verdict as the doctors', ties among them. `decided`: the same winner, where both name one."""

    n: int
    unreadable: int
    all: Interval | None
    decided: Interval | None
    n_decided: int
    doctors_decided: int
    ties_counted: bool
    table: dict[str, int]
    """Counts of "doctors' verdict, judge's verdict"; an inconsistent judge said tie."""
    kinds: dict[str, int]
    """How the two orders went together: consistent, half (one a tie), flipped, unreadable."""
    first_wins: Interval | None
    """How often the answer shown first wins, of all calls that name a winner; 0.5 is fair."""
    sha256: str

    def row(self) -> dict[str, Any]:
        return asdict(self)

    def short(self) -> dict[str, Any]:
        """What every row made with the judge carries."""
        return {"n": self.n_decided, "decided": asdict(self.decided) if self.decided else None, "sha256": self.sha256}

    def percent(self) -> str:
        """The agreement that counts: the same winner, where both name one."""
        return f"{_percent(self.decided)} of {self.n_decided}"

    def text(self) -> str:
        """For people, before labels are written."""
        lines = [f"the judge against {self.n} comparisons that doctors judged ({self.unreadable} unreadable)"]
        lines.append(f"  same verdict, ties among them: {_percent(self.all)} of {self.n - self.unreadable}")
        lines.append(f"  same winner where both name one: {self.percent()}; chance is 50 %")
        named = f"{self.n_decided} of the {self.doctors_decided} that doctors decided"
        lines.append(f"  the judge names a winner, the same in both orders, in {named}")
        lines.append(f"  the answer shown first wins {_percent(self.first_wins)} of its calls; 50 % is fair")
        lines += [] if self.ties_counted else ["  the file holds pairs, so no comparison in which doctors saw a tie"]
        return "\n".join(lines)


def _percent(interval: Interval | None) -> str:
    if interval is None:
        return "none"
    return f"{100 * interval.estimate:.1f} % [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def measure(doctors: Doctors, said: Sequence[Verdict], *, seed: int = 1) -> Agreement:
    """`said` holds the judge's verdict on each of `doctors.known`, in order."""
    readable = [
        (compared.question.id, expert, verdict.winner)
        for (compared, expert), verdict in zip(doctors.known, said, strict=True)
        if verdict.winner is not None
    ]
    decided = [row for row in readable if row[1] != "tie" and row[2] != "tie"]
    return Agreement(
        n=len(said),
        unreadable=len(said) - len(readable),
        all=_share(readable, seed),
        decided=_share(decided, seed),
        n_decided=len(decided),
        doctors_decided=sum(expert != "tie" for _, expert in doctors.known),
        ties_counted=doctors.ties,
        table=dict(sorted(Counter(f"{expert}, {mine}" for _, expert, mine in readable).items())),
        kinds=dict(sorted(Counter(verdict.kind for verdict in said).items())),
        first_wins=_mean([(v.pair.question_id, float(first)) for v in said for first in v.first_shown], seed),
        sha256=doctors.sha256,
    )


def _share(rows: Sequence[tuple[str, Winner, Winner]], seed: int) -> Interval | None:
    return _mean([(name, float(expert == mine)) for name, expert, mine in rows], seed)


def _mean(rows: Sequence[tuple[str, float]], seed: int) -> Interval | None:
    """The mean of values of 0 or 1 by question: Wilson's where one comes of each, a bootstrap is too narrow for few.

    Where all are equal a bootstrap has no width; then it is Wilson's over the questions.
    """
    if not rows:
        return None
    values, clusters = [value for _, value in rows], [name for name, _ in rows]
    if len(set(values)) == 1:
        trials = len(set(clusters))
        return wilson(trials if values[0] else 0, trials)
    if len(set(clusters)) == len(clusters):
        return wilson(round(sum(values)), len(values))
    return bootstrap_mean(values, seed=seed, clusters=clusters)
