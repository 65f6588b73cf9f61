"""The judge's report as text for a terminal and as Markdown for a reader.

    typer.echo(as_text(report, command))

`report` is what `freeform_run` makes. Not covered: figures and Persian (`python -m gaokerena report`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Figure = dict[str, Any] | None


def as_text(report: dict[str, Any], command: str) -> str:
    """The report as Markdown that also reads well in a terminal; `command` made it."""
    return "\n".join((*_lines(report), f"`{command}`")) + "\n"


def _lines(report: dict[str, Any]) -> Iterator[str]:
    a, b, judge = _named(report["a"]), _named(report["b"]), report["judge"]
    reference = "the doctor's answer shown" if report["reference"] else "no reference shown"
    yield f"# {a} against {b}, judged by {judge['model']}"
    yield ""
    yield f"{report['suite']}, both orders, {reference}, prompt {judge['prompt_version']} ({judge['prompt']})"
    yield ""
    yield from _wins(report, a, b)
    yield from _trust(report)
    yield from _length(report, a, b)
    yield from _by_group(report)


def _wins(report: dict[str, Any], a: str, b: str) -> Iterator[str]:
    pairs, test = report["pairs"], report["sign_test"]
    low, high = report["win_rate_bounds"] or (None, None)
    yield from _table(
        f"Win rate of {a}",
        [
            ("win rate, ties as half", _figure(report["win_rate"])),
            ("questions, pairs judged", f"{pairs['questions']:,}, {pairs['judged']:,}"),
            (f"{a} wins in both orders", f"{pairs['a_wins']:,}"),
            (f"{b} wins in both orders", f"{pairs['b_wins']:,}"),
            ("tie in both orders", f"{pairs['ties']:,}"),
            ("inconsistent, counted as ties", f"{pairs['flipped'] + pairs['half']:,} ({pairs['flipped']:,} flipped)"),
            ("unreadable, left out", f"{pairs['unreadable']:,}"),
            ("win rate if all of these went to one side", "-" if low is None else f"{low:.1f} to {high:.1f} %"),
            ("not judged (failed calls)", f"{report['calls']['pairs_missing']:,}"),
            ("sign test over questions", f"{test['a']:,} against {test['b']:,}, p = {_p(test['p'])}"),
        ],
    )


def _trust(report: dict[str, Any]) -> Iterator[str]:
    position = report["position"]
    flips = f"{position['always_first']:,} against {position['always_second']:,}, p = {_p(position['p'])}"
    yield from _table(
        "Can the judge be believed?",
        [
            ("same verdict in both orders", _figure(report["consistency"])),
            ("the answer shown first wins (50 is fair)", _figure(position["first_wins"])),
            ("always the first against always the second", flips),
        ],
    )


def _length(report: dict[str, Any], a: str, b: str) -> Iterator[str]:
    length = report["length"]
    slope = length["log_odds_per_doubling"]
    told = "-" if not slope else f"{slope['estimate']:.2f} [{slope['ci95'][0]:.2f}, {slope['ci95'][1]:.2f}]"
    yield from _table(
        "Length",
        [
            ("the longer answer wins (50 is fair)", _figure(length["longer_wins"])),
            (f"{a} where {a} is longer", _figure(length["win_rate_a_longer"])),
            (f"{a} where they differ by 10 % at most", _figure(length["win_rate_near"])),
            (f"{a} where {b} is longer", _figure(length["win_rate_b_longer"])),
            (f"{a} at equal length, by regression", _figure(length["win_rate_at_equal_length"])),
            ("log odds a doubling of length adds", told),
        ],
    )


def _by_group(report: dict[str, Any]) -> Iterator[str]:
    if groups := report["groups"]:
        rows = [(f"{group['by']} {group['name'] or '(none)'}", _figure(group["win_rate"])) for group in groups]
        yield from _table("By subject and source", rows)


def _table(title: str, rows: list[tuple[str, str]]) -> Iterator[str]:
    wide, second = max(len(name) for name, _ in rows), max(len(value) for _, value in rows)
    yield f"## {title}"
    yield ""
    yield f"| {'':<{wide}} | {'':<{second}} |"
    yield f"| {'-' * wide} | {'-' * second} |"
    yield from (f"| {name:<{wide}} | {value:<{second}} |" for name, value in rows)
    yield ""


def _named(side: dict[str, Any]) -> str:
    return f"{side['model']} ({side['prompting']})"


def _figure(figure: Figure) -> str:
    if not figure:
        return "-"
    low, high = figure["ci95"]
    return f"{figure['estimate']:.1f} % [{low:.1f}, {high:.1f}], n = {figure['n']:,}"


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
