"""A row that would count wrongly later is refused where it is read, by file, line and field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.pairing.samples import exchangeable
from training.errors import TrainingError
from training.pair_rows import read_pairs


def written(folder: Path, **changes: Any) -> Path:
    (row,) = exchangeable(1, seed=1)
    path = folder / "pairs.jsonl"
    path.write_text(json.dumps(row.row() | changes) + "\n", "utf-8")
    return path


VOTE = {"id": "a", "weight": 1, "agrees": True}


@pytest.mark.parametrize(
    ("provenance", "said"),
    [
        ({"judges": "d1"}, "judges: Input should be a valid list"),
        ({"verdict_ids": [{"id": "w"}]}, r"verdict_ids\.0: Input should be a valid string"),
        ({"merged": [{"id": "a", "weight": 1}]}, r"merged\.0\.agrees: Field required"),
        ({"merged": [VOTE, VOTE | {"agrees": False}]}, "the votes that agree must weigh more"),
    ],
)
def test_a_lineage_that_cannot_be_counted_is_named(tmp_path: Path, provenance: dict[str, Any], said: str) -> None:
    with pytest.raises(TrainingError, match=rf"pairs\.jsonl line 1: not a preference pair .*{said}"):
        read_pairs(written(tmp_path, provenance=provenance))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0, -1])
@pytest.mark.parametrize("field", ["weight", "margin"])
def test_a_weight_or_margin_that_is_no_amount_is_named(tmp_path: Path, field: str, value: float) -> None:
    with pytest.raises(TrainingError, match=f"line 1: .*{field}"):
        read_pairs(written(tmp_path, **{field: value}))


def test_what_is_not_counted_may_be_anything(tmp_path: Path) -> None:
    told = {"merged": [VOTE | {"item_id": "i"}], "judges": ["d1"], "prompts": {"question": "x"}, "note": None}
    assert read_pairs(written(tmp_path, provenance=told))[0].provenance == told
