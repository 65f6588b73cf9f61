"""Figures drawn by matplotlib, once a language and width, as SVG for the page.

    draw(plot, "fa", wide=True)

Series differ in mark and dash as well as in colour (Okabe and Ito's, told apart by colour-blind readers). Row labels
stand on the side where the language starts; on narrow screens above their row. Not covered: figures for paper journals.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gaokerena.evaluation.report.plots import Bar, Curve, Lines, Plot, Rows
from gaokerena.evaluation.report.svg import CARD, INK, LINE, SERIES, SOFT, inline
from gaokerena.evaluation.report.values import Phrase, Value, figure, plain
from gaokerena.evaluation.report.words import Language

WIDE, NARROW = 760, 340
"""Widths in CSS pixels."""
_POINTS = 72
_ROW, _ROW_NARROW, _FRAME, _LINES = 23, 40, 64, 330
_MARKS = "osD^vPX*"
_DASHES = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))
_STYLE: Any = {  # matplotlib types every key of it as a literal
    "svg.fonttype": "none",
    "svg.hashsalt": "gaokerena",
    "font.size": 12,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": INK,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
}


def draw(plot: Plot, language: Language, *, wide: bool = True) -> str:
    """`plot` as SVG to stand in a page."""
    name = f"{plot.name}-{language}-{'wide' if wide else 'narrow'}"
    with mpl.rc_context(_STYLE):
        drawn = _rows(plot, language, wide) if isinstance(plot, Rows) else _lines(plot, language, wide)
        written = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        drawn.savefig(written, format="svg", dpi=_POINTS, metadata=nothing)
    title = plain(plot.title, language, isolated=False)
    said = plain(Phrase("figure_text"), language, isolated=False)
    return inline(written.getvalue(), name=name, title=title, description=said, language=language)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    made = Figure(figsize=(width / _POINTS, height / _POINTS), dpi=_POINTS, layout="constrained")
    axes = made.subplots()
    made.patch.set_visible(False)
    axes.patch.set_visible(False)
    axes.set_axisbelow(True)
    return made, axes


def _words(value: Value, language: Language) -> str:
    return plain(value, language, isolated=False).replace("\n", " ")


def _digits(language: Language) -> Callable[[float, int], str]:
    return lambda value, _: figure(value, 0 if value == int(value) else 1, language)


def _rows(plot: Rows, language: Language, wide: bool) -> Figure:
    rows: list[tuple[Value, Bar | None]] = []
    for heading, bars in plot.groups:
        rows += [(heading, None)] if heading else []
        rows += [(bar.label, bar) for bar in bars]
    tall = _ROW if wide else _ROW_NARROW
    headings = sum(bar is None for _, bar in rows)
    made, axes = _figure(WIDE if wide else NARROW, _FRAME + tall * (len(rows) - headings) + _ROW * headings)
    axes.grid(axis="x")
    if plot.line is not None:
        axes.axvline(plot.line, color=INK, linewidth=1.1, linestyle=(0, (4, 3)), zorder=1.5)
    places = _places(rows, _ROW / tall)
    for place, (_, bar) in zip(places, rows, strict=True):
        if bar:
            _bar(axes, place, bar, plot.solid)
    axes.set_ylim(places[-1] + 0.6, places[0] - (0.6 if wide else 0.9))
    axes.tick_params(length=0)
    axes.xaxis.set_major_locator(MaxNLocator(9 if wide else 5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(_digits(language)))
    axes.set_xlabel(_words(plot.axis, language))
    _label(axes, places, rows, language, wide)
    return made


def _places(rows: list[tuple[Value, Bar | None]], heading: float) -> list[float]:
    """Where rows stand from above; a heading takes less room than a row on narrow screens."""
    places, place = [], 0.0
    for _, bar in rows:
        place += 1.0 if bar else heading
        places.append(place)
    return places


def _bar(axes: Axes, place: float, bar: Bar, solid: bool) -> None:
    colour = SERIES[bar.slot % len(SERIES)]
    if solid:
        axes.barh(place, bar.estimate, height=0.42, color=colour, alpha=0.35, linewidth=0)
    if bar.low is not None and bar.high is not None:
        axes.plot([bar.low, bar.high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
    inside = CARD if bar.open else colour
    mark = _MARKS[bar.slot % len(_MARKS)]
    axes.plot([bar.estimate], [place], mark, markersize=7, color=inside, markeredgecolor=colour, markeredgewidth=1.6)


def _label(
    axes: Axes, places: list[float], rows: list[tuple[Value, Bar | None]], language: Language, wide: bool
) -> None:
    """Row labels: beside the rows, or above them where there is no room."""
    texts = [_words(value, language) for value, _ in rows]
    if wide:
        if language == "fa":
            axes.yaxis.tick_right()
        for label, (_, bar) in zip(axes.set_yticks(places, texts), rows, strict=False):
            label.label1.set_fontweight("normal" if bar else "bold")
            label.label2.set_fontweight("normal" if bar else "bold")
        return
    axes.set_yticks([])
    x, side = (1.0, "right") if language == "fa" else (0.0, "left")
    for place, text, (_, bar) in zip(places, texts, rows, strict=True):
        weight, above = ("normal", 0.44) if bar else ("bold", 0.0)
        axes.text(
            x, place - above, text, transform=axes.get_yaxis_transform(), ha=side, va="center", fontweight=weight,
            fontsize=11, color=SOFT if bar else INK, bbox={"facecolor": CARD, "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip


def _lines(plot: Lines, language: Language, wide: bool) -> Figure:
    made, axes = _figure(WIDE if wide else NARROW, _LINES + (0 if wide else 20 * len(plot.curves)))
    axes.grid()
    for curve in plot.curves:
        _curve(axes, curve, _words(curve.label, language))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(_digits(language)))
    axes.xaxis.set_major_locator(MaxNLocator(9 if wide else 6, integer=plot.steps, steps=[1, 2, 5, 10]))
    axes.tick_params(length=0, labelcolor=SOFT)
    if language == "fa":
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
    axes.set_xlabel(_words(plot.x, language))
    axes.set_ylabel(_words(plot.y, language))
    made.legend(
        loc="outside lower center", ncols=min(4, len(plot.curves)) if wide else 1, markerfirst=language == "en",
        handlelength=3,
    )  # fmt: skip
    return made


def _curve(axes: Axes, curve: Curve, label: str) -> None:
    xs, ys = [spot.x for spot in curve.spots], [spot.y for spot in curve.spots]
    if curve.plain:
        axes.plot(xs, ys, color=SOFT, linewidth=1.4, linestyle=(0, (2, 2)), label=label)
        return
    colour = SERIES[curve.slot % len(SERIES)]
    for spot in curve.spots:
        if spot.low is not None and spot.high is not None:
            axes.plot([spot.x, spot.x], [spot.low, spot.high], color=colour, linewidth=1.4, alpha=0.6)
    mark, dash = _MARKS[curve.slot % len(_MARKS)], _DASHES[curve.slot % len(_DASHES)]
    axes.plot(xs, ys, mark, linestyle=dash, color=colour, linewidth=1.8, markersize=6, label=label)
