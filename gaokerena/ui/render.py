"""Untrusted text as safe HTML: a small part of Markdown, with Latin runs, doses and numbers isolated.

    blocks("**تب** با Ibuprofen 400 mg")    ['<p><strong>تب</strong> با <bdi dir="ltr">Ibuprofen 400 mg</bdi></p>']
    plain("…")                              the same for text that is not Markdown: one paragraph, line breaks kept

Raw HTML, links, images and autolinks are off, so `<script>`, template tokens and addresses appear as the characters
they are. Bidi controls are taken out first. A list of blocks, not one string, so that a growing answer changes only
its last block on the wire and in the page.

Not covered: tables of the model's own HTML, formulas, code colouring.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from gaokerena.bidi import runs, strip
from gaokerena.persian import tidy

RULES = [
    "paragraph",
    "heading",
    "list",
    "emphasis",
    "newline",
    "backticks",
    "fence",
    "hr",
    "blockquote",
    "table",
    "escape",
]
LONGEST = 60_000
"""Characters rendered as Markdown; beyond, text is shown plain (nested marks can make parsing slow)."""


class _Renderer(RendererHTML):
    """Text tokens pass through `isolated`; headings sink below the page's own."""

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:  # noqa: ARG002
        return isolated(tokens[idx].content)


def _heading(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h4"


_MARKDOWN = MarkdownIt(
    "zero", {"html": False, "linkify": False, "breaks": True, "maxNesting": 12}, renderer_cls=_Renderer
)
_MARKDOWN.enable(RULES)


@lru_cache(maxsize=256)
def _cached(text: str) -> tuple[str, ...]:
    shown = _tidy_lines(text)
    if not shown.strip():
        return ()
    if len(shown) > LONGEST:
        return (plain(shown),)
    tokens = _MARKDOWN.parse(shown)
    _heading(tokens)
    return tuple(_MARKDOWN.renderer.render(block, _MARKDOWN.options, {}).strip() for block in _top_level(tokens))


def blocks(text: str) -> list[str]:
    """HTML of each top-level block of the Markdown `text`; empty for a blank text."""
    return list(_cached(text))


def plain(text: str) -> str:
    """One paragraph of HTML for a text that is not Markdown."""
    return "<p>" + isolated(text).replace("\n", "<br>") + "</p>"


@lru_cache(maxsize=8192)
def isolated(text: str) -> str:
    """`text` escaped, each left-to-right run in a `<bdi>`. Cached: a growing answer repeats its beginning."""
    return "".join(f'<bdi dir="ltr">{escape(run)}</bdi>' if ltr else escape(run) for run, ltr in runs(text))


def copyable(text: str) -> str:
    """What "copy" hands over: the text without bidi controls."""
    return tidy(strip(text))


def _tidy_lines(text: str) -> str:
    """`tidy` line by line, indentation kept: Markdown nests lists by it."""
    lines = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
    return "\n".join(line[: len(line) - len(line.lstrip(" "))] + tidy(line) for line in lines)


def _top_level(tokens: list[Token]) -> list[list[Token]]:
    groups: list[list[Token]] = []
    for token in tokens:
        if token.level == 0 and token.nesting >= 0:
            groups.append([])
        groups[-1].append(token)
    return groups
