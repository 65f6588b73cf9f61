"""Argilla's responses as verdicts.

    for record in argilla.records(dataset["id"], include="responses"):
        for response in record["responses"]: verdict_of(response, record["external_id"], origin)

Not covered: what has changed since the last time (`pull`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from annotation.client import Argilla, ArgillaError, DeniedError, Row
from annotation.page.answers import AnswerError, from_values
from annotation.users import Pseudonyms
from gaokerena.expert_verdicts import ExpertVerdict, Status


class ScanError(ArgillaError):
    """A response is not of this page; the text names it and the next step."""


@dataclass(frozen=True)
class Origin:
    """Where responses come from: the dataset, its guideline version, and who is behind a user's id."""

    dataset: str
    version: str
    judge_of: Callable[[str], str]
    is_whole: Callable[[str], bool]
    """Whether every account of a judge is there still; with a deleted one its answers go, though nobody took them
    back."""

    def name(self, response: str) -> str:
        """The id of the verdict made of a response."""
        return f"{self.dataset}/{response}"

    def mine(self, verdict: str) -> bool:
        """Whether a verdict of this id came from here."""
        return verdict.startswith(f"{self.dataset}/")


def origin_of(argilla: Argilla, dataset: Row, version: str, workspace_id: str, people: Pseudonyms) -> Origin:
    """Where the responses of a dataset come from; every account met keeps its pseudonym. Raises ArgillaError."""
    try:
        users = argilla.users()
    except DeniedError:  # an admin who is no owner sees the workspace's members alone
        users = argilla.members(workspace_id)
    there = {str(user["id"]) for user in users}
    for user in users:
        people.who(str(user["id"]), str(user["username"]))
    return Origin(
        dataset["id"], version, lambda user: people.who(user, None), lambda judge: people.accounts(judge) <= there
    )


def verdict_of(response: Mapping[str, Any], item: str, origin: Origin) -> ExpertVerdict:
    """One response as it stands. Raises ScanError for values that are not of this page."""
    try:
        parts = from_values(response["values"])
    except AnswerError as error:
        raise ScanError(f"response {response['id']} on {item}: {error}") from error
    # A lone surrogate, which a program may send as a JSON escape, has no place in a file.
    parts["corrected"] = parts["corrected"].encode("utf-8", "replace").decode()
    return ExpertVerdict(
        **parts,
        id=origin.name(response["id"]),
        item_id=item,
        judge=origin.judge_of(str(response["user_id"])),
        at=_moment(response["updated_at"]),
        status=cast(Status, response["status"]),
        where="argilla",
        guideline_version=origin.version,
    )


def _moment(given: str) -> str:
    """Argilla's moment, UTC without saying so, as this project writes it."""
    moment = datetime.fromisoformat(given)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
