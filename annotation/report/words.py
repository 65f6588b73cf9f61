"""The page's words (`words.toml`), joined to those of the evaluation's report, which its figures are written with.

use()          # before a Phrase of ours is shown; as often as wished
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from gaokerena.evaluation.report.words import WORDS

FILE = Path(__file__).with_name("words.toml")
PREFIX = "doctors_"


def use() -> None:
    """Make every key of words.toml, behind PREFIX, a key of the report's words; only Persian is there."""
    WORDS.update({PREFIX + key: {"fa": text} for key, text in tomllib.loads(FILE.read_text("utf-8")).items()})
