"""What an audit found, for people: Markdown, and one HTML page with the figure and every named cue.

    as_markdown(found, costs)
    as_html(found, costs)

`costs` says what each repair cost, from the manifest beside the pairs: {"teacher_correction: one hand: …": 240}.
The page stands alone: no script, no font, nothing fetched.

Not covered: Persian words for the headings; it is a page for developers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from training.pairing.figure import figure

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "body{color:#222;background:#fff}table{border-collapse:collapse;margin:1rem 0}"
    "td,th{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:start}"
    "td.n{text-align:end;font-variant-numeric:tabular-nums}.bad{color:#a4262c;font-weight:600}"
    "div.wide{overflow-x:auto}"
)
_BETWEEN = " · "
Row = tuple[str, ...]


def verdict(found: Mapping[str, Any]) -> str:
    """One sentence: passed or not, and why."""
    if found["passed"]:
        return f"Passed: no cue tells more than {_percent(found['limit'], 0)} of the pairs apart."
    return f"Failed: {found['reason']}."


def facts(found: Mapping[str, Any]) -> str:
    """What was looked at, and by what rule."""
    return (
        f"{found['pairs']:,} pairs of {found['questions']:,} questions, {found['folds']} folds by question, seed "
        f"{found['seed']}. A cue fails when the lower end of its {_percent(found['confidence'], 0)} interval is above "
        f"{_percent(found['limit'], 0)}; with so many questions that takes an accuracy of about "
        f"{_percent(found['detectable'])}, and a weaker cue passes unseen. 50 % is no cue; a pair that a cue says "
        "nothing about counts half."
    )


def tables(found: Mapping[str, Any], costs: Mapping[str, int]) -> Iterator[tuple[str, Row, Sequence[Row]]]:
    """The tables of the report: title, head, rows."""
    rows = [(row["name"], _percent(row["accuracy"]), _range(row), _word(row, found)) for row in found["families"]]
    yield "All features of a family in one classifier", ("family", "accuracy", "95 % interval", ""), rows
    cues = [row for row in found["cues"] if row["low"] > 0.5]
    named = [
        (
            f"{row['family']}: {row['name']}",
            _percent(row["accuracy"]),
            _range(row),
            f"{_percent(row['wins'])} more in {row['more_in']}, {_percent(row['ties'])} equal",
            _word(row, found),
            _BETWEEN.join(row["examples"]),
        )
        for row in sorted(cues, key=lambda row: -row["low"])
    ]
    yield "Single cues above 50 %", ("cue", "accuracy", "95 % interval", "where", "", "for example"), named
    if costs:
        spent = [(reason, f"{count:,}") for reason, count in sorted(costs.items(), key=lambda item: -item[1])]
        yield "Pairs that repair and checks cost", ("source: reason", "pairs"), spent


def as_markdown(found: Mapping[str, Any], costs: Mapping[str, int]) -> str:
    """The report as Markdown."""
    lines = ["# Shortcut audit", "", f"**{verdict(found)}**", "", facts(found), ""]
    for title, head, rows in tables(found, costs):
        lines += [f"## {title}", "", _line(head), _line("---" for _ in head), *map(_line, rows), ""]
    return "\n".join(lines)


def as_html(found: Mapping[str, Any], costs: Mapping[str, int]) -> str:
    """The report as one HTML page."""
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>Shortcut audit</title><style>{_STYLE}</style><h1>Shortcut audit</h1>",
        f'<p class="{"" if found["passed"] else "bad"}">{escape(verdict(found))}</p><p>{escape(facts(found))}</p>',
        f'<div class="wide">{figure(found)}</div>',
    ]
    for title, head, rows in tables(found, costs):
        cells = "".join(f"<th>{escape(name)}</th>" for name in head)
        body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
        parts.append(f'<h2>{escape(title)}</h2><div class="wide"><table><tr>{cells}</tr>{body}</table></div>')
    return "\n".join(parts) + "\n"


def _cell(text: str) -> str:
    kind = ' class="n"' if text[:1].isdigit() else ' class="bad"' if text == "too much" else ' dir="auto"'
    lines = "<br>".join(f"<bdi>{escape(line)}</bdi>" for line in text.split(_BETWEEN))
    return f"<td{kind}>{lines}</td>"


def _line(cells: Any) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _percent(share: float, decimals: int = 2) -> str:
    return f"{100 * share:.{decimals}f} %"


def _range(row: Mapping[str, Any]) -> str:
    return f"{100 * row['low']:.2f} to {100 * row['high']:.2f}"


def _word(row: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    return "too much" if row["low"] > found["limit"] else ""
