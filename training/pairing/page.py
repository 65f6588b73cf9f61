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
    told = (
        f"{found['pairs']:,} pairs of {found['questions']:,} questions, {found['folds']} folds by question, seed "
        f"{found['seed']}. A cue fails when the lower end of its {_percent(found['confidence'], 0)} interval is above "
        f"{_percent(found['limit'], 0)}; with so many questions that takes an accuracy of about "
        f"{_percent(found['detectable'])}, and a weaker cue passes unseen. 50 % is no cue; a pair that a cue says "
        "nothing about counts half."
    )
    if found["effective"] < found["pairs"]:
        told += f" Pairs count by their weight: together they say as much as {found['effective']:,.1f} equal ones."
    if found["prompts"]:
        kinds = ", ".join(f"{kind} ({count:,})" for kind, count in found["prompts"].items())
        told += f" Prompts are of several kinds: {kinds}; a cue by the prompt's form is learned for each by itself."
    if len(found["sources"]) > 1:
        told += (
            f" Each source is tried by itself as well, with intervals of {_sure(found)}, so that looking at several "
            "fails no more often by chance than looking at one."
        )
    return told


def source_lines(found: Mapping[str, Any]) -> list[str]:
    """A line for each source, where there are several."""
    return [": ".join(filter(None, (row[0], row[-1]))) + f" ({row[1]} pairs)" for row in _sources(found)]


def tables(found: Mapping[str, Any], costs: Mapping[str, int]) -> Iterator[tuple[str, Row, Sequence[Row]]]:
    """The tables of the report: title, head, rows."""
    if several := _sources(found):
        head: Row = (
            "source",
            "pairs",
            "seen from",
            "strongest family",
            "accuracy",
            f"{_sure(found)} interval",
            "verdict",
        )
        yield "Each source by itself", head, several
    rows = [(row["name"], _percent(row["accuracy"]), _range(row), _word(row, found)) for row in found["families"]]
    yield "All features of a family in one classifier", ("family", "accuracy", "95 % interval", ""), rows
    head = ("cue", "accuracy", "95 % interval", "where", "", "for example")
    yield "Single cues above 50 %", head, _single([row for row in found["cues"] if row["low"] > 0.5], found)
    for source in found["sources"] if several else ():
        if source["cues"]:
            title = f"Single cues above the limit in {source['source']}"
            yield title, (*head[:2], f"{_sure(found)} interval", *head[3:]), _single(source["cues"], found)
    if costs:
        spent = [(reason, f"{count:,}") for reason, count in sorted(costs.items(), key=lambda item: -item[1])]
        yield "Pairs that repair and checks cost", ("source: reason", "pairs"), spent


def _sources(found: Mapping[str, Any]) -> list[Row]:
    """A row for each source with its strongest family; none where all pairs are of one source."""
    rows: list[Row] = []
    for source in found["sources"] if len(found["sources"]) > 1 else ():
        size = (source["source"], f"{source['pairs']:,}")
        if not source["families"]:
            rows.append((*size, "", "", "", "", f"{source['verdict']} (at least {found['least']})"))
            continue
        worst = max(source["families"], key=lambda row: row["low"])
        failed = f": {len(source['failed'])} cues" if source["failed"] else ""
        told = (_percent(worst["accuracy"]), _range(worst), source["verdict"] + failed)
        rows.append((*size, _percent(source["detectable"]), worst["name"], *told))
    return rows


def _sure(found: Mapping[str, Any]) -> str:
    """The confidence that sources are held to."""
    return _percent(found["sources"][0]["confidence"], 1)


def _single(cues: Sequence[Mapping[str, Any]], found: Mapping[str, Any]) -> list[Row]:
    """A row for each single cue, the surest first."""
    return [
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
    kind = (
        ' class="n"'
        if text[:1].isdigit()
        else ' class="bad"'
        if text.startswith(("too much", "failed: "))
        else ' dir="auto"'
    )
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
