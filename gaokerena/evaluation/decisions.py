"""Every decision that can be made from a suite's groups: each rule on each model, and rules over several models.

    decisions_of(groups, alignment, finals, pools, seed=1)

A pool is a tuple of (model, prompting); without one, all pairs and larger sets of the sampled models are pooled; of
more than four models the pairs and all together. The rules that learn (`weighted`, `cascade`) take all sampled models,
straight answers included. `left_out` says what such limits kept away.

Decisions come in an order that the rows of the file do not change: models with several runs first, of these the one
that is right most often, so that differences read better minus worse.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation.alignment import Alignment, ordered
from gaokerena.evaluation.answers import NOT_ASKED, Group
from gaokerena.evaluation.cascades import cascade, orders_of
from gaokerena.evaluation.cells import Decision
from gaokerena.evaluation.learned import shares, weighted
from gaokerena.evaluation.likeness import key_of
from gaokerena.evaluation.rules import OWN_RUNS, Choices, Decided, applicable, pooled, right, single, verifier

Name = tuple[str, str]
Pool = tuple[Name, ...]
LEAST_TO_LEARN_FROM = 40
"""Questions; with fewer the folds are too small to choose anything by."""
ALL_SETS = 4
"""As many sampled groups are pooled in every way; of n groups there are 2^n sets."""


class PoolError(ValueError):
    """A pool names answers that are not there; the text says which there are."""


def decisions_of(
    groups: Sequence[Group],
    alignment: Alignment,
    finals: Mapping[Name, NDArray[np.int8]],
    pools: Sequence[Pool] | None,
    *,
    seed: int,
) -> list[Decision]:
    """All decisions of one suite. Raises PoolError."""
    groups = sorted(groups, key=_rank)
    found = [decision for group in groups for decision in _own(group, alignment, finals.get(group.name))]
    sets = default_pools(sampled_of(groups)) if pools is None else [_known(pool, groups) for pool in pools]
    found += [made for pool in sets if (made := _pooled(pool, alignment))]
    return found + list(_learned(groups, alignment, seed))


def _rank(group: Group) -> tuple[float, float, Name]:
    """Most runs first, then most often right, then by name."""
    return -group.samples, -round(float(right(single(group.choices), group.gold).mean()), 9), group.name


def sampled_of(groups: Sequence[Group]) -> list[Group]:
    """The groups with several runs, by name."""
    return sorted((group for group in groups if group.samples > 1), key=lambda group: group.name)


def _own(group: Group, alignment: Alignment, final: NDArray[np.int8] | None) -> Iterator[Decision]:
    order = ordered(group)
    numbers, group = alignment.numbers[group.name][order], group.only(order.tolist())
    final = None if final is None else final[order]

    def decision(rule: str, decided: Decided) -> Decision:
        return Decision(
            group.suite, *group.name, rule, group.subjects, numbers, group.gold, decided, group.samples, group
        )

    for rule, decide in OWN_RUNS.items():
        if applicable(rule, group.samples):
            yield decision(rule, decide(group.choices))
    if final is not None:
        covered = np.flatnonzero(final != NOT_ASKED)
        part, settled = group.only(covered.tolist()), numbers[covered]
        decided = verifier(part.choices, final[covered])
        yield Decision(
            group.suite, *group.name, "verifier", part.subjects, settled, part.gold, decided, group.samples, part
        )


def default_pools(sampled: Sequence[Group]) -> list[tuple[Group, ...]]:
    """All sets of at least two of the sampled groups; of more than four groups the pairs and all together."""
    sizes = range(2, len(sampled) + 1) if len(sampled) <= ALL_SETS else (2, len(sampled))
    return [pool for size in sizes for pool in itertools.combinations(sampled, size)]


def left_out(groups: Sequence[Group]) -> list[str]:
    """What `decisions_of` does not try of these groups, in words; empty for up to four with several runs."""
    sampled = sampled_of(groups)
    pools = [f"pools of 3 to {len(sampled) - 1} of the {len(sampled)} groups with several runs"]
    members = learning_of(groups)
    cascades = orders_of(members, [group.choices[:0] for group in members])[1] if members else []
    return (pools if len(sampled) > ALL_SETS else []) + cascades


def learning_of(groups: Sequence[Group]) -> list[Group]:
    """What rules learn from: the groups with several runs, and their models' straight answers, by name.

    Empty where there are not at least two, one of them with several runs.
    """
    sampled = sampled_of(groups)
    models = {group.model for group in sampled}
    short = sorted((g for g in groups if g.model in models and g.samples == 1), key=lambda group: group.name)
    return [*sampled, *short] if sampled and len(sampled) + len(short) > 1 else []


def _known(pool: Pool, groups: Sequence[Group]) -> tuple[Group, ...]:
    by_name = {group.name: group for group in groups}
    for name in pool:
        if name not in by_name:
            there = ", ".join(":".join(name) for name in sorted(by_name))
            raise PoolError(f"no answers of {':'.join(name)} in suite {groups[0].suite}; there are {there}")
    return tuple(by_name[name] for name in pool)


def joined(members: Sequence[Group]) -> Name:
    """The name of several groups: models joined with +, and their prompting or `mixed`."""
    models = "+".join(dict.fromkeys(group.model for group in members))
    promptings = {group.prompting for group in members}
    return models, promptings.pop() if len(promptings) == 1 else "mixed"


def common(members: Sequence[Group], alignment: Alignment) -> tuple[NDArray[np.int64], list[Choices]]:
    """Questions of the subjects all members were asked in, and each member's choices on them.

    A member without an answer to one of them has NOT_ASKED there: the others decide. The questions' order follows from
    their subject and text, and so do the folds that are drawn from it.
    """
    shared = set.intersection(*(set(group.subjects) for group in members))
    every = reduce(np.union1d, (alignment.numbers[group.name] for group in members)).tolist()
    kept = [number for number in every if alignment.subjects[number] in shared and number not in alignment.lonely]
    kept.sort(key=lambda n: (alignment.subjects[n], key_of(alignment.texts[n]), alignment.gold[n]))
    numbers = np.array(kept, np.int64)
    return numbers, [_on(group, numbers, alignment) for group in members]


def _on(group: Group, numbers: NDArray[np.int64], alignment: Alignment) -> Choices:
    """A group's choices on these questions; of a repeated question the answers under the first index."""
    order = ordered(group)
    known, first = np.unique(alignment.numbers[group.name][order], return_index=True)
    place = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    choices = group.choices[order[first[place]]]
    choices[known[place] != numbers] = NOT_ASKED
    return choices


