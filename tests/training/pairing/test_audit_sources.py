"""Every source is audited by itself: a small one's cue does not hide among the others' pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tests.training.pairing.samples import exchangeable, planted
from training.audit_gate import check
from training.cli import app
from training.pair_rows import PairRow, write_pairs
from training.pairing.audit import audit
from training.pairing.audit_files import audit_file
from training.pairing.tables import source_lines, tables
from training.pairing.weighing import LEAST


def diluted(cued: int = 60) -> list[PairRow]:
    return exchangeable(400 - cued, seed=21) + planted(exchangeable(cued, seed=22, source="judge"), "opening words")


def source(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(dict(one) for one in found["sources"] if one["source"] == name)


def test_a_source_with_a_cue_fails_though_all_together_pass(tmp_path: Path) -> None:
    write_pairs(tmp_path / "pairs.jsonl", diluted())
    found = audit_file(tmp_path / "pairs.jsonl")
    assert next(cue for cue in found["families"] if cue["name"] == "opening words")["low"] < found["limit"]
    assert not found["passed"]
    assert "opening words: زنجیره افکار, in judge" in found["failed"]
    assert " tells 100.00 % of the 60 pairs of judge apart (limit 60 %); so do " in found["reason"]
    judge, expert = source(found, "judge"), source(found, "expert")
    assert (judge["pairs"], judge["verdict"]) == (60, "failed")
    assert {"opening words", "opening words: زنجیره افکار"} <= set(judge["failed"])
    assert judge["detectable"] > expert["detectable"], "few pairs show less, and the report says so"
    assert (expert["pairs"], expert["verdict"], expert["failed"]) == (340, "passed", [])
    assert check(tmp_path / "pairs.jsonl", "known")["cues"] == found["failed"]
    for kind in ("md", "html"):
        page = tmp_path.joinpath(f"pairs.audit.{kind}").read_text("utf-8")
        assert "Each source by itself" in page
        assert "Single cues above the limit in judge" in page
        assert "100.00 % too much" in page, "the families of each source"
        assert "زنجیره افکار" in page
    svg = tmp_path.joinpath("pairs.audit.svg").read_text("utf-8")
    assert "in judge: " in svg
    assert svg.count("each source's strongest family (97.5 % intervals)") == 1
    assert "each source&#x27;s strongest family (97.5 % intervals)" in svg, "in the label for those who do not see it"
    assert any(line.startswith("judge (60 pairs): failed: ") for line in source_lines(found))
    assert source(json.loads(tmp_path.joinpath("pairs.audit.json").read_text("utf-8")), "judge")["verdict"] == "failed"


def test_the_door_says_a_line_for_each_source(tmp_path: Path) -> None:
    write_pairs(tmp_path / "pairs.jsonl", diluted(40))
    result = CliRunner().invoke(app, ["pairs", "audit", str(tmp_path / "pairs.jsonl")])
    assert result.exit_code == 1
    assert "expert (360 pairs): passed" in result.stdout
    assert "judge (40 pairs): failed: " in result.stdout


def test_a_source_alone_is_judged_as_it_would_be_in_a_file_of_its_own() -> None:
    rows = diluted()
    alone = audit([row for row in rows if row.source == "judge"])
    inside = source(audit(rows), "judge")
    mean = [(cue["name"], cue["accuracy"]) for cue in alone["families"]]
    assert [(cue["name"], cue["accuracy"]) for cue in inside["families"]] == mean
    assert inside["confidence"] == 0.975, "two sources share the chance of a false alarm"
    for cue, other in zip(inside["families"], alone["families"], strict=True):
        assert cue["low"] <= other["low"] <= other["high"] <= cue["high"]
    assert set(inside["failed"]) <= set(alone["failed"])


def test_a_source_of_few_pairs_is_named_and_not_judged() -> None:
    found = audit(diluted(LEAST - 1))
    few = source(found, "judge")
    assert (few["pairs"], few["verdict"], few["families"], few["failed"]) == (29, "too few to judge", [], [])
    assert found["passed"], "the others speak for themselves"
    title, _, rows = next(tables(found, {}))
    assert title == "Each source by itself"
    assert next(row for row in rows if row[0] == "judge")[-1] == "too few to judge (at least 30)"


def test_why_many_light_pairs_are_too_few_is_said() -> None:
    rows = exchangeable(40, seed=2) + exchangeable(45, seed=3, source="judge")
    rows[60:] = [row.model_copy(update={"weight": 0.1}) for row in rows[60:]]
    assert source_lines(audit(rows)) == [
        "expert (40 pairs): passed",
        "judge (45 pairs): too few to judge (by weight as good as 25.0, at least 30)",
    ]


def test_what_a_source_weighs_is_counted_among_its_own_pairs() -> None:
    rows = [row.model_copy(update={"weight": 0.01}) if row.source == "judge" else row for row in diluted()]
    judge = source(audit(rows), "judge")
    assert (judge["pairs"], judge["effective"], judge["verdict"]) == (60, 60, "failed")


def test_of_one_source_the_report_is_as_it_was() -> None:
    found = audit(planted(exchangeable(60, seed=6), "length"))
    assert [one["source"] for one in found["sources"]] == ["expert"]
    assert source(found, "expert")["families"] == found["families"]
    assert not any(", in expert" in name for name in found["failed"]), "nothing is named twice"
    assert source_lines(found) == []
    assert all("source" not in title for title, _, _ in tables(found, {}))
