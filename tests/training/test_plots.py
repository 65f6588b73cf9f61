"""Curves: what is drawn of a log, where the points lie, and that the SVG is whole."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from training.cli import app
from training.errors import TrainingError
from training.plots import NAME, Panel, Series, draw, panels, ticks, write

SVG = "{http://www.w3.org/2000/svg}"


def log(*losses: float, held_out: float | None = None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"step": step, "loss": loss, "logps/chosen": -90 - step, "logps/rejected": -80.0, "rewards/accuracies": 0.5}
        for step, loss in enumerate(losses, 1)
    ]
    return [*rows, {"step": len(losses), "eval_loss": held_out}] if held_out is not None else rows


def test_every_panel_with_something_in_it_is_drawn_and_held_out_rows_are_dashed() -> None:
    shown = panels([("", log(0.7, 0.5, held_out=0.6))])
    assert [panel.title for panel in shown] == [
        "loss", "pairs told apart (reward accuracy)", "log-probability of the answers",
    ]  # fmt: skip
    loss = shown[0]
    assert [(series.name, series.points, series.dashed) for series in loss.series] == [
        ("training", ((1, 0.7), (2, 0.5)), False), ("held out", ((2, 0.6),), True),
    ]  # fmt: skip
    assert [series.name for series in shown[2].series] == ["chosen", "rejected"]


def test_runs_share_panels_under_their_names() -> None:
    shown = panels([("raw", log(0.7, 0.1, held_out=0.7)), ("repaired", log(0.7, 0.6))])
    assert [series.name for series in shown[0].series] == ["raw", "raw, held out", "repaired"]


def test_a_higher_value_is_drawn_higher_and_a_later_step_further_right() -> None:
    text = draw([Panel("p", (Series("s", ((0, 1.0), (5, 3.0), (10, 2.0))),))], "t & <t>")
    root = ElementTree.fromstring(text)
    assert root.find(f"{SVG}title").text == "t & <t>"  # type: ignore[union-attr]
    path = next(each.get("d") for each in root.iter(f"{SVG}path") if "L" in (each.get("d") or ""))
    assert path
    points = [tuple(map(float, point.split())) for point in path[1:].split("L")]
    assert points[0][0] < points[1][0] < points[2][0]
    assert points[1][1] < points[2][1] < points[0][1], "y grows downwards"
    assert points[1][0] - points[0][0] == pytest.approx(points[2][0] - points[1][0], abs=0.2)


@pytest.mark.parametrize("points", [((3, 0.5),), ((1, 2.0), (9, 2.0)), ((1, -1e-9), (2, 1e9)), ((0, 0.0), (1, 0.0))])
def test_one_point_and_flat_lines_are_drawn_too(points: tuple[tuple[float, float], ...]) -> None:
    text = draw([Panel("p", (Series("s", points),))], "t")
    ElementTree.fromstring(text)
    assert "nan" not in text
    assert "inf" not in text


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_few_even_and_inside(low: float, size: float) -> None:
    found = ticks(low, low + size)
    assert 1 <= len(found) <= 6 or low + size == low
    assert all(low - size * 1e-3 <= value <= low + size * 1.001 for value in found)
    steps = [later - earlier for earlier, later in pairwise(found)]
    assert steps == pytest.approx([steps[0]] * len(steps), rel=1e-3) if steps else True


def test_a_value_that_is_no_number_is_left_out() -> None:
    (loss, *_) = panels([("", log(0.7, float("nan"), 0.5))])
    assert loss.series[0].points == ((1, 0.7), (3, 0.5))


def test_a_run_gets_its_curves_and_equal_logs_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "r1").mkdir(parents=True)
        (tmp_path / name / "r1" / "log.json").write_text(json.dumps(log(0.7, 0.5)))
    one, two = (write(tmp_path / name / "r1").read_bytes() for name in ("one", "two"))
    assert one == two
    with pytest.raises(TrainingError, match=r"has no log\.json"):
        write(tmp_path)


def test_the_door_draws_several_runs(tmp_path: Path) -> None:
    for name in ("raw", "repaired"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.json").write_text(json.dumps(log(0.7, 0.5)))
    out = tmp_path / "made" / NAME
    given = ["curves", str(tmp_path / "raw"), str(tmp_path / "repaired"), "--out", str(out), "--title", "DPO"]
    CliRunner().invoke(app, given, catch_exceptions=False)
    assert "repaired, rejected: -80 at the end" in out.read_text("utf-8")
