"""Put a round's adapter where the page finds it: weights, lineage, labels, figures and card, whole or not at all.

    publish(asked, plan, adapter, evaluation, audited)         # the folder, renamed into place

`labels.jsonl` names, for every pair, its source and the verdicts behind it; no text and no doctor stands in it.
`lineage.json` is the run's, with a block `round`: what it continues, how it is asked, the hashes of verdicts, pairs
and labels, and `before`, the same block of the round it goes on from. The labels of the rounds before lie beside
(`labels.NAME.jsonl`): the folder alone leads to every verdict.

Not covered: sending it anywhere (`push`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gaokerena.engines.loading import revision
from gaokerena.files import sync
from training.audit_gate import sha256
from training.errors import TrainingError
from training.manifest import NAME, fingerprint, read_json, write_json, write_jsonl
from training.pair_rows import read_pairs
from training.pairing.stage import HELD_OUT, PAIRS
from training.round_ancestors import LABELS, LINEAGE, copy_labels
from training.round_card import card
from training.round_plan import Plan, Round

EVALUATION, CARD = "evaluation.json", "README.md"


def publish(asked: Round, plan: Plan, adapter: Path, evaluation: dict[str, Any], audited: dict[str, Any]) -> Path:
    """The folder of the published adapter. Raises TrainingError when another one lies there."""
    mark = fingerprint(revision(str(adapter)), evaluation, audited, sha256(asked.verdicts), plan.continues)
    if asked.out.exists():
        if _mark_of(asked.out) == mark:
            return asked.out
        raise TrainingError(f"{asked.out} holds another adapter; choose another name with --out, or move it away")
    new = asked.out.with_name(f".{plan.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(adapter, new)
    labels = list(label_rows(asked, plan))
    write_jsonl(new / LABELS, labels)
    copy_labels(plan.ancestors, new)
    write_json(new / EVALUATION, evaluation)
    lineage = read_json(adapter / LINEAGE) | {"round": _block(asked, plan, audited, new, labels, mark)}
    write_json(new / LINEAGE, lineage)
    (new / CARD).write_text(card(asked, plan, lineage, labels, evaluation), "utf-8")
    for path in (*new.iterdir(), new):
        sync(path)
    new.rename(asked.out)
    sync(asked.out.parent)
    return asked.out


def _mark_of(folder: Path) -> str | None:
    path = folder / LINEAGE
    found: str | None = read_json(path).get("round", {}).get("fingerprint") if path.exists() else None
    return found


def trained_file(asked: Round, plan: Plan) -> Path:
    """The file of pairs the adapter was trained on: with other sources the mix, else what was built of the verdicts."""
    return plan.work / ("mix" if asked.also else "build") / PAIRS


def _unread(manifest: Path) -> set[str]:
    """Ids of the pairs that training left out, as they did not fit its length; none before it has run."""
    return set(read_json(manifest).get("train_too_long", [])) if manifest.exists() else set()


def label_rows(asked: Round, plan: Plan) -> Iterator[dict[str, Any]]:
    """For each pair trained on, too long for it, or judged by: its source and, if a doctor's, its verdicts."""
    unread = _unread(plan.work / "dpo" / NAME)
    for split, path in (("train", trained_file(asked, plan)), ("held_out", plan.work / "build" / HELD_OUT)):
        for pair in read_pairs(path):
            told = pair.provenance if pair.source == "expert" else {}
            yield {
                "pair_id": pair.id,
                "split": "too_long" if split == "train" and pair.id in unread else split,
                "source": pair.source,
                "kind": pair.provenance.get("kind"),
                "weight": pair.weight,
                "question_id": pair.question_id,
                "item_id": told.get("item_id"),
                "comparison_id": told.get("comparison_id"),
                "verdict_ids": told.get("verdict_ids", []),
                "judges": len(told.get("judges", [])),
                "guidelines": told.get("guidelines", []),
                "merged": told.get("merged", []),
            }


def _block(
    asked: Round, plan: Plan, audited: dict[str, Any], new: Path, labels: list[dict[str, Any]], mark: str
) -> dict[str, Any]:
    """The lineage's block on the round."""
    return {
        "name": plan.name,
        "continues": plan.continues,
        "prompting": plan.prompting,
        "fingerprint": mark,
        "verdicts_file": sha256(asked.verdicts),
        "verdicts": len({name for row in labels for name in row["verdict_ids"]}),
        "also": [sha256(path) for path in asked.also],
        "pairs": sha256(trained_file(asked, plan)),
        "labels": sha256(new / LABELS),
        "evaluation": sha256(new / EVALUATION),
        "audit": audited,
    } | ({"before": plan.ancestors[0].block} if plan.ancestors else {})
