"""Forest plots of paired differences: models against each other, one model's ways, whole systems."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gaokerena.evaluation.report import naming
from gaokerena.evaluation.report.blocks import Block, Grid, Picture, Section, Words
from gaokerena.evaluation.report.parts import head, span
from gaokerena.evaluation.report.plots import Bar, Rows
from gaokerena.evaluation.report.schema import Comparison, Evaluation
from gaokerena.evaluation.report.values import Chance, Joined, Number, Phrase


def differences(evaluation: Evaluation) -> Section:
    """Forest plots: models against each other, one model's ways, systems; the rest in a table."""
    blocks: list[Block] = [Words((Phrase("differences_text"),))]
    for suite in evaluation.suites:
        mine = [comparison for comparison in evaluation.comparisons if comparison.suite == suite]
        parts = _parted(evaluation, mine)
        drawn = [name for name in ("models", "ways", "systems") if parts[name]]
        blocks += [_forest(evaluation, suite, name, parts[name]) for name in drawn]
        if parts["others"]:
            blocks.append(_compared(evaluation, suite, "others", parts["others"]))
    return Section("differences", Phrase("differences_title"), tuple(blocks))


def _parted(evaluation: Evaluation, comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    """Comparisons by what they tell. Models that were only asked once are not drawn: they would fill the figures."""
    sampled = {cell.model for cell in evaluation.cells if cell.samples > 1}
    found: dict[str, list[Comparison]] = {"models": [], "ways": [], "systems": [], "others": []}
    for comparison in comparisons:
        a, b = comparison.sides
        if sampled and not {a[0], b[0]} <= sampled:
            found["others"].append(comparison)
        elif a[0] == b[0]:
            found["ways"].append(comparison)
        else:
            found["models" if a[1:] == b[1:] else "systems"].append(comparison)
    return found


def _forest(evaluation: Evaluation, suite: str, part: str, comparisons: Sequence[Comparison]) -> Picture:
    slot = {"models": 0, "ways": 1, "systems": 2}[part]
    bars = tuple(
        Bar(naming.difference(each), each.difference, *each.ci95, slot=slot, open=each.contains_zero)
        for each in comparisons
    )
    title = Phrase.of(f"forest_{part}", suite=naming.suite(suite))
    plot = Rows(f"forest-{part}-{suite}", title, Phrase("points"), ((None, bars),), line=0.0)
    return Picture(plot, _compared(evaluation, suite, part, comparisons), Phrase("forest_note"))


def _compared(evaluation: Evaluation, suite: str, part: str, comparisons: Iterable[Comparison]) -> Grid:
    rows = tuple(
        (
            naming.difference(each),
            Number(each.n, 0),
            Number(each.difference, signed=True),
            span(each.ci95, signed=True),
            Chance(each.p),
            Phrase(f"test_{each.test}"),
            Joined(tuple(Number(count, 0) for count in each.discordant), "dot") if each.discordant else None,
        )
        for each in comparisons
    )
    columns = head("difference", "n", "points", "ci95", "p", "test", "discordant")
    title = Phrase.of(f"forest_{part}", suite=naming.suite(suite))
    return Grid(f"differences-{part}-{suite}", title, columns, rows, evaluation.command, folded=True)
