"""Accuracies with their intervals: by subject, and by decision rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gaokerena.evaluation.report import naming
from gaokerena.evaluation.report.blocks import Block, Grid, Picture, Section, Words
from gaokerena.evaluation.report.parts import GUESSING, Slots, head, span, whole
from gaokerena.evaluation.report.plots import Bar, Rows
from gaokerena.evaluation.report.schema import ALL, Cell, Evaluation
from gaokerena.evaluation.report.values import Number, Phrase, Value


def subjects(evaluation: Evaluation) -> Section:
    """Accuracy by subject, the mean of single answers, for each prompting."""
    blocks: list[Block] = [Words((Phrase("subjects_text"),))]
    slots = Slots(evaluation)
    for suite in evaluation.suites:
        singles = [cell for cell in evaluation.cells if cell.suite == suite and cell.rule == "single"]
        for asked in dict.fromkeys(cell.prompting for cell in singles):
            cells = [cell for cell in singles if cell.prompting == asked]
            names = [name for name in dict.fromkeys(cell.subject for cell in cells) if name != ALL]
            groups = [(naming.subject(name), slots.sorted([c for c in cells if c.subject == name])) for name in names]
            title = Phrase.of("subjects_figure", suite=naming.suite(suite), prompting=naming.prompting(asked))
            if groups:
                blocks.append(_accuracies(evaluation, f"subjects-{asked}-{suite}", title, groups, _by_model))
    return Section("subjects", Phrase("subjects_title"), tuple(blocks))


def rules(evaluation: Evaluation, more: Sequence[Block]) -> Section:
    """Decision rules beside each other; `more` is what a search for better ones found."""
    blocks: list[Block] = [Words((Phrase("rules_text"),))]
    slots = Slots(evaluation)
    for suite in evaluation.suites:
        cells = [cell for cell in whole(evaluation, suite) if cell.samples > 1]
        own = slots.sorted([cell for cell in cells if cell.model in slots.models])
        several = [cell for cell in cells if cell.model not in slots.models]
        groups = [(naming.model(m), [c for c in own if c.model == m]) for m in dict.fromkeys(c.model for c in own)]
        title = Phrase.of("rules_figure", suite=naming.suite(suite))
        if groups:
            blocks.append(_accuracies(evaluation, f"rules-{suite}", title, groups, lambda c: naming.rule(c.rule)))
        if several:
            title = Phrase.of("pools_figure", suite=naming.suite(suite))
            blocks.append(_accuracies(evaluation, f"pools-{suite}", title, [(None, several)], _by_system))
    return Section("rules", Phrase("rules_title"), (*blocks, *more))


def _by_model(cell: Cell) -> Value:
    return naming.model(cell.model)


def _by_system(cell: Cell) -> Value:
    return naming.system((cell.model, cell.prompting, cell.rule))


def _accuracies(
    evaluation: Evaluation,
    name: str,
    title: Phrase,
    groups: Sequence[tuple[Value, Sequence[Cell]]],
    label: Callable[[Cell], Value],
) -> Picture:
    """Cells as bars with intervals, and as a table with their counts."""
    slots = Slots(evaluation)
    drawn = tuple(
        (heading, tuple(Bar(label(c), c.accuracy, *c.ci95, slot=slots[c.model]) for c in cells))
        for heading, cells in groups
    )
    rows = tuple(
        (
            heading,
            label(cell),
            Number(cell.n, 0),
            *(Number(count, 0 if count == int(count) else 1) for count in (cell.correct, cell.wrong, cell.abstained)),
            Number(cell.accuracy),
            span(cell.ci95),
            Number(cell.negative_marking),
        )
        for heading, cells in groups
        for cell in cells
    )
    columns = head("group", "row", "n", "correct", "wrong", "abstained", "accuracy", "ci95", "negative_marking")
    plot = Rows(name, title, Phrase("accuracy"), drawn, line=GUESSING, solid=True)
    return Picture(plot, Grid(name, title, columns, rows, evaluation.command, folded=True), Phrase("guessing_note"))
