"""Which decisions are made of a suite's groups, and what several models decide on common questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaokerena.evaluation.alignment import align
from gaokerena.evaluation.answers import NOT_ASKED, Group
from gaokerena.evaluation.cells import Decision
from gaokerena.evaluation.decisions import Pool, PoolError, common, decisions_of, default_pools, joined, left_out
from tests.evaluation.recorded_cases import ITEMS, choices, group


def made(groups: Sequence[Group], pools: Sequence[Pool] | None = None) -> list[Decision]:
    return decisions_of(groups, align(groups), {}, pools, seed=1)


def pool(*groups: Group, beside: Sequence[Group] = ()) -> Decision:
    """The pooled decision of these groups, other groups about."""
    (found,) = (d for d in made([*groups, *beside], [tuple(one.name for one in groups)]) if d.rule == "pooled")
    return found


def test_each_groups_own_rules_and_the_verifiers() -> None:
    r, straight = group(["AAABB", "ABCDA"], "AB"), group(["A", "B"], "AB", prompting="straight")
    groups = [r, straight]
    found = decisions_of(groups, align(groups), {r.name: choices(["A", "B"])[:, 0]}, [], seed=1)
    assert [(d.prompting, d.rule) for d in found] == [
        ("cot", "single"), ("cot", "sc3of5"), ("cot", "plurality"), ("cot", "verifier"), ("straight", "single")
    ]  # fmt: skip
    assert found[3].scores.tolist() == [1.0, 1.0]
    assert [d.own.name for d in found if d.own] == [r.name] * 4 + [straight.name]


def test_all_sets_of_sampled_models_are_pooled_unless_told() -> None:
    groups = [group(["AAABB"] * 3, "ABC", name) for name in "rva"]
    groups.append(group(["A"] * 3, "ABC", "r", "straight"))
    assert len(default_pools(groups[:3])) == 4
    assert [d.model for d in made(groups) if d.rule == "pooled"] == ["a+r", "a+v", "r+v", "a+r+v"]
    assert [d.model for d in made(groups, []) if d.rule == "pooled"] == []
    told = [d for d in made(groups, [(("a", "cot"), ("r", "straight"))]) if d.rule == "pooled"]
    assert [(d.model, d.prompting, d.samples) for d in told] == [("a+r", "mixed", 6)]
    with pytest.raises(PoolError, match="no answers of q:cot in suite s; there are a:cot, r:cot, r:straight, v:cot"):
        made(groups, [(("q", "cot"),)])


def test_names_of_several() -> None:
    r, v = group(["A"], "A", "r"), group(["A"], "A", "v")
    assert joined([r, v]) == ("r+v", "cot")
    assert joined([r, group(["A"], "A", "r", "straight")]) == ("r", "mixed")


def test_a_pool_follows_content_and_the_others_decide_where_one_was_not_asked() -> None:
    """v was asked in another order and never the second question; c, as asked as r, keeps that question common."""
    r = group(["AABBC", "BBCDA", "CCCDD"], "ABC", "r")
    v = group(["DDDDC", "AAACD"], "CA", "v", texts=[ITEMS[2], ITEMS[0]])
    c = group(["AAAAA"] * 3, "ABC", "c")
    found = pool(r, v, beside=[c])
    # together A 5 B 2 C 2 D 1; B 2 alone of BBCDA; C 4 D 6; questions stand in the order of their text
    by_gold = {key: row.tolist() for key, row in zip(found.gold.tolist(), found.decided, strict=True)}
    assert by_gold == {0: [1, 0, 0, 0, 0], 1: [0, 1, 0, 0, 0], 2: [0, 0, 0, 1, 0]}
    assert sorted(found.numbers.tolist()) == [0, 1, 2]


def test_who_was_not_asked_has_no_vote() -> None:
    """Nobody's answers to a neighbouring question stand in for missing ones."""
    r, c = group(["AAAAA", "BBBBB", "CCCCC"], "ABC", "r"), group(["AAAAA", "BBBBB", "CCCCC"], "ABC", "c")
    v = group(["AAAAA", "CCCCC"], "AC", "v", texts=[ITEMS[0], ITEMS[2]])
    groups = [r, v, c]
    numbers, (asked, missing) = common([r, v], align(groups))
    at = {number: place for place, number in enumerate(numbers.tolist())}
    assert missing[at[1]].tolist() == [NOT_ASKED] * 5
    assert missing[at[0]].tolist() == asked[at[0]].tolist() == [0] * 5
    assert missing[at[2]].tolist() == [2] * 5
    late = group(["AAAAA"], "A", "v", texts=[ITEMS[0]])
    _, (_, missing) = common([r, late], align([r, late, c]))
    assert sorted(map(tuple, missing.tolist())) == [(NOT_ASKED,) * 5] * 2 + [(0,) * 5]


