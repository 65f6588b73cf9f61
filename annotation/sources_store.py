"""Candidates from the page's store: what visitors asked with consent, judged blind, answered whole on both sides.

    found = from_store(Path("runs/votes.sqlite3"))
    found.refused["no_consent"]

Left out and counted: no consent, seating known beforehand, texts purged, an answer missing or broken off, a question
that goes on from an earlier one (a doctor would not see that one), one model against itself. Of several attempts of a
side the last whole one is taken.

`contested`: the newest blind verdicts of at least two visitors on one comparison that do not agree. Its strength is 1
where the two most frequent are equally frequent and falls to 0 as one of them wins.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from annotation.candidates import Candidate, Found, candidate
from annotation.items import Shown
from gaokerena.answers import Answer
from gaokerena.comparisons import SIDES, Choice, Side, Verdict
from gaokerena.store import Kept, Store

CONTESTED = 0.5
"""Least strength that counts: of four visitors at least one against three."""


def from_store(path: Path) -> Found:
    """What the store at `path` holds. Raises StoreError, FileNotFoundError."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such store; name the file of GAOKERENA_STORE_PATH")
    found = Found()
    with Store(path) as store:
        contested = {comparison: strength(choices) for comparison, choices in _choices(store.verdicts()).items()}
        for kept in store.comparisons():
            made = _candidate(kept, contested)
            if isinstance(made, str):
                found.refuse(made)
            else:
                found.candidates.append(made)
    return found


def some_of(store: Store, ids: Collection[str]) -> dict[str, Candidate | str]:
    """The candidate of each comparison named, or why there is none; `unknown`: the store does not have it."""
    contested = {comparison: strength(choices) for comparison, choices in _choices(store.verdicts()).items()}
    kept = {name: store.comparison(name) for name in ids}
    return {name: _candidate(one, contested) if one else "unknown" for name, one in kept.items()}


def strength(choices: Iterable[Choice]) -> float:
    """How contested a comparison is: 0 (one verdict, or all the same) to 1 (as many against as for)."""
    counts = [count for _, count in Counter(choices).most_common()]
    if len(counts) < 2:
        return 0.0
    return 1 - (counts[0] - counts[1]) / sum(counts)


def _choices(verdicts: Iterable[Verdict]) -> Mapping[str, list[Choice]]:
    """Each visitor's newest blind verdict, by comparison."""
    newest: dict[tuple[str, str], Choice] = {}
    for verdict in verdicts:
        if verdict.blind and verdict.judge == "public":
            newest[verdict.comparison_id, verdict.session] = verdict.choice
    by_comparison = defaultdict(list)
    for (comparison, _), choice in newest.items():
        by_comparison[comparison].append(choice)
    return by_comparison


def _candidate(kept: Kept, contested: Mapping[str, float]) -> Candidate | str:
    """The candidate of one comparison, or why there is none."""
    if not kept.consent:
        return "no_consent"
    if not kept.blind:
        return "not_blind"
    if kept.question is None:
        return "purged"
    if kept.follows:
        return "follows_another"
    if kept.left == kept.right:
        return "same_model"
    answers = {side: _whole(kept, side) for side in SIDES}
    left, right = answers["left"], answers["right"]
    if left is None or right is None:
        return "unfinished"
    made = candidate("store", kept.question, shown(left), shown(right), comparison_id=kept.id)
    level = contested.get(kept.id, 0.0)
    return made.because(contested=level if level >= CONTESTED else 0.0)


def _whole(kept: Kept, side: Side) -> Answer | None:
    """The last attempt of a side that its model ended by itself and whose words are kept."""
    whole = [one.answer for one in kept.attempts[side] if one.words_kept and one.answer.finish_reason == "stop"]
    return whole[-1] if whole else None


def shown(answer: Answer) -> Shown:
    """What of an answer an item keeps."""
    return Shown(
        model=answer.model,
        revision=answer.revision,
        text=answer.text,
        reasoning=answer.reasoning,
        steps=answer.steps,
        conclusion=answer.conclusion,
        choice=answer.choice,
    )