def over(
    members: Sequence[Group], rule: str, numbers: NDArray[np.int64], decided: Decided, alignment: Alignment
) -> Decision:
    """A decision of several groups on common questions."""
    subjects = tuple(alignment.subjects[number] for number in numbers)
    gold = np.array(alignment.gold, np.int8)[numbers]
    samples = sum(group.samples for group in members)
    return Decision(members[0].suite, *joined(members), rule, subjects, numbers, gold, decided, samples)


def _pooled(members: Sequence[Group], alignment: Alignment) -> Decision | None:
    numbers, choices = common(members, alignment)
    return over(members, "pooled", numbers, pooled(choices), alignment) if len(numbers) else None


def _learned(groups: Sequence[Group], alignment: Alignment, seed: int) -> Iterator[Decision]:
    members = learning_of(groups)
    if not members:
        return
    numbers, choices = common(members, alignment)
    if len(numbers) < LEAST_TO_LEARN_FROM:
        return
    gold = np.array(alignment.gold, np.int8)[numbers]
    features = np.stack([shares(chosen) for chosen in choices], axis=1)
    yield over(members, "weighted", numbers, weighted(features, gold, seed=seed), alignment)
    decided, _ = cascade(orders_of(members, choices)[0], gold, seed=seed)
    yield over(members, "cascade", numbers, decided, alignment)
