"""The command `python -m gaokerena suites`: what suites there are, and what is wrong with them.

    python -m gaokerena suites
    python -m gaokerena suites kopp_larger mf3qa:dev --check
    python -m gaokerena suites mine.csv --keys 1 --check --json
    python -m gaokerena suites hub:gaokerena/MF3QA@main

Exit status: 0; 1 where `--check` finds an error; 2 where a file cannot be read. A leak is seen between the suites that
are loaded together: without names that is all of them.

Not covered: mending a suite.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from gaokerena.evaluation.suite_checks import check as check_suites
from gaokerena.evaluation.suite_findings import SEVERITIES, Finding, visible
from gaokerena.evaluation.suite_keys import Base
from gaokerena.evaluation.suites import Suite, SuiteError, is_place, load_all, load_file, load_suite
from gaokerena.questions import LETTERS
from gaokerena.settings import SettingsError, load_settings

HEAD = ("suite", "questions", "askable", "subjects", "keys A/B/C/D", "from", "errors", "warnings", "notes", "origin")


def suites(
    names: Annotated[
        list[str] | None, typer.Argument(help="names (mf3qa:dev is a split), files or hub:owner/dataset; all if none")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="say every finding; exit status 1 for an error")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    data: Annotated[str | None, typer.Option(help="folder or file of suites; GAOKERENA_DATA if not given")] = None,
    keys: Annotated[
        int | None, typer.Option(min=0, max=1, help="keys count from 0 or 1, where they cannot tell")
    ] = None,
) -> None:
    """List the suites and look for faults in them: python -m gaokerena suites kopp_larger --check"""
    try:
        loaded = _loaded(names or [], data or load_settings().data, cast("Base | None", keys))
    except (SuiteError, SettingsError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    findings = check_suites(loaded)
    typer.echo(_as_json(loaded, findings, check) if as_json else "\n".join(_as_text(loaded, findings, check)))
    raise typer.Exit(1 if check and any(finding.severity == "error" for finding in findings) else 0)


def _loaded(names: Sequence[str], data: str | Path | None, keys: Base | None) -> list[Suite]:
    if not names:
        return load_all(data, keys=keys)
    found: dict[str, Suite] = {}
    for name in names:
        for suite in load_file(name, keys=keys) if is_place(name) else [load_suite(name, data, keys=keys)]:
            if found.setdefault(suite.name, suite).origin != suite.origin:
                raise SuiteError(
                    f"two suites are called {suite.name!r}, in {found[suite.name].origin} and {suite.origin}; "
                    "rename one of them in its file: findings could not tell them apart"
                )
    return list(found.values())


def _as_text(loaded: Sequence[Suite], findings: Sequence[Finding], check: bool) -> Iterator[str]:
    rows = [HEAD, *(_row(suite, findings) for suite in loaded)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if not check:
        yield "\nSee the findings: --check"
        return
    for finding in findings:
        yield from _said(finding)


def _row(suite: Suite, findings: Iterable[Finding]) -> tuple[str, ...]:
    counts = Counter(finding.severity for finding in findings if finding.suite == suite.name)
    golds = Counter(item.gold for item in suite.items)
    keys = "free form" if suite.is_free_form else "/".join(str(golds[letter]) for letter in LETTERS)
    numbers = (len(suite.items), len(suite.askable), len(suite.subjects))
    base = "-" if suite.base is None else str(suite.base)
    return (suite.name, *map(str, numbers), keys, base, *(str(counts[one]) for one in SEVERITIES), suite.origin)


def _said(finding: Finding) -> Iterator[str]:
    """Three lines; the subject, often Persian, ends its line so that the rest keeps its order in a terminal."""
    where = "" if finding.row is None else f" row {finding.row}"
    inside = "" if finding.index is None else f", question {finding.index} of"
    subject = "" if finding.subject is None else f"{inside or ','} {visible(finding.subject)}"
    yield f"\n{finding.severity} · {finding.kind} · {finding.suite}{where}{subject}"
    yield f"  {finding.message}"
    yield f"  next: {finding.step}"


def _as_json(loaded: Sequence[Suite], findings: Sequence[Finding], check: bool) -> str:
    described = [_described(suite, findings) for suite in loaded]
    found: dict[str, Any] = {"suites": described}
    if check:
        found["findings"] = [asdict(finding) for finding in findings]
    return json.dumps(found, ensure_ascii=False)


def _described(suite: Suite, findings: Sequence[Finding]) -> dict[str, Any]:
    counts = Counter(finding.severity for finding in findings if finding.suite == suite.name)
    golds = Counter(item.gold for item in suite.items if item.gold)
    return {
        "name": suite.name,
        "origin": suite.origin,
        "questions": len(suite.items),
        "askable": len(suite.askable),
        "subjects": dict(Counter(item.subject for item in suite.items)),
        "free_form": suite.is_free_form,
        "gold": {letter: golds[letter] for letter in LETTERS},
        "keys_from": suite.base,
        "other_splits": dict(suite.left_out),
        "findings": {severity: counts[severity] for severity in SEVERITIES},
    }
