"""The guidelines: a version's text does not change, and it speaks the page's own words."""

from __future__ import annotations

import hashlib
import re

import pytest

from annotation.page import guidelines
from annotation.page.questions import CONFIDENCE_NAMES, FAULT_NAMES, GRADE_NAMES, SCALE_NAMES
from gaokerena.bidi import strip
from gaokerena.persian import tidy
from gaokerena.ui.strings import TEXTS
from gaokerena.ui.study_form import frame

VERSIONS = list(guidelines.VERSIONS)
PLACES: tuple[guidelines.Where, ...] = ("argilla", "page")


@pytest.mark.parametrize("version", list(guidelines.HASHES))
def test_changed_text_needs_a_new_version(version: str) -> None:
    found = hashlib.sha256((guidelines.FOLDER / f"{version}.md").read_bytes()).hexdigest()
    assert found == guidelines.HASHES[version], (
        f"{version}.md changed: if doctors may have judged under the old text, bring it back and add a new version"
    )


def test_every_file_is_a_version_with_english_beside_it() -> None:
    names = {path.name for path in guidelines.FOLDER.iterdir()}
    assert names == {f"{name}.md" for name in guidelines.HASHES} | {f"{version}.en.md" for version in VERSIONS}
    assert guidelines.CURRENT in VERSIONS


@pytest.mark.parametrize("where", PLACES)
def test_it_says_its_version_and_fits_into_argilla(where: guidelines.Where) -> None:
    text = guidelines.text(where=where)
    assert "<!--" not in text
    assert f"(نسخهٔ {guidelines.CURRENT})" in text
    assert 3_000 < len(text) <= guidelines.LONGEST


def test_the_words_are_those_of_the_page() -> None:
    text = guidelines.text()
    for words in (*FAULT_NAMES.values(), *(name for name, _, _ in SCALE_NAMES.values())):
        assert words in text
    for _, _, steps in SCALE_NAMES.values():
        assert " | ".join(steps) in text, "the table of marks"
    for grade in ("left_much", "left", "equal", "right_much", "both_bad"):
        assert f"داوری: **{GRADE_NAMES[grade]}.**" in text, f"no worked example ends in {grade}"
    assert len(CONFIDENCE_NAMES) == 3


def test_each_place_is_told_of_its_own_keys_and_the_rest_is_the_same() -> None:
    argilla, page = (guidelines.text(where=where) for where in PLACES)
    common = (guidelines.FOLDER / f"{guidelines.CURRENT}.md").read_text("utf-8").split("<!-- place -->")
    for text in (argilla, page):
        assert text.startswith(common[0])
        assert text.endswith(common[1].lstrip("\n"))
    for words in (
        "Discard",
        "Backspace",
        "Ctrl+S",
        "| Shift+Enter",
        "۲۲",
        "\u2066]\u2069",
        "| Enter | ثبت",
        "پایانی «هست»",
    ):
        assert words not in page, "the tab has nothing of this"
    assert "| Ctrl+Enter | ثبت" in page
    assert guidelines.sha256() != guidelines.sha256(where="page")


def test_the_tab_has_what_its_guidelines_speak_of() -> None:
    page, form = guidelines.text(where="page"), frame()
    assert 'aria-keyshortcuts="Control+Enter"' in form
    for key in ("study_previous", "study_cannot_judge"):
        assert f"«{TEXTS[key][0]}»" in page
        assert TEXTS[key][0] in form
    assert TEXTS["study_personal_data"][0] in page


def test_a_version_for_argilla_alone_is_not_given_to_the_page() -> None:
    with pytest.raises(guidelines.GuidelineError, match="for Argilla alone"):
        guidelines.text("fa-1", "page")


def test_brackets_that_name_keys_are_not_mirrored() -> None:
    """In a line from right to left a bare bracket is drawn as the other one."""
    assert "| \u2066]\u2069 و \u2066[\u2069 | باز و بسته کردن زنجیرهٔ فکر راست و چپ |" in guidelines.text()


def test_it_is_typed_as_a_careful_writer_types() -> None:
    text = guidelines.text() + guidelines.text(where="page")
    for line in text.splitlines():
        assert tidy(line) == strip(line).strip()
    assert not re.search("[يك٠-٩]", text)
    prose = re.sub(r"fa-2|Ctrl\+S|\b115\b", "", text)
    assert not re.search(r"[0-9]", re.sub(r"(?m)^\d\. ", "", prose)), "Persian digits in prose"
    assert not re.search(r"[؀-ۿ][,;?]", prose), "Persian punctuation"
