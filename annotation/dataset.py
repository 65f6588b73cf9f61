"""The dataset that doctors work in: found and checked, or made, with the settings of `annotation.page`.

    dataset = ready_dataset(argilla, "doctors", "first", dataset_settings(overlap=2))

A dataset half made by an interrupted push is finished. One with other guidelines, questions or fields is refused: what
was judged under one text must not be mixed with what is judged under another.
"""

from __future__ import annotations

from typing import Any

from annotation.client import Argilla, ArgillaError, Row
from annotation.page.settings import VERSION_KEY, SettingsError, version_of

_PARTS = {"fields": "fields", "questions": "questions", "metadata_properties": "metadata-properties"}
"""Keys of the settings, and what the API calls them."""


class DatasetError(ArgillaError):
    """The dataset there is another one; the text says in what, and what to do."""


def ready_dataset(argilla: Argilla, workspace: str, name: str, settings: dict[str, Any]) -> Row:
    """The published dataset, made where missing, its workspace too. Raises DatasetError, ArgillaError."""
    place = ready_workspace(argilla, workspace)
    dataset = argilla.dataset(place["id"], name)
    if dataset is None:
        dataset = argilla.add_dataset({**settings["dataset"], "name": name, "workspace_id": place["id"]})
    check_settings(dataset, settings)
    draft = dataset["status"] != "ready"
    for key, kind in _PARTS.items():
        _ready_parts(argilla, dataset, kind, settings[key], draft)
    return argilla.publish(dataset["id"]) if draft else dataset


def ready_workspace(argilla: Argilla, name: str) -> Row:
    """The workspace, made where missing."""
    return argilla.workspace(name) or argilla.add_workspace(name)


def check_settings(dataset: Row, settings: dict[str, Any]) -> None:
    """Raises DatasetError where the guidelines or the overlap are not those of `settings`."""
    name, wanted = dataset["name"], settings["dataset"]
    try:
        version = version_of(dataset)
    except SettingsError as error:
        raise DatasetError(f"{error} Give another name with --dataset") from None
    if version != wanted["metadata"][VERSION_KEY]:
        raise DatasetError(
            f"dataset {name!r} was made with the guidelines {version}, this program sends "
            f"{wanted['metadata'][VERSION_KEY]}; give another name with --dataset, so that verdicts are not mixed"
        )
    if dataset.get("guidelines") != wanted["guidelines"]:
        raise DatasetError(
            f"the guidelines of dataset {name!r} were changed on the server though they are called {version}; "
            "put the text back there, or give another name with --dataset"
        )
    there, here = dataset["distribution"]["min_submitted"], wanted["distribution"]["min_submitted"]
    if there != here:
        raise DatasetError(f"dataset {name!r} asks {there} doctors a record, not {here}; push with --overlap {there}")


def _ready_parts(argilla: Argilla, dataset: Row, kind: str, wanted: list[Row], draft: bool) -> None:
    there = {part["name"] for part in argilla.parts(dataset["id"], kind)}
    names = [part["name"] for part in wanted]
    missing = [part for part in wanted if part["name"] not in there]
    further = there - set(names)
    if further or (missing and not draft):
        raise DatasetError(
            f"dataset {dataset['name']!r} has other {kind.replace('-', ' ')} than this program "
            f"({', '.join(sorted(further) or [part['name'] for part in missing])}); give another name with --dataset"
        )
    for part in missing:
        argilla.add_part(dataset["id"], kind, part)
