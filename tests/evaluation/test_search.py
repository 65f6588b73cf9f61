"""The search for better rules: measured where it did not choose, bounded, and the same in any order of rows."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaokerena.evaluation import candidates, search
from gaokerena.evaluation.alignment import align
from gaokerena.evaluation.answers import Group
from gaokerena.evaluation.candidates import Pool, cascades_of, pool_of, votes_of
from gaokerena.evaluation.cells import cells_of
from gaokerena.evaluation.evaluate import evaluate
from gaokerena.evaluation.learned import folds, twelfths
from gaokerena.evaluation.paired import comparisons_of
from gaokerena.evaluation.search import SEEDS, Found, Nested
from gaokerena.evaluation.search_report import as_json, as_text
from gaokerena.transcripts import write
from tests.evaluation.recorded_cases import group, rows_of

SOME = 60
Knows = tuple[float, float, float]


def answers(generator: np.random.Generator, gold: Sequence[str], runs: int, knows: float) -> list[str]:
    """Runs that are right with this chance, else any letter."""
    return [
        "".join(key if generator.random() < knows else generator.choice([*"ABCD"]) for _ in range(runs)) for key in gold
    ]


def groups_of(
    seed: int, count: int = SOME, knows: tuple[float, ...] = (0.6, 0.3, 0.1), straight: bool = True
) -> list[Group]:
    generator = np.random.default_rng(seed)
    gold = "".join(generator.choice([*"ABCD"], count))
    found = [group(answers(generator, gold, 5, share), gold, name) for name, share in zip("rvb", knows, strict=True)]
    return found + [group(answers(generator, gold, 1, 0.3), gold, "r", "straight")] * straight


def searched(groups: Sequence[Group], seed: int = 1) -> Found:
    return search.search(groups, align(groups), seed=seed)


def by_family(found: Found) -> dict[str, Nested]:
    return {one.family: one for one in found.families}


@pytest.fixture(scope="module")
def found() -> Found:
    return searched(groups_of(1))


def test_each_family_and_all_together(found: Found) -> None:
    families = by_family(found)
    assert [*families] == ["votes", "cascade", "weighted", "any"]
    sizes = [families[name].candidates for name in families]
    assert sizes == [4 + 2 * 3 + 6 * 3 + 2 * 1 + 6 * 3 + 6, 900, 5, sum(sizes[:3])]
    for one in found.families:
        assert sum(one.chosen.values()) == 10
        assert one.decision.decided.sum(axis=1) == pytest.approx(np.ones(SOME))
        assert (one.cost >= 1).all()
        assert (one.cost <= 16).all()
    assert found.left_out == []
    assert found.why_not == ""


def test_the_seeds_draw_other_folds_and_the_first_is_the_decision(found: Found) -> None:
    for one in found.families:
        assert len(one.accuracies) == SEEDS
        assert one.accuracies[0] == one.decision.scores.mean()
    assert len(set(by_family(found)["any"].accuracies)) > 1
    second = by_family(searched(groups_of(1), seed=2))
    for family, one in by_family(found).items():
        assert second[family].accuracies[:-1] == one.accuracies[1:]


def test_it_scores_chance_where_nobody_knows_and_its_apparent_accuracy_does_not() -> None:
    nested, apparent = [], []
    for seed in range(8):
        one = by_family(searched(groups_of(seed, 40, (0.0, 0.0, 0.0), straight=False)))["any"]
        nested += one.accuracies
        apparent.append(one.apparent[1])
    error = np.sqrt(0.25 * 0.75 / 320)
    assert np.mean(nested) < 0.25 + 3 * error
    assert np.mean(apparent) > 0.25 + 3 * error


def test_who_knows_is_found(found: Found) -> None:
    best = by_family(found)["any"]
    alone = {one.model: one for one in groups_of(1)}["b"]
    assert best.decision.scores.mean() > (alone.choices[:, 0] == alone.gold).mean() + 0.2


def pool(groups: Sequence[Group]) -> Pool:
    made = pool_of(groups, align(groups))
    assert made is not None
    return made


def test_columns_are_the_scores_and_costs_of_what_the_rules_decide() -> None:
    made = pool(groups_of(3, 45))
    for columns, left_out in (votes_of(made), cascades_of(made)):
        assert left_out == []
        assert len({rule.name for rule in columns.rules}) == len(columns.rules)
        for place in range(0, len(columns.rules), 7):
            decided, cost = columns.rules[place].decide()
            assert columns.scores[:, place].tolist() == twelfths(decided, made.gold).tolist()
            assert columns.costs[:, place].tolist() == cost.tolist()


@pytest.mark.parametrize(("count", "candidates_", "left_out"), [
    (8, 8 + 2 * 28 + 2 * 56 + 2 * 70 + 2 * 56 + 2 * 28 + 2 * 8 + 2, []),
    (12, 12 + 2 * 66 + 2, ["votes of 3 to 11 of the 12 groups: over 2,000 candidates"]),
    (40, 40 + 2, ["votes of 2 to 39 of the 40 groups: over 2,000 candidates"]),
])  # fmt: skip
def test_votes_of_many_groups_are_bounded(count: int, candidates_: int, left_out: list[str]) -> None:
    signs, gold = ["AAB", "BBC"] * 3, "ABABAB"
    columns, missing = votes_of(pool([group(signs, gold, f"m{number:02}") for number in range(count)]))
    assert (len(columns.rules), missing) == (candidates_, left_out)
    assert len(columns.rules) <= candidates.MOST


def test_what_choosing_among_many_is_worth_is_not_what_the_best_has() -> None:
    """Rules that guess: the best of them was lucky; choosing on four fifths and scoring on the rest is not."""
    inside, best = [], []
    for seed in range(16):
        made = pool(groups_of(seed, 60, (0.0, 0.0, 0.0), straight=False))
        for columns, _ in (votes_of(made), cascades_of(made)):
            inside.append(columns.inside(np.arange(60), folds(made.gold, 5, seed)))
            best.append(columns.sums(np.arange(60))[0].max() / (12 * 60))
    error = np.sqrt(0.25 * 0.75 / (16 * 60))
    assert np.mean(inside) < 0.25 + 2.5 * error
    assert np.mean(best) > 0.25 + 3 * error


@pytest.mark.parametrize("family", ["votes", "cascade", "weighted"])
def test_any_takes_the_family_in_which_choosing_is_worth_most(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the one whose best candidate has most of the questions it was chosen on."""

    def valued(real: Callable[..., Any]) -> Callable[..., Any]:
        def pick(*args: Any) -> Any:
            made = real(*args)
            return replace(made, inside=0.5 if made.family == family else 0.4)

        return pick

    for name in ("_pick", "_pick_weights"):
        monkeypatch.setattr(search, name, valued(getattr(search, name)))
    found = by_family(searched(groups_of(1)))
    assert found["any"].chosen == found[family].chosen
    assert found["any"].accuracies == found[family].accuracies


