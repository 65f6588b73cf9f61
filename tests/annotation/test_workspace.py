"""A workspace folder as an export reads it: what stands apart, what is marked, which files there were."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from annotation.export import ExportError, export
from annotation.usable import Rules
from annotation.workspace import FILES, Adjudicated, Workspace, WorkspaceError, read_workspace
from gaokerena.expert_verdicts import VerdictFile
from tests.annotation.test_export import read, workspace
from tests.annotation.verdict_cases import item, judged, steps_said, twin_of, verdict


def test_places_that_cannot_be(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "a", [judged("a", item("one"), "left")])
    with pytest.raises(WorkspaceError, match="annotation pull"):
        read_workspace(tmp_path)
    for out, why in (
        (folder / "pairs.jsonl", "where push and pull keep their files"),
        (tmp_path / "manifest.json", "the name of a file written beside it"),
        (tmp_path / "steps.jsonl", "the name of a file written beside it"),
    ):
        with pytest.raises(ExportError, match=f"{why}; .*--out"):
            export(folder, out, Rules())


def test_the_manifest_names_every_file_that_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files of one name, and a pull that appends while the first reading goes on."""
    folder = workspace(tmp_path / "a", [judged("a", item("one"), "left")])
    more = tmp_path / "b" / "verdicts.jsonl"
    with VerdictFile(more) as file:
        file.append(verdict("s", "one", "left", where="page"))
    reads = []

    def read_workspace_late(*given: Any) -> Workspace:
        found = read_workspace(*given)
        if not reads:
            with VerdictFile(folder / FILES["submitted"]) as file:
                file.append(verdict("b", "one", "left"))
        reads.append(len(found.judged))
        return found

    monkeypatch.setattr("annotation.export.read_workspace", read_workspace_late)
    manifest = export(folder, tmp_path / "out" / "pairs.jsonl", Rules(), [more])
    assert reads == [2, 3]
    assert manifest["verdicts"]["in"] == 3
    hashes = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "verdicts.jsonl", more)}
    assert [(each["name"], each["rows"]) for each in manifest["inputs"]] == [
        ("items.jsonl", 1), ("verdicts.jsonl", 2), ("…/verdicts.jsonl", 1),
    ]  # fmt: skip
    assert [each["sha256"] for each in manifest["inputs"]][1:] == list(hashes.values())
    assert str(tmp_path) not in json.dumps(manifest)


def test_drafts_and_discards_are_counted_apart(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "a", [judged("a", item("one"), "left")])
    with VerdictFile(folder / FILES["draft"]) as file:
        file.append(verdict("b", "one", "left", status="draft"), verdict("c", "one", None, status="draft"))
        file.append(verdict("c", "one", None, status="submitted"))
    with VerdictFile(folder / FILES["discarded"]) as file:
        file.append(
            verdict("a", "one", None, status="discarded", id="other"), verdict("d", "one", None, status="discarded")
        )
    found = read_workspace(folder)
    assert found.apart == {"draft": {"b": 1}, "discarded": {"d": 1}}
    assert (folder / FILES["submitted"]).read_bytes().count(b"\n") == 1


def test_personal_data_marked_in_a_draft_or_a_discard_counts(tmp_path: Path) -> None:
    """Nobody submitted the mark; the page promised that such a text is left out."""
    shown = [item(name) for name in ("plain", "drafted", "discarded", "twinned", "corrected")]
    rows = [judged("a", each, "left", **steps_said(right=1)) for each in shown]
    rows += [judged("b", shown[4], "both_bad", corrected="به اورژانس بروید.")]
    rows += [judged("a", twin_of(shown[3], "twin"), "right")]
    folder = workspace(tmp_path / "a", rows)
    with VerdictFile(folder / FILES["draft"]) as file:
        file.append(verdict("c", "drafted", None, status="draft", personal_data=True))
        file.append(verdict("c", "plain", None, status="draft", personal_data=True))
        file.append(verdict("c", "plain", None, status="submitted"))  # taken back when it was submitted
    with VerdictFile(folder / FILES["discarded"]) as file:
        for name in ("discarded", "twin", "corrected"):
            file.append(verdict("c", name, None, status="discarded", personal_data=True))
    manifest = export(folder, tmp_path / "out" / "pairs.jsonl", Rules(min_posterior=0.1))
    for name in ("pairs.jsonl", "steps.jsonl"):
        assert {row["provenance"]["item_id"] for row in read(tmp_path / "out" / name)} == {"plain"}
    assert manifest["verdicts"]["dropped"]["personal_data"] == 5


def test_what_adjudicate_discarded_for_a_doctor_is_not_his_doing(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "a", [judged("a", item("one"), "left")])
    given = Adjudicated(dataset="third", item_id="one", judges=("z",))
    (folder / "adjudicated.jsonl").write_text(given.model_dump_json() + "\n")
    with VerdictFile(folder / FILES["discarded"]) as file:
        file.append(verdict("z", "one", None, status="discarded", id="third/r1"))
        assert read_workspace(folder).apart["discarded"] == {}
        file.append(verdict("z", "one", None, status="discarded", id="first/r2"))
    assert read_workspace(folder).apart["discarded"] == {"z": 1}
