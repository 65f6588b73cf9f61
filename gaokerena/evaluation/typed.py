"""A command line as it was typed, to be run again from the same folder, without this machine's folders.

    as_typed(["report", "runs/papers"])     # python -m gaokerena report runs/papers

Relative paths stay. An absolute one below the folder in GAOKERENA_DATA becomes `$GAOKERENA_DATA/…`, any other `…/name`:
the ellipsis says that the reader puts in a folder.

Not covered: paths inside a longer word, other than after `--option=`.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

VARIABLE = "GAOKERENA_DATA"
ELSEWHERE = "…/"


def as_typed(words: Sequence[str]) -> str:
    """`python -m gaokerena` with `words` (its arguments), quoted for a POSIX shell."""
    return " ".join(["python -m gaokerena", *map(_word, words)])


def _word(word: str) -> str:
    option, equals, value = word.partition("=")
    if option.startswith("-") and equals and Path(value).is_absolute():
        return f"{shlex.quote(option)}={_path(value)}"
    return _path(word) if Path(word).is_absolute() else shlex.quote(word)


def _path(path: str) -> str:
    data = os.environ.get(VARIABLE)
    below = _below(path, data) if data else None
    if below is None:
        return ELSEWHERE + _quoted(Path(os.path.normpath(path)).name)
    # a shell splits the folder's own name too, where it holds blanks
    folder = f"${VARIABLE}" if data and shlex.quote(data) == data else f'"${VARIABLE}"'
    return f"{folder}/{shlex.quote(below)}" if below != "." else folder


def _below(path: str, folder: str) -> str | None:
    """`path` from `folder`, as typed or with links followed; None where it is not below it."""
    for real in (os.path.abspath, os.path.realpath):
        place = Path(real(path))
        if place.is_relative_to(real(folder)):
            return str(place.relative_to(real(folder)))
    return None


def _quoted(name: str) -> str:
    return shlex.quote(name) if name else ""
