"""What the report is made from, and how rows of different models were matched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gaokerena.evaluation.report import naming
from gaokerena.evaluation.report.blocks import Block, Grid, Section, Words
from gaokerena.evaluation.report.parts import Slots, head
from gaokerena.evaluation.report.schema import ALL, Aligned, Evaluation, Rows
from gaokerena.evaluation.report.values import Joined, Name, Number, Phrase, Quote, Value
from gaokerena.evaluation.report.words import known


def about(evaluation: Evaluation, command: str) -> Section:
    """Files, commands, dates, seed, versions; the short names of models."""
    facts = Grid("facts", Phrase("facts"), head("fact", "value"), tuple(_facts(evaluation, command)), command)
    legend = tuple(
        (Phrase(key), Name(model)) for model in _models(evaluation) if (key := known("model_", model)) is not None
    )
    names = Grid("names", Phrase("names"), head("short_name", "model"), legend, evaluation.command)
    return Section(
        "about", Phrase("about_title"), (Words((Phrase("about_text"),)), facts, *([names] if legend else []))
    )


def _facts(evaluation: Evaluation, command: str) -> Iterator[tuple[Value, Value]]:
    source = evaluation.source
    yield Phrase("fact_evaluation"), Name(evaluation.command)
    yield Phrase("fact_report"), Name(command)
    yield Phrase("fact_files"), Joined(tuple(Name(file) for file in source.files))
    yield Phrase("fact_hash"), Name(source.sha256)
    yield Phrase("fact_rows"), Number(source.rows, 0)
    for suite, count in source.unscored.items():
        yield Phrase("fact_unscored"), Phrase.of("count_in", n=Number(count, 0), suite=naming.suite(suite))
    yield Phrase("fact_at"), Name(evaluation.at)
    yield Phrase("fact_choices"), Phrase(f"choices_{evaluation.choices}")
    yield Phrase("fact_seed"), Number(evaluation.seed, 0)
    yield Phrase("fact_resamples"), Number(evaluation.resamples, 0)
    yield Phrase("fact_versions"), Name(", ".join(f"{name} {version}" for name, version in evaluation.versions.items()))
    for suite in evaluation.suites:
        subjects = {cell.subject for cell in evaluation.cells if cell.suite == suite} - {ALL}
        n = max(cell.n for cell in evaluation.cells if cell.suite == suite)
        sizes = {"n": Number(n, 0), "subjects": Number(len(subjects), 0)}
        yield naming.suite(suite), Phrase.of("suite_size", **sizes)


def _models(evaluation: Evaluation) -> Iterable[str]:
    slots = Slots(evaluation)
    return sorted(dict.fromkeys(cell.model for cell in evaluation.cells), key=lambda model: slots[model])


def alignment(evaluation: Evaluation) -> Section:
    """How rows were matched, and every group of rows that was not."""
    blocks: list[Block] = [Words((Phrase("alignment_text"),))]
    columns = head("suite", "questions", "by_text", "by_options", "by_similarity")
    rows = tuple(
        (
            naming.suite(each.suite),
            Number(each.questions, 0),
            *(Number(each.aligned_by.get(way, 0), 0) for way in ("text", "options", "similarity")),
        )
        for each in evaluation.alignment
    )
    blocks.append(Grid("aligned", Phrase("aligned"), columns, rows, evaluation.command))
    left = tuple(row for each in evaluation.alignment for row in _left(each))
    if left:
        columns = head("what", "model", "prompting", "subject", "count", "example")
        blocks.append(Grid("left", Phrase("left"), columns, left, evaluation.command))
    else:
        blocks.append(Words((Phrase("nothing_left"),)))
    return Section("alignment", Phrase("alignment_title"), tuple(blocks))


def _left(aligned: Aligned) -> Iterator[tuple[Value, ...]]:
    yield from _rows("unaligned", aligned.unaligned)
    yield from _rows("repeated", aligned.repeated)
    yield from _rows("missing", aligned.missing)


def _rows(what: str, rows: Iterable[Rows]) -> Iterator[tuple[Value, ...]]:
    for row in rows:
        named = (Phrase(what), naming.model(row.model), naming.prompting(row.prompting), naming.subject(row.subject))
        example = f"{row.example[:120].rstrip()}…" if len(row.example) > 120 else row.example
        yield (*named, Number(row.rows or row.questions, 0), Quote(example) if example else None)
