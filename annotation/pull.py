"""Fetch what the doctors said: append-only files that hold every change once.

    done = pull(argilla, "doctors", "first", Path("runs/annotation"))

Safe at any time, as often as wished, by several at once (they wait for each other). All records are read first, then
what differs from the files is appended; a crash of either side before, between or after leaves files that the next pull
completes. verdicts.jsonl holds submitted answers, drafts.jsonl and discarded.jsonl the others. An answer that leaves
one of these states gets a last row with its new status in the file it leaves, so that each file alone tells what stands
in it (`workspace.stand`); a response deleted on the server leaves as discarded. A record that was deleted takes no
verdict back, nor does an account that was, with which Argilla deletes all its responses.

`at` is when the answer was last changed. Argilla does not store how long a doctor took, so `seconds` stays empty;
`checks` estimates it. The guideline version is the dataset's when the answer was fetched first, and stays.

Not covered: what the verdicts are worth (`summary`).
"""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from annotation.client import Argilla, MissingError, Row
from annotation.page.settings import version_of
from annotation.responses import Origin, origin_of, verdict_of
from annotation.users import Pseudonyms
from annotation.workspace import FILES
from gaokerena.expert_verdicts import ExpertVerdict, Status, VerdictFile, latest, read

LOCK = "pull.lock"
Rows = dict[Status, dict[str, ExpertVerdict]]
"""By file the last row of each answer."""


@dataclass
class Pulled:
    """What a pull saw and wrote."""

    records: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    """Responses by status."""
    appended: Counter[str] = field(default_factory=Counter)
    """Rows by file."""
    withdrawn: int = 0
    """Answers that stood here and were deleted on the server."""
    kept: int = 0
    """Answers that stand here though they went from the server with their account."""
    guideline_version: str = ""


def pull(argilla: Argilla, workspace: str, dataset: str, folder: Path) -> Pulled:
    """Append to the files of `folder` what changed. Raises ArgillaError, VerdictFileError, OSError."""
    place = argilla.workspace(workspace)
    found = argilla.dataset(place["id"], dataset) if place else None
    if place is None or found is None:
        raise MissingError(f"{argilla.url}: no dataset {dataset!r} in the workspace {workspace!r}; check both names")
    origin = origin_of(argilla, found, version_of(found), place["id"], Pseudonyms(folder))
    with _alone(folder):
        records = argilla.records(found["id"], include="responses")
        fetched = verdicts_of(records, origin)
        there = last_rows(folder)
        missing = no_longer_there(there, fetched, {item_of(record) for record in records}, origin)
        gone = [_discarded(verdict) for verdict in missing if origin.is_whole(verdict.judge)]
        appended = _append(folder, changes(there, [*fetched, *gone]))
    seen = Counter[str](verdict.status for verdict in fetched)
    return Pulled(len(records), seen, appended, len(gone), len(missing) - len(gone), origin.version)


def item_of(record: Row) -> str:
    """The item a record shows; a record made by hand in Argilla has none and goes by its own id."""
    return str(record["external_id"] or record["id"])


def verdicts_of(records: Iterable[Row], origin: Origin) -> list[ExpertVerdict]:
    """Every response of the records, oldest first."""
    found = [
        verdict_of(response, item_of(record), origin)
        for record in records
        for response in record.get("responses") or ()
    ]
    return sorted(found, key=lambda verdict: (verdict.at, verdict.id))


def last_rows(folder: Path) -> Rows:
    """What the files say now."""
    paths = {status: folder / name for status, name in FILES.items()}
    return {
        status: {verdict.id: verdict for verdict in latest(read(path))} if path.exists() else {}
        for status, path in paths.items()
    }


def no_longer_there(
    there: Rows, fetched: Iterable[ExpertVerdict], items: set[str], origin: Origin
) -> list[ExpertVerdict]:
    """Answers that stand in the files and are no longer on their record."""
    now = {verdict.id for verdict in fetched}
    return [
        verdict
        for status in FILES
        if status != "discarded"
        for verdict in there[status].values()
        if verdict.status == status and origin.mine(verdict.id) and verdict.item_id in items and verdict.id not in now
    ]


def _discarded(verdict: ExpertVerdict) -> ExpertVerdict:
    return verdict.model_copy(update={"status": "discarded"})


def changes(there: Rows, verdicts: Iterable[ExpertVerdict]) -> Mapping[Status, list[ExpertVerdict]]:
    """Which rows each file lacks: new or changed answers of its status, and those that left it."""
    rows: dict[Status, list[ExpertVerdict]] = {status: [] for status in FILES}
    for verdict in verdicts:
        for status in FILES:
            last = there[status].get(verdict.id)
            stood = last is not None and last.status == status
            if (status == verdict.status and not (last and _same(last, verdict))) or (
                status != verdict.status and stood
            ):
                rows[status].append(verdict)
    return rows


def _same(one: ExpertVerdict, other: ExpertVerdict) -> bool:
    """Whether nothing changed; the version is that of the first time."""
    return one == other.model_copy(update={"guideline_version": one.guideline_version})


def _append(folder: Path, rows: Mapping[Status, list[ExpertVerdict]]) -> Counter[str]:
    written: Counter[str] = Counter()
    for status, verdicts in rows.items():
        with VerdictFile(folder / FILES[status]) as file:  # made even when empty: this folder has been pulled into
            if verdicts:
                file.append(*verdicts)
        written[FILES[status]] = len(verdicts)
    return written


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other pull writes into the folder."""
    with (folder / LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
