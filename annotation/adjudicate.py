"""Open disputes go to another doctor: a list, and where an Argilla is named a dataset of their own.

    listed = write_list(disputes(judged, Rules()), Path("runs/annotation"))
    send(argilla, Route("doctors", "first-adjudication"), folder, listed, workspace, page_settings, fields_of)

Argilla asks every record of a dataset the same number of doctors and hides it from the others when they have answered,
so a disputed record goes into a second dataset that asks one. There each doctor who has judged it already is given an
empty discarded response: Argilla then does not offer it to him. adjudicated.jsonl says what was sent and whose these
discards are, so that nobody is said to have discarded an item himself. Sending twice adds nothing; a later list adds
what is new. What is still open when the other doctor has answered is `stuck`: it needs a further dataset.

Not covered: choosing the doctor (whoever of the workspace comes first).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.client import Argilla, Row
from annotation.dataset import ready_dataset
from annotation.disputes import Dispute
from annotation.sending import Fields, records_of
from annotation.users import Pseudonyms
from annotation.workspace import ADJUDICATED, Adjudicated, Workspace, read_adjudicated
from gaokerena.append_only import Appender
from gaokerena.files import atomic

LIST = "adjudicate.jsonl"
BATCH = "b0"


@dataclass(frozen=True)
class Route:
    """Where disputes go."""

    workspace: str
    dataset: str


@dataclass(frozen=True)
class Sent:
    """How many records are new, how many wait for an answer, and which are open although they were answered."""

    new: int
    waiting: int
    stuck: list[str]


def write_list(found: Iterable[Dispute], folder: Path) -> list[Row]:
    """The open disputes as rows of adjudicate.jsonl, the worst first; an earlier list is replaced. Raises OSError."""
    rows = [
        {
            "item_id": dispute.item.id,
            "question": dispute.item.question.text,
            "subject": dispute.item.question.subject,
            "reasons": list(dispute.reasons),
            "judged_by": list(dispute.judged_by),
            "posterior": dispute.posterior and {name: round(share, 6) for name, share in dispute.posterior.items()},
        }
        for dispute in found
        if dispute.open
    ]
    with atomic(folder / LIST) as half:
        half.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return rows


def send(
    argilla: Argilla, route: Route, folder: Path, listed: Sequence[Row], found: Workspace,
    settings: dict[str, Any], fields_of: Fields, barred: Sequence[str] = (),
) -> Sent:  # fmt: skip
    """Put what is listed and waits nowhere into the route's dataset. Raises ArgillaError, LeakError, OSError.

    `barred` are doctors who are offered none of it (they failed their checks).
    """
    dataset = str(ready_dataset(argilla, route.workspace, route.dataset, settings)["id"])
    there = {record["external_id"] for record in argilla.records(dataset)}
    answered = {(row.verdict.id.partition("/")[0], row.item.id) for row in found.judged}
    elsewhere = {
        row.item_id
        for row in read_adjudicated(folder)
        if row.dataset != dataset and (row.dataset, row.item_id) not in answered
    }
    mine = {row["item_id"]: row["judged_by"] for row in listed if row["item_id"] not in elsewhere}
    records = records_of([(found.items[name], BATCH) for name in mine], fields_of, skip=there)
    _discard_for(argilla, folder, dataset, records, {name: {*judges, *barred} for name, judges in mine.items()})
    new = sum(argilla.upsert(dataset, records))
    stuck = [name for name in mine if name in there and (dataset, name) in answered]
    return Sent(new, len(listed) - len(records) - len(stuck), stuck)


def _discard_for(
    argilla: Argilla, folder: Path, dataset: str, records: Sequence[Row], judges: Mapping[str, Collection[str]]
) -> None:
    """Give each record a discard in the name of its `judges`, and write down whose; on the disk when this returns."""
    people = Pseudonyms(folder)
    users = {people.who(str(user["id"]), str(user["username"])): str(user["id"]) for user in argilla.users()}
    rows = []
    for record in records:
        name = record["external_id"]
        known = sorted(judge for judge in judges[name] if judge in users)
        record["responses"] = [{"user_id": users[judge], "status": "discarded"} for judge in known]
        rows.append(Adjudicated(dataset=dataset, item_id=name, judges=tuple(known)).model_dump_json())
    if rows:
        with Appender(folder / ADJUDICATED, mode=0o600) as file:
            file.append(rows)
