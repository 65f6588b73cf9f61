"""Several files of pairs as one set, with weights, caps and shares by source, and what each source gave.

    make(out, Recipe(files=("a/pairs.jsonl", "b/pairs.jsonl"), weight={"public": 0.5}, share={"expert": 0.5}))

A pair that stands in two sources stays with the better one, and pairs that contradict each other are settled
(`duplicates`). A question held out by one of the files (its held_out.jsonl beside it) is trained on by none. A cap
draws that many pairs of a source; shares make a source that part of the result by drawing fewer of the others; a weight
multiplies the rows' own. `prompting` asks every pair of ours with one prompt. Seeded: equal inputs, equal bytes.

Not covered: more pairs than there are (nothing is repeated).
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from training.audit_gate import decontaminated
from training.code import code_hash
from training.errors import TrainingError
from training.manifest import NAME, Manifest, file_hash, fingerprint, read_json
from training.pair_rows import SOURCES, PairRow
from training.pairing.built import ORDER, Built
from training.pairing.duplicates import alone, question_groups
from training.pairing.intake import read
from training.pairing.stage import HELD_OUT, finished, refuse, stage, write
from training.round_asked import as_asked


class Recipe(BaseModel):
    """What to mix and how, by source; all of it stands in the manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[str, ...]
    weight: dict[str, float] = {}
    cap: dict[str, int] = {}
    share: dict[str, float] = {}
    prompting: Literal["as-is", "straight", "cot"] = "as-is"
    """How every pair of ours is asked: sources of different prompts tell by them whose pair it is."""
    seed: int = 13


def check(recipe: Recipe) -> None:
    """Raises TrainingError for a source that does not exist or a number out of its range."""
    for name, values in (("weight", recipe.weight), ("cap", recipe.cap), ("share", recipe.share)):
        for source in values:
            if source not in SOURCES:
                raise TrainingError(f"--{name} {source}: no such source; there are {', '.join(SOURCES)}")
    for source, weight in recipe.weight.items():
        if not 0 < weight <= 1:
            raise TrainingError(f"--weight {source}={weight}: above 0 and at most 1 (to leave a source out: --cap 0)")
    for source, cap in recipe.cap.items():
        if cap < 0:
            raise TrainingError(f"--cap {source}={cap}: a number of pairs from 0")
    for source, share in recipe.share.items():
        if not 0 < share <= 1:
            raise TrainingError(f"--share {source}={share}: above 0 and at most 1")
    if sum(recipe.share.values()) > 1 + 1e-9:
        raise TrainingError(f"the shares add up to {sum(recipe.share.values()):g}; at most 1")


def mix(built: Built, held_out: Sequence[PairRow], recipe: Recipe) -> None:
    """Make one set of the rows in `built`; `held_out` are the files' held-out pairs.

    Raises TrainingError for a named source without pairs, or an empty result.
    """
    check(recipe)
    for source in (*recipe.weight, *recipe.cap, *recipe.share):
        if not built.came[source]:
            raise TrainingError(f"{source}: no pairs of that source in {', '.join(recipe.files)}; leave it out")
    rows = alone(built.train, built.drop)
    rows = _apart(rows, held_out, built)
    rng = random.Random(recipe.seed)
    by_source: defaultdict[str, list[PairRow]] = defaultdict(list)
    for row in rows:
        by_source[row.source].append(row)
    _reduce(by_source, recipe.cap, "cap", rng, built)
    _reduce(by_source, counts({name: len(some) for name, some in by_source.items()}, recipe.share), "share", rng, built)
    built.train = [_weighed(row, recipe.weight.get(source, 1.0)) for source in ORDER for row in by_source[source]]
    built.check()
    if not built.train:
        raise TrainingError(f"nothing is left of {built.came.total()} pairs; loosen --cap or --share")


def counts(have: dict[str, int], share: dict[str, float]) -> dict[str, int]:
    """How many pairs of each source make the largest set with these shares; sources without a share fill the rest.

    Raises TrainingError for shares that cannot be had.
    """
    if not share:
        return dict(have)
    others = sum(number for name, number in have.items() if name not in share)
    rest = 1 - sum(share.values())
    if rest <= 1e-9:
        rest = 0.0
    elif not others:
        raise TrainingError(f"the shares add up to {1 - rest:g} and there is no other source; let them add up to 1")
    whole = min(have.get(name, 0) / part for name, part in share.items())
    whole = min(whole, others / rest) if rest else whole
    found = {name: int(whole * part + 1e-9) for name, part in share.items()}
    keep = whole * rest / others if others else 0.0
    return found | {name: int(number * keep + 1e-9) for name, number in have.items() if name not in share}


def _apart(rows: Sequence[PairRow], held_out: Sequence[PairRow], built: Built) -> list[PairRow]:
    """The rows whose question no file holds out."""
    group = question_groups([*rows, *held_out])
    away = set(group[len(rows) :])
    for row, place in zip(rows, group, strict=False):
        if place in away:
            built.drop(row, "its question is held out")
    return [row for row, place in zip(rows, group, strict=False) if place not in away]


def _reduce(
    by_source: dict[str, list[PairRow]], most: dict[str, int], reason: str, rng: random.Random, built: Built
) -> None:
    """Draw at most so many of each source, in their order."""
    for source in ORDER:
        some = by_source.get(source, [])
        if source in most and most[source] < len(some):
            kept = set(rng.sample(range(len(some)), most[source]))
            built.dropped[f"{source}: {reason}"] += len(some) - len(kept)
            by_source[source] = [row for place, row in enumerate(some) if place in kept]


def _weighed(row: PairRow, weight: float) -> PairRow:
    return row.model_copy(update={"weight": row.weight * weight}) if weight != 1 else row


def make(out: Path, recipe: Recipe) -> dict[str, Any]:
    """Mix into the folder `out`, or find it mixed; returns the manifest. Raises TrainingError."""
    check(recipe)
    files = [Path(name) for name in recipe.files]
    beside = dict.fromkeys(path.with_name(HELD_OUT) for path in files if path.name != HELD_OUT)
    away = [path for path in beside if path.exists()]
    if missing := [path for path in files if not path.exists()]:
        raise TrainingError(f"no pairs at {missing[0]}; `python -m training pairs build` makes such files")
    refuse(out, (*files, *away))
    hashes, compared = [file_hash(path) for path in (*files, *away)], all(map(decontaminated, files))
    mark = fingerprint("pairs mix", recipe.model_dump(), hashes, compared, code_hash("training.pairing.mix"))
    if made := finished(out, mark):
        return made
    with stage(out, Manifest("pairs mix", recipe.seed, mark, recipe=recipe.model_dump(mode="json"))) as manifest:
        built, held = Built(), Built()
        read(files, built)
        read(away, held)
        if recipe.prompting != "as-is":
            built.train, held.train = (as_asked(rows, recipe.prompting) for rows in (built.train, held.train))
        held_out = alone(held.train, held.drop)
        mix(built, held_out, recipe)
        manifest.counts_in = dict(sorted(built.came.items()))
        manifest.dropped = built.dropped
        manifest.extra["by_source"] = dict(sorted(Counter(row.source for row in built.train).items()))
        manifest.extra["decontaminated"] = compared
        write(out, manifest, built.train, held_out)
    return read_json(out / NAME)
