"""One workspace folder as it is read: the ledger of items and the verdicts that came back.

    found = read_workspace(Path("runs/annotation"))
    found.judged                     # every standing verdict beside its item

Files: items.jsonl (`items`), verdicts.jsonl (submitted), drafts.jsonl and discarded.jsonl, all append-only. A row of
another status in one of them says that the verdict no longer belongs there. Of each answer (verdict `id`) the last row
counts.

Not covered: fetching verdicts (`pull`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from annotation.items import FILE as ITEMS
from annotation.items import Item, ItemError, rows
from annotation.judged import Judged, join
from gaokerena.expert_verdicts import ExpertVerdict, Status, latest, read

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
    """Drafts and discards that stand, counted by judge."""


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
    apart: dict[Status, Counter[str]] = {
        status: Counter(
            verdict.judge for verdict in stand(folder, status) if (verdict.judge, verdict.item_id) not in submitted
        )
        for status in FILES
        if status != "submitted"
    }
    return Workspace(folder, items, judged, unknown, apart)
