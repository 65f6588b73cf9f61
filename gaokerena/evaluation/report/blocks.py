"""What a report is built of, the same for both languages and for HTML and Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gaokerena.evaluation.report.plots import Plot
from gaokerena.evaluation.report.published import Mark
from gaokerena.evaluation.report.values import Phrase, Value


@dataclass(frozen=True)
class Compared:
    """A published figure beside its recomputed one."""

    published: Value
    recomputed: Value
    mark: Mark


Entry = Value | Compared


@dataclass(frozen=True)
class Grid:
    """A table; the first column names the row. `command` made its figures."""

    name: str
    caption: Phrase
    head: tuple[Value, ...]
    rows: tuple[tuple[Entry, ...], ...]
    command: str
    folded: bool = False


@dataclass(frozen=True)
class Picture:
    """A figure, with the table of the numbers it shows."""

    plot: Plot
    grid: Grid
    note: Phrase | None = None


@dataclass(frozen=True)
class Words:
    """Paragraphs, or a list."""

    lines: tuple[Value, ...]
    kind: Literal["text", "list"] = "text"


Block = Grid | Picture | Words


@dataclass(frozen=True)
class Section:
    """A numbered part of the report; `name` is its address in the page."""

    name: str
    title: Phrase
    blocks: tuple[Block, ...] = field(default=())
