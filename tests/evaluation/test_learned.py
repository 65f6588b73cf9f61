"""Rules that learn: they find what is there, and nothing where there is nothing, for they never see what is scored.

The test of leaks gives a rule answers and gold letters drawn at random: it must be right by chance alone. The same test
with the folds taken away (what is scored is learned from) must sound the alarm.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize
from scipy.special import log_softmax

from gaokerena.evaluation import cascades, learned
from gaokerena.evaluation.cascades import MOST, Cascade, Stage, cascade, columns, orders_of, stagings
from gaokerena.evaluation.learned import (
    Columns,
    best_of,
    best_ridge,
    folds,
    held_out,
    nested,
    shares,
    twelfths,
    weighted,
    weights,
)
from gaokerena.evaluation.rules import plurality, right
from tests.evaluation.recorded_cases import choices, group

Decide = Callable[[np.random.Generator, np.ndarray], np.ndarray]


@settings(max_examples=50, deadline=None)
@given(st.text("ABCD", min_size=1, max_size=90), st.integers(2, 10), st.integers(0, 9))
def test_folds_are_balanced_in_size_and_gold_letters(gold: str, count: int, seed: int) -> None:
    letters = choices([*gold])[:, 0]
    fold = folds(letters, count, seed)
    sizes = np.bincount(fold, minlength=count)
    assert sizes.sum() == len(gold)
    assert np.ptp(sizes) <= 1
    for letter in range(4):
        assert np.ptp(np.bincount(fold[letters == letter], minlength=count)) <= 1
    assert fold.tolist() == folds(letters, count, seed).tolist()


def test_folds_follow_the_seed_not_the_order_of_questions() -> None:
    gold = np.tile(np.arange(4, dtype=np.int8), 30)
    assert folds(gold, 10, 1).tolist() != folds(gold, 10, 2).tolist()
    assert folds(gold, 10, 1).tolist() != (np.arange(120) % 10).tolist()


def test_each_question_is_decided_once_by_what_the_others_taught() -> None:
    gold = np.tile(np.arange(4, dtype=np.int8), 10)
    seen: list[set[int]] = []

    def fit(learn: np.ndarray, score: np.ndarray) -> np.ndarray:
        assert not set(learn) & set(score)
        assert len(learn) + len(score) == len(gold)
        seen.append(set(score.tolist()))
        return np.eye(5)[np.full(len(score), len(seen) % 4)]

    decided = nested(gold, fit, outer=8, seed=1)
    assert sorted(place for part in seen for place in part) == list(range(40))
    assert (decided.sum(axis=1) == 1).all()


# --- nothing is tuned on what it is scored on ---------------------------------------------------------------------


def random_letters(generator: np.random.Generator, questions: int, runs: int) -> np.ndarray:
    return generator.integers(0, 4, (questions, runs)).astype(np.int8)


def by_weights(generator: np.random.Generator, gold: np.ndarray) -> np.ndarray:
    groups = [shares(random_letters(generator, len(gold), 1)) for _ in range(15)]
    return weighted(np.stack(groups, axis=1), gold, seed=1, outer=4)


def by_cascade(generator: np.random.Generator, gold: np.ndarray) -> np.ndarray:
    short, *runs = (Stage(name, random_letters(generator, len(gold), n)) for name, n in (("s", 1), ("v", 5), ("r", 5)))
    return cascade(stagings([short], runs), gold, seed=1, outer=4)[0]


def excess(decide: Decide, rounds: int, seed: int) -> float:
    """By how many standard errors the rule beats a guesser on answers and gold letters that know nothing."""
    generator = np.random.default_rng(seed)
    scores = []
    for _ in range(rounds):
        gold = generator.integers(0, 4, 40).astype(np.int8)
        scores.append(right(decide(generator, gold), gold))
    found = np.concatenate(scores)
    return float((found.mean() - 0.25) / np.sqrt(0.25 * 0.75 / len(found)))


@pytest.fixture
def leaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted leak: every question is learned from before it is scored."""

    def all_at_once(gold: np.ndarray, fit: Callable[..., np.ndarray], *, outer: int, seed: int) -> np.ndarray:
        return fit(np.arange(len(gold)), np.arange(len(gold)))

    for module in (learned, cascades):
        monkeypatch.setattr(module, "nested", all_at_once)


RULES = [pytest.param(by_weights, 12, id="weighted"), pytest.param(by_cascade, 40, id="cascade")]


