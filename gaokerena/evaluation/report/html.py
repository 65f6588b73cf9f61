"""The report as one HTML file that needs nothing else: both languages, figures, font, style and switch inside.

    page = html(sections)

Not covered: a page without any styles (old mail programs).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import gaokerena.ui
from gaokerena.evaluation.report.blocks import Compared, Entry, Grid, Picture, Section
from gaokerena.evaluation.report.figures import draw
from gaokerena.evaluation.report.values import Chance, Number, Phrase, Range, Value, figure, markup, plain
from gaokerena.evaluation.report.words import LANGUAGES, Language, text

_HERE = Path(__file__).parent
_FONTS = Path(gaokerena.ui.__file__).parent / "static" / "fonts"
_LONG = 50
"""Characters from which a cell is given more room."""
MARKS = {"exact": "✓", "differs": "≠", "absent": "○"}
"""Said in words to screen readers; the colour says it a third time."""


def html(sections: Iterable[Section]) -> str:
    """The whole page."""
    return _template().render(languages=[_Written(language, list(sections)) for language in LANGUAGES])


class _Written:
    """What the template asks for, in one language."""

    def __init__(self, language: Language, sections: list[Section]) -> None:
        self.language: Language = language
        self.direction = "rtl" if language == "fa" else "ltr"
        self.other: Language = "en" if language == "fa" else "fa"
        self.sections = sections

    def say(self, key: str) -> str:
        return text(self.language, key)

    def show(self, value: Value) -> Markup:
        return Markup(markup(value, self.language))

    def number(self, value: int) -> str:
        return figure(value, 0, self.language)

    def plain(self, value: Value) -> str:
        return plain(value, self.language, isolated=False)

    def kind(self, block: object) -> str:
        return type(block).__name__

    def drawing(self, picture: Picture, wide: bool) -> Markup:
        return Markup(draw(picture.plot, self.language, wide=wide))

    def compared(self, grid: Grid) -> bool:
        return any(isinstance(entry, Compared) for row in grid.rows for entry in row)

    def cell(self, entry: Entry) -> Markup:
        """One table cell's inside."""
        if not isinstance(entry, Compared):
            return self.show(entry)
        return Markup('<span class="was">{}</span><span class="now">{}</span><abbr title="{}">{}</abbr>').format(
            self.show(entry.published), self.show(entry.recomputed), self.say(entry.mark), MARKS[entry.mark]
        )

    def look(self, entry: Entry) -> str:
        """The class of a cell: what a published figure turned out to be, or a figure, or words, or many of them."""
        if isinstance(entry, Compared):
            return f"compared {entry.mark}"
        if isinstance(entry, Number | Range | Chance):
            return "figure"
        return "long" if len(self.plain(entry)) > _LONG else "words"

    def rows(self, grid: Grid) -> Markup:
        return self.show(Phrase.of("rows_count", n=Number(len(grid.rows), 0)))


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(_HERE)
    kept: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "undefined": jinja2.StrictUndefined}
    environment = jinja2.Environment(loader=loader, autoescape=True, **kept)
    environment.globals["font"] = _font
    return environment.get_template("page.html.jinja")


def _font(script: str) -> Markup:
    """The font's file for `script` as a data address."""
    packed = b64encode((_FONTS / f"vazirmatn-{script}-wght-normal.woff2").read_bytes()).decode("ascii")
    return Markup(f"data:font/woff2;base64,{packed}")
