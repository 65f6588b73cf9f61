"""The published tables beside what is recomputed: every cell, every difference, every reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gaokerena.evaluation.report import naming
from gaokerena.evaluation.report.blocks import Block, Compared, Grid, Section, Words
from gaokerena.evaluation.report.parts import head
from gaokerena.evaluation.report.published import OTHER_SUITE, Check, Table, by_table, checks, remarks
from gaokerena.evaluation.report.schema import Evaluation
from gaokerena.evaluation.report.values import Joined, Name, Number, Phrase, Value


def published(evaluation: Evaluation) -> Section:
    """The section; where no published cell is at hand (other models, say) it only says so."""
    found = checks(evaluation)
    marks = Counter(check.mark for check in found)
    if not any(check.recomputed is not None for check in found):
        return Section("published", Phrase("published_title"), (Words((Phrase("published_none"),)),))
    counts = {mark: Number(marks[mark], 0) for mark in ("exact", "differs", "absent")}
    blocks: list[Block] = [
        Words((Phrase.of("published_counts", all=Number(len(found), 0), **counts), Phrase("published_text"))),
        _differing(evaluation, [check for check in found if check.mark == "differs"]),
    ]
    blocks += [_table(evaluation, table, mine) for table, mine in by_table(found)]
    blocks.append(_remarked(evaluation, found))
    return Section("published", Phrase("published_title"), tuple(blocks))


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
    if check.own:
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
    """A differing cell; an average whose questions are not at hand differs from the micro average of its own cells."""
    ours = check.own[0] if check.own else check.recomputed or 0.0
    named = (Phrase(f"short_{check.table.name}"), _row(check.row), naming.model(check.model))
    figures = (Number(check.published), Number(ours, 3), Number(ours - check.published, signed=True))
    return *named, *figures, _why(check)


def _why(check: Check) -> Value:
    own = {"micro": Number(check.own[0]), "macro": Number(check.own[1])} if check.own else {}
    reason = Phrase.of(check.reason, **own)
    if check.own and check.recomputed is not None:
        at_hand = Phrase.of("at_hand", n=Number(check.n, 0), value=Number(check.recomputed))
        return Joined((reason, at_hand), "line")
    if check.counts is None:
        return reason
    counts = {name: Number(getattr(check.counts, name), 0) for name in ("published", "recomputed", "of")}
    unit = "counted_thirds" if check.table.measure == "negative_marking" else "counted"
    unit = "counted_draws" if check.table.measure in ("pass@2", "pass@3") else unit
    return Joined((reason, Phrase.of(unit, **counts)), "line")


def _remarked(evaluation: Evaluation, found: Iterable[Check]) -> Grid:
    """Cells that cannot be held against the answers at hand, or that are as published only with a remark."""
    rows = []
    for check in found:
        key = remarks(check) or (check.reason if check.mark == "absent" else "")
        if key:
            named = (Phrase(f"short_{check.table.name}"), _row(check.row), naming.model(check.model))
            filled: dict[str, Value] = {}
            if key == "why_partial":
                filled = {"n": Number(check.n, 0), "size": Number(check.size, 0)}
            remark: Value = Phrase.of(key, **filled)
            if check.mark == "absent" and check.recomputed is not None:
                at_hand = Phrase.of("at_hand", n=Number(check.n, 0), value=Number(check.recomputed))
                remark = Joined((remark, at_hand), "line")
            rows.append((*named, Number(check.published), remark))
    columns = head("table", "subject", "model", "published", "remark")
    return Grid("remarked", Phrase("remarked"), columns, tuple(rows), evaluation.command, folded=True)
