"""The doctors' guidelines, by version and by the place they work in; `en` beside each for reviewers of the code.

    text("fa-2")                    # Markdown for Argilla's guidelines panel, at most 10,000 characters
    text("fa-2", "page")            # the same for the page's own tab, whose keys are others
    sha256("fa-2")                  # goes with the version into the dataset's metadata

A version is one text and a part for each place, which stands where the text says `<!-- place -->`: what keys do, and
what cannot be done there. A version never changes once doctors judged under it: changed text is a new file, a new line
in HASHES, and a new CURRENT. A test compares the files with HASHES. `fa-1` speaks of Argilla throughout.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

Where = Literal["argilla", "page"]
FOLDER = Path(__file__).with_name("guidelines")
CURRENT = "fa-2"
HASHES = {
    "fa-1": "cd2ce8c72bb8116973ea8d483bd103d114885ac46a502af33f3afd34c3a3431b",
    "fa-2": "111294a61964621184a2686ec3ddd864623c01bac5a184781d689750b0f0088b",
    "fa-2.argilla": "1de75a7d9063279f5a2dc7b70c025fd1bf4c3bc813aeefe081d95da3942055a2",
    "fa-2.page": "bb283e30763b0c8914a0b1bcaa44da54fe1ab48e665648d11534f184a60ae349",
}
VERSIONS = tuple(name for name in HASHES if "." not in name)
LONGEST = 10_000
"""Characters Argilla 2.8 takes."""
_PLACE = "<!-- place -->\n"


class GuidelineError(ValueError):
    """No such version, or not for that place; the text names those there are."""


def text(version: str = CURRENT, where: Where = "argilla") -> str:
    """The guidelines of `version` as doctors read them there. Raises GuidelineError."""
    if version not in VERSIONS:
        raise GuidelineError(f"guidelines {version!r} are none of {', '.join(VERSIONS)}; name one of these")
    common = _read(version)
    if _PLACE in common:
        return common.replace(_PLACE, _read(f"{version}.{where}"))
    if where != "argilla":
        raise GuidelineError(f"guidelines {version!r} were written for Argilla alone; name a later version")
    return common


def sha256(version: str = CURRENT, where: Where = "argilla") -> str:
    """SHA-256 of the guidelines' UTF-8 bytes, in hex."""
    return hashlib.sha256(text(version, where).encode()).hexdigest()


def _read(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text("utf-8")
