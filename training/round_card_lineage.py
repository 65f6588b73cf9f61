"""The card's section on lineage: hashes of everything behind the weights, and every verdict by id, of all rounds.

    lineage_lines(plan, lineage, labels, evaluation)         # paragraphs of Markdown
    learned_before(plan)                                     # a sentence for the data statement

Not covered: what was learned before the first round (the adapter's own card and lineage).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from training.card_parts import table
from training.pairing.stage import PAIRS
from training.round_ancestors import LABELS
from training.round_plan import Plan

Labels = Sequence[Mapping[str, Any]]


def verdicts(labels: Iterable[Mapping[str, Any]], split: str) -> list[str]:
    """Ids of the verdicts behind the pairs of one side of the split."""
    return sorted({str(name) for row in labels if row["split"] == split for name in row["verdict_ids"]})


def learned_before(plan: Plan) -> str:
    """What the rounds before had learned from; empty where there were none."""
    if not plan.ancestors:
        return ""
    told = [
        f"{one.name} from {len(verdicts(one.rows(), 'train'))} verdicts (`{one.kept_as}`)" for one in plan.ancestors
    ]
    return (
        f"Before this round {', '.join(told)} had learned. Questions any of them was trained on are held out by none "
        "that follows."
    )


def lineage_lines(plan: Plan, lineage: Mapping[str, Any], labels: Labels, evaluation: Mapping[str, Any]) -> list[str]:
    """Hashes, then the verdicts by id: this round's, and those of every round before it."""
    told, revisions = lineage["round"], evaluation["revisions"]
    rows = [
        ("weights + base", f"`{revisions['new']}`"),
        ("goes on from", f"`{revisions['old']}`"),
        ("the verdicts' file", f"`{told['verdicts_file']}`"),
        *(("pairs of other sources", f"`{digest}`") for digest in told.get("also", ())),
        (PAIRS, f"`{told['pairs']}`"),
        (LABELS, f"`{told['labels']}`"),
        *((one.kept_as, f"`{one.block['labels']}`") for one in plan.ancestors),
        ("evaluation.json", f"`{told['evaluation']}`"),
    ]
    lines = [
        table(("what", "SHA-256"), rows),
        f"`{LABELS}` beside this card leads from each pair to its verdicts, item and comparison.",
        *_named("it", labels),
    ]
    for one in plan.ancestors:
        lines += [
            f"`{one.kept_as}` does so for {one.name}, which this adapter goes on from.",
            *_named(one.name, one.rows()),
        ]
    return lines


def _named(who: str, labels: Labels) -> list[str]:
    """The verdicts of one round by id."""
    trained, away = verdicts(labels, "train"), verdicts(labels, "held_out")
    return [
        _folded(f"The {len(trained)} verdicts {who} was trained on", trained),
        _folded(f"The {len(away)} verdicts {who} was judged by", away),
    ]


def _folded(title: str, names: Sequence[str]) -> str:
    listed = " ".join(f"`{name}`" for name in names)
    return f"<details><summary>{title}</summary>\n\n{listed}\n\n</details>"
