"""What an audit found, for people: Markdown, and one HTML page with the figure and every named cue.

    as_markdown(found, costs)
    as_html(found, costs)

`costs` says what each repair cost, from the manifest beside the pairs: {"teacher_correction: one hand: …": 240}.
The page stands alone: no script, no font, nothing fetched.

Not covered: Persian words for the headings; it is a page for developers.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from training.pairing.figure import figure
from training.pairing.tables import BETWEEN, percent, sure, tables

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "body{color:#222;background:#fff}table{border-collapse:collapse;margin:1rem 0}"
    "td,th{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:start}"
    "td.n{text-align:end;font-variant-numeric:tabular-nums}.bad{color:#a4262c;font-weight:600}"
    "div.wide{overflow-x:auto}"
)


def verdict(found: Mapping[str, Any]) -> str:
    """One sentence: passed or not, and why."""
    if found["passed"]:
        return f"Passed: no cue surely tells more than {percent(found['limit'], 0)} of the pairs apart."
    return f"Failed: {found['reason']}."


def facts(found: Mapping[str, Any]) -> str:
    """What was looked at, and by what rule."""
    told = (
        f"{found['pairs']:,} pairs of {found['questions']:,} questions, {found['folds']} folds by question, seed "
        f"{found['seed']}. A cue fails when the lower end of its {percent(found['confidence'], 0)} interval is above "
        f"{percent(found['limit'], 0)}; with so many questions that takes an accuracy of about "
        f"{percent(found['detectable'])}, and a weaker cue passes unseen. 50 % is no cue; a pair that a cue says "
        "nothing about counts half."
    )
    if found["effective"] < found["pairs"]:
        told += f" Pairs count by their weight: together they say as much as {found['effective']:,.1f} equal ones."
    if found["prompts"]:
        kinds = ", ".join(f"{kind} ({count:,})" for kind, count in found["prompts"].items())
        told += f" Prompts are of several kinds: {kinds}; a cue by the prompt's form is learned for each by itself."
    if len(found["sources"]) > 1:
        told += (
            f" Each source is tried by itself as well, with intervals of {sure(found)}, so that looking at several "
            "fails no more often by chance than looking at one."
        )
    return told


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
    bad = text.endswith("too much") or text.startswith("failed: ")
    names = " ".join(name for name, here in (("n", text[:1].isdigit()), ("bad", bad)) if here)
    kind = f' class="{names}"' if names else ' dir="auto"'
    lines = "<br>".join(f"<bdi>{escape(line)}</bdi>" for line in text.split(BETWEEN))
    return f"<td{kind}>{lines}</td>"


def _line(cells: Any) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
