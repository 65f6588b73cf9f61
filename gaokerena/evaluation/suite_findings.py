"""A finding: one thing that is wrong or odd about a suite, where, and what to do about it.

Not covered: looking for them (`suite_checks`, `suite_text`, `suite_twins`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gaokerena.evaluation.suites import Item
from gaokerena.persian import BIDI_CONTROLS

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""error: a score would be wrong. warning: a score means less than it seems. note: good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found. `index` is inside the subject and `row` inside the suite, both from 0.

    A finding about many questions at once has neither; `rows` are then all of them. `step` says what to do next.
    """

    kind: str
    severity: Severity
    suite: str
    message: str
    step: str
    subject: str | None = None
    index: int | None = None
    row: int | None = None
    rows: tuple[int, ...] = ()


def at(item: Item, kind: str, severity: Severity, message: str, step: str) -> Finding:
    """A finding about one item."""
    return Finding(kind, severity, item.suite, message, step, item.subject, item.index, item.row)


def place(item: Item) -> str:
    """Where an item stands, for messages: suite, row and subject."""
    return f"{item.suite} row {item.row} ({visible(item.subject)} {item.index})"


def excerpt(text: str, length: int = 60) -> str:
    """The beginning of `text` in one line, in quotes, with invisible marks shown."""
    line = " ".join(text.split())
    return f"«{visible(line if len(line) <= length else line[:length].rstrip() + '…')}»"


def visible(text: str) -> str:
    """`text` with bidi controls written out: they would turn the rest of a terminal's line round."""
    return "".join(f"<{ord(mark):04X}>" if mark in BIDI_CONTROLS else mark for mark in text)
