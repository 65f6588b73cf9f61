"""The evaluation as text for a terminal: micro averages, the reader's agreement, comparisons.

Not covered: subjects one by one, which are in the JSON and the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gaokerena.evaluation.cells import ALL


def as_text(report: dict[str, Any]) -> str:
    """All tables, separated by blank lines."""
    source = report["source"]
    head = f"{', '.join(source['files'])}: {source['rows']} answers, choices {report['choices']}, seed {report['seed']}"
    head += "".join(
        f"\n  not scored: {entry['rows']} rows of {entry['suite']}, {entry['reason']}"
        for entry in source["unscored_reasons"]
    ) + "".join(
        f"\n  verifier: {entry['file']} settles {entry['model']} {entry['prompting']} in {entry['suite']}"
        for entry in source["verifiers"]
    )
    parts = [head, _alignment(report["alignment"]), _cells(report["cells"]), _extraction(report["extraction"])]
    return "\n\n".join(part for part in [*parts, _comparisons(report["comparisons"])] if part)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns side by side; all but the first three to the right."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    made = []
    for line in lines:
        cells = [
            text.ljust(width) if column < 3 else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        made.append("  ".join(cells).rstrip())
    return "\n".join(made)


def _alignment(suites: Sequence[dict[str, Any]]) -> str:
    lines = []
    for suite in suites:
        ways = ", ".join(f"{count} by {way}" for way, count in suite["aligned_by"].items() if count)
        lines.append(f"{suite['suite']}: {suite['questions']} questions; rows matched: {ways or 'none to match'}")
        for kind in ("unaligned", "repeated", "missing", "incomplete"):
            for entry in suite.get(kind, []):
                count = entry.get("rows", entry.get("questions"))
                lines.append(f"  {kind}: {count} of {entry['model']} {entry['prompting']} in {entry['subject']}")
    return "\n".join(lines)


def _cells(cells: Sequence[dict[str, Any]]) -> str:
    rows = [
        (
            f"{cell['model']} {cell['prompting']}", cell["rule"], cell["suite"], str(cell["n"]),
            f"{cell['accuracy']:.2f}", _span(cell["ci95"]), f"{cell['negative_marking']:.2f}",
            f"{100 * cell['abstained'] / cell['n']:.1f}",
        )
        for cell in cells
        if cell["subject"] == ALL
    ]  # fmt: skip
    return table(("model", "rule", "suite", "n", "accuracy", "95 % CI", "neg. marking", "abstained %"), rows)


def _extraction(entries: Sequence[dict[str, Any]]) -> str:
    if not entries:
        return ""
    rows = [
        (
            entry["model"], entry["prompting"], "", str(entry["n"]), f"{entry['agreement']:.2f}",
            str(entry["n_lettered"]), _optional(entry["agreement_lettered"]), _span(entry["ci95_lettered"]),
        )
        for entry in entries
    ]  # fmt: skip
    head = ("option reader", "prompting", "", "n", "agreement", "A to D", "agreement", "95 % CI")
    return table(head, rows)


def _comparisons(entries: Sequence[dict[str, Any]]) -> str:
    rows = [
        (
            f"{entry['a']} - {entry['b']}", entry["rule"], f"{entry['suite']}, {entry['prompting']}", str(entry["n"]),
            f"{entry['difference']:+.2f}", _span(entry["ci95"], "+.2f"), f"{entry['p']:.2g}",
        )
        for entry in entries
    ]  # fmt: skip
    return table(("difference", "rule", "suite", "n", "points", "95 % CI", "p"), rows) if rows else ""


def _span(bounds: Sequence[float] | None, form: str = ".2f") -> str:
    return f"[{bounds[0]:{form}}, {bounds[1]:{form}}]" if bounds else "-"


def _optional(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
