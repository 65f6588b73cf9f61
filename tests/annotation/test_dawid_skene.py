"""The model against the paper's own data, a plain loop, and judges whose error rates are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from annotation import dawid_skene
from annotation.consensus import consensus
from annotation.dawid_skene import fit, majority
from annotation.judged import Judged
from tests.annotation.by_hand import posteriors
from tests.annotation.dawid_skene_1979 import counts
from tests.annotation.verdict_cases import confusion, item, judged, simulated


def test_the_papers_own_estimates() -> None:
    """Dawid and Skene (1979): prevalences .40 .42 .11 .07, and the first anaesthetist's error rates."""
    found = fit(counts())
    assert found.prior.round(2).tolist() == [0.40, 0.42, 0.11, 0.07]
    first = found.confusion[0].round(2).tolist()
    assert first == [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]
    assert np.bincount(found.posterior.argmax(axis=1)).tolist() == [18, 19, 5, 3]
    assert found.posterior.max(axis=1).min() > 0.6


def test_equals_a_plain_loop() -> None:
    """The same estimates from Bayes' rule written out, smoothing and all, without arrays."""
    rows, _ = simulated({"a": confusion(0.8), "b": confusion(0.6), "c": confusion(0.7)}, 40, seed=2)
    found = consensus(rows)
    assert found
    by_hand = posteriors({(row.judge, row.item.id): row.grade for row in rows if row.grade})
    for name, shares in found.all().items():
        assert list(shares.values()) == pytest.approx(by_hand[name], abs=1e-6)


def test_error_rates_of_known_doctors_are_recovered() -> None:
    """Six sets of 500 items: of all true rates at least nine in ten lie within their 95 % intervals."""
    true = {"a": confusion(0.9), "b": confusion(0.75), "c": confusion(0.6)}
    true["c"][0] = [0.55, 0.35, 0.10]  # leans to the right
    inside, of, right, majorities = 0, 0, 0.0, 0.0
    for seed in range(6):
        rows, truths = simulated(true, 500, seed=seed)
        found = consensus(rows)
        assert found
        bounds = found.bounds(seed=1)
        rates = np.array([true[judge] for judge in found.judges])
        inside += int(((bounds.low <= rates) & (rates <= bounds.high)).sum())
        of += rates.size
        right += float((found.fitted.posterior.argmax(axis=1) == truths).mean())
        majorities += float((majority(found.counts).argmax(axis=1) == truths).mean())
        assert [interval.estimate for interval in bounds.accuracy] == pytest.approx([0.9, 0.75, 0.6], abs=0.08)
    assert 0.9 * of <= inside < of
    assert right >= majorities


def test_a_posterior_is_as_sure_as_it_is_right() -> None:
    rows, truths = simulated({"a": confusion(0.8), "b": confusion(0.75), "c": confusion(0.7)}, 2000, seed=4)
    found = consensus(rows)
    assert found
    best, sure = found.fitted.posterior.argmax(axis=1), found.fitted.posterior.max(axis=1)
    for low, high in ((0.4, 0.7), (0.7, 0.9), (0.9, 1.01)):
        inside = (sure >= low) & (sure < high)
        assert inside.sum() > 50
        assert (best == truths)[inside].mean() == pytest.approx(sure[inside].mean(), abs=0.06)


def test_classes_never_trade_places() -> None:
    """Even where most doctors are poor, who says left most often is what left means."""
    for seed in range(20):
        rows, _ = simulated({name: confusion(0.55) for name in "abcd"}, 60, seed=seed)
        found = consensus(rows)
        assert found
        together = found.fitted.confusion.mean(axis=0)
        assert together.argmax(axis=1).tolist() == [0, 1, 2]


def test_gold_says_who_is_right() -> None:
    """Two careless doctors who agree with each other outvote a careful one, until gold tells who is right."""
    wrong = np.array([[0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
    rows, truths = simulated({"a": confusion(0.95), "b": wrong, "c": wrong}, 300, seed=1, gold=60)
    found = consensus(rows)
    assert found
    assert len(found.items) == 240
    assert (found.fitted.posterior.argmax(axis=1) == truths[60:]).mean() > 0.9
    without = consensus([row for row in rows if row.item.kind != "gold"])
    assert without
    assert (without.fitted.posterior.argmax(axis=1) == truths[60:]).mean() < 0.5


def test_easy_gold_makes_no_doctor_better_than_he_is() -> None:
    """Gold judged at .98 beside comparisons judged at .70: nine in ten of 95 % intervals hold .70."""
    inside, estimates = 0, []
    for seed in range(10):
        easy, _ = simulated({name: confusion(0.98) for name in "abc"}, 40, seed=seed, gold=40)
        hard, _ = simulated({name: confusion(0.7) for name in "abc"}, 200, seed=100 + seed)
        found = consensus([*easy, *(renamed(row) for row in hard)])
        assert found
        accuracies = found.bounds(seed=1).accuracy
        inside += sum(each.low <= 0.7 <= each.high for each in accuracies)
        estimates += [each.estimate for each in accuracies]
    assert inside >= 27
    assert np.mean(estimates) == pytest.approx(0.7, abs=0.02)


def renamed(row: Judged) -> Judged:
    """The verdict on an item that no gold item is named like."""
    name = f"h{row.item.id}"
    return Judged(
        row.item.model_copy(update={"id": name}),
        row.verdict.model_copy(update={"item_id": name, "id": f"d/{row.judge}-{name}"}),
    )


def test_gold_alone_says_nothing_of_comparisons() -> None:
    assert consensus([judged("a", item("g", kind="gold", gold="left"), "left")]) is None


def test_few_verdicts_are_not_certain() -> None:
    shown = item("one")
    alone = consensus([judged("a", shown, "left")])
    agreed = consensus([judged("a", shown, "left"), judged("b", shown, "left_much")])
    split = consensus([judged("a", shown, "left"), judged("b", shown, "right")])
    assert alone
    assert agreed
    assert split
    assert 0.7 < alone.all()["one"]["left"] < agreed.all()["one"]["left"] < 0.99
    assert split.all()["one"]["left"] == pytest.approx(split.all()["one"]["right"])
    assert consensus([judged("a", shown, None)]) is None


def test_bad_shapes_are_named() -> None:
    with pytest.raises(ValueError, match=r"\[items, judges, classes\]"):
        fit([[1, 2]])


def test_likelihood_never_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dawid_skene, "MAX_ROUNDS", 1)
    said, start, last = counts(), None, -math.inf
    for _ in range(15):
        found = fit(said, start=start)
        joint = [
            [share * np.prod(found.confusion[:, true] ** votes) for true, share in enumerate(found.prior)]
            for votes in said
        ]
        likelihood = float(np.log(np.sum(joint, axis=1)).sum())
        assert likelihood >= last - 1e-9
        start, last = found.posterior, likelihood
    assert last > -800
