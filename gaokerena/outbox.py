"""The queue on disk between the page and the doctors' workspace: which judged comparisons are to be delivered.

    outbox = Outbox(Path("runs/outbox"))
    outbox.add(verdict)                       # on the disk when it returns; the page calls it before it says thank you
    for entry in outbox.pending(): ...        # python -m annotation deliver
    outbox.mark([Mark(verdict_id=entry.verdict_id, outcome="sent", item_id="i3f…")])

Two append-only files in one folder: `entries.jsonl`, written by the page, and `marks.jsonl`, written by whoever
delivers. An entry names a verdict and its comparison and holds no text: that stays in the store. It is written before
the verdict is, so that no stored verdict lacks its entry; an entry whose verdict was never stored (a crash between the
two) is `void`.

Not covered: consent (the page asks before it adds), making and sending items (`annotation.deliver`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from gaokerena.append_only import Appender
from gaokerena.comparisons import Verdict, now
from gaokerena.rows import appended

ENTRIES, MARKS = "entries.jsonl", "marks.jsonl"
Outcome = Literal["sent", "refused", "void"]
"""`sent`: an item of it stands in the workspace. `refused`: it may not be judged there. `void`: never stored."""


class OutboxError(ValueError):
    """The outbox cannot be read; the text names the file, the line and the next step."""


class Entry(BaseModel):
    """One verdict whose comparison is to be delivered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    verdict_id: str = Field(min_length=1)
    comparison_id: str = Field(min_length=1)
    at: str = Field(default_factory=now)


class Mark(BaseModel):
    """What became of one entry. `why` is a word for a refusal; `item_id` the item that stands for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    verdict_id: str = Field(min_length=1)
    at: str = Field(default_factory=now)
    outcome: Outcome
    item_id: str | None = None
    why: str = ""


class Outbox:
    """One folder. Safe from several threads and processes. Raises OSError where it cannot be written to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries = Appender(folder / ENTRIES)
        self._marks = Appender(folder / MARKS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries.close()
        self._marks.close()

    def add(self, verdict: Verdict) -> None:
        """Remember that the verdict's comparison is to be delivered; it has reached the disk on return."""
        self._entries.append([Entry(verdict_id=verdict.id, comparison_id=verdict.comparison_id).model_dump_json()])

    def mark(self, marks: Iterable[Mark]) -> None:
        """Remember what became of entries; it has reached the disk on return."""
        self._marks.append([mark.model_dump_json() for mark in marks])

    def pending(self) -> list[Entry]:
        """The entries without a mark, oldest first, each once. Raises OutboxError."""
        done = {mark.verdict_id for mark in self.marks()}
        entries = {entry.verdict_id: entry for entry in appended(self.folder / ENTRIES, Entry, _wrong)}
        return [entry for entry in entries.values() if entry.verdict_id not in done]

    def marks(self) -> list[Mark]:
        """What became of entries, in the order it was marked. Raises OutboxError."""
        return list(appended(self.folder / MARKS, Mark, _wrong))


def open_outbox(folder: Path | None) -> Outbox | None:
    """The outbox of the setting `outbox`; None where it is not set."""
    return Outbox(folder) if folder else None


def _wrong(place: str, told: str) -> OutboxError:
    return OutboxError(f"{place}: {told}; mend or delete that line")
