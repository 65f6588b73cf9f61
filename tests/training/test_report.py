"""The page of measured figures: every number with its interval, sentences about chance worked out from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from training.errors import TrainingError
from training.report import about_chance, about_rewards, as_text, beside, read_figures, shown


def figure(value: float, low: float, high: float, n: int = 100) -> dict[str, float]:
    return {"value": value, "low": low, "high": high, "n": n}


AROUND, ABOVE, BELOW = figure(27.0, 19.3, 36.4), figure(41.0, 31.9, 50.8), figure(14.0, 8.5, 22.1)


def figures(**changes: Any) -> dict[str, Any]:
    models = ("base", "v", "r")
    found: dict[str, Any] = {
        "sample": 100,
        "seed": 1,
        "behaviour": {model: {"ends_by_itself": figure(91.5, 87.0, 94.6, 310)} for model in models},
        "suites": {model: {"mmlu_fa": AROUND, "kopp_larger": AROUND} for model in models},
        "bits_per_character": {"consultation": {model: figure(2.3456, 2.3, 2.4, 61) for model in models}},
        "rewards": {"accuracy": figure(71.1, 60.2, 80.1, 76), "margin": figure(0.4321, 0.21, 0.66, 76)},
    }
    return found | changes


def test_every_figure_is_shown_with_its_interval_and_its_count() -> None:
    page = as_text(figures())
    assert "| consultations | 2.346 [2.300, 2.400] | 2.346 [2.300, 2.400] | 2.346 [2.300, 2.400] | 61 |" in page
    assert "| end by themselves | 91.5 [87.0, 94.6] |" in page
    assert "| MMLU-fa | 27.0 [19.3, 36.4] | 27.0 [19.3, 36.4] | 27.0 [19.3, 36.4] | 100 |" in page
    assert "| | base | V | R | n |" in page
    assert "100 questions a suite" in page
    assert "seed 1" in page


def test_paired_differences_from_the_base_stand_beside_the_models() -> None:
    given = figures()
    given["bits_per_character"]["consultation"]["v_minus_base"] = figure(-0.1234, -0.15, -0.1, 61)
    page = as_text(given)
    assert "| | base | V | R | V − base | n |" in page
    assert "| -0.123 [-0.150, -0.100] | 61 |" in page


def test_tables_are_whole_where_something_was_not_measured() -> None:
    given = figures()
    del given["behaviour"]["r"]["ends_by_itself"]
    given["behaviour"]["v"]["does_not_loop"] = figure(88.0, 80.2, 93.0, 98)
    page = as_text(given)
    assert "| end by themselves | 91.5 [87.0, 94.6] | 91.5 [87.0, 94.6] | – | 310 |" in page
    assert "| do not loop | – | 88.0 [80.2, 93.0] | – | 98 |" in page
    tables = [line for line in page.split("\n") if line.startswith("|")]
    assert {line.count("|") for line in tables} == {6}, "five cells a line everywhere"


def test_counts_that_differ_between_models_are_all_named() -> None:
    given = figures()
    given["bits_per_character"]["consultation"]["r"] = figure(2.3, 2.2, 2.4, 7)
    assert "| 7 / 61 |" in as_text(given)


@pytest.mark.parametrize(
    ("low", "high", "level", "where"),
    [
        (26, 40, 25, "above"),
        (10, 24, 25, "below"),
        (20, 30, 25, "around"),
        (25, 30, 25, "around"),
        (20, 25, 25, "around"),
    ],
)
def test_an_interval_lies_above_below_or_around_a_level(low: float, high: float, level: float, where: str) -> None:
    assert beside(figure(0, low, high), level) == where


class TestChance:
    def test_all_intervals_contain_it(self) -> None:
        said = about_chance(figures()["suites"])
        assert said.startswith("Chance is 25 %, and all 6 intervals contain it")

    def test_those_apart_are_named_with_their_side(self) -> None:
        said = about_chance({"base": {"mmlu_fa": AROUND}, "v": {"mmlu_fa": ABOVE}, "r": {"ibmsee_2023": BELOW}})
        assert "1 of 3 intervals contain it" in said
        assert "V on MMLU-fa, 41.0 [31.9, 50.8], above it" in said
        assert "R on IBMSEE 2023, 14.0 [8.5, 22.1], below it" in said
        assert "in 14 % of cases" in said, "1 - 0.95 ** 3"
        assert "guessing would do" not in said

    def test_the_page_says_it(self) -> None:
        assert about_chance(figures()["suites"]) in as_text(figures())


def test_rewards_are_put_beside_a_coin_and_beside_nothing() -> None:
    learned = about_rewards(figures()["rewards"])
    assert "71.1 [60.2, 80.1] % of 76 held-out pairs" in learned
    assert "lies above 50 %" in learned
    assert "0.432 [0.210, 0.660]; the interval lies above 0" in learned
    unsure = about_rewards({"accuracy": figure(52, 41, 63, 76), "margin": figure(-0.1, -0.4, 0.2, 76)})
    assert "contains 50 %" in unsure
    assert "contains 0" in unsure
    assert "lies below 50 %" in about_rewards({"accuracy": figure(30, 20, 41), "margin": figure(-1, -2, -0.5)})


def test_what_was_not_measured_is_a_dash() -> None:
    assert shown(None) == "–"
    assert shown(figure(1.25, 1, 2), 2) == "1.25 [1.00, 2.00]"


def test_figures_that_lack_a_part_are_refused_by_name() -> None:
    given = figures()
    del given["rewards"], given["seed"]
    with pytest.raises(TrainingError, match=r"lack seed, rewards.*python -m training measure"):
        as_text(given)


@pytest.mark.parametrize("content", [None, "{", "[1, 2]"])
def test_a_file_without_figures_is_refused_by_its_path(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "mini.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TrainingError, match=r"mini\.json.*training measure --out"):
        read_figures(path)


def test_figures_come_back_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "mini.json").write_text(json.dumps(figures()))
    assert read_figures(tmp_path / "mini.json") == figures()
