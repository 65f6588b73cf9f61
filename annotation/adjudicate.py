"""Open disputes go to another doctor: a list, and where an Argilla is named a dataset of their own.

    listed = write_list(disputes(judged, Rules()), Path("runs/annotation"))
    send(argilla, Route("doctors", "first-adjudication"), folder, items, page_settings, fields_of)

Argilla asks every record of a dataset the same number of doctors and hides it from the others when they have answered,
so a disputed record goes into a second dataset that asks one. There each doctor who has judged it already is given an
empty discarded response: Argilla then does not offer it to him, and `pull` reads it as a discard of an item he has
judged, which counts nowhere. Sending twice adds nothing; a later list adds what is new.

Not covered: choosing the doctor (whoever of the workspace comes first).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.client import Argilla, Row
from annotation.dataset import ready_dataset
from annotation.disputes import Dispute
from annotation.items import Item
from annotation.sending import Fields, records_of
from annotation.users import Pseudonyms
from gaokerena.files import atomic

LIST = "adjudicate.jsonl"
BATCH = "b0"


@dataclass(frozen=True)
class Route:
    """Where disputes go."""

    workspace: str
    dataset: str


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
    argilla: Argilla, route: Route, folder: Path, listed: Sequence[Row], items: Mapping[str, Item],
    settings: dict[str, Any], fields_of: Fields, barred: Sequence[str] = (),
) -> int:  # fmt: skip
    """Put what is listed and not there yet into the route's dataset; how many. Raises ArgillaError, LeakError.

    `barred` are doctors who are offered none of it (they failed their checks).
    """
    dataset = ready_dataset(argilla, route.workspace, route.dataset, settings)
    there = {record["external_id"] for record in argilla.records(dataset["id"])}
    people = Pseudonyms(folder)
    users = {people.of(str(user["username"])): str(user["id"]) for user in argilla.users()}
    judged_by = {row["item_id"]: row["judged_by"] for row in listed}
    records = records_of([(items[name], BATCH) for name in judged_by], fields_of, skip=there)
    for record in records:
        before = [users[judge] for judge in {*judged_by[record["external_id"]], *barred} if judge in users]
        record["responses"] = [{"user_id": user, "status": "discarded"} for user in sorted(before)]
    return sum(argilla.upsert(dataset["id"], records))
