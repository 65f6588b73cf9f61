"""The tables of an audit's report: sources, families, single cues, and what repair cost.

    for title, head, rows in tables(found, costs): ...
    source_lines(found)                                  # for a terminal

Not covered: how they are set (`page`), the figure (`figure`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from training.pairing.cues import BY_PROMPT

Row = tuple[str, ...]
Found = Mapping[str, Any]

BETWEEN = " · "
"""Between the examples of a cue."""
SINGLE = ("cue", "accuracy", "95 % interval", "where", "", "for example")


def tables(found: Found, costs: Mapping[str, int]) -> Iterator[tuple[str, Row, Sequence[Row]]]:
    """The tables of the report: title, head, rows."""
    several = found["sources"] if len(found["sources"]) > 1 else []
    if several:
        head: Row = (
            "source",
            "pairs",
            "seen from",
            "strongest family",
            "accuracy",
            f"{sure(found)} interval",
            "verdict",
        )
        yield "Each source by itself", head, _sources(several, found)
    rows = [(row["name"], percent(row["accuracy"]), _range(row), _word(row, found)) for row in found["families"]]
    yield "All features of a family in one classifier", ("family", "accuracy", "95 % interval", ""), rows
    if judged := [source for source in several if source["families"]]:
        yield "The same in each source", ("family", *(source["source"] for source in judged)), _matrix(judged, found)
    for source in several:
        if source["cues"]:
            head = (*SINGLE[:2], f"{sure(found)} interval", *SINGLE[3:])
            yield f"Single cues above the limit in {source['source']}", head, _single(source["cues"], found)
    yield "Single cues above 50 %", SINGLE, _single(_telling(found["cues"]), found)
    if costs:
        spent = [(reason, f"{count:,}") for reason, count in sorted(costs.items(), key=lambda item: -item[1])]
        yield "Pairs that repair and checks cost", ("source: reason", "pairs"), spent


def source_lines(found: Found) -> list[str]:
    """A line for each source, where there are several."""
    several = found["sources"] if len(found["sources"]) > 1 else []
    return [f"{row[0]} ({row[1]} pairs): {row[-1]}" for row in _sources(several, found)]


def percent(share: float, decimals: int = 2) -> str:
    """A share as it is printed."""
    return f"{100 * share:.{decimals}f} %"


def sure(found: Found) -> str:
    """The confidence that sources are held to."""
    return percent(found["sources"][0]["confidence"], 1)


def _sources(several: Sequence[Found], found: Found) -> list[Row]:
    """A row for each source, with its strongest family."""
    rows: list[Row] = []
    for source in several:
        size = (source["source"], f"{source['pairs']:,}")
        if not source["families"]:
            alike = source["effective"] == source["pairs"]
            weighed = "" if alike else f"by weight as good as {source['effective']:.1f}, "
            rows.append((*size, "", "", "", "", f"{source['verdict']} ({weighed}at least {found['least']})"))
            continue
        worst = max(source["families"], key=lambda row: row["low"])
        failed = f": {len(source['failed'])} cues" if source["failed"] else ""
        told = (percent(worst["accuracy"]), _range(worst), source["verdict"] + failed)
        rows.append((*size, percent(source["detectable"]), worst["name"], *told))
    return rows


def _matrix(judged: Sequence[Found], found: Found) -> list[Row]:
    """The families' accuracies, a column for each source."""
    columns = [{row["name"]: row for row in source["families"]} for source in judged]
    return [
        (name, *(_cell(column[name], found) if name in column else "" for column in columns))
        for name in dict.fromkeys(name for column in columns for name in column)
    ]


def _cell(row: Found, found: Found) -> str:
    return f"{percent(row['accuracy'])} {_word(row, found)}".rstrip()


def _telling(cues: Sequence[Found]) -> list[Found]:
    """The cues that tell something; of those by the prompt's form, the ones that tell more than without it."""
    above = [row for row in cues if row["low"] > 0.5]
    plain = {(row["family"], row["name"]): row["high"] for row in above if not row["by_prompt"]}
    return [
        row
        for row in above
        if not row["by_prompt"] or row["low"] > plain.get((row["family"], row["name"].removesuffix(BY_PROMPT)), 0.5)
    ]


def _single(cues: Sequence[Found], found: Found) -> list[Row]:
    """A row for each single cue, the surest first."""
    return [
        (
            f"{row['family']}: {row['name']}",
            percent(row["accuracy"]),
            _range(row),
            f"{percent(row['wins'])} more in {row['more_in']}, {percent(row['ties'])} equal",
            _word(row, found),
            BETWEEN.join(row["examples"]),
        )
        for row in sorted(cues, key=lambda row: -row["low"])
    ]


def _range(row: Found) -> str:
    return f"{100 * row['low']:.2f} to {100 * row['high']:.2f}"


def _word(row: Found, found: Found) -> str:
    return "too much" if row["low"] > found["limit"] else ""
