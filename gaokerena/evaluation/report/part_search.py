"""What the search for better decision rules found (rules.json): nested figures against the yardstick, losses too."""

from __future__ import annotations

from collections.abc import Iterator

from gaokerena.evaluation.report import naming
from gaokerena.evaluation.report.blocks import Block, Grid, Picture, Words
from gaokerena.evaluation.report.parts import head, span
from gaokerena.evaluation.report.plots import Bar, Rows
from gaokerena.evaluation.report.schema import Evaluation
from gaokerena.evaluation.report.schema_more import Family, Searched, SearchedSuite
from gaokerena.evaluation.report.values import Chance, Joined, Name, Number, Phrase, Value


def searched(found: Searched | None, evaluation: Evaluation) -> Iterator[Block]:
    """The search's blocks, or nothing where it was not run."""
    if found is None or not found.suites:
        return
    folds = {"outer": Number(found.folds.outer, 0), "inner": Number(found.folds.inner, 0)}
    other = () if found.same_source(evaluation.source) else (Phrase("other_source"),)
    yield Words((Phrase.of("search_text", **folds), *other))
    for suite in found.suites:
        yield _picture(found, suite)
        if suite.subjects:
            yield _subjects(found, suite)
        yield _chosen(found, suite)


def _picture(found: Searched, suite: SearchedSuite) -> Picture:
    base = suite.yardstick
    named = naming.system((base.model, base.prompting, base.rule))
    title = Phrase.of("search_figure", yardstick=named, suite=naming.suite(suite.suite))
    bars = tuple(
        Bar(_family(f), f.against.difference, *f.against.ci95, slot=3, open=f.against.ci95[0] <= 0 <= f.against.ci95[1])
        for f in suite.families
    )
    rows: list[tuple[Value, ...]] = [
        (named, None, Number(base.n, 0), Number(base.accuracy), span(base.ci95), None, None, None, None, None)
    ]
    for family in suite.families:
        against = family.against
        figures = (Number(family.n, 0), Number(family.accuracy), span(family.ci95))
        difference = (Number(against.difference, signed=True), span(against.ci95, signed=True), Chance(against.p))
        more = (Number(family.answers, 1), Number(family.apparent.accuracy))
        rows.append((_family(family), Number(family.candidates, 0), *figures, *difference, *more))
    columns = head("search", "candidates", "n", "accuracy", "ci95", "points", "ci95", "p", "answers_taken", "apparent")
    grid = Grid(f"search-{suite.suite}", title, columns, tuple(rows), found.command)
    plot = Rows(grid.name, title, Phrase("points"), ((None, bars),), line=0.0)
    return Picture(plot, grid, Phrase("forest_note"))


def _family(family: Family) -> Value:
    return naming.family(family.family)


def _subjects(found: Searched, suite: SearchedSuite) -> Grid:
    rows = tuple(
        (
            naming.subject(each.subject),
            Number(each.n, 0),
            Number(each.difference, signed=True),
            span(each.ci95, signed=True),
            Number(each.won, 1),
            Number(each.lost, 1),
        )
        for each in suite.subjects
    )
    columns = head("subject", "n", "points", "ci95", "won", "lost")
    title = Phrase.of("search_subjects", suite=naming.suite(suite.suite))
    return Grid(f"search-subjects-{suite.suite}", title, columns, rows, found.command)


def _chosen(found: Searched, suite: SearchedSuite) -> Grid:
    rows = tuple(
        (
            _family(family),
            Joined(tuple(Name(name) for name in family.chosen), "line"),
            Joined(tuple(Number(folds, 0) for folds in family.chosen.values()), "line"),
        )
        for family in suite.families
    )
    title = Phrase.of("search_chosen", suite=naming.suite(suite.suite))
    return Grid(f"chosen-{suite.suite}", title, head("search", "rule", "folds"), rows, found.command, folded=True)
