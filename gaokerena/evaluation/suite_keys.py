"""Keys of multiple-choice suites: what a file wrote for the right option, read as one of four letters.

    base = key_base(["1", "4", "2"])        # 1: a 4 occurs, so the keys count from 1
    read_key("4", base)                     # "D"

Letters (A to D, الف ب ج د) mean themselves. Numbers count from 0 or from 1, and one row cannot tell which: it is told
over all keys of a suite (a 0 occurs, or a 4 occurs), never guessed row by row.

Not covered: keys that are the text of an option, and suites of five options.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from gaokerena.evaluation.suite_files import SuiteError
from gaokerena.persian import ascii_digits, tidy
from gaokerena.questions import LETTERS, Letter

Base = Literal[0, 1]
_PERSIAN: dict[str, Letter] = {"الف": "A", "ب": "B", "ج": "C", "د": "D"}
_WRAPPING = " \t\r\n()[]{}.:«»\"'"
_NUMBER = re.compile(r"(\d)(?:\.0+)?")


def key_base(keys: Iterable[str], *, where: str = "the suite") -> Base | None:
    """Whether the numbers among `keys` count from 0 or from 1; None where there is no number from 0 to 4.

    Raises SuiteError where both a 0 and a 4 occur, or neither does: `where` names the place.
    """
    numbers = {number for key in keys if (number := _number(key)) is not None and number <= 4}
    if not numbers:
        return None
    if {0, 4} <= numbers:
        raise SuiteError(f"{where}: keys hold both 0 and 4; find the wrong ones, or say how they count: --keys 0 or 1")
    if not numbers & {0, 4}:
        seen = ", ".join(map(str, sorted(numbers)))
        raise SuiteError(
            f"{where}: keys are {seen} alone, which may count from 0 or from 1; say which: --keys 0 or --keys 1"
        )
    return 0 if 0 in numbers else 1


def read_key(key: str, base: Base | None) -> Letter | None:
    """The letter that `key` means, where numbers count from `base`; None for an empty, unreadable or outside one."""
    number = _number(key)
    if number is not None:
        place = number - base if base is not None else -1
        return LETTERS[place] if 0 <= place < 4 else None
    plain = _plain(key)
    return next((letter for letter in LETTERS if letter == plain.upper()), None) or _PERSIAN.get(plain)


def _number(key: str) -> int | None:
    found = _NUMBER.fullmatch(ascii_digits(_plain(key)))
    return int(found[1]) if found else None


def _plain(key: str) -> str:
    return tidy(key).strip(_WRAPPING)
