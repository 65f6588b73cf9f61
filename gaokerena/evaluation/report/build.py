"""The report as a list of parts, before it is written in any language or form."""

from __future__ import annotations

from gaokerena.evaluation.report.blocks import Section
from gaokerena.evaluation.report.part_about import about, alignment
from gaokerena.evaluation.report.part_accuracies import rules, subjects
from gaokerena.evaluation.report.part_caution import caution
from gaokerena.evaluation.report.part_checks import invariances, reader
from gaokerena.evaluation.report.part_curves import abstentions, passes
from gaokerena.evaluation.report.part_differences import differences
from gaokerena.evaluation.report.part_judged import judged
from gaokerena.evaluation.report.part_published import published
from gaokerena.evaluation.report.part_search import searched
from gaokerena.evaluation.report.read import Found


def sections(found: Found, command: str) -> list[Section]:
    """Every part that has something to show, in order; `command` is the one that writes the report."""
    evaluation = found.evaluation
    made = [
        about(evaluation, command),
        published(evaluation),
        differences(evaluation),
        passes(evaluation),
        abstentions(evaluation),
        subjects(evaluation),
        rules(evaluation, tuple(searched(found.rules, evaluation))),
        reader(evaluation),
        invariances(evaluation),
        judged(found.judge),
        alignment(evaluation),
        caution(evaluation),
    ]
    always = ("published", "caution")
    return [section for section in made if len(section.blocks) > 1 or section.name in always]
