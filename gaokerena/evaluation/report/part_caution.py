"""What must not be concluded, said with this evaluation's own figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gaokerena.evaluation.report import naming
from gaokerena.evaluation.report.blocks import Grid, Section, Words
from gaokerena.evaluation.report.parts import head, span
from gaokerena.evaluation.report.published import OTHER_SUITE, SUITE, tables
from gaokerena.evaluation.report.schema import ALL, Comparison, Evaluation
from gaokerena.evaluation.report.values import Chance, Joined, Number, Phrase, Value
from gaokerena.statistics import holm

LEVEL = 0.05


def caution(evaluation: Evaluation) -> Section:
    """Warnings as a list, and the comparisons whose small p does not survive their number."""
    adjusted = holm([each.p for each in evaluation.comparisons])
    lines = (*_many(evaluation.comparisons, adjusted), *_size(evaluation), *_always(evaluation))
    grids = []
    weak = [(each, p) for each, p in zip(evaluation.comparisons, adjusted, strict=True) if each.p < LEVEL <= p]
    if weak:
        rows = tuple(
            (
                naming.suite(each.suite),
                naming.difference(each),
                Number(each.difference, signed=True),
                span(each.ci95, signed=True),
                Chance(each.p),
                Chance(p),
            )
            for each, p in weak
        )
        columns = head("suite", "difference", "points", "ci95", "p", "p_holm")
        grids.append(Grid("weak", Phrase("weak"), columns, rows, evaluation.command))
    return Section("caution", Phrase("caution_title"), (Words(lines, "list"), *grids))


def _many(comparisons: Sequence[Comparison], adjusted: Sequence[float]) -> Iterator[Value]:
    if not comparisons:
        return
    count = len(comparisons)
    zero = [each for each in comparisons if each.contains_zero]
    yield Phrase.of(
        "caution_many",
        all=Number(count, 0),
        expected=Number(count * LEVEL, 1),
        small=Number(sum(each.p < LEVEL for each in comparisons), 0),
        holm=Number(sum(p < LEVEL for p in adjusted), 0),
    )
    if zero:
        yield Phrase.of("caution_zero", zero=Number(len(zero), 0), all=Number(count, 0))
    if main := _between_papers(comparisons):
        yield Phrase.of("caution_papers", list=Joined(tuple(map(_short, main)), "semicolon"))


def _between_papers(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Differences between the papers' sampled models that may be none."""
    ours = set(next(table for table in tables() if table.name == "sc").models)
    return [each for each in comparisons if each.contains_zero and {each.a, each.b} <= ours and each.a != each.b]


def _short(comparison: Comparison) -> Value:
    points = Number(comparison.difference, signed=True)
    return Phrase.of("short_difference", what=naming.difference(comparison), points=points)


def _size(evaluation: Evaluation) -> Iterator[Value]:
    parts = [cell for cell in evaluation.cells if cell.subject != ALL]
    if parts:
        widest = max(parts, key=lambda cell: cell.ci95[1] - cell.ci95[0])
        yield Phrase.of(
            "caution_small",
            subject=naming.subject(widest.subject),
            model=naming.model(widest.model),
            n=Number(widest.n, 0),
            low=Number(widest.ci95[0], 1),
            high=Number(widest.ci95[1], 1),
        )
    absent = _absent_subjects(evaluation)
    if absent:
        yield Phrase.of("caution_absent", list=Joined(tuple(absent), "semicolon"))


def _absent_subjects(evaluation: Evaluation) -> list[Value]:
    """Published subjects and suites this evaluation has nothing of; empty where it has no published suite at all."""
    there = {cell.subject for cell in evaluation.cells if cell.suite == SUITE}
    if not there:
        return []
    rows = [row for row in tables()[0].cells if row not in (ALL, OTHER_SUITE)]
    absent = [naming.subject(row) for row in rows if row not in there]
    return absent if OTHER_SUITE in evaluation.suites else [*absent, naming.suite(OTHER_SUITE)]


def _always(evaluation: Evaluation) -> Iterator[Value]:
    """What holds of any evaluation of this kind, each only where its figures are in the report."""
    rules = {cell.rule for cell in evaluation.cells}
    if "sc3of5" in rules:
        yield Phrase("caution_blank")
    if "verifier" in rules:
        yield Phrase("caution_verifier")
    if any(cell.pass_at_k and len(cell.pass_at_k) > 1 for cell in evaluation.cells):
        yield Phrase("caution_passes")
    yield Phrase(f"caution_{evaluation.choices}")
    yield Phrase("caution_runs")
    yield Phrase("caution_exam")
