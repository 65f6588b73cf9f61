"""The gate before training: open only for this very file, audited by our limit and passed, or with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from training.audit_gate import LIMIT, SCHEMA, SEED, audit_code, audit_path, check, sha256
from training.errors import TrainingError


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text("{}\n", "utf-8")
    compared(path)
    return path


def compared(path: Path, **changes: Any) -> None:
    told = {"decontaminated": True, "files": {path.name: sha256(path)}} | changes
    path.with_name("manifest.json").write_text(json.dumps(told), "utf-8")


def audited(path: Path, **changes: Any) -> Path:
    found = {
        "schema": SCHEMA,
        "pairs_sha256": sha256(path),
        "limit": LIMIT,
        "seed": SEED,
        "code": audit_code(),
        "passed": True,
        "reason": None,
        "failed": [],
    }
    audit_path(path).write_text(json.dumps(found | changes), "utf-8")
    return path


def test_an_audit_that_passed_opens_it(pairs: Path) -> None:
    assert check(audited(pairs), None) == {
        "audit": "pairs.audit.json", "pairs_sha256": sha256(pairs), "passed": True, "found": None, "limit": LIMIT,
        "cues": [], "decontaminated": True, "overridden": None, "overrode": [],
    }  # fmt: skip
    assert check(pairs, "no need")["overridden"] is None, "a reason that was not needed excuses nothing"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"passed": False, "reason": "length tells 90.00 % apart", "failed": ["length"]}, "length tells 90.00 % apart"),
        ({"pairs_sha256": "0" * 64}, "of another file"),
        ({"limit": 0.9}, "allows 0.90, the gate 0.60"),
        ({"seed": 2}, "of seed 2, the gate's is 1"),
        ({"code": "0" * 16}, "made by other code than today's"),
    ],
)
def test_shut_it_says_why_and_what_to_do_and_a_reason_opens_it(pairs: Path, changes: Any, said: str) -> None:
    audited(pairs, **changes)
    with pytest.raises(TrainingError, match=f"{said}.*--override-audit"):
        check(pairs, None)
    kept = check(pairs, "a planted preference")
    assert not kept["passed"]
    assert kept["overridden"] == "a planted preference"
    assert kept["overrode"] == ["audit"]
    assert said in kept["found"]
    assert kept["cues"] == changes.get("failed", [])


def test_pairs_that_changed_since_need_another_audit(pairs: Path) -> None:
    check(audited(pairs))
    pairs.write_text("{}\n{}\n", "utf-8")
    compared(pairs)
    with pytest.raises(TrainingError, match="the pairs changed since"):
        check(pairs)


def test_without_an_audit_it_names_the_command(pairs: Path) -> None:
    with pytest.raises(TrainingError, match=f"no shortcut audit; run `python -m training pairs audit {pairs}`"):
        check(pairs)
    assert check(pairs, "none made yet")["audit"] is None


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_blank_reason_is_none(pairs: Path, reason: str) -> None:
    with pytest.raises(TrainingError, match="needs a reason"):
        check(audited(pairs), reason)


@pytest.mark.parametrize("text", ["no json", "[]", '{"schema": 0}', '{"schema": 1}'])
def test_what_is_no_audit_is_named_even_with_a_reason(pairs: Path, text: str) -> None:
    audit_path(pairs).write_text(text, "utf-8")
    with pytest.raises(TrainingError, match="delete it and audit the pairs again"):
        check(pairs, "a reason")


def test_missing_pairs_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no pairs at .*none\.jsonl"):
        check(tmp_path / "none.jsonl", "a reason")


class TestSuites:
    @pytest.mark.parametrize(
        "manifest",
        [
            None,
            "no json",
            "[]",
            '{"files": ["pairs.jsonl"], "decontaminated": true}',
            {"decontaminated": False},
            {"decontaminated": "yes"},
            {"files": {}},
            {"files": {"pairs.jsonl": "0" * 64}},
        ],
    )
    def test_pairs_that_nobody_compared_are_refused_with_the_next_step(self, pairs: Path, manifest: Any) -> None:
        audited(pairs)
        if manifest is None:
            pairs.with_name("manifest.json").unlink()
        elif isinstance(manifest, str):
            pairs.with_name("manifest.json").write_text(manifest, "utf-8")
        else:
            compared(pairs, **manifest)
        said = f"never compared with the evaluation suites.*pairs build {pairs} --out .*--override-audit"
        with pytest.raises(TrainingError, match=said):
            check(pairs)
        kept = check(pairs, "no suites here")
        assert (kept["passed"], kept["decontaminated"], kept["found"]) == (True, False, None)
        assert (kept["overridden"], kept["overrode"]) == ("no suites here", ["suites"])

    def test_told_they_do_not_shut_the_gate_but_a_failed_audit_does(self, pairs: Path) -> None:
        compared(audited(pairs), decontaminated=False)
        kept = check(pairs, uncompared="told")
        assert (kept["decontaminated"], kept["overridden"], kept["overrode"]) == (False, None, [])
        audited(pairs, passed=False, reason="length tells")
        with pytest.raises(TrainingError, match="length tells") as caught:
            check(pairs, uncompared="told")
        assert "suites" not in str(caught.value)

    def test_both_findings_are_told_and_kept(self, pairs: Path) -> None:
        compared(audited(pairs, passed=False, reason="length tells"), decontaminated=False)
        with pytest.raises(TrainingError, match=r"length tells.*; and .*never compared"):
            check(pairs)
        assert check(pairs, "a test")["overrode"] == ["audit", "suites"]
