"""Label smoothing from the doctors' contradictions: the formula, what it is pooled over, and when it refuses."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training import small
from training import dpo
from training.errors import TrainingError
from training.smoothing import flip_probability, from_report


def report(folder: Path, *doctors: tuple[int, int, str | None]) -> Path:
    """A doctors.json of (consistent, duplicates, why refused) for each doctor."""
    rows = [
        {"judge": f"d{place}", "consistency": {"right": right, "exact": right, "of": of}, "failed": failed}
        for place, (right, of, failed) in enumerate(doctors)
    ]
    path = folder / "doctors.json"
    path.write_text(json.dumps({"schema": 1, "doctors": rows}), "utf-8")
    return path


@given(st.floats(0, 0.499))
def test_it_undoes_two_independent_flips(probability: float) -> None:
    assert flip_probability(2 * probability * (1 - probability)) == pytest.approx(probability, abs=1e-4)


def test_doctors_who_err_at_a_known_rate_are_found_out(tmp_path: Path) -> None:
    rng, of, wrong = random.Random(3), 20_000, 0.12
    consistent = sum((rng.random() < wrong) == (rng.random() < wrong) for _ in range(of))
    found = from_report(report(tmp_path, (consistent, of, None)))
    assert found["label_smoothing"] == pytest.approx(wrong, abs=0.005)
    low, high = found["ci95"]
    assert low < wrong < high


def test_doctors_whose_verdicts_are_not_used_do_not_count(tmp_path: Path) -> None:
    used = [(28, 30, None), (16, 20, None)]
    found = from_report(report(tmp_path, *used, (2, 40, "doctor_failed_duplicates")))
    assert (found["contradictions"], found["duplicates"]) == (6, 50)
    assert found["label_smoothing"] == pytest.approx((1 - (1 - 2 * 0.12) ** 0.5) / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("doctors", "said"),
    [
        (((15, 19, None),), "answered 19 duplicates, 20 are needed"),
        (((10, 20, None),), "such labels teach nothing"),
        ((), "answered 0 duplicates"),
    ],
)
def test_too_few_and_hopeless_duplicates_are_refused(tmp_path: Path, doctors: Any, said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        from_report(report(tmp_path, *doctors))


def test_no_report_and_another_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no report at .*none\.json"):
        from_report(tmp_path / "none.json")
    (tmp_path / "other.json").write_text('{"doctors": [{"judge": "d"}]}')
    with pytest.raises(TrainingError, match=r"other\.json is no doctors\.json"):
        from_report(tmp_path / "other.json")


def test_the_recipe_takes_it_from_the_report_and_the_manifest_says_so(tmp_path: Path) -> None:
    counts = small.manifest()
    path = report(tmp_path, (45, 50, None))
    recipe = small.dpo_recipe(tmp_path, loss_type=["robust"], label_smoothing="from_report", doctors=str(path))
    found = dpo.smoothing_of(recipe, counts)
    assert found == counts.extra["label_smoothing"]["label_smoothing"] == pytest.approx(0.0528, abs=1e-4)
    with pytest.raises(TrainingError, match="--doctors"):
        dpo.smoothing_of(recipe.model_copy(update={"doctors": None}), counts)


def test_a_loss_that_would_ignore_it_is_refused() -> None:
    with pytest.raises(ValueError, match="sigmoid does not read it; use one of robust"):
        small.dpo_recipe(Path("base"), label_smoothing=0.1)
    assert small.dpo_recipe(Path("base"), label_smoothing=0.1, loss_type=["robust", "sft"]).label_smoothing == 0.1
