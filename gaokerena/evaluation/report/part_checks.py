"""Two checks on the measuring: how well letters are read, and whether the way of asking changes the choice."""

from __future__ import annotations

from gaokerena.evaluation.report import naming
from gaokerena.evaluation.report.blocks import Block, Grid, Picture, Section, Words
from gaokerena.evaluation.report.parts import Slots, head, number, span
from gaokerena.evaluation.report.plots import Bar, Rows
from gaokerena.evaluation.report.schema import Evaluation
from gaokerena.evaluation.report.values import Number, Phrase


def reader(evaluation: Evaluation) -> Section:
    """How often the option reader reads what people read."""
    columns = head("model", "prompting", "answers", "agreement", "ci95", "lettered", "agreement", "ci95")
    rows = tuple(
        (
            naming.model(each.model),
            naming.prompting(each.prompting),
            Number(each.n, 0),
            number(each.agreement),
            span(each.ci95),
            Number(each.n_lettered, 0),
            number(each.agreement_lettered),
            span(each.ci95_lettered),
        )
        for each in evaluation.extraction
    )
    grid = Grid("reader", Phrase("reader_table"), columns, rows, evaluation.command)
    return Section("reader", Phrase("reader_title"), (Words((Phrase("reader_text"),)), grid) if rows else ())


def invariances(evaluation: Evaluation) -> Section:
    """Straight and chain-of-thought choices of one model against each other."""
    blocks: list[Block] = []
    note = Phrase("forest_note")
    for suite in evaluation.suites:
        mine = [each for each in evaluation.invariance if each.suite == suite]
        if not mine:
            continue
        slots = Slots(evaluation)
        mine.sort(key=lambda each: slots[each.model])
        zero = [each.gain_ci95[0] <= 0 <= each.gain_ci95[1] for each in mine]
        bars = tuple(
            Bar(naming.model(each.model), each.gain, *each.gain_ci95, slot=slots[each.model], open=hollow)
            for each, hollow in zip(mine, zero, strict=True)
        )
        title = Phrase.of("invariance_figure", suite=naming.suite(suite))
        plot = Rows(f"invariance-{suite}", title, Phrase("points"), ((None, bars),), line=0.0)
        rows = tuple(
            (
                naming.model(e.model),
                Number(e.n, 0),
                Number(e.agree),
                span(e.ci95),
                number(e.kappa),
                Number(e.accuracy_straight),
                Number(e.accuracy_cot),
                number(e.accuracy_when_agree),
                Number(e.accuracy_both),
                Number(e.gain, signed=True),
                span(e.gain_ci95, signed=True),
            )
            for e in mine
        )
        columns = head(
            "model", "n", "agree", "ci95", "kappa", "acc_straight", "acc_cot", "acc_agree", "acc_both", "gain", "ci95"
        )
        blocks.append(Picture(plot, Grid(plot.name, title, columns, rows, evaluation.command), note))
    text = Words((Phrase("invariance_text"),))
    return Section("invariance", Phrase("invariance_title"), (text, *blocks) if blocks else ())
