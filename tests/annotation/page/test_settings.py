"""The dataset's settings: within Argilla's limits, keys where they are said to be, nothing that names a model."""

from __future__ import annotations

import json

import pytest

from annotation.page import guidelines
from annotation.page.questions import CANNOT_JUDGE, QUESTIONS, READING_ORDER
from annotation.page.settings import SettingsError, dataset_settings, version_of
from gaokerena.expert_verdicts import GRADES, SCALES, STEPS

BY_NAME = {question.name: question for question in QUESTIONS}


def test_only_the_grade_is_required_and_nothing_is_suggested() -> None:
    settings = dataset_settings("fa-1")
    assert [question["name"] for question in settings["questions"] if question["required"]] == ["grade"]
    assert "suggest" not in json.dumps(settings["questions"])


def test_titles_and_words_keep_within_the_limits() -> None:
    """Those of argilla-server 2.8.0, api/schemas/v1."""
    settings = dataset_settings("fa-1")
    names = [question["name"] for question in settings["questions"]]
    assert len(set(names)) == len(names)
    for question in settings["questions"]:
        assert 1 <= len(question["title"]) <= 500
        assert 1 <= len(question["description"]) <= 1000
        for option in question["settings"].get("options", []):
            assert option["value"].isascii()
            assert option["text"].startswith("\u2067")
            assert option["text"].endswith("\u2069"), "else brackets and full stops land on the wrong side"
    assert len(settings["dataset"]["guidelines"]) <= guidelines.LONGEST


def test_the_key_is_the_value() -> None:
    """Argilla's key of a choice is its place: a doctor who types 3 must mean mark 3, step 3."""
    for side in READING_ORDER:
        for scale in SCALES:
            assert [value for value, _ in BY_NAME[f"{scale}_{side}"].choices] == ["1", "2", "3", "4"]
        steps = [value for value, _ in BY_NAME[f"first_wrong_step_{side}"].choices]
        assert steps == [*map(str, range(1, STEPS + 2)), "0"]
        assert "۲۲" in BY_NAME[f"first_wrong_step_{side}"].description, "the key of «none» is told"
        assert len(steps) == 22
    assert [value for value, _ in BY_NAME["confidence"].choices] == ["1", "2", "3"]


def test_the_grades_stand_as_the_cards_do() -> None:
    assert [value for value, _ in BY_NAME["grade"].choices] == [*GRADES, CANNOT_JUDGE]
    words = dict(BY_NAME["grade"].choices)
    assert all(("چپ" in words[grade]) == grade.startswith("left") for grade in GRADES)
    assert all(("راست" in words[grade]) == grade.startswith("right") for grade in GRADES)
    for question in QUESTIONS:
        for side, word in (("left", "چپ"), ("right", "راست")):
            assert question.name.endswith(f"_{side}") == question.title.startswith(f"پاسخ {word}")


def test_the_version_travels_with_the_dataset() -> None:
    dataset = dataset_settings("fa-1")["dataset"]
    assert version_of(dataset) == "fa-1"
    assert dataset["metadata"]["guideline_sha256"] == guidelines.sha256("fa-1")
    assert dataset["guidelines"] == guidelines.text("fa-1")


@pytest.mark.parametrize("metadata", [None, {}, {"guideline_version": ""}, {"guideline_version": 3}])
def test_a_dataset_without_a_version_is_refused(metadata: dict[str, object] | None) -> None:
    with pytest.raises(SettingsError, match="dataset 'old' bears no guideline_version"):
        version_of({"name": "old", "metadata": metadata})


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(guidelines.GuidelineError, match="'fa-0' are none of fa-1, fa-2"):
        dataset_settings("fa-0")


def test_records_carry_only_declared_metadata_hidden_from_doctors() -> None:
    settings = dataset_settings()
    assert settings["dataset"]["allow_extra_metadata"] is False
    assert all(not entry["visible_for_annotators"] for entry in settings["metadata_properties"])


def test_the_overlap_is_the_callers() -> None:
    assert dataset_settings(overlap=3)["dataset"]["distribution"] == {"strategy": "overlap", "min_submitted": 3}
