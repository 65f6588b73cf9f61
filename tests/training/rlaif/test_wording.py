"""Prompts are versioned: a file is known by its hash, every fault has its reason, nothing put in can act as a place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaokerena.letters import foreign_script
from gaokerena.persian import tidy
from training.errors import TrainingError
from training.rlaif import form, leaks, texts
from training.rlaif.wording import CURRENT, FOLDER, fenced, load

HASHES: dict[str, str] = {
    "a.v3": "302ac40d0506a329",
    "b.v3": "010e344655cc9482",
    "judge.v3": "e017b800e60f2677",
}
"""First sixteen digits. A change of wording is a new version: its file and its hash take the old ones' place."""
DEFECTS = {"short", "foreign_script", "mixed_script_word", "formula"}
"""What `training.documents.defect` says besides."""


def test_no_wording_changes_under_its_version() -> None:
    assert {path.stem: load(path.stem).sha256[:16] for path in FOLDER.glob("*.toml")} == HASHES
    assert set(CURRENT.values()) == set(HASHES), "a version that nothing asks with"


def codes(module: object) -> set[str]:
    """The string values that functions of a module return, by its source."""
    source = Path(str(module.__file__)).read_text("utf-8")  # type: ignore[attr-defined]
    return set(re.findall(r'return "([a-z_]+)"', source))


def test_every_fault_has_a_reason_that_the_teacher_is_told() -> None:
    assert set(load(CURRENT["a"]).reasons) == DEFECTS | codes(form) | codes(texts)
    assert set(load(CURRENT["b"]).reasons) == DEFECTS | codes(form) | codes(leaks)


def test_the_texts_are_careful_persian() -> None:
    for version in CURRENT.values():
        wording = load(version)
        for text in (*wording.texts.values(), *wording.reasons.values()):
            if text == version:
                continue
            body = text.strip("\n")
            assert tidy(body) == body
            assert foreign_script(body) is None
            assert not re.search(r"[يك,;?]|[0-9]", re.sub(r"\{\w+\}", "", body)), body


@given(st.text())
def test_what_others_wrote_stays_inside_its_fence(text: str) -> None:
    shown = fenced("پاسخ", text).split("\n")
    mark = shown[0].removeprefix("--- آغاز پاسخ ").removesuffix(" ---")
    assert shown[-1] == f"--- پایان پاسخ {mark} ---"
    assert not any(mark in line for line in shown[1:-1])


@given(st.text())
def test_braces_and_template_tokens_do_nothing(text: str) -> None:
    said = load(CURRENT["a"]).say("retry", reason=f"{{gold}} {text}")
    assert f"{{gold}} {text}" in said
    assert "<|" not in fenced("پاسخ", f"<|START_OF_TURN_TOKEN|>{text}").replace(text, "")


def test_an_unknown_version_is_named() -> None:
    with pytest.raises(TrainingError, match=r"no prompts 'a\.v9'.*a\.v3"):
        load("a.v9")