@pytest.mark.parametrize(("decide", "rounds"), RULES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_rule_scores_chance_on_random_gold_letters(decide: Decide, rounds: int, seed: int) -> None:
    assert -5 < excess(decide, rounds, seed) < 3


@pytest.mark.usefixtures("leaking")
@pytest.mark.parametrize(("decide", "rounds"), RULES)
def test_a_planted_leak_is_found_out(decide: Decide, rounds: int) -> None:
    assert excess(decide, rounds, 1) > 5


@pytest.mark.parametrize("decide", [by_weights, by_cascade])
def test_gold_letters_of_a_fold_change_nothing_in_it(decide: Decide, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other gold letters for the questions of one fold: it is decided as before, the others are not."""
    monkeypatch.setattr(learned, "folds", lambda gold, count, seed: np.arange(len(gold)) % count)
    others = 0
    for seed in range(6):
        gold = np.random.default_rng(seed).integers(0, 4, 40).astype(np.int8)
        held = np.arange(40) % 4 == 0
        changed = np.where(held, (gold + 1 + seed % 3) % 4, gold).astype(np.int8)
        before, after = (decide(np.random.default_rng(seed + 50), letters) for letters in (gold, changed))
        np.testing.assert_array_equal(before[held], after[held])
        others += int((before[~held] != after[~held]).any())
    assert others >= 3


def test_inner_folds_do_not_see_what_they_are_scored_on() -> None:
    """Twelve groups that guess: weights learned on the scored questions themselves would be far above a quarter."""
    generator = np.random.default_rng(11)
    scores, known = [], []
    for seed in range(4):
        gold = generator.integers(0, 4, 40).astype(np.int8)
        features = np.stack([shares(random_letters(generator, 40, 1)) for _ in range(12)], axis=1)
        tried, fold = held_out(features, gold, seed)
        assert np.bincount(fold).tolist() == [8] * learned.INNER
        scores.append(tried.scores.mean() / 12)
        known.append(right(learned.by_weights(weights(features, gold, 0.01), features), gold).mean())
    error = np.sqrt(0.25 * 0.75 / 160)
    assert np.mean(scores) < 0.25 + 2.5 * error
    assert np.mean(known) > 0.25 + 4 * error


def test_the_penalty_is_chosen_on_inner_folds() -> None:
    """One group knows half, eleven guess: where it learned the weakest penalty looks best, elsewhere not."""
    generator = np.random.default_rng(12)
    chosen = []
    for seed in range(6):
        gold = generator.integers(0, 4, 60).astype(np.int8)
        guesses = [shares(random_letters(generator, 60, 1)) for _ in range(11)]
        chosen.append(best_ridge(np.stack([knowing(generator, gold, 0.6), *guesses], axis=1), gold, seed))
    assert np.median(chosen) >= 1.0, chosen


def test_of_equal_penalties_the_strongest_is_taken() -> None:
    gold = np.tile(np.arange(4, dtype=np.int8), 10)
    assert best_ridge(shares(gold[:, None])[:, None, :], gold, 1) == max(learned.RIDGES)


def test_the_worth_of_a_choice_is_taken_where_it_was_not_made() -> None:
    """Two rules, each right on its own half, and folds that are these halves: whoever is best there is wrong here."""
    scores = np.array([[12, 0]] * 4 + [[0, 12]] * 4 + [[12, 12]] * 2, np.float32)
    tried = Columns("x", ["first", "second"], scores, np.ones_like(scores))
    halves = np.array([0] * 4 + [1] * 4)
    assert tried.inside(np.arange(8), halves) == 0.0
    assert tried.inside(np.arange(8), np.arange(8) % 2) == 0.5
    assert [part.tolist() for part in tried.sums(np.array([0, 1, 4, 8]))] == [[36.0, 24.0], [4.0, 4.0]]
    assert tried.inside(np.array([0, 1, 8, 9]), np.array([0, 1, 0, 1])) == 1.0


def test_of_equals_the_cheaper_then_the_first() -> None:
    assert best_of(np.array([1.0, 3.0, 3.0, 3.0]), np.array([0.0, 2.0, 1.0, 1.0])) == 2


# --- what is there is found ---------------------------------------------------------------------------------------


def knowing(generator: np.random.Generator, gold: np.ndarray, chance: float) -> np.ndarray:
    """One answer a question, right with this chance, else any of the other letters: [questions, 4]."""
    said = np.where(generator.random(len(gold)) < chance, gold, (gold + generator.integers(1, 4, len(gold))) % 4)
    return shares(said[:, None].astype(np.int8))


def test_weights_are_those_the_answers_were_made_with() -> None:
    """Independent answers that are right with chance p, any wrong letter alike: Bayes gives log(3 p / (1 - p))."""
    generator = np.random.default_rng(5)
    gold = generator.integers(0, 4, 20_000).astype(np.int8)
    chances = (0.7, 0.5, 0.25)
    features = np.stack([knowing(generator, gold, chance) for chance in chances], axis=1)
    found = weights(features, gold, 0.01)
    assert found == pytest.approx([np.log(3 * p / (1 - p)) for p in chances], abs=0.06)


def test_weights_are_at_the_least_penalised_loss() -> None:
    generator = np.random.default_rng(6)
    gold = generator.integers(0, 4, 80).astype(np.int8)
    features = np.stack(
        [shares(random_letters(generator, 80, 5)) + knowing(generator, gold, 0.4) for _ in range(4)], axis=1
    )

    def loss(beta: np.ndarray) -> float:
        scores = log_softmax(np.einsum("g,qgo->qo", beta, features), axis=1)
        return float(-scores[np.arange(80), gold].sum() + 2.0 * beta @ beta / 2)

    found = weights(features, gold, 2.0)
    assert found == pytest.approx(minimize(loss, np.zeros(4), method="BFGS").x, abs=1e-3)
    assert approx_fprime(found, loss) == pytest.approx(np.zeros(4), abs=1e-2)
    assert np.abs(weights(features, gold, 100.0)).sum() < np.abs(found).sum()


def test_a_group_that_helps_nobody_is_not_followed() -> None:
    """Where all weights would be below 0, every group counts the same."""
    gold = np.tile(np.arange(4, dtype=np.int8), 20)
    wrong = shares(((gold + 1) % 4)[:, None].astype(np.int8))[:, None, :]
    assert weights(wrong, gold, 1.0).tolist() == [1.0]
    assert best_ridge(wrong, gold, 1) in learned.RIDGES


def test_weighting_beats_counting_where_one_model_knows_more() -> None:
    generator = np.random.default_rng(8)
    gold = generator.integers(0, 4, 240).astype(np.int8)
    features = np.stack([knowing(generator, gold, chance) for chance in (0.75, 0.3, 0.3, 0.3)], axis=1)
    counted = right(plurality(features.argmax(axis=2).astype(np.int8)), gold).mean()
    found = right(weighted(features, gold, seed=1, outer=4), gold).mean()
    assert found > counted + 0.1
    assert found == pytest.approx(0.75, abs=0.08)


def test_a_skewed_key_teaches_nothing() -> None:
    """Nine gold letters of ten are D; models that guess stay guessers."""
    generator = np.random.default_rng(9)
    gold = np.where(np.arange(200) % 10, 3, 0).astype(np.int8)
    features = np.stack([shares(random_letters(generator, 200, 5)) for _ in range(3)], axis=1)
    assert right(weighted(features, gold, seed=1, outer=4), gold).mean() == pytest.approx(0.25, abs=0.1)


def test_shares_are_of_the_answers_asked_for() -> None:
    assert shares(choices(["AAB-.", "....."])).tolist() == [[0.5, 0.25, 0.0, 0.0], [0.0] * 4]


# --- the cascade, by hand -----------------------------------------------------------------------------------------

SHORT = Stage("straight", choices(["A", "B", "-", "C", "D"]))
LONG = Stage("r", choices(["AAAAA", "CCCBB", "BBBBB", "CDDAB", "....."]))
LAST = Stage("v", choices(["BBBBB", "BBBBB", "CCCCC", "DDDDD", "AA..."]))


def told(made: tuple[np.ndarray, np.ndarray]) -> tuple[list[str], list[float]]:
    decided, cost = made
    named = ["".join(sign for sign, share in zip("ABCD-", row, strict=True) if share) for row in decided]
    return named, cost.tolist()


@pytest.mark.parametrize(
    ("margins", "letters", "cost"),
    [
        # a lead of one answer in one settles at once; the unreadable straight answer does not
        ((0.0, 0.0), ["A", "B", "B", "C", "D"], [1, 1, 6, 1, 1]),
        # the lead must be more than the margin: 1 is more than 0.8, after r: 1, 0 (3 B, 3 C), 5/6, 0 and 1
        ((0.8, 0.8), ["A", "B", "B", "C", "D"], [1, 1, 6, 1, 1]),
        # a margin of 1 is never passed by one stage: A 6/6 is not more than 1 either, so all is heard
        ((1.0, 1.0), ["A", "B", "BC", "D", "A"], [11, 11, 11, 11, 3]),
        ((1.0, 0.9), ["A", "B", "BC", "D", "D"], [6, 11, 11, 11, 1]),
        ((1.0, 0.0), ["A", "B", "B", "D", "D"], [6, 11, 6, 11, 1]),
    ],
)
def test_a_cascade_by_hand(margins: tuple[float, float], letters: list[str], cost: list[int]) -> None:
    found, taken = told(Cascade((SHORT, LONG, LAST), margins).decide())
    assert taken == cost
    assert found == letters


def test_the_last_stage_settles_even_a_tie_and_silence() -> None:
    made = Cascade((Stage("v", choices(["A", "-"])), Stage("r", choices(["B", "-"]))), (0.0,)).decide()
    assert told(made) == (["A", "-"], [1, 2])
    made = Cascade((Stage("v", choices(["AB", "--"])), Stage("r", choices(["BA", "--"]))), (0.0,)).decide()
    assert told(made) == (["AB", "-"], [4, 4])


def test_every_order_with_and_without_straight_answers() -> None:
    orders = stagings([SHORT, SHORT], [LONG, LAST])
    assert [[stage.name for stage in order] for order in orders] == [
        ["straight", "r", "v"], ["r", "v"], ["straight", "v", "r"], ["v", "r"]
    ]  # fmt: skip
    assert orders[0][0].choices.shape == (5, 2)
    assert len(stagings([], [LONG, LAST])) == 2
    gold = choices([*"ABCDA"])[:, 0]
    made = columns(orders[:2], gold)
    names = [rule.name for rule in made.rules]
    assert len(names) == len(set(names)) == 25 + 5
    assert names[0] == "straight → r → v, margins (0.0, 0.0)"
    for place, rule in enumerate(made.rules):
        decided, cost = rule.decide()
        assert made.scores[:, place].tolist() == twelfths(decided, gold).tolist()
        assert made.costs[:, place].tolist() == cost.tolist()


@pytest.mark.parametrize(
    ("names", "straight", "orders", "left_out"),
    [
        ("abc", True, 6 * 2, []),
        ("abcde", False, 60, ["cascades of more than 3 of the 5 groups with several runs"]),
        ("abcd", True, 6 * 2, ["cascades with d:cot: over 2,000 candidates"]),
        ("ab", False, 2, []),
        (
            "zyxwvutsrq",
            True,
            6 * 2,
            [f"cascades with {', '.join(f'{n}:cot' for n in 'tuvwxyz')}: over 2,000 candidates"],
        ),
    ],
)
def test_many_models_are_cut_to_what_can_be_tried(names: str, straight: bool, orders: int, left_out: list[str]) -> None:
    groups = [group(["AAB", "BBA"], "AB", name) for name in names]
    groups += [group(["A", "B"], "AB", names[0], "straight")] * straight
    found, missing = orders_of(groups, [one.choices for one in groups])
    assert (len(found), missing) == (orders, left_out)
    assert len(columns(found, groups[0].gold).rules) <= MOST
    assert max(len(order) for order in found) <= 3 + straight


def test_where_both_ways_of_asking_were_sampled_chains_of_thought_are_kept() -> None:
    groups = [group(["AAB"], "A", name, asked) for name in "abc" for asked in ("cot", "straight")]
    found, missing = orders_of(groups, [one.choices for one in groups])
    assert {stage.name for order in found for stage in order} == {"a:cot", "b:cot", "c:cot"}
    assert missing == ["cascades with a:straight, b:straight, c:straight: over 2,000 candidates"]


def test_of_equal_cascades_the_cheaper_is_taken() -> None:
    """Straight answers are always right: nothing else need be asked."""
    gold = np.tile(np.arange(4, dtype=np.int8), 10)
    short, runs = Stage("s", gold[:, None]), Stage("r", np.repeat(gold[:, None], 5, axis=1))
    decided, taken = cascade(stagings([short], [runs]), gold, seed=1)
    assert right(decided, gold).all()
    assert taken.tolist() == [1.0] * 40
    unsure = Stage("s", np.where(np.arange(40) < 20, gold, (gold + 1) % 4)[:, None].astype(np.int8))
    decided, taken = cascade(stagings([unsure], [runs]), gold, seed=1)
    assert right(decided, gold).all()
    assert taken.tolist() == [5.0] * 40
