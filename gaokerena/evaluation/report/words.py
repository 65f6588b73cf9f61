"""Every word of the report, in Persian and English (`words.toml`).

text("fa", "exact")        the text of a key, `{fields}` still in it (`values.Phrase` fills them)
known("rule_", "sc3of5")   the key of a rule, a subject, a suite …, or None for a name nobody has words for
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

Language = Literal["fa", "en"]
LANGUAGES: tuple[Language, Language] = ("fa", "en")

FILE = Path(__file__).with_name("words.toml")
WORDS: dict[str, dict[str, str]] = tomllib.loads(FILE.read_text("utf-8"))


def text(language: Language, key: str) -> str:
    """The words of `key`."""
    return WORDS[key][language]


def known(kind: str, name: str) -> str | None:
    """The key of `name` among the words that start with `kind`."""
    key = kind + "".join(letter if letter.isalnum() else "_" for letter in name)
    return key if key in WORDS else None
