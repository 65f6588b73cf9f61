"""Which decisions are made of a suite's groups, and what several models decide on common questions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gaokerena.evaluation.alignment import align
from gaokerena.evaluation.answers import Group
from gaokerena.evaluation.cells import Decision
from gaokerena.evaluation.decisions import Pool, PoolError, decisions_of, default_pools, joined
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
    assert all(d.own in groups for d in found)


def test_all_sets_of_sampled_models_are_pooled_unless_told() -> None:
    groups = [group(["AAABB"] * 3, "ABC", name) for name in "rva"]
    groups.append(group(["A"] * 3, "ABC", "r", "straight"))
    assert len(default_pools(groups[:3])) == 4
    assert [d.model for d in made(groups) if d.rule == "pooled"] == ["r+v", "r+a", "v+a", "r+v+a"]
    assert [d.model for d in made(groups, []) if d.rule == "pooled"] == []
    told = [d for d in made(groups, [(("a", "cot"), ("r", "straight"))]) if d.rule == "pooled"]
    assert [(d.model, d.prompting, d.samples) for d in told] == [("a+r", "mixed", 6)]
    with pytest.raises(PoolError, match="no answers of q:cot in suite s; there are r:cot, v:cot, a:cot, r:straight"):
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
    assert found.numbers.tolist() == [0, 1, 2]
    # together A 5 B 2 C 2 D 1; B 2 alone of BBCDA; C 4 D 6
    assert found.scores.tolist() == [1.0, 1.0, 0.0]
    assert found.decided[2, 3] == 1.0
    assert found.gold.tolist() == [0, 1, 2]


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
