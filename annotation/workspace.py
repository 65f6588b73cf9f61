"""One workspace folder as it is read: the ledger of items and the verdicts that came back.

    found = read_workspace(Path("runs/annotation"))
    found.judged                     # every standing verdict beside its item

Files: items.jsonl (`items`), verdicts.jsonl (submitted), drafts.jsonl and discarded.jsonl, all append-only. A row of
another status in one of them says that the verdict no longer belongs there. Of each answer (verdict `id`) the last row
counts. adjudicated.jsonl names those that `adjudicate` made itself.

Not covered: fetching verdicts (`pull`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from annotation.items import FILE as ITEMS
from annotation.items import Item, ItemError, rows
from annotation.judged import Judged, join
from gaokerena.expert_verdicts import ExpertVerdict, Status, latest, read

ADJUDICATED = "adjudicated.jsonl"
FILES: dict[Status, str] = {"submitted": "verdicts.jsonl", "draft": "drafts.jsonl", "discarded": "discarded.jsonl"}


class WorkspaceError(ValueError):
    """A workspace folder cannot be read; the text names the file and the next step."""


@dataclass(frozen=True)
class Workspace:
    """What a folder holds. `unknown` are verdicts on items that the ledger does not have."""

    folder: Path
    items: dict[str, Item]
    judged: list[Judged]
    unknown: list[ExpertVerdict]
    apart: dict[Status, Counter[str]] = field(default_factory=dict)
    """Drafts and discards that stand, counted by judge; discards that `adjudicate` made are nobody's."""
    marked: frozenset[str] = frozenset()
    """Items, and their twins, that a draft or a discard marks as bearing personal data."""


def stand(folder: Path, status: Status) -> list[ExpertVerdict]:
    """The verdicts of a file that have its status as their last one. Raises VerdictFileError."""
    path = folder / FILES[status]
    return [verdict for verdict in latest(read(path)) if verdict.status == status] if path.exists() else []


def read_items(path: Path) -> dict[str, Item]:
    """The ledger's items. Raises WorkspaceError."""
    if not path.exists():
        raise WorkspaceError(f"{path}: no such file; name the folder that `python -m annotation push` wrote")
    try:
        return {item.id: item for item in rows(path, Item, "an item")}
    except ItemError as error:
        raise WorkspaceError(str(error)) from error


def as_typed(path: Path) -> str:
    """How a report names a file: as it was typed, but of a path from the root only the end, which names no machine."""
    return f"…/{path.name}" if path.is_absolute() else path.as_posix()


def read_workspace(folder: Path, more: Sequence[Path] = ()) -> Workspace:
    """The folder's items and verdicts; `more` are further files of verdicts on these items (a study without Argilla).

    Raises WorkspaceError, VerdictFileError, OSError.
    """
    if not (folder / FILES["submitted"]).exists() and not more:
        raise WorkspaceError(
            f"{folder / FILES['submitted']}: no such file; fetch verdicts first: python -m annotation pull --help"
        )
    items = read_items(folder / ITEMS)
    further = [verdict for path in more for verdict in latest(read(path))]
    judged, unknown = join([*stand(folder, "submitted"), *further], items)
    submitted = {(row.judge, row.item.id) for row in judged}
    given = {(row.dataset, row.item_id, judge) for row in read_adjudicated(folder) for judge in row.judges}
    others = {status: stand(folder, status) for status in FILES if status != "submitted"}
    apart: dict[Status, Counter[str]] = {
        status: Counter(
            verdict.judge
            for verdict in verdicts
            if (verdict.judge, verdict.item_id) not in submitted
            and (verdict.id.partition("/")[0], verdict.item_id, verdict.judge) not in given
        )
        for status, verdicts in others.items()
    }
    said = {verdict.item_id for verdicts in others.values() for verdict in verdicts if verdict.personal_data}
    marked = said | {items[name].twin or name for name in said if name in items}
    return Workspace(folder, items, judged, unknown, apart, frozenset(marked))


class Adjudicated(BaseModel):
    """A record that `adjudicate` put into `dataset`, with an empty discard in the name of each of `judges`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    item_id: str
    judges: tuple[str, ...]


def read_adjudicated(folder: Path) -> list[Adjudicated]:
    """What `adjudicate` sent. Raises ItemError."""
    return rows(folder / ADJUDICATED, Adjudicated, "a record sent")