def test_of_many_models_pairs_and_all_together_are_pooled() -> None:
    groups = [group(["AAB"], "A", name) for name in "abcdef"]
    assert [len(pool) for pool in default_pools(groups)] == [2] * 15 + [6]
    assert left_out(groups) == [
        "pools of 3 to 5 of the 6 groups with several runs",
        "cascades with d:cot, e:cot, f:cot: over 2,000 candidates",
    ]
    assert left_out(groups[:3]) == left_out(groups[:1]) == []


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(60)), st.permutations(range(4)))
def test_the_order_of_rows_and_groups_changes_no_decision(rows: list[int], order: list[int]) -> None:
    generator = np.random.default_rng(2)
    gold = "".join(generator.choice([*"ABCD"], 60))
    groups = [
        group(["".join(row) for row in generator.choice([*"ABCD"], (60, runs))], gold, name, asked)
        for name, runs, asked in (("v", 5, "cot"), ("r", 5, "cot"), ("a", 3, "cot"), ("r", 1, "straight"))
    ]
    mixed = [groups[place].only(rows) for place in order]
    for one, other in zip(made(groups), made(mixed), strict=True):
        assert (one.model, one.prompting, one.rule, one.subjects) == (
            other.model, other.prompting, other.rule, other.subjects
        )  # fmt: skip
        np.testing.assert_array_equal(one.numbers, other.numbers)
        np.testing.assert_array_equal(one.decided, other.decided)


def test_what_one_model_alone_was_asked_is_not_pooled() -> None:
    r = group(["AAAAA", "BBBBB"], "AB", "r")
    v = group(["AAAAA", "CCCCC"], "AC", "v", texts=[ITEMS[0], ITEMS[9]])
    assert pool(r, v).numbers.tolist() == [0]


def test_a_repeated_question_is_pooled_once_with_its_first_answers() -> None:
    r = group(["AAAAA", "BBBBB", "DDDDD"], "ABA", "r", texts=[ITEMS[0], ITEMS[1], ITEMS[0]])
    v = group(["AAAAB", "BBBBB"], "AB", "v")
    found = pool(r, v)
    assert (len(found.numbers), found.scores.tolist()) == (2, [1.0, 1.0])


def test_models_without_a_common_subject_are_not_pooled() -> None:
    groups = [group(["AAAAA"], "A", "r"), group(["AAAAA"], "A", "v", subjects=("قلب",))]
    assert [d for d in made(groups) if d.rule == "pooled"] == []


def test_questions_numbered_anew_are_learned_from_in_the_same_order() -> None:
    """Folds follow from subject and text, not from the numbers a file gives its questions."""
    generator = np.random.default_rng(3)
    gold = "".join(generator.choice([*"ABCD"], 50))
    signs = {name: ["".join(row) for row in generator.choice([*"ABCD"], (50, 5))] for name in "vr"}
    backwards = [group(runs, gold, name).only(range(50)[::-1]) for name, runs in signs.items()]
    renumbered = [replace(one, indices=tuple(range(50))) for one in backwards]
    texts = []
    for groups in ([group(runs, gold, name) for name, runs in signs.items()], renumbered):
        aligned = align(groups)
        numbers, _ = common(groups, aligned)
        texts.append([aligned.texts[number] for number in numbers])
        decided = {one.rule: one.decided for one in decisions_of(groups, aligned, {}, None, seed=1)}
        texts.append([decided[rule].tolist() for rule in ("pooled", "weighted", "cascade")])
    assert texts[0] == texts[2]
    assert texts[1] == texts[3]
