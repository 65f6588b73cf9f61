"""Step labels from the first wrong steps that doctors named: `prompt`, `completions`, `labels`, as TRL's stepwise
trainers read them.

    made = step_labels(judged, Rules())
    made.pairs[0]["labels"]          # [True, True, False]: the third step is the first wrong one

Steps before the first wrong one are right, it is wrong, later ones are left out: nobody said anything of them. Several
doctors are heard step by step: each holds a step right until the one he named, which he holds wrong, and then falls
silent. The majority labels the step; a wrong step ends the row, and so does a step they are evenly split on (without a
label). The weight is the mean share of the majority. The steps are those the doctors saw numbered.

Not covered: what is wrong with a step.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from statistics import fmean
from typing import Any

from annotation.judged import Judged
from annotation.pairs import Made, name_of, prompting_of, told
from annotation.usable import Rules, sort_out
from gaokerena.comparisons import SIDES, Side
from gaokerena.expert_verdicts import STEPS
from gaokerena.prompts import user_text
from gaokerena.reasoning_steps import steps


def step_labels(rows: Sequence[Judged], rules: Rules, marked: Collection[str] = ()) -> Made:
    """One candidate for each answer of which a doctor said where its reasoning first goes wrong."""
    kept, refused = sort_out(rows, rules, marked)
    reasons = {(row.judge, row.item.id): reason for row, reason in refused}
    usable = {(row.judge, row.item.id) for row in kept}
    answers: defaultdict[tuple[str, Side], list[Judged]] = defaultdict(list)
    for row in rows:
        for side in SIDES:
            if first_wrong(row, side) is not None:
                answers[row.item.id, side].append(row)
    made = Made(candidates=len(answers))
    for (item, side), judged in answers.items():
        trusted = [row for row in judged if (row.judge, item) in usable]
        if trusted:
            _label(made, trusted, side)
        else:
            often = Counter(reasons[row.judge, item] for row in judged)
            made.dropped[min(often, key=lambda reason: (-often[reason], reason))] += 1
    return made


def first_wrong(row: Judged, side: Side) -> int | None:
    """The step a doctor named: 0 none, STEPS + 1 a later one, None not answered."""
    return row.verdict.sides[side].first_wrong_step if side in row.verdict.sides else None


def _label(made: Made, rows: list[Judged], side: Side) -> None:
    shown = rows[0].item.sides[side]
    numbered = shown.steps or steps(shown.reasoning)
    if not numbered:
        made.dropped["no_steps"] += 1
        return
    fitting = [row for row in rows if _fits(first_wrong(row, side), len(numbered))]
    if not fitting:
        made.dropped["no_such_step"] += 1
        return
    labels, shares = labelled([first_wrong(row, side) or 0 for row in fitting], len(numbered))
    if labels:
        made.pairs.append(_row(fitting, side, list(numbered[: len(labels)]), labels, fmean(shares)))
    else:
        made.dropped["doctors_disagree"] += 1


def _fits(named: int | None, count: int) -> bool:
    """Whether an answer of `count` steps has the step named; of those after STEPS the page has but one name."""
    return named is not None and (named <= min(count, STEPS) or (named > STEPS and count > STEPS))


def labelled(named: Sequence[int], count: int) -> tuple[list[bool], list[float]]:
    """(labels of the first steps of `count`, the majority's share in each) from the steps the doctors named."""
    labels: list[bool] = []
    shares: list[float] = []
    for step in range(1, count + 1):
        right = sum(name == 0 or name > step for name in named if not (name > STEPS and step > STEPS))
        wrong = sum(name == step for name in named if name <= STEPS)
        if right == wrong:
            break
        labels.append(right > wrong)
        shares.append(max(right, wrong) / (right + wrong))
        if wrong > right:
            break
    return labels, shares


def _row(rows: list[Judged], side: Side, completions: list[str], labels: list[bool], share: float) -> dict[str, Any]:
    item = rows[0].item
    shown = item.sides[side]
    named = {row.judge: first_wrong(row, side) for row in rows}
    return {
        "id": name_of("steps", item.id, side),
        "prompt": user_text(item.question, prompting_of(shown)),
        "completions": completions,
        "labels": labels,
        "source": "expert",
        "question_id": item.question.id,
        "weight": round(share, 6),
        "provenance": told("steps", rows, shown) | {"first_wrong_step": named},
    }
