"""The record's template: one HTML text with its style, scripts and font inside, so that nothing is fetched.

    html()        # goes into the custom field's settings

Argilla 2.8 puts it behind `const record = …` with String.replace, which reads `$&`, `$$`, `` $` `` and `$'` in it: so
none of these may stand there (checked).

Not covered: what the scripts do with a record (text.js, template.js, frame.js), what a record holds (`fields`).
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import gaokerena.ui

FOLDER = Path(__file__).parent
FONTS = Path(gaokerena.ui.__file__).parent / "static" / "fonts"
SUBSETS = {"LATIN": "latin", "ARABIC": "arabic"}
PARTS = {"OUTER": "outer.css", "STYLE": "template.css", "TEXT": "text.js", "SCRIPT": "template.js", "FRAME": "frame.js"}
ALTERED = re.compile(r"\$[$&`']")


class TemplateError(ValueError):
    """The template holds what Argilla would alter."""


@cache
def html() -> str:
    """The whole template, about 125 kB. Raises TemplateError for a dollar sign, OSError."""
    page = (FOLDER / "template.html").read_text("utf-8")
    for mark, name in PARTS.items():
        page = page.replace(f"/*{mark}*/", (FOLDER / name).read_text("utf-8"))
    for mark, subset in SUBSETS.items():
        font = (FONTS / f"vazirmatn-{subset}-wght-normal.woff2").read_bytes()
        page = page.replace(f"/*{mark}*/", base64.b64encode(font).decode("ascii"))
    if found := ALTERED.search(page):
        raise TemplateError(
            f"annotation/page: {found[0]!r} in the template, which String.replace alters; write it otherwise"
        )
    return page


def sha256() -> str:
    """SHA-256 of the template, in hex: which page a doctor saw."""
    return hashlib.sha256(html().encode()).hexdigest()
