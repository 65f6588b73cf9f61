"""Curves of a run as one SVG, from its log.json alone and without a drawing library.

    write(Path("runs/r1"))                                             # runs/r1/curves.svg
    python -m training curves runs/raw runs/repaired --out curves.svg  # several runs in the same panels

Drawn is what the log holds: loss, accuracy and margin of rewards, rewards and log-probabilities of both sides, learning
rate. Full lines are of what was trained on, dashed ones of held-out rows. Equal logs give equal bytes.

Not covered: interaction (trackio and TensorBoard have it), smoothing: every point is a logged mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, isfinite, log10
from pathlib import Path
from typing import Any

from training.errors import TrainingError

NAME = "curves.svg"
PANELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("loss", ("loss",)),
    ("pairs told apart (reward accuracy)", ("rewards/accuracies", "accuracy")),
    ("reward margin", ("rewards/margins", "margin")),
    ("rewards", ("rewards/chosen", "rewards/rejected")),
    ("log-probability of the answers", ("logps/chosen", "logps/rejected")),
    ("tokens predicted right", ("mean_token_accuracy",)),
    ("learning rate", ("learning_rate",)),
)
SIDES = {"chosen": "chosen", "rejected": "rejected"}
INK, SOFT, LINES = "#1f2933", "#6b7785", ("#0b6e99", "#c2410c", "#5b7f2b", "#7c3aed", "#b8860b", "#4a5568")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM, LEGEND = 440, 230, 64, 14, 30, 34, 16


@dataclass(frozen=True)
class Series:
    """One line: (step, value) points."""

    name: str
    points: tuple[tuple[float, float], ...]
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """Lines that share two axes; x is the step."""

    title: str
    series: tuple[Series, ...]


def read_log(folder: Path) -> list[dict[str, Any]]:
    """A run's log. Raises TrainingError where there is none."""
    try:
        rows: list[dict[str, Any]] = json.loads((folder / "log.json").read_text("utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{folder} has no log.json; `python -m training run` writes it when a run ends") from None
    return rows


def panels(logs: Sequence[tuple[str, list[dict[str, Any]]]]) -> list[Panel]:
    """The panels there is something to draw in; `logs` are (name of the run, its rows), the name empty for one run."""
    made = []
    for title, keys in PANELS:
        series = [
            Series(_label(name, key, held_out), points, held_out)
            for name, rows in logs
            for key in keys
            for held_out in (False, True)
            if (points := _points(rows, f"eval_{key}" if held_out else key))
        ]
        if series:
            made.append(Panel(title, tuple(series)))
    return made


def _label(name: str, key: str, held_out: bool) -> str:
    parts = [name, SIDES.get(key.rpartition("/")[2], ""), "held out" if held_out else ""]
    return ", ".join(part for part in parts if part) or "training"


def _points(rows: Iterable[dict[str, Any]], key: str) -> tuple[tuple[float, float], ...]:
    found = ((float(row["step"]), float(row[key])) for row in rows if key in row)
    return tuple((step, value) for step, value in found if isfinite(value))


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values inside [low, high], at most `most` + 1 of them, a step of 1, 2 or 5 times a power of ten apart."""
    if high <= low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * (1 - 1e-9))
    first = -floor(-low / step + 1e-9)
    return [round(place * step, 12) for place in range(first, floor(high / step + 1e-9) + 1)]


def draw(shown: Sequence[Panel], title: str) -> str:
    """An SVG of the panels, two beside each other."""
    tall = HEIGHT + LEGEND * max((len(panel.series) for panel in shown), default=0)
    rows = -(-len(shown) // 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {40 + rows * tall}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="11" fill="{INK}">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="15" font-weight="600">{escape(title)}</text>',
    ]
    for place, panel in enumerate(shown):
        parts.append(f'<g transform="translate({place % 2 * WIDTH} {40 + place // 2 * tall})">')
        parts += [*_panel(panel), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel) -> list[str]:
    xs, ys = zip(*(point for series in panel.series for point in series.points), strict=True)
    low, high = min(ys), max(ys)
    space = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    frame = _Frame(min(xs), max(max(xs), min(xs) + 1), low - space, high + space)
    parts = [f'<text x="{LEFT}" y="18" font-weight="600">{escape(panel.title)}</text>']
    for value in ticks(frame.low, frame.high):
        y = frame.y(value)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e3e8ee"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="{SOFT}">{value:g}</text>')
    parts += [
        f'<text x="{frame.x(value):.1f}" y="{HEIGHT - 16}" text-anchor="middle" fill="{SOFT}">{value:g}</text>'
        for value in ticks(frame.first, frame.last)
    ]
    for place, series in enumerate(panel.series):
        parts += _line(series, frame, LINES[place // (2 if _paired(panel) else 1) % len(LINES)], place)
    return parts


def _paired(panel: Panel) -> bool:
    """Whether every line has its held-out twin beside it, so that both may share a colour."""
    return [series.dashed for series in panel.series] == [False, True] * (len(panel.series) // 2)


def _line(series: Series, frame: _Frame, colour: str, place: int) -> list[str]:
    path = "L".join(f"{frame.x(x):.1f} {frame.y(y):.1f}" for x, y in series.points)
    dash = ' stroke-dasharray="5 3"' if series.dashed else ""
    x, y = series.points[-1]
    below = HEIGHT + place * LEGEND
    return [
        f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>',
        f'<circle cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="2.2" fill="{colour}"/>',
        f'<path d="M{LEFT} {below - 4}h22" stroke="{colour}" stroke-width="1.6"{dash}/>',
        f'<text x="{LEFT + 28}" y="{below}">{escape(series.name)}: {y:.4g} at the end</text>',
    ]


@dataclass(frozen=True)
class _Frame:
    """From values to places inside a panel."""

    first: float
    last: float
    low: float
    high: float

    def x(self, value: float) -> float:
        return LEFT + (value - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return TOP + (self.high - value) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)


def write(folder: Path) -> Path:
    """Draw a run's log beside it."""
    (folder / NAME).write_text(draw(panels([("", read_log(folder))]), folder.name), "utf-8")
    return folder / NAME


def compare(folders: Sequence[Path], out: Path, title: str) -> None:
    """Draw several runs' logs into the same panels."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(draw(panels([(folder.name, read_log(folder)) for folder in folders]), title), "utf-8")
