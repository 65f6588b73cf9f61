"""The doctors' guidelines, by version: `fa-1` is what doctors read, `en` beside it for reviewers of the code.

    text("fa-1")          # Markdown for Argilla's guidelines panel, at most 10,000 characters
    sha256("fa-1")        # goes with the version into the dataset's metadata

A version's text never changes once doctors judged under it: changed text is a new file, a new line in HASHES, and a new
CURRENT. A test compares the files with HASHES.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).with_name("guidelines")
CURRENT = "fa-1"
HASHES = {
    "fa-1": "cd2ce8c72bb8116973ea8d483bd103d114885ac46a502af33f3afd34c3a3431b",
}
LONGEST = 10_000
"""Characters Argilla 2.8 takes."""


class GuidelineError(ValueError):
    """No such version; the text names those there are."""


def text(version: str = CURRENT) -> str:
    """The guidelines of `version`. Raises GuidelineError."""
    if version not in HASHES:
        raise GuidelineError(f"guidelines {version!r} are none of {', '.join(HASHES)}; name one of these")
    return (FOLDER / f"{version}.md").read_text("utf-8")


def sha256(version: str = CURRENT) -> str:
    """SHA-256 of the guidelines' UTF-8 bytes, in hex."""
    return hashlib.sha256(text(version).encode()).hexdigest()
