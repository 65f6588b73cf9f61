"""The guidelines: a version's text does not change, and it speaks the page's own words."""

from __future__ import annotations

import hashlib
import re

import pytest

from annotation.page import guidelines
from annotation.page.questions import CONFIDENCE_NAMES, FAULT_NAMES, GRADE_NAMES, SCALE_NAMES
from gaokerena.bidi import strip
from gaokerena.persian import tidy

VERSIONS = list(guidelines.HASHES)


@pytest.mark.parametrize("version", VERSIONS)
def test_changed_text_needs_a_new_version(version: str) -> None:
    found = hashlib.sha256((guidelines.FOLDER / f"{version}.md").read_bytes()).hexdigest()
    assert found == guidelines.HASHES[version], (
        f"{version}.md changed: if doctors may have judged under the old text, bring it back and add a new version"
    )


def test_every_file_is_a_version_with_english_beside_it() -> None:
    names = {path.name for path in guidelines.FOLDER.iterdir()}
    assert names == {f"{version}.md" for version in VERSIONS} | {f"{version}.en.md" for version in VERSIONS}
    assert guidelines.CURRENT in VERSIONS


def test_it_says_its_version_and_fits_into_argilla() -> None:
    text = guidelines.text()
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


def test_brackets_that_name_keys_are_not_mirrored() -> None:
    """In a line from right to left a bare bracket is drawn as the other one."""
    assert "| \u2066]\u2069 و \u2066[\u2069 | باز و بسته کردن زنجیرهٔ فکر راست و چپ |" in guidelines.text()


def test_it_is_typed_as_a_careful_writer_types() -> None:
    for line in guidelines.text().splitlines():
        assert tidy(line) == strip(line).strip()
    assert not re.search("[يك٠-٩]", guidelines.text())
    prose = re.sub(r"fa-1|Ctrl\+S|\b115\b", "", guidelines.text())
    assert not re.search(r"[0-9]", re.sub(r"(?m)^\d\. ", "", prose)), "Persian digits in prose"
    assert not re.search(r"[؀-ۿ][,;?]", prose), "Persian punctuation"
