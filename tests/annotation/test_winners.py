"""Which model wins: against verdicts whose truth is known, with doctors who err and judge an item twice or thrice."""

from __future__ import annotations

import numpy as np
import pytest

from annotation.consensus import consensus
from annotation.judged import OUTCOMES, Judged
from annotation.winners import Duel, duels
from gaokerena.expert_verdicts import Grade
from tests.annotation.verdict_cases import SAID, confusion, item, judged

TRUE = (0.7, 0.18, 0.12)
"""How often r is better, v is, and neither."""
SHARE = TRUE[0] + TRUE[2] / 2


def told(accuracy: float, doctors: str, count: int, seed: int) -> list[Judged]:
    """What doctors of this accuracy say of `count` items; models sit left and right alike."""
    generator = np.random.default_rng(seed)
    rows = []
    for place in range(count):
        shown, winner, turned = item(f"i{place:04}"), int(generator.choice(3, p=TRUE)), generator.random() < 0.5
        if turned:
            shown = shown.model_copy(update={"sides": {"left": shown.sides["right"], "right": shown.sides["left"]}})
        truth = (1, 0, 2)[winner] if not turned else winner  # r sits left only where turned
        for judge in doctors:
            said = OUTCOMES[int(generator.choice(3, p=confusion(accuracy)[truth]))]
            rows.append(judged(judge, shown, SAID[said]))
    return rows


def duel_of(rows: list[Judged]) -> Duel:
    found = consensus(rows)
    assert found
    (duel,) = duels(found, {row.item.id: row.item for row in rows}, seed=1)
    assert (duel.first, duel.second) == ("r", "v")
    assert sum(duel.wins) == pytest.approx(duel.items)
    assert duel.share.low <= duel.share.estimate <= duel.share.high
    return duel


@pytest.mark.parametrize(("accuracy", "doctors"), [(0.75, "ab"), (0.7, "abc"), (0.9, "abc")])
def test_the_share_is_not_drawn_to_one_half(accuracy: float, doctors: str) -> None:
    """Of sixteen 95 % intervals at least thirteen hold the true share, and the mean lies by it."""
    found = [duel_of(told(accuracy, doctors, 100, seed)) for seed in range(16)]
    assert sum(duel.share.low <= SHARE <= duel.share.high for duel in found) >= 13
    assert np.mean([duel.share.estimate for duel in found]) == pytest.approx(SHARE, abs=0.05)
    assert all(duel.share.high - duel.share.low < 0.5 for duel in found)


def test_sure_doctors_give_the_counts_and_the_seats_do_not_matter() -> None:
    said: list[tuple[Grade, int]] = [("right", 30), ("left", 8), ("equal", 2)]  # r sits right
    grades = [grade for grade, often in said for _ in range(often)]
    rows = [judged(name, item(f"i{place:02}"), grade) for place, grade in enumerate(grades) for name in "abcde"]
    duel = duel_of(rows)
    assert duel.wins == pytest.approx((30, 8, 2), abs=0.3)
    assert duel.share.estimate == pytest.approx(31 / 40, abs=0.02)
    mirrored: dict[Grade, Grade] = {"right": "left", "left": "right", "equal": "equal"}
    turned = []
    for place, grade in enumerate(grades):
        shown = item(f"i{place:02}")
        if place % 2:
            shown = shown.model_copy(update={"sides": {"left": shown.sides["right"], "right": shown.sides["left"]}})
        turned += [judged(name, shown, mirrored[grade] if place % 2 else grade) for name in "abcde"]
    assert duel_of(turned).wins == pytest.approx(duel.wins, abs=0.3)


def test_each_two_models_have_shares_of_their_own() -> None:
    rows = told(0.9, "abc", 40, 1)
    for row in told(0.9, "abc", 40, 2):
        sides = {side: shown.model_copy(update={"model": f"{shown.model}2"}) for side, shown in row.item.sides.items()}
        rows.append(judged(row.judge, row.item.model_copy(update={"id": f"j{row.item.id}", "sides": sides}), row.grade))
    same = item("same")
    sides = {side: shown.model_copy(update={"model": "v"}) for side, shown in same.sides.items()}
    rows += [judged(name, same.model_copy(update={"sides": sides}), "left") for name in "abc"]
    found = consensus(rows)
    assert found
    made = duels(found, {row.item.id: row.item for row in rows}, seed=1)
    assert [(duel.first, duel.second, duel.items) for duel in made] == [("r", "v", 40), ("r2", "v2", 40)]
    assert all(duel.share.low <= SHARE <= duel.share.high for duel in made)
