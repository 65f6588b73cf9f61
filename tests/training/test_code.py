"""The hash of a stage's code: what changes it, what does not, and which modules it looks at."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.code import closure, code_hash
from training.stages import STAGES

FILES = {
    "training/stage.py": (
        '"""What it does."""\n\nfrom training import helper, manifest\n\n\ndef run() -> int:\n    return helper.one()\n'
    ),
    "training/helper.py": "from gaokerena.text import TWO\n\n\ndef one() -> int:\n    return TWO - 1\n",
    "training/manifest.py": "NAME = 'manifest.json'\n",
    "training/other.py": "THREE = 3\n",
    "gaokerena/text.py": "TWO = 2\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "changes"),
    [
        ("training/stage.py", "helper.one()", "helper.one() + 1", True),
        ("training/helper.py", "TWO - 1", "TWO - 2", True),
        ("gaokerena/text.py", "TWO = 2", "TWO = 4", True),
        ("training/manifest.py", "manifest.json", "other.json", False),
        ("training/other.py", "3", "4", False),
        ("training/stage.py", "What it does.", "What it makes.", False),
        ("training/stage.py", "return helper", "# why\n    return  helper", False),
    ],
    ids=["itself", "imported", "imported further", "bookkeeping", "not imported", "docstring", "layout"],
)
def test_it_changes_with_what_the_stage_does_and_with_nothing_else(
    root: Path, file: str, old: str, new: str, changes: bool
) -> None:
    before = code_hash("training.stage", root=root)
    text = (root / file).read_text("utf-8")
    assert old in text
    (root / file).write_text(text.replace(old, new), "utf-8")
    assert (code_hash("training.stage", root=root) != before) == changes


def test_single_functions_count_too() -> None:
    def one() -> int:
        return 1

    def other() -> int:
        return 2

    hashes = {code_hash(functions=chosen) for chosen in ((), (one,), (other,), (one, other))}
    assert len(hashes) == 4


@pytest.mark.parametrize("stage", ["documents", "pairs", "v_data"])
def test_what_shapes_text_stands_behind_the_stages_that_write_text(stage: str) -> None:
    found = closure(STAGES[stage].modules)
    wanted = {"training.decontaminate", "gaokerena.persian", "gaokerena.letters", "gaokerena.scrub"}
    if stage != "v_data":
        wanted |= {"training.casing", "training.documents", "gaokerena.prompts"}
    if stage == "pairs":
        wanted |= {"gaokerena.options", "gaokerena.option_claims", "gaokerena.option_cues"}
    assert wanted <= found


def test_trainers_stand_behind_their_stages() -> None:
    shared = {"training.fit", "training.fit_run", "training.fit_save"}
    assert {"training.sft", *shared} <= closure(STAGES["v_instruct"].modules)
    assert {"training.dpo", *shared} <= closure(STAGES["r_dpo"].modules)
    assert "training.base" in closure(STAGES["base"].modules)
    assert not any(name.startswith("gaokerena.engines") for name in closure(STAGES["r_dpo"].modules))
