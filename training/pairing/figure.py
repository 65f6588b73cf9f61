"""The audit as a figure: each family and its best single cue, with intervals and the limit. Plain SVG, no library.

    figure(found)          # stands in a page, or alone in a file

Not covered: curves (`training run` draws those of a run).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from training.pairing.tables import sure

WIDTH, LEFT, ROW, TOP = 880, 400, 26, 34
_LEGEND = "squares: all of a family together; circles: its best single cue"
_SINGLE, _WHOLE, _LIMIT = "#0072b2", "#d55e00", "#a4262c"


def figure(found: Mapping[str, Any]) -> str:
    """An SVG of accuracies from 45 to 100 %: squares are whole families, circles their best single cue."""
    rows = [(row["name"], row, _WHOLE) for row in found["families"]]
    best: dict[str, Mapping[str, Any]] = {}
    for cue in (cue for cue in found["cues"] if not cue["by_prompt"]):
        if cue["accuracy"] > best.get(cue["family"], {"accuracy": 0})["accuracy"]:
            best[cue["family"]] = cue
    rows += [(f"{family}: {cue['name']}", cue, _SINGLE) for family, cue in best.items()]
    strongest = _strongest(found["sources"])
    below = f"; below, each source's strongest family ({sure(found)} intervals)" if strongest else ""
    rows += strongest
    height = TOP + ROW * len(rows) + 48
    said = f"How often each cue names the chosen side, with 95 % intervals; the limit is {100 * found['limit']:.0f} %"
    said += below
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img" '
        f'aria-label="{escape(said)}" font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        *(_tick(percent, height) for percent in range(50, 101, 10)),
        f'<line x1="{_x(found["limit"]):.1f}" x2="{_x(found["limit"]):.1f}" y1="{TOP - 10}" y2="{height - 44}" '
        f'stroke="{_LIMIT}" stroke-dasharray="5 3"/>',
        f'<text x="{_x(found["limit"]):.1f}" y="{TOP - 16}" fill="{_LIMIT}" text-anchor="middle">limit</text>',
        f'<text x="{WIDTH - 30}" y="{height - 6}" text-anchor="end" fill="#555">{_LEGEND}{below}</text>',
    ]
    parts += [_row(label, row, colour, TOP + ROW * place) for place, (label, row, colour) in enumerate(rows)]
    return "\n".join([*parts, "</svg>"])


def _strongest(sources: Sequence[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any], str]]:
    """The strongest family of each source that was judged, where there are several sources."""
    judged = [source for source in sources if source["families"] and len(sources) > 1]
    worst = [max(source["families"], key=lambda row: row["low"]) for source in judged]
    return [(f"in {source['source']}: {row['name']}", row, _WHOLE) for source, row in zip(judged, worst, strict=True)]


def _x(share: float) -> float:
    """45 to 100 % across the room beside the labels."""
    return LEFT + (WIDTH - LEFT - 30) * (max(share, 0.45) - 0.45) / 0.55


def _tick(percent: int, height: int) -> str:
    x = _x(percent / 100)
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 10}" y2="{height - 44}" stroke="#ddd"/>'
        f'<text x="{x:.1f}" y="{height - 26}" text-anchor="middle" fill="#555">{percent} %</text>'
    )


def _row(label: str, row: Mapping[str, Any], colour: str, y: int) -> str:
    x = _x(row["accuracy"])
    mark = (
        f'<rect x="{x - 4.5:.1f}" y="{y - 4.5}" width="9" height="9" fill="{colour}"/>'
        if colour == _WHOLE
        else f'<circle cx="{x:.1f}" cy="{y}" r="4.5" fill="{colour}"/>'
    )
    return (
        f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end" unicode-bidi="plaintext">{escape(label)}</text>'
        f'<line x1="{_x(row["low"]):.1f}" x2="{_x(row["high"]):.1f}" y1="{y}" y2="{y}" stroke="{colour}" '
        f'stroke-width="2"/>{mark}'
    )
