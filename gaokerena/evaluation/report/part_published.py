"""The published tables beside what is recomputed: every cell, every difference, every reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gaokerena.evaluation.report import naming
from gaokerena.evaluation.report.blocks import Block, Compared, Grid, Section, Words
from gaokerena.evaluation.report.parts import head, number
from gaokerena.evaluation.report.published import OTHER_SUITE, Check, Table, by_table, checks
from gaokerena.evaluation.report.schema import Evaluation
from gaokerena.evaluation.report.values import Joined, Name, Number, Phrase, Value


def published(evaluation: Evaluation) -> Section:
    """The section; where no published cell is at hand (other models, say) it only says so."""
    found = checks(evaluation)
    if not any(check.recomputed is not None for check in found):
        return Section("published", Phrase("published_title"), (Words((Phrase("published_none"),)),))
    blocks: list[Block] = [
        Words((_counted(found), Phrase("published_text"))),
        _differing(evaluation, [check for check in found if check.mark == "differs" and not check.contradicts]),
        _contradicting(evaluation, [check for check in found if check.contradicts]),
    ]
    blocks += [_table(evaluation, table, mine) for table, mine in by_table(found)]
    blocks.append(_remarked(evaluation, found))
    return Section("published", Phrase("published_title"), tuple(blocks))


def _counted(found: list[Check]) -> Phrase:
    """How many are exact, differ, contradict their own cells and are not at hand; together all of them."""
    marks = Counter("averages" if check.contradicts else check.mark for check in found)
    counts = {mark: Number(marks[mark], 0) for mark in ("exact", "differs", "averages", "absent")}
    return Phrase.of("published_counts", all=Number(len(found), 0), **counts)


def _table(evaluation: Evaluation, table: Table, found: list[Check]) -> Grid:
    rows = [
        (_row(row), *(_compared(check) for check in found if check.row == row))
        for row in dict.fromkeys(check.row for check in found)
    ]
    columns = (Phrase("subject"), *(naming.model(model) for model in table.models))
    title = Phrase.of(f"table_{table.name}", paper=Name(table.paper))
    return Grid(f"published-{table.name}", title, columns, tuple(rows), evaluation.command)


def _row(row: str) -> Value:
    return naming.suite(row) if row == OTHER_SUITE else naming.subject(row)


def _compared(check: Check) -> Compared:
    recomputed: Value = Number(check.recomputed, 3) if check.recomputed is not None else None
    if check.own and not check.whole:
        recomputed = Phrase.of("own_micro", micro=Number(check.own[0], 3))
    elif check.mark == "absent" and check.recomputed is not None:
        recomputed = Phrase.of("partial", value=Number(check.recomputed), n=Number(check.n, 0))
    return Compared(Number(check.published), recomputed, check.mark)


def _differing(evaluation: Evaluation, found: Iterable[Check]) -> Grid:
    """Each differing cell with its reason."""
    rows = tuple(_difference(check) for check in found)
    columns = head("table", "subject", "model", "published", "recomputed", "difference", "reason")
    return Grid("differing", Phrase("differing"), columns, rows, evaluation.command)


def _difference(check: Check) -> tuple[Value, ...]:
    ours = check.recomputed or 0.0
    figures = (Number(check.published), Number(ours, 3), Number(ours - check.published, signed=True))
    return *_named(check), *figures, _why(check)


def _named(check: Check) -> tuple[Value, ...]:
    return Phrase(f"short_{check.table.name}"), _row(check.row), naming.model(check.model)


def _contradicting(evaluation: Evaluation, found: Iterable[Check]) -> Grid:
    """Averages that are none of their own published cells, whether or not their questions are at hand."""
    rows = []
    for check in found:
        table, _, model = _named(check)
        own = (Number(average, 3) for average in check.own or ())
        rows.append((table, model, Number(check.published), *own, number(check.recomputed, 3), Number(check.n, 0)))
    columns = head("table", "model", "published", "own_micro_average", "own_macro_average", "recomputed", "n")
    return Grid("contradicting", Phrase("contradicting"), columns, tuple(rows), evaluation.command)


def _why(check: Check) -> Value:
    """The reason, any remark, and both figures as counts, a line each."""
    lines: list[Value] = [Phrase(key) for key in (check.reason, check.remark) if key]
    if check.counts:
        counts = {name: Number(getattr(check.counts, name), 0) for name in ("published", "recomputed", "of")}
        unit = "counted_thirds" if check.table.measure == "negative_marking" else "counted"
        unit = "counted_draws" if check.table.measure in ("pass@2", "pass@3") else unit
        lines.append(Phrase.of(unit, **counts))
    return Joined(tuple(lines), "line")


def _remarked(evaluation: Evaluation, found: Iterable[Check]) -> Grid:
    """Cells that cannot be held against the answers at hand, or that are as published only with a remark."""
    rows = tuple(
        (*_named(check), Number(check.published), _remark(check))
        for check in found
        if check.mark == "absent" or (check.mark == "exact" and check.remark)
    )
    columns = head("table", "subject", "model", "published", "remark")
    return Grid("remarked", Phrase("remarked"), columns, rows, evaluation.command, folded=True)


def _remark(check: Check) -> Value:
    if check.mark == "exact":
        return Phrase(check.remark)
    partial = check.reason == "why_partial"
    sizes: dict[str, Value] = {"n": Number(check.n, 0), "size": Number(check.size, 0)} if partial else {}
    remark = Phrase.of(check.reason, **sizes)
    if check.recomputed is None:
        return remark
    at_hand = Phrase.of("at_hand", n=Number(check.n, 0), value=Number(check.recomputed))
    return Joined((remark, at_hand), "line")