@pytest.mark.parametrize(("groups", "why"), [
    (groups_of(1, 1), "that takes 40 questions that all models were asked, to choose by and to score on; there are 1"),
    (groups_of(1, 39), "there are 39"),
    (groups_of(1)[:1], "two models or ways of asking"),
    ([group(["A"] * 50, "A" * 50, "r", "straight")], "several answers to a question"),
    ([group(["AAB"] * 50, "A" * 50, "r"), group(["AAB"] * 50, "A" * 50, "v", subjects=["قلب"] * 50)], "in one subject"),
])  # fmt: skip
def test_too_little_to_search_in(groups: list[Group], why: str) -> None:
    found = searched(groups)
    assert found.families == []
    assert why in found.why_not


# --- as JSON and as text ------------------------------------------------------------------------------------------


def written(path: Path, groups: Sequence[Group], shuffle: int | None = None) -> Path:
    rows = [
        row
        for one in groups
        for row in rows_of(
            one.model, one.prompting, ["".join("ABCD"[letter] for letter in runs) for runs in one.choices],
            "".join("ABCD"[letter] for letter in one.gold),
        )
    ]  # fmt: skip
    if shuffle is not None:
        random.Random(shuffle).shuffle(rows)
    write(rows, path)
    return path


def report(path: Path) -> dict[str, Any]:
    return as_json(evaluate(path, extract=False), "command")


def test_the_json_and_the_text_say_what_was_found(tmp_path: Path) -> None:
    made = report(written(tmp_path / "t.jsonl", groups_of(1)))
    (suite,) = made["suites"]
    assert json.loads(json.dumps(made)) == made
    assert (suite["left_out"], made["not_searched"]) == ([], [])
    for family in suite["families"]:
        seeds = family["fold_seeds"]
        assert (seeds["first"], len(seeds["accuracies"])) == (1, SEEDS)
        assert seeds["accuracies"][0] == family["accuracy"]
        assert seeds["low"] <= seeds["mean"] <= seeds["high"]
    text = as_text(made)
    base, votes = suite["yardstick"], suite["families"][0]
    for one in (base, votes):
        assert f"{one['accuracy']:.2f}  [{one['ci95'][0]:.2f}, {one['ci95'][1]:.2f}]" in text, "an accuracy has no sign"
    assert f"{votes['against']['difference']:+.2f}  [{votes['against']['ci95'][0]:+.2f}, " in text
    assert f"({votes['fold_seeds']['low']:.2f} to {votes['fold_seeds']['high']:.2f})" in text


def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    generator = np.random.default_rng(4)
    gold = "".join(generator.choice([*"ABCD"], 40))
    many = [group(answers(generator, gold, 2, 0.2), gold, f"m{number}") for number in range(6)]
    made = report(written(tmp_path / "t.jsonl", many))
    said = ["cascades with m3:cot, m4:cot, m5:cot: over 2,000 candidates"]
    assert made["suites"][0]["left_out"] == said
    assert f"left out: {said[0]}" in as_text(made)


def test_a_suite_with_too_little_is_named_with_the_reason(tmp_path: Path) -> None:
    made = report(written(tmp_path / "t.jsonl", groups_of(1, 1)))
    assert made["suites"] == []
    assert made["not_searched"][0]["suite"] == "s"
    assert as_text(made).startswith("s: nothing searched: that takes 40 questions")


def test_the_order_of_rows_changes_no_figure(tmp_path: Path) -> None:
    groups = groups_of(6, 50)
    files = [written(tmp_path / f"{order}.jsonl", groups, order) for order in (None, 1, 2)]
    plain, *mixed = [evaluate(path, extract=False) for path in files]
    for other in mixed:
        made = [as_json(found, "")["suites"] for found in (plain, other)]
        assert made[0] == made[1]
        decisions = [found.suites["s"].decisions for found in (plain, other)]
        cells = [cells_of(each, seed=1) for each in decisions]
        assert cells[0] == cells[1]
        compared = [
            comparisons_of([(each[0], one) for one in each[1:]], found.suites["s"].alignment, seed=1)
            for each, found in zip(decisions, (plain, other), strict=True)
        ]
        assert compared[0] == compared[1]
