"""The audit weighs pairs as training does: a cue counts by the weight of its pairs, equal weights change nothing."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from tests.training.pairing.samples import answer, exchangeable, pair, planted
from training.pair_rows import PairRow
from training.pairing.audit import audit
from training.pairing.classify import FOLDS, single, together
from training.pairing.page import facts
from training.pairing.weighing import LEAST, by_weight


def weighing(rows: list[PairRow], weight: float) -> list[PairRow]:
    return [row.model_copy(update={"weight": weight}) for row in rows]


def heavy_cue(light: float) -> list[PairRow]:
    rows = exchangeable(500, seed=11)
    return planted(rows[:80], "opening words") + weighing(rows[80:], light)


def family(found: dict[str, Any], name: str) -> float:
    return float(next(cue["accuracy"] for cue in found["families"] if cue["name"] == name))


def test_a_cue_that_has_most_of_the_loss_fails_though_it_is_on_few_rows() -> None:
    by_rows, by_loss = audit(heavy_cue(1)), audit(heavy_cue(0.01))
    assert by_rows["passed"]
    assert family(by_rows, "opening words") < 0.62
    assert "opening words: زنجیره افکار" in by_loss["failed"]
    assert family(by_loss, "opening words") > 0.95
    cue = next(cue for cue in by_loss["cues"] if cue["name"] == "زنجیره افکار")
    assert cue["wins"] > 0.94, "of the weight"
    assert "88.6 equal ones" in facts(by_loss)
    assert by_loss["detectable"] > by_rows["detectable"], "fewer effective pairs show less"


def test_a_cue_on_pairs_that_hardly_count_passes() -> None:
    rows = exchangeable(300, seed=12)
    assert not audit(planted(rows[:150], "closing words") + rows[150:])["passed"]
    assert audit(weighing(planted(rows[:150], "closing words"), 0.01) + rows[150:])["passed"]


def test_equal_weights_change_nothing() -> None:
    rows = planted(exchangeable(60, seed=6), "length")
    assert audit(weighing(rows, 0.3)) == audit(rows)


def test_one_heavy_pair_among_many_is_too_few() -> None:
    rows = exchangeable(200, seed=7)
    found = audit(rows[:1] + weighing(rows[1:], 0.001))
    assert not found["passed"]
    assert found["reason"] == (
        f"200 pairs are too few to tell (at least {LEAST}), weighed as they are: they count as 1.4 equal ones"
    )


@pytest.mark.parametrize("light", [1.0, 0.001])
def test_pairs_of_one_question_cannot_pass(light: float) -> None:
    """What tells them apart cannot be tried on another question, so a perfect cue went unseen."""
    rng, rest = random.Random(3), exchangeable(30, seed=8) if light < 1 else []
    rows = planted([pair(f"one-{number}", answer(rng), answer(rng)) for number in range(60)], "length")
    found = audit(rows + weighing(rest, light))
    assert not found["passed"]
    assert (
        found["reason"]
        == f"{len(rows + rest)} pairs of too few questions to tell, by weight as good as 1.0 (at least 5)"
    )
    assert [source["verdict"] for source in found["sources"]] == ["too few to judge"]


def test_weights_are_in_units_of_effective_pairs() -> None:
    assert by_weight([0.3] * 7).tolist() == [1] * 7
    weights = by_weight([1.0] * 10 + [0.1] * 100)
    assert weights.sum() == pytest.approx(20**2 / 11)
    assert weights.sum() == pytest.approx((weights**2).sum())
    assert weights[0] == pytest.approx(10 * weights[-1])


@pytest.mark.parametrize("unit", [1e-170, 1e-300])
def test_the_smallest_weights_count_as_any_others(unit: float) -> None:
    assert by_weight([2 * unit, unit, unit]) == pytest.approx(by_weight([1.0, 0.5, 0.5]))


def test_learning_follows_the_weights_too() -> None:
    fold = np.repeat(np.arange(FOLDS), 4)
    apart = np.tile([1.0, -1.0, -1.0, -1.0], FOLDS)[:, None]
    weights = np.tile([5.0, 0.1, 0.1, 0.1], FOLDS)
    for rule in (lambda w: single(apart, fold, w)[:, 0], lambda w: together(apart, [], fold, w)):
        assert rule(np.ones(20))[:4].tolist() == [0, 1, 1, 1]
        assert rule(weights)[:4].tolist() == [1, 0, 0, 0]
