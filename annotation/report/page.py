"""The page: one HTML file that needs nothing else, figures, font and style inside, read from right to left.

    page = html(sections(summary, command))

Figures, tables and style are those of the evaluation's report. Not covered: English.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import gaokerena.evaluation.report
import gaokerena.ui
from annotation.report.parts import say
from annotation.report.words import PREFIX, use
from gaokerena.evaluation.report.blocks import Entry, Grid, Picture, Section
from gaokerena.evaluation.report.figures import draw
from gaokerena.evaluation.report.values import Number, Phrase, Value, figure, markup, plain

_HERE = Path(__file__).parent
_STYLE = Path(gaokerena.evaluation.report.__file__).parent
_FONTS = Path(gaokerena.ui.__file__).parent / "static" / "fonts"
_LONG = 50


def html(sections: Sequence[Section]) -> str:
    """The whole page."""
    use()
    loader = jinja2.FileSystemLoader([_HERE, _STYLE])
    kept: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "undefined": jinja2.StrictUndefined}
    environment = jinja2.Environment(loader=loader, autoescape=True, **kept)
    environment.globals["font"] = _font
    return environment.get_template("doctors.html.jinja").render(sections=sections, page=_Page())


class _Page:
    """What the template asks for."""

    def say(self, key: str) -> Markup:
        return self.show(Phrase(PREFIX + key))

    def show(self, value: Value) -> Markup:
        return Markup(markup(value, "fa"))

    def plain(self, value: Value) -> str:
        return plain(value, "fa", isolated=False)

    def number(self, value: int) -> str:
        return figure(value, 0, "fa")

    def kind(self, block: object) -> str:
        return type(block).__name__

    def drawing(self, picture: Picture, wide: bool) -> Markup:
        return Markup(draw(picture.plot, "fa", wide=wide))

    def rows(self, grid: Grid) -> Markup:
        return self.show(say("rows", n=Number(len(grid.rows), 0)))

    def cell(self, entry: Entry) -> Markup:
        assert not hasattr(entry, "published"), "nothing here is compared with a paper"
        return self.show(entry)

    def look(self, entry: Entry) -> str:
        if isinstance(entry, Number):
            return "figure"
        return "long" if len(self.plain(entry)) > _LONG else "words"  # type: ignore[arg-type]


def _font(script: str) -> Markup:
    """The font's file for `script` as a data address."""
    packed = b64encode((_FONTS / f"vazirmatn-{script}-wght-normal.woff2").read_bytes()).decode("ascii")
    return Markup(f"data:font/woff2;base64,{packed}")
