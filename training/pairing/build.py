"""Pairs fit to train on: pairs.jsonl, held_out.jsonl and a manifest that accounts for every pair that came in.

    make(Path("runs/pairs"), Options(files=("expert.jsonl",), published=True))

In order: every pair asked with one prompt, where that is wanted, the published pairs in one letter case, unsound pairs
out (`repair`), repeated and contradicting pairs settled (`duplicates`), the published pairs in one hand, questions held
out, single cues balanced (`balance`): of what models made, and of what people said only when asked. Every step's cost
is counted by source. A question and its near duplicates lie on one side of the split; a question that the mini pair
holds out is held out here as well.

Built from its own output a set stays as it is.

Outputs are written whole, the manifest last; it names their SHA-256. A finished build is not made again.

Not covered: mixing sources by weight (`mix`), the audit of what came out (`audit`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from training import sources
from training.casing import Casing
from training.code import code_hash
from training.decontaminate import Reference
from training.documents import question_key
from training.errors import TrainingError
from training.manifest import NAME, Manifest, file_hash, fingerprint, read_json
from training.pair_rows import PairRow
from training.pairing import intake
from training.pairing.balance import balance
from training.pairing.built import PEOPLE, Built, Options
from training.pairing.duplicates import alone, question_groups
from training.pairing.questions import question_of
from training.pairing.repair import cased, fault, one_hand, published
from training.pairing.stage import finished, refuse, stage, write
from training.round_asked import as_asked, ours


def build(built: Built, options: Options, references: Reference | None) -> None:
    """Take what was gathered through every step."""
    if options.as_is:
        return
    good = alone(_sound(_asked(built, options), references, built), built.drop)
    if options.hands == "one":
        good = alone(_one_hand(good, built), built.drop)  # pairs apart in the student's text alone are equal now
    away = _held_out(good, options.held_out_per_mille, frozenset(options.trained_before))
    built.held_out = [row for row, out in zip(good, away, strict=True) if out]
    train = [row for row, out in zip(good, away, strict=True) if not out]
    built.train = _balanced(train, options, built)
    built.check()


def _asked(built: Built, options: Options) -> Sequence[PairRow]:
    """The rows as they came, or each of ours asked with one prompt."""
    if options.prompting == "as-is":
        return built.train
    rows = as_asked(built.train, options.prompting)
    for before, row in zip(built.train, rows, strict=True):
        built.changed[f"{row.source}: asked with {options.prompting}"] += row.prompt != before.prompt
        built.other_wording[row.source] += not ours(before)
    return rows


def _sound(rows: Sequence[PairRow], references: Reference | None, built: Built) -> list[PairRow]:
    """The rows that have no fault; the published ones, whose letter case was damaged, in one letter case."""
    casing, good = Casing.learn(_natural(rows)), []
    for row in rows:
        repaired = cased(row, casing) if published(row) else row
        reason = "one letter case makes both sides one" if repaired is None else fault(repaired, references)
        if reason or repaired is None:
            built.drop(row, str(reason))
            continue
        built.changed[f"{row.source}: letter case"] += (repaired.better, repaired.worse) != (row.better, row.worse)
        good.append(repaired)
    return good


def _natural(rows: Sequence[PairRow]) -> Iterator[str]:
    """Texts whose letter case is their writers': not what the published teacher made, that was lower-cased."""
    for row in rows:
        yield from [row.worse] if published(row) else [row.better, row.worse]


def _one_hand(rows: Sequence[PairRow], built: Built) -> list[PairRow]:
    """The published pairs in one hand; fresh pairs keep the student's own text and stand or fall by their audit."""
    good = []
    for row in rows:
        if not published(row):
            good.append(row)
            continue
        made, reason = one_hand(row)
        if made is None:
            built.drop(row, str(reason))
        else:
            built.changed[f"{row.source}: one hand"] += 1
            good.append(made)
    return good


def _held_out(rows: Sequence[PairRow], per_mille: int, before: frozenset[str]) -> list[bool]:
    """Whether each row is held out: its question, or a near duplicate of it, falls into the share.

    A question of `before`, and its near duplicates with it, stays on the training side.
    """
    group = question_groups(rows)
    keys = [question_key(question_of(row)) for row in rows]
    out = {place for place, key in zip(group, keys, strict=True) if int(key[:8], 16) % 1000 < per_mille}
    out -= {place for place, row in zip(group, rows, strict=True) if row.question_id in before}
    return [place in out for place in group]


def _balanced(rows: Sequence[PairRow], options: Options, built: Built) -> list[PairRow]:
    """The pairs, with single cues below the limit in each source that is to be balanced; order kept."""
    by_source: defaultdict[str, list[PairRow]] = defaultdict(list)
    for row in rows:
        by_source[row.source].append(row)
    kept: set[str] = set()
    for source, some in by_source.items():
        wanted = options.balance_people if source in PEOPLE else options.balance
        left, cost = balance(some, limit=options.limit, seed=options.seed) if wanted else (some, {})
        kept.update(row.id for row in left)
        for cue, count in cost.items():
            built.dropped[f"{source}: balancing {cue}"] += count
    return [row for row in rows if row.id in kept]


def gather(options: Options) -> Built:
    """The rows to build from, as `train`, counted as they came. Raises TrainingError for none."""
    built = Built()
    if options.published:
        intake.published(sources.data_folder(), options.parts, built)
    intake.read([Path(name) for name in options.files], built)
    if not built.train:
        raise TrainingError(f"nothing to build from; {_nothing(options)}")
    return built


def _nothing(options: Options) -> str:
    """Why no pair came, and the next step."""
    if options.files:
        return f"no pairs stand in {', '.join(options.files)}; the manifest beside a file says what it left out"
    return "name JSONL files of pairs, or give --published"


def make(out: Path, options: Options) -> dict[str, Any]:
    """Build into the folder `out`, or find it built; returns the manifest. Raises TrainingError."""
    refuse(out, _files(options))
    mark = fingerprint("pairs build", options.model_dump(), _inputs(options), code_hash("training.pairing.build"))
    if made := finished(out, mark):
        return made
    with stage(out, Manifest("pairs build", options.seed, mark, recipe=options.model_dump(mode="json"))) as manifest:
        built = gather(options)
        references = sources.reference(sources.data_folder()) if options.suites and not options.as_is else None
        build(built, options, references)
        manifest.counts_in = dict(sorted(built.came.items()))
        manifest.dropped = built.dropped
        manifest.extra |= {"changed": dict(sorted(built.changed.items())), "decontaminated": references is not None}
        manifest.extra["other_wording"] = dict(sorted((+built.other_wording).items()))
        write(out, manifest, built.train, built.held_out)
    return read_json(out / NAME)


def _files(options: Options) -> list[Path]:
    """The files of pairs. Raises TrainingError for a missing one."""
    files = [Path(name) for name in options.files]
    if missing := [path for path in files if not path.exists()]:
        raise TrainingError(f"no pairs at {missing[0]}; name JSONL files of pairs (training/pair_rows.py)")
    return files


def _inputs(options: Options) -> list[str]:
    """The hashes of what is read."""
    files = _files(options)
    if options.published or (options.suites and not options.as_is):
        files += sorted(sources.data_folder().glob("*.parquet"))
    return [file_hash(path) for path in files]
