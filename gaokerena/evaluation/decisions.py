"""Every decision that can be made from a suite's groups: each rule on each model, and rules over several models.

    decisions_of(groups, alignment, finals, pools, seed=1)

A pool is a tuple of (model, prompting); without one, all pairs and larger sets of the sampled models are pooled. The
rules that learn (`weighted`, `cascade`) take all sampled models, straight answers included.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from gaokerena.evaluation.alignment import Alignment
from gaokerena.evaluation.answers import NOT_ASKED, Group
from gaokerena.evaluation.cells import Decision
from gaokerena.evaluation.learned import Stage, cascade, shares, stagings, weighted
from gaokerena.evaluation.rules import OWN_RUNS, Choices, Decided, applicable, pooled, verifier

Name = tuple[str, str]
Pool = tuple[Name, ...]
LEAST_TO_LEARN_FROM = 40
"""Questions; with fewer the folds are too small to choose anything by."""


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
    found = [decision for group in groups for decision in _own(group, alignment, finals.get(group.name))]
    sampled = [group for group in groups if group.samples > 1]
    sets = default_pools(sampled) if pools is None else [_known(pool, groups) for pool in pools]
    found += [made for pool in sets if (made := _pooled(pool, alignment))]
    return found + list(_learned(groups, sampled, alignment, seed))


def _own(group: Group, alignment: Alignment, final: NDArray[np.int8] | None) -> Iterator[Decision]:
    numbers = alignment.numbers[group.name]

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
    """All sets of at least two of the sampled groups."""
    return [pool for size in range(2, len(sampled) + 1) for pool in itertools.combinations(sampled, size)]


def _known(pool: Pool, groups: Sequence[Group]) -> tuple[Group, ...]:
    by_name = {group.name: group for group in groups}
    for name in pool:
        if name not in by_name:
            there = ", ".join(":".join(name) for name in by_name)
            raise PoolError(f"no answers of {':'.join(name)} in suite {groups[0].suite}; there are {there}")
    return tuple(by_name[name] for name in pool)


def joined(members: Sequence[Group]) -> Name:
    """The name of several groups: models joined with +, and their prompting or `mixed`."""
    models = "+".join(dict.fromkeys(group.model for group in members))
    promptings = {group.prompting for group in members}
    return models, promptings.pop() if len(promptings) == 1 else "mixed"


def common(members: Sequence[Group], alignment: Alignment) -> tuple[NDArray[np.int64], list[Choices]]:
    """Questions of the subjects all members were asked in, and each member's choices on them.

    A member without an answer to one of them has NOT_ASKED there: the others decide.
    """
    shared = set.intersection(*(set(group.subjects) for group in members))
    every = reduce(np.union1d, (alignment.numbers[group.name] for group in members)).tolist()
    kept = [number for number in every if alignment.subjects[number] in shared and number not in alignment.lonely]
    numbers = np.array(kept, np.int64)
    return numbers, [_on(group, numbers, alignment) for group in members]


def _on(group: Group, numbers: NDArray[np.int64], alignment: Alignment) -> Choices:
    """A group's choices on these questions; of a repeated question the first answers."""
    known, first = np.unique(alignment.numbers[group.name], return_index=True)
    place = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    choices = group.choices[first[place]]
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


def _learned(groups: Sequence[Group], sampled: Sequence[Group], alignment: Alignment, seed: int) -> Iterator[Decision]:
    models = {group.model for group in sampled}
    straight = [group for group in groups if group.model in models and group.samples == 1]
    members = [*sampled, *straight]
    if not sampled or len(members) < 2:
        return
    numbers, choices = common(members, alignment)
    if len(numbers) < LEAST_TO_LEARN_FROM:
        return
    gold = np.array(alignment.gold, np.int8)[numbers]
    features = np.stack([shares(chosen) for chosen in choices], axis=1)
    yield over(members, "weighted", numbers, weighted(features, gold, seed=seed), alignment)
    short, runs = (
        [
            Stage(group.model, chosen)
            for group, chosen in zip(members, choices, strict=True)
            if (group in sampled) is many
        ]
        for many in (False, True)
    )
    decided, _ = cascade(stagings(short, runs), gold, seed=seed)
    yield over(members, "cascade", numbers, decided, alignment)
