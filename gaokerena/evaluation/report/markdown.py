"""The report as Markdown, one file a language: a viewer lays a page out in one direction, so two would not read well.

    report_fa = markdown(sections, "fa")

Figures are their tables here. Left-to-right parts of Persian text stand between Unicode isolates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gaokerena.evaluation.report.blocks import Block, Compared, Entry, Grid, Picture, Section, Words
from gaokerena.evaluation.report.values import figure, plain
from gaokerena.evaluation.report.words import Language, text

_MARKS = {"exact": "=", "differs": "≠", "absent": "○"}
_ARROW = {"fa": "←", "en": "→"}


def markdown(sections: Iterable[Section], language: Language) -> str:
    """The whole file."""
    lines = ['<div dir="rtl">\n'] if language == "fa" else []
    lines += [f"# {text(language, 'title')}\n", f"{text(language, 'lead')}\n"]
    for number, section in enumerate(sections, 1):
        lines.append(f"## {figure(number, 0, language)}. {plain(section.title, language)}\n")
        for block in section.blocks:
            lines += _block(block, language)
    if language == "fa":
        lines.append("</div>\n")
    return "\n".join(lines)


def _block(block: Block, language: Language) -> Iterator[str]:
    if isinstance(block, Words):
        start, between = ("- ", "\n") if block.kind == "list" else ("", "\n\n")
        yield between.join(start + plain(line, language) for line in block.lines) + "\n"
        return
    grid = block.grid if isinstance(block, Picture) else block
    yield from _grid(grid, language)


def _grid(grid: Grid, language: Language) -> Iterator[str]:
    yield f"### {plain(grid.caption, language)}\n"
    if any(isinstance(entry, Compared) for row in grid.rows for entry in row):
        yield f"{text(language, 'in_cell')}\n"
    yield _line(_cell(entry, language) for entry in grid.head)
    yield _line("---" for _ in grid.head)
    for row in grid.rows:
        yield _line(_cell(entry, language) for entry in row)
    yield f"\n{text(language, 'command')} `{grid.command}`\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(entry: Entry, language: Language) -> str:
    if isinstance(entry, Compared):
        halves = (plain(entry.published, language), _ARROW[language], plain(entry.recomputed, language))
        return " ".join((*halves, _MARKS[entry.mark]))
    return plain(entry, language).replace("|", "\\|").replace("\n", "<br>")
