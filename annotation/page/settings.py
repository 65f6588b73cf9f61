"""The dataset doctors work in, as Argilla's HTTP API takes it.

    settings = dataset_settings("fa-2")
    settings["dataset"]               POST /api/v1/datasets             (with name and workspace_id)
    settings["fields"]                POST /api/v1/datasets/ID/fields, one by one
    settings["questions"]             POST /api/v1/datasets/ID/questions, one by one, in this order
    settings["metadata_properties"]   POST /api/v1/datasets/ID/metadata-properties, one by one

The version of the guidelines stands in the dataset's metadata, where `version_of` finds it again, so that each verdict
can be stored under the text it was given by. Argilla does not let guidelines change on an existing dataset.

Not covered: sending it (`annotation.push`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotation.page import guidelines, template
from annotation.page.fields import FIELD
from annotation.page.questions import QUESTIONS, Question

OVERLAP = 2
"""Doctors who judge each record, unless told otherwise."""
METADATA = {"batch": "Batch", "subject": "Subject"}
"""Properties a record may carry, hidden from doctors; values of [a-z0-9_-] only, for they reach a page's script."""
VERSION_KEY, HASH_KEY, TEMPLATE_KEY = "guideline_version", "guideline_sha256", "template_sha256"
RLI, PDI = "\u2067", "\u2069"


class SettingsError(ValueError):
    """A dataset is not one of this page; the text says what is missing."""


def dataset_settings(version: str = guidelines.CURRENT, overlap: int = OVERLAP) -> dict[str, Any]:
    """Everything but the dataset's name and workspace. Raises GuidelineError for an unknown version."""
    return {
        "dataset": {
            "guidelines": guidelines.text(version),
            "allow_extra_metadata": False,
            "distribution": {"strategy": "overlap", "min_submitted": overlap},
            "metadata": {
                VERSION_KEY: version,
                HASH_KEY: guidelines.sha256(version),
                TEMPLATE_KEY: template.sha256(),
            },
        },
        "fields": [_field()],
        "questions": [_question(question) for question in QUESTIONS],
        "metadata_properties": [
            {"name": name, "title": title, "settings": {"type": "terms"}, "visible_for_annotators": False}
            for name, title in METADATA.items()
        ],
    }


def version_of(dataset: Mapping[str, Any]) -> str:
    """The guideline version of a dataset as the HTTP API gives it. Raises SettingsError when it bears none."""
    version = (dataset.get("metadata") or {}).get(VERSION_KEY)
    if not isinstance(version, str) or not version:
        name = str(dataset.get("name", ""))[:80]
        raise SettingsError(f"dataset {name!r} bears no {VERSION_KEY} in its metadata; was it made by this project?")
    return version


def _field() -> dict[str, Any]:
    return {
        "name": FIELD,
        "title": rtl("پرسش و دو پاسخ"),
        "required": True,
        "settings": {"type": "custom", "advanced_mode": True, "template": template.html()},
    }


def _question(question: Question) -> dict[str, Any]:
    settings: dict[str, Any] = {"type": question.kind}
    if question.kind == "text":
        settings["use_markdown"] = False
    else:
        settings["options"] = [{"value": value, "text": rtl(words)} for value, words in question.choices]
    return {
        "name": question.name,
        "title": rtl(question.title),
        "description": rtl(question.description),
        "required": question.required,
        "settings": settings,
    }


def rtl(words: str) -> str:
    """`words` read from right to left also on Argilla's left-to-right page."""
    return f"{RLI}{words}{PDI}"
