"""What a figure shows, without how it is drawn: rows with intervals, or curves. All figures are percent or points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gaokerena.evaluation.report.values import Phrase, Value

SLOTS = 8
"""Colours and marks told apart; further series take them again."""


@dataclass(frozen=True)
class Bar:
    """One row: an estimate with its interval, or without one. `slot` is its colour; `open` draws a hollow mark."""

    label: Value
    estimate: float
    low: float | None = None
    high: float | None = None
    slot: int = 0
    open: bool = False


@dataclass(frozen=True)
class Rows:
    """Rows in groups with a heading each; `line` is the value a dashed line marks, `solid` draws bars from zero."""

    name: str
    title: Phrase
    axis: Phrase
    groups: tuple[tuple[Value, tuple[Bar, ...]], ...]
    line: float | None = None
    solid: bool = False

    def numbers(self) -> Iterator[float]:
        """Every number drawn."""
        for _, bars in self.groups:
            for bar in bars:
                yield from (number for number in (bar.estimate, bar.low, bar.high) if number is not None)


@dataclass(frozen=True)
class Spot:
    """A point of a curve, with its interval where there is one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Curve:
    """A named curve; a `plain` one has neither marks nor intervals (guessing, say)."""

    label: Value
    spots: tuple[Spot, ...]
    slot: int = 0
    plain: bool = False


@dataclass(frozen=True)
class Lines:
    """Curves over x; `steps` marks whole numbers on the x axis."""

    name: str
    title: Phrase
    x: Phrase
    y: Phrase
    curves: tuple[Curve, ...]
    steps: bool = False

    def numbers(self) -> Iterator[float]:
        """Every number drawn, the x of `steps` left out."""
        for curve in self.curves:
            for spot in curve.spots:
                yield from (n for n in (spot.y, spot.low, spot.high) if n is not None)
                if not self.steps:
                    yield spot.x


Plot = Rows | Lines
