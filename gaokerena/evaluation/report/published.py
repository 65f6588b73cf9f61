"""The papers' figures (`published.toml`) against recomputed ones, cell by cell.

    for check in checks(evaluation): print(check.table, check.row, check.model, check.mark)

`exact`: the recomputed figure, truncated or rounded to two decimals, is the published one (the papers truncate in
floating point, so a figure with two decimals may have lost one more hundredth). `differs`: it is not. `absent`: its
questions are not all at hand. An average is also held against the micro and macro average of its own published cells:
where it is neither it `contradicts` them, and `differs` even when its subjects are not all at hand.

Not covered: which of two differing figures is right.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from gaokerena.evaluation.report.schema import ALL, Cell, Evaluation

SUITE, OTHER_SUITE = "mmlu_fa", "ibmsee_2023"
Mark = Literal["exact", "differs", "absent"]

_FILE = Path(__file__).with_name("published.toml")
_TINY = 1e-6


@dataclass(frozen=True)
class Table:
    """One published table: `cells` by row (a subject, "all" or another suite), one figure a model, percent."""

    name: str
    paper: str
    prompting: str
    rule: str
    measure: str
    models: tuple[str, ...]
    cells: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Counts:
    """The two figures as whole numbers of `of`."""

    published: int
    recomputed: int
    of: int


@dataclass(frozen=True)
class Check:
    """One published cell. `n` questions at hand of `size`; `own` micro and macro average of an average's own cells.

    `reason` and `remark` are keys of words.toml; a cell that contradicts its own cells needs no other reason.
    """

    table: Table
    row: str
    model: str
    published: float
    size: int
    mark: Mark
    recomputed: float | None = None
    n: int = 0
    reason: str = ""
    remark: str = ""
    counts: Counts | None = None
    own: tuple[float, float] | None = None

    @property
    def contradicts(self) -> bool:
        """Whether this is an average that is none of its own published cells."""
        return self.mark == "differs" and self.own is not None and not any(same(self.published, a) for a in self.own)

    @property
    def whole(self) -> bool:
        """Whether all its questions are at hand."""
        return self.recomputed is not None and self.n == self.size


@cache
def tables() -> tuple[Table, ...]:
    """Every published table, in the papers' order."""
    return tuple(
        Table(**{**raw, "models": tuple(raw["models"]), "cells": {row: tuple(v) for row, v in raw["cells"].items()}})
        for raw in _file()["table"]
    )


def checks(evaluation: Evaluation) -> list[Check]:
    """Every published cell with its mark."""
    return [
        _check(evaluation, table, row, model, figure)
        for table in tables()
        for row, figures in table.cells.items()
        for model, figure in zip(table.models, figures, strict=True)
    ]


def same(published: float, recomputed: float) -> bool:
    """Whether `published`, of two decimals, is `recomputed` truncated or rounded; see the module."""
    hundredths, exact = round(published * 100), recomputed * 100
    near = round(exact)
    truncated = {math.floor(exact + _TINY), math.floor(exact - _TINY)}
    return hundredths in truncated | {math.floor(exact + 0.5 + _TINY), near}


def _check(evaluation: Evaluation, table: Table, row: str, model: str, published: float) -> Check:
    size = _size(table, row, model)
    suite, subject = (OTHER_SUITE, ALL) if row == OTHER_SUITE else (SUITE, row)
    cell = evaluation.cell(suite, subject, model, table.prompting, table.rule)
    value = _value(table, cell) if cell else None
    own = own_averages(table, model) if row == ALL else None
    check = Check(table, row, model, published, size, "absent", value, cell.n if cell else 0, own=own)
    if cell is None or value is None or not check.whole:
        return _absent(check)
    check = replace(check, mark="exact", remark=_noted("remark", check))
    if same(published, value):
        return check
    check = replace(check, mark="differs", counts=_counts(table, published, value, cell))
    return replace(check, reason="" if check.contradicts else _reason(evaluation, check))


def _absent(check: Check) -> Check:
    if check.own is None:
        return replace(check, reason="why_partial" if check.n else "why_absent")
    for average, reason in zip(check.own, ("why_own_micro", "why_own_macro"), strict=True):
        if same(check.published, average):
            return replace(check, reason=reason)
    return replace(check, mark="differs")


def own_averages(table: Table, model: str) -> tuple[float, float]:
    """Micro and macro average of a table's published subject cells, percent, from the counts they stand for."""
    column = table.models.index(model)
    rows = [row for row in table.cells if row not in (ALL, OTHER_SUITE)]
    sizes = [_size(table, row, model) * _parts(table.measure) for row in rows]
    counts = [round(table.cells[row][column] / 100 * size) for row, size in zip(rows, sizes, strict=True)]
    shares = [count / size for count, size in zip(counts, sizes, strict=True)]
    return 100 * sum(counts) / sum(sizes), 100 * sum(shares) / len(shares)


def _value(table: Table, cell: Cell) -> float | None:
    if table.measure.startswith("pass@"):
        return (cell.pass_at_k or {}).get(int(table.measure[5:]))
    return cell.negative_marking if table.measure == "negative_marking" else cell.accuracy


def _parts(measure: str, samples: int = 5) -> int:
    """Into how many parts a question's score falls."""
    if measure.startswith("pass@"):
        return math.comb(samples, int(measure[5:]))
    return 3 if measure == "negative_marking" else 1


def _counts(table: Table, published: float, value: float, cell: Cell) -> Counts | None:
    """Both figures as counts, where they stand for whole numbers."""
    of = cell.n * _parts(table.measure, cell.samples)
    ours, theirs = value / 100 * of, round(published / 100 * of)
    whole = abs(ours - round(ours)) < 1e-3 and same(published, 100 * theirs / of)
    return Counts(theirs, round(ours), of) if whole else None


def _reason(evaluation: Evaluation, check: Check) -> str:
    if evaluation.choices == "extracted":
        return "why_extracted"
    return _noted("reason", check) or ("why_own_cells" if check.own else "why_unknown")


def _noted(kind: Literal["reason", "remark"], check: Check) -> str:
    """The key of what is known of this cell, or nothing."""
    table = check.table.name
    for note in _file()[kind]:
        if (check.row, check.model) != (note["row"], note["model"]):
            continue
        figure = note.get("recomputed", {}).get(table)
        come_out = figure is not None and check.recomputed is not None and same(figure, check.recomputed)
        if come_out or table in note.get("tables", ()):
            return str(note["key"])
    return ""


def _size(table: Table, row: str, model: str) -> int:
    for other in _file()["size"]:
        if (other["table"], other["row"], other["model"]) == (table.name, row, model):
            return int(other["n"])
    return int(_file()["sizes"][row])


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))


def by_table(found: list[Check]) -> Iterator[tuple[Table, list[Check]]]:
    """The checks of each table."""
    for table in tables():
        yield table, [check for check in found if check.table is table]
