"""pass@k with guessing beside it, and what abstaining buys."""

from __future__ import annotations

from collections.abc import Sequence

from gaokerena.evaluation.passk import guessed
from gaokerena.evaluation.report import naming
from gaokerena.evaluation.report.blocks import Block, Entry, Grid, Picture, Section, Words
from gaokerena.evaluation.report.parts import Slots, head, number, span, whole
from gaokerena.evaluation.report.plots import Curve, Lines, Spot
from gaokerena.evaluation.report.schema import Cell, Evaluation
from gaokerena.evaluation.report.values import Number, Phrase, Value


def passes(evaluation: Evaluation) -> Section:
    """pass@k with the line of guessing, and with guessing taken out."""
    blocks: list[Block] = [Words((Phrase("passes_text"),))]
    for suite in evaluation.suites:
        cells = [cell for cell in whole(evaluation, suite) if cell.pass_at_k and len(cell.pass_at_k) > 1]
        cells = [cell for cell in cells if cell.rule == "single"]
        if cells:
            blocks += [_passes(evaluation, suite, cells, "pass_at_k"), _passes(evaluation, suite, cells, "corrected")]
    return Section("passes", Phrase("passes_title"), tuple(blocks))


def _passes(evaluation: Evaluation, suite: str, cells: Sequence[Cell], kind: str) -> Picture:
    slots = Slots(evaluation)
    values = {cell.model: (cell.pass_at_k if kind == "pass_at_k" else cell.pass_at_k_corrected) or {} for cell in cells}
    ks = sorted({k for found in values.values() for k in found})
    curves = [
        Curve(naming.model(model), tuple(Spot(k, found[k]) for k in sorted(found)), slots[model])
        for model, found in values.items()
    ]
    chance = {k: 100 * guessed(k) if kind == "pass_at_k" else 0.0 for k in ks}
    curves.append(Curve(Phrase("guessing"), tuple(Spot(k, chance[k]) for k in ks), plain=True))
    title = Phrase.of(f"passes_{kind}", suite=naming.suite(suite))
    plot = Lines(f"{kind.replace('_', '-')}-{suite}", title, Phrase("k"), Phrase("percent"), tuple(curves), steps=True)
    columns: tuple[Value, ...] = (Phrase("model"), *(Phrase.of("k_is", k=Number(k, 0)) for k in ks))
    named: list[tuple[Value, dict[int, float]]] = [(naming.model(model), found) for model, found in values.items()]
    named.append((Phrase("guessing"), chance))
    rows = tuple((name, *(number(found.get(k)) for k in ks)) for name, found in named)
    return Picture(plot, Grid(plot.name, title, columns, rows, evaluation.command, folded=True))


def abstentions(evaluation: Evaluation) -> Section:
    """Coverage against accuracy of what was answered."""
    blocks: list[Block] = [Words((Phrase("abstentions_text"),))]
    slots = Slots(evaluation)
    for suite in evaluation.suites:
        mine = [curve for curve in evaluation.abstention if curve.suite == suite]
        if not mine:
            continue
        curves, rows = [], list[tuple[Entry, ...]]()
        for each in mine:
            label = Phrase.of("curve_area", model=naming.model(each.model), area=Number(each.area))
            spots = [(p.coverage, p.accuracy, p.ci95) for p in each.points]
            drawn = tuple(Spot(x, y, *(ci or (None, None))) for x, y, ci in spots if y is not None)
            curves.append(Curve(label, drawn, slots[each.model]))
            for point in each.points:
                votes = Phrase.of("votes", votes=Number(point.votes, 0))
                figures = (Number(point.n_answered, 0), Number(point.coverage), number(point.accuracy))
                marks = Number(point.negative_marking)
                rows.append((naming.model(each.model), votes, *figures, span(point.ci95), marks))
        title = Phrase.of("abstentions_figure", suite=naming.suite(suite))
        plot = Lines(f"abstention-{suite}", title, Phrase("coverage"), Phrase("accuracy_answered"), tuple(curves))
        columns = head("model", "agreeing", "answered", "coverage", "accuracy_answered", "ci95", "negative_marking")
        grid = Grid(plot.name, title, columns, tuple(rows), evaluation.command, folded=True)
        blocks.append(Picture(plot, grid, Phrase("curves_note")))
    return Section("abstention", Phrase("abstentions_title"), tuple(blocks))
